# SPDX-License-Identifier: MPL-2.0
"""Where a request comes from.

A reverse proxy adds the address it was called from at the end of a header; what stands before that came with the call
and may be made up. So the header is read from its end, and the client is the first address that is no proxy's.

Source: `api_util` (`maybe_set_client_ip`), which takes the whole header for the client's address; RFC 7239.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from aiohttp import web

from crossbar.config import ServerOptions

REMEMBERED: Final = 10_000
"""Addresses of which it is remembered whether a proxy has them."""

LONGEST_ADDRESS: Final = 64
"""Characters of an address with brackets, port and the blanks around it."""

Address = IPv4Address | IPv6Address

_WITH_PORT: Final = re.compile(r"\[(?P<six>[^\]]*)\](:\d{1,5})?|(?P<four>[\d.]+)(:\d{1,5})?")
_ORIGIN_PARTS: Final = {
    "proto": re.compile(r"https?", re.IGNORECASE),
    "host": re.compile(r"[\w.:\[\]-]{1,255}", re.ASCII),
}
_FOR: Final = re.compile(r'(?:^|;)\s*for\s*=\s*(?:"([^"]*)"|([^;"]*))\s*(?=;|$)', re.IGNORECASE)


class ClientAddress:
    """Tells the client's address, behind the reverse proxies that the options of the moment name."""

    def __init__(self, server: Callable[[], ServerOptions]) -> None:
        self._server = server
        self._read: ServerOptions | None = None
        self._networks: list[IPv4Network | IPv6Network] = []
        self._proxies: dict[str, bool] = {}

    def address(self, request: web.Request) -> str:
        """The client's IP address.

        Behind trusted proxies the last one that they added to the header of `server.forwarded_header` and that is none
        of theirs. Where what they added is no address, it is that of the proxy that did.
        """
        server, peer = self._server(), request.remote or "0.0.0.0"  # noqa: S104 - no address at all, on a unix socket
        client = parsed(peer) or peer
        if server.check_reverse_proxies and not self._is_proxy(client):
            return client
        for hop in _hops(request, server.forwarded_header):
            address = parsed(hop)
            if address is None:
                break
            client = address
            if not self._is_proxy(client):
                break
        return client

    def origin(self, request: web.Request) -> str:
        """Scheme and host as the client wrote them, such as `https://api.example.com`.

        A trusted proxy tells what its own client wrote: in `X-Forwarded-Proto` and `X-Forwarded-Host`, or where
        `server.forwarded_header` is `forwarded` in the last `proto` and `host` of that.
        """
        server, peer = self._server(), request.remote or ""
        scheme, host = request.scheme, request.host
        is_proxied = server.forwarded_header in request.headers  # what does not tell whose request it is, is no proxy
        if is_proxied and (not server.check_reverse_proxies or self._is_proxy(parsed(peer) or peer)):
            told = partial(_told, request, server.forwarded_header)
            scheme, host = told("proto", "X-Forwarded-Proto") or scheme, told("host", "X-Forwarded-Host") or host
        return f"{scheme.lower()}://{host}"

    def _is_proxy(self, address: str) -> bool:
        server = self._server()
        if server is not self._read:
            self._read = server
            self._networks = [ip_network(proxy) for proxy in server.reverse_proxies]
            self._proxies.clear()
        known = self._proxies.get(address)
        if known is None:
            try:
                number = ip_address(address)
            except ValueError:
                return False
            known = any(number in network for network in self._networks)
            if len(self._proxies) < REMEMBERED:
                self._proxies[address] = known
        return known


def parsed(text: str) -> str | None:
    """An address in its usual form, from one that may have brackets and a port; None where it is none.

    An IPv4 address that came over IPv6 (`::ffff:192.0.2.1`) is the IPv4 address.
    """
    return _parsed(text) if len(text) <= LONGEST_ADDRESS else None


@lru_cache(REMEMBERED)
def _parsed(text: str) -> str | None:
    match = _WITH_PORT.fullmatch(text.strip())
    try:
        address: Address = ip_address((match["six"] or match["four"] or "") if match else text.strip())
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def _hops(request: web.Request, header: str) -> Iterator[str]:
    """What the header says of each address on the way, the nearest first; empty text where it says nothing."""
    # No address has a comma in it: a quotation mark that a client left open cannot swallow what proxies added.
    for line in reversed(request.headers.getall(header, ())):
        for element in reversed(line.split(",")):
            yield element if header == "x-forwarded-for" else _named(element)


def _told(request: web.Request, header: str, name: str, alone: str) -> str:
    """What the nearest proxy told of its client's request; empty text where that is nothing, or nonsense."""
    if header == "forwarded":
        element = ",".join(request.headers.getall(header, ())).rpartition(",")[2]
        pairs = (pair.partition("=") for pair in element.split(";"))
        text = next((value for key, _, value in pairs if key.strip().lower() == name), "")
    else:
        text = request.headers.get(alone, "").rpartition(",")[2]
    text = text.strip().strip('"')
    return text if _ORIGIN_PARTS[name].fullmatch(text) else ""


def _named(element: str) -> str:
    """The `for` of one element of a `Forwarded` header."""
    match = _FOR.search(element)
    return "" if match is None else (match[1] or match[2] or "")
