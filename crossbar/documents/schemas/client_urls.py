# SPDX-License-Identifier: MPL-2.0
"""Which URLs of clients the server is ready to call.

Webhooks, pivot, recordings and fax callbacks make the server fetch a URL a client chose. Without a check such a URL
reaches the server's own loopback services. Source: KAZOO's `invalid client URL` checks and its lists of refused
hosts and networks.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

_UNSAFE = re.compile(r"[\x00-\x20\x7f\\]")
_NUMERIC = re.compile(r"(?:0[xX][0-9a-fA-F]*|\d+)(?:\.(?:0[xX][0-9a-fA-F]*|\d+)){0,3}", re.ASCII)


class ClientUrls:
    """A policy: host names and networks (CIDR) that no client's URL may point to.

    With both lists empty every http(s) URL passes.
    """

    def __init__(
        self,
        hosts: Iterable[str] = ("localhost",),
        networks: Iterable[str] = ("127.0.0.0/8", "::1/128", "0.0.0.0/8", "::/128"),
    ) -> None:
        self._hosts = frozenset(host.lower().rstrip(".") for host in hosts)
        self._networks = tuple(ip_network(network, strict=False) for network in networks)

    @classmethod
    def refusing(cls, entries: Iterable[str]) -> ClientUrls:
        """The policy that refuses these: host names, and networks as CIDRs."""
        entries = tuple(entries)
        return cls([entry for entry in entries if "/" not in entry], [entry for entry in entries if "/" in entry])

    def allows(self, url: str) -> bool:
        """Whether `url` is http or https, well formed, and points to no refused host."""
        host = _host(url)
        if not host or host in self._hosts:
            return False
        address = _address(host)
        return address is None or self.allows_address(address)

    def allows_address(self, address: IPv4Address | IPv6Address) -> bool:
        """Whether an address (say, one a host name resolved to) lies in none of the refused networks."""
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return not any(address in network for network in self._networks)


def _host(url: str) -> str | None:
    """The host of an http(s) URL, lower case and in ASCII; None when the URL is not one."""
    if _UNSAFE.search(url):
        return None
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or parts.hostname is None:
            return None
        _ = parts.port  # raises for what is no port number
        host = parts.hostname if parts.hostname.isascii() else parts.hostname.encode("idna").decode("ascii")
    except ValueError:
        return None
    return host.lower().rstrip(".")


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """The address a host literally is, in any spelling a resolver understands (`127.1`, `0x7f000001`)."""
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        pass
    if not _NUMERIC.fullmatch(host):
        return None
    try:
        return IPv4Address(socket.inet_aton(host))
    except OSError:
        return None
