"""Where a request comes from.

Source: `api_util` (`maybe_set_client_ip`): `X-Forwarded-For` counts when a known reverse proxy says so.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from aiohttp import web

from crossbar.config import ServerOptions

LONGEST_ADDRESS: Final = 64


class ClientAddress:
    """Tells the client's address, behind the reverse proxies that the options of the moment name."""

    def __init__(self, server: Callable[[], ServerOptions]) -> None:
        self._server = server
        self._read: ServerOptions | None = None
        self._networks: list[IPv4Network | IPv6Network] = []
        self._trusted: dict[str, bool] = {}

    def address(self, request: web.Request) -> str:
        """The client's IP address; `X-Forwarded-For` is taken verbatim from a trusted peer."""
        peer = request.remote or "0.0.0.0"  # noqa: S104 - no address at all, on a unix socket
        forwarded = request.headers.get("X-Forwarded-For")
        if not forwarded or len(forwarded) > LONGEST_ADDRESS or not self._is_trusted(peer):
            return peer
        return forwarded

    def _is_trusted(self, peer: str) -> bool:
        server = self._server()
        if not server.check_reverse_proxies:
            return True
        if server is not self._read:
            self._read = server
            self._networks = [ip_network(proxy) for proxy in server.reverse_proxies]
            self._trusted.clear()
        trusted = self._trusted.get(peer)
        if trusted is None:
            try:
                address = ip_address(peer)
            except ValueError:
                return False
            trusted = any(address in network for network in self._networks)
            if len(self._trusted) < 10_000:
                self._trusted[peer] = trusted
        return trusted
