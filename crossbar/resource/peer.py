"""Where a request comes from.

Source: `api_util` (`maybe_set_client_ip`): `X-Forwarded-For` counts when a known reverse proxy says so.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Final

from aiohttp import web

LONGEST_ADDRESS: Final = 64


class Peers:
    """Tells the client's address, behind the given reverse proxies (addresses or CIDRs)."""

    def __init__(self, proxies: Sequence[str], *, check: bool) -> None:
        self._networks = [ipaddress.ip_network(proxy) for proxy in proxies]
        self._check = check
        self._trusted: dict[str, bool] = {}

    def address(self, request: web.Request) -> str:
        """The client's IP address; `X-Forwarded-For` is taken verbatim from a trusted peer."""
        peer = request.remote or "0.0.0.0"  # noqa: S104 - no address at all, on a unix socket
        forwarded = request.headers.get("X-Forwarded-For")
        if not forwarded or len(forwarded) > LONGEST_ADDRESS or not self._is_trusted(peer):
            return peer
        return forwarded

    def _is_trusted(self, peer: str) -> bool:
        if not self._check:
            return True
        trusted = self._trusted.get(peer)
        if trusted is None:
            try:
                address = ipaddress.ip_address(peer)
            except ValueError:
                return False
            trusted = any(address in network for network in self._networks)
            if len(self._trusted) < 10_000:
                self._trusted[peer] = trusted
        return trusted
