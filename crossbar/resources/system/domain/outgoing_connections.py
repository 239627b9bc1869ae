# SPDX-License-Identifier: MPL-2.0
"""Connections to where clients want the server to go: which addresses may be reached, judged when one is made.

A name is judged by the address that it stands for at that moment, so that no name leads inside that led outside before.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Final

from aiohttp import ClientError, ClientResponse

from crossbar.config import Config
from crossbar.documents.schemas import ClientUrls
from crossbar.settings import Settings

Address = IPv4Address | IPv6Address
Rule = Callable[[Address], bool]


def reachable(config: Config) -> Rule:
    """Whether a store may lie at an address: in no blocked network, or in an allowed one."""
    return _outside(config, config.storage.allowed_networks)


def reachable_server(config: Config) -> Rule:
    """The same for a server that is told of events or asked what to do with a call: webhooks, pivot applications."""
    return _outside(config, config.events.allowed_networks)


def _outside(config: Config, allowed_networks: Iterable[str]) -> Rule:
    """Whether an address lies in no blocked network, or in one of those that are allowed whatever is blocked."""
    allowed = tuple(ip_network(network) for network in allowed_networks)
    blocked = config.security.blocked_hosts
    networks = [str(ip_network(network)) for network in config.storage.blocked_networks]
    policy = ClientUrls.refusing([*blocked, *networks] if blocked else ())

    def may(address: Address) -> bool:
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in network for network in allowed) or policy.allows_address(address)

    return may


class OutgoingConnections:
    """Makes the sockets of connections to wherever the rule allows."""

    def __init__(self, settings: Settings, rule: Callable[[Config], Rule] = reachable) -> None:
        self._reachable = settings.derived(rule)

    def socket(self, info: tuple[Any, ...]) -> socket.socket:
        """A socket for an address, as `socket.getaddrinfo` gives it. Raises OSError for one that is refused."""
        family, kind, protocol, _, address = info
        self.check(str(address[0]))
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        return made

    def check(self, address: str) -> None:
        """Raise OSError for an address that may not be reached."""
        if not self._reachable()(ip_address(address.partition("%")[0])):
            raise PermissionError(errno.EACCES, f"connections to {address} are not allowed")


NO_ANSWER: Final = (ClientError, OSError, ValueError)
"""What a request raises that gets no answer, or none that can be read."""


def trouble_of(error: Exception) -> str:
    """Why there is no answer, in a word or a sentence: of one of `NO_ANSWER`."""
    return "timeout" if isinstance(error, TimeoutError) else readable(str(error)) or type(error).__name__


def headers_of(response: ClientResponse) -> dict[str, str]:
    """An answer's headers as text that can be kept."""
    return {readable(name): readable(value) for name, value in response.headers.items()}


def readable(text: str) -> str:
    """A text of another server's, with a sign in the place of what is not UTF-8, which aiohttp hands on as it came."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


async def beginning_of(response: ClientResponse, most: int) -> bytes:
    """An answer's body, or the beginning of one that has more than `most` bytes: at least one byte more than these.

    Of a longer body no more is read; its connection is given up.
    """
    parts: list[bytes] = []
    size = 0
    async for piece in response.content.iter_any():
        parts.append(piece)
        size += len(piece)
        if size > most:
            response.close()
            break
    return b"".join(parts)
