# SPDX-License-Identifier: MPL-2.0
"""Which sockets are open, so that every worker can tell of them.

Each is a document for as long as it is open. It names the worker that has it: what a worker left that was killed is
not told of once it is not heard of any more, and taken away by another one.

Source: KAZOO `blackhole_tracking.erl` (`get_sockets_by_account`), `bh_context.erl` (`to_json`).
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any, Final

import orjson

from crossbar.documents.document import Document
from crossbar.documents.listing import Listing
from crossbar.documents.membership import LOOK_SECONDS, Membership
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Store
from crossbar.errors import JSON, CrossbarError
from crossbar.resources.notices.domain.socket_session import SocketSession

log = logging.getLogger(__name__)

DATABASE: Final = "websockets"
TYPE: Final = "websocket"
WORKER: Final = "pvt_worker"
WORK: Final = "sockets"
LABELS: Final = "pvt_labels"
"""What the client calls its socket, any JSON, as text."""
SHOWN: Final = ("bindings", "websocket_session_id", "timestamp", "destination", "source")
WEBSOCKET_SHAPE: Final = Shape(
    TYPE,
    summary=Summary(*SHOWN),
    sort="timestamp",
    tags=lambda opened: [f"account/{opened.at('account_id')}", f"worker/{opened.at(WORKER)}"],
    moves=False,
)
"""An open socket: beside `SHOWN` the `account_id` of its token, and its worker."""


async def open_sockets(store: Store, *account_ids: str) -> list[dict[str, Any]]:
    """The sockets whose tokens are of these accounts, each once."""
    workers = set(await store.leases.holders(f"{WORK}/"))
    found: dict[str, dict[str, JSON]] = {}
    for account_id in dict.fromkeys(account_ids):
        for opened in await store.all(Listing(DATABASE, TYPE, tag=f"account/{account_id}")):
            if opened.at(WORKER) in workers:
                found[opened.id] = {**{key: opened.at(key) for key in SHOWN}, **orjson.loads(opened.text(LABELS))}
    return list(found.values())


class SocketRegister:
    """Keeps the documents of one worker's sockets."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._membership = Membership(store, WORK)
        self._host = socket.gethostname()
        self._seen: tuple[str, ...] = ()

    async def begin(self) -> None:
        """Be known as a worker that has sockets."""
        await self._membership.look()

    async def note(self, session: SocketSession) -> None:
        """Keep what is told of a socket."""
        assert session.identity is not None  # noqa: S101 - only then is a socket told of
        given = {"name": session.name, "metadata": session.metadata}
        labels = {label: value for label, value in given.items() if value is not None}
        fields: dict[str, Any] = {
            "pvt_type": TYPE,
            WORKER: self._membership.holder,
            "account_id": session.identity.account_id,
            "bindings": list(dict.fromkeys(session.bindings)),
            "websocket_session_id": session.session_id,
            "timestamp": session.timestamp,
            LABELS: orjson.dumps(labels).decode(),
            "destination": self._host,
            "source": session.source,
        }
        await self._store.upsert(Document(DATABASE, TYPE, session.id, fields))

    async def forget(self, session: SocketSession) -> None:
        """A socket is closed."""
        try:
            await self._store.remove_by_ids(DATABASE, TYPE, [session.id])
        except CrossbarError as error:
            log.debug("a closed socket is told of until it is cleared away: %s", error)

    async def run(self, is_open: Callable[[str], bool]) -> None:
        """Stay known, and clear away what is not open any more, here or at workers that are gone."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self._membership.look()
                members = self._membership.members
                if members != self._seen and self._membership.is_mine(WORK):
                    await self._clear(set(members), is_open)
                    self._seen = members
            except CrossbarError as error:
                log.warning("open sockets cannot be told of just now: %s", error)

    async def end(self) -> None:
        """Have no sockets any more."""
        try:
            await self._store.remove_listed(Listing(DATABASE, TYPE, tag=f"worker/{self._membership.holder}"))
            await self._membership.leave()
        except CrossbarError as error:
            log.debug("what was told of sockets is cleared away by others: %s", error)

    async def _clear(self, members: set[str], is_open: Callable[[str], bool]) -> None:
        for opened in await self._store.all(Listing(DATABASE, TYPE)):
            worker = opened.at(WORKER)
            if worker not in members or (worker == self._membership.holder and not is_open(opened.id)):
                await self._store.remove(opened)
