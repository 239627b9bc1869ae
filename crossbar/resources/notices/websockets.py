"""Websockets: which events can be listened to, and who listens.

Source: KAZOO `cb_websockets`, `blackhole_tracking.erl`. Whoever serves a socket keeps a document of it here for as
long as it is open, so that every worker can tell of it.
"""

from __future__ import annotations

from typing import Any, Final

from crossbar.documents.document import Document
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Summary
from crossbar.endpoint import Context, Endpoint, Reply, Who
from crossbar.errors import JSON
from crossbar.resources.notices.domain.webhook_event import OBJECT_ACTIONS, OBJECT_TYPES

DATABASE: Final = "websockets"
TYPE: Final = "websocket"
SHOWN: Final = ("bindings", "websocket_session_id", "timestamp", "name", "metadata", "destination", "source")
WEBSOCKET_SHAPE: Final = Shape(
    TYPE,
    summary=Summary(*SHOWN),
    sort="timestamp",
    tags=lambda socket: [f"account/{socket.at('account_id')}"],
)
"""An open socket: id = `<client ip>:<client port>`, beside `SHOWN` the `account_id` of its token."""

CALL_EVENTS: Final = (
    "CHANNEL_CREATE",
    "CHANNEL_ANSWER",
    "CHANNEL_DESTROY",
    "CHANNEL_HOLD",
    "CHANNEL_UNHOLD",
    "CHANNEL_BRIDGE",
    "PARK_PARKED",
    "PARK_RETRIEVED",
    "PARK_ABANDONED",
)
BINDINGS: Final[dict[str, list[str]]] = {
    "call": [f"call.{event}.{{CALL_ID}}" for event in CALL_EVENTS],
    "conference": ["conference.event.{CONFERENCE_ID}.{CALL_ID}", "conference.command.{CONFERENCE_ID}"],
    "fax": ["fax.status.{FAX_ID}", "fax.object.{ACTION}"],
    "object": [f"object.{action}.{document_type}" for document_type in OBJECT_TYPES for action in OBJECT_ACTIONS],
    "presence": ["dialog.{CALL_ID}", "mwi_updates.{USER}", "update.{CALL_ID}"],
}
"""Kind of event → what a socket can subscribe to."""

websockets = Endpoint("websockets")


@websockets.get("/websockets", who=Who.ANONYMOUS)
async def bindings(_: Context) -> Reply:
    """What can be listened to."""
    return Reply(BINDINGS)


@websockets.get("/accounts/{account_id}/websockets")
async def index(context: Context) -> Reply:
    """The open sockets of the account in the path, and of the caller's own."""
    return Reply([_row(socket) for socket in await _sockets(context)])


@websockets.get("/accounts/{account_id}/websockets/{socket_id}")
async def read(context: Context) -> Reply:
    """One of these sockets; an empty list if there is none of that id."""
    found = [_row(socket) for socket in await _sockets(context) if socket.id == context.path["socket_id"]]
    return Reply(found[0] if found else [])


async def _sockets(context: Context) -> list[Document]:
    found: dict[str, Document] = {}
    for account_id in (context.account_id, context.identity.account_id):
        for socket in await context.store.all(Listing(DATABASE, TYPE, tag=f"account/{account_id}")):
            found[socket.id] = socket
    return list(found.values())


def _row(socket: Document) -> dict[str, Any]:
    row: dict[str, JSON] = {key: value for key in SHOWN if (value := socket.at(key)) is not None}
    return row
