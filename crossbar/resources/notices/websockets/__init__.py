# SPDX-License-Identifier: MPL-2.0
"""Websockets: which events can be listened to, and who listens.

Source: KAZOO `cb_websockets`, `blackhole_tracking.erl`.
"""

from __future__ import annotations

from crossbar.endpoint import Context, Endpoint, Reply, Who
from crossbar.resources.notices.domain.socket_binding import CATALOG
from crossbar.resources.notices.domain.socket_register import open_sockets

websockets = Endpoint("websockets")


@websockets.get("/websockets", who=Who.ANONYMOUS)
async def bindings(_: Context) -> Reply:
    """What can be listened to."""
    return Reply(CATALOG)


@websockets.get("/accounts/{account_id}/websockets")
async def index(context: Context) -> Reply:
    """The open sockets of the account in the path, and of the caller's own."""
    return Reply(await open_sockets(context.store, context.account_id, context.identity.account_id))


@websockets.get("/accounts/{account_id}/websockets/{socket_id}")
async def read(context: Context) -> Reply:
    """One of these sockets; an empty list if there is none of that id."""
    rows = await open_sockets(context.store, context.account_id, context.identity.account_id)
    found = [row for row in rows if row["websocket_session_id"] == context.path["socket_id"]]
    return Reply(found[0] if found else [])
