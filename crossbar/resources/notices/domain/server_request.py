# SPDX-License-Identifier: MPL-2.0
"""Requests to servers that clients name: where they may lie, how long an answer may take, what is kept of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from yarl import URL

from crossbar.resources.notices.domain.webhook_attempt import LONGEST_TEXT, Outcome
from crossbar.resources.system.domain.outgoing_connections import (
    NO_ANSWER,
    OutgoingConnections,
    beginning_of,
    headers_of,
    reachable_server,
    trouble_of,
)
from crossbar.runtime import Runtime

CONNECT_SECONDS: Final = 10.0


@asynccontextmanager
async def session_to_servers(runtime: Runtime) -> AsyncIterator[ClientSession]:
    """A session whose connections lead to no network that they must not reach."""
    connections = OutgoingConnections(runtime.settings, reachable_server)
    connector = TCPConnector(limit=0, socket_factory=connections.socket)
    timeout = ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
    async with ClientSession(connector=connector, cookie_jar=DummyCookieJar(), timeout=timeout) as session:
        yield session


async def outcome_of(
    session: ClientSession, verb: str, url: str, *, headers: Mapping[str, str], body: str, seconds: float
) -> Outcome:
    """Send a request; no trouble with it raises."""
    try:
        async with (
            asyncio.timeout(seconds),
            session.request(
                verb,
                URL(url, encoded=True),
                data=body.encode() if body else None,
                headers=headers,
                # A redirected POST would arrive as a GET, without what it is to tell.
                allow_redirects=verb == "GET",
            ) as response,
        ):
            return Outcome(response.status, headers_of(response), await _beginning(response))
    except NO_ANSWER as error:
        return Outcome(error=trouble_of(error))


async def _beginning(response: ClientResponse) -> str:
    """As much of an answer's body as is kept; of a longer one the connection is given up."""
    body = await beginning_of(response, LONGEST_TEXT)
    return body[:LONGEST_TEXT].decode("utf-8", "replace")
