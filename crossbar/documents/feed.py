# SPDX-License-Identifier: MPL-2.0
"""The change feed: what any worker writes, every worker hears of.

In-memory knowledge (accounts, users, revoked tokens, configuration) is kept fresh by it instead of by a look-up
each request. While the feed is not connected nobody may trust such memory: `live` says so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

from pymongo.errors import PyMongoError

from crossbar.background import end
from crossbar.documents.document import Document, DocumentKey
from crossbar.documents.driver import ChangeStream
from crossbar.documents.store import Store

log = logging.getLogger(__name__)

RETRY_SECONDS = 0.5
NOT_HEARD: Final = ["claims", "history"]
"""Collections whose keys begin as those of documents do."""
LISTEN_MS = 500
"""How long the database waits for a change before it answers that there was none."""


@dataclass(frozen=True, slots=True)
class Change:
    """A document was created, edited or deleted (softly or for good)."""

    event: Literal["created", "edited", "deleted"]
    partition: str
    type: str
    id: str


class Feed:
    """The changes of chosen document types, as they happen."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._listeners: dict[str, list[Callable[[Change], None]]] = {}
        self._own: dict[str, list[Callable[[Document], None]]] = {}
        self._lost: list[Callable[[], None]] = []
        self._task: asyncio.Task[None] | None = None
        self._resume: Any = None
        self.live = False
        store.on_write(self._hear)

    def subscribe(self, document_type: str, listener: Callable[[Change], None]) -> None:
        """Call `listener` with every change of that type. Before `start` only.

        What this process writes itself it hears of at once, and a second time when the database tells everybody.
        """
        self._listeners.setdefault(document_type, []).append(listener)

    def hear_own(self, document_type: str, listener: Callable[[Document], None]) -> None:
        """Call `listener` with every document of that type that this process itself writes or removes."""
        self._own.setdefault(document_type, []).append(listener)

    def on_loss(self, listener: Callable[[], None]) -> None:
        """Call `listener` when changes may have been missed: forget what was remembered."""
        self._lost.append(listener)

    async def start(self) -> None:
        """Begin to listen; returns when the first connection stands."""
        ready = asyncio.Event()
        self._task = asyncio.create_task(self._run(ready), name="change feed")
        await ready.wait()

    async def stop(self) -> None:
        """End listening."""
        if self._task is not None:
            await end(self._task)

    async def _run(self, ready: asyncio.Event) -> None:
        while True:
            try:
                await self._listen(ready)
            except Exception as error:  # a feed that ends unnoticed would leave what is remembered stale for ever
                self._lose(error)
                ready.set()
                await asyncio.sleep(RETRY_SECONDS)

    async def _listen(self, ready: asyncio.Event) -> None:
        async with await self._watch(wait_ms=1) as stream:
            # An answer comes at once, whether anything happened or not; after the place it names nothing is missed.
            event = await stream.try_next()
            self._resume = stream.resume_token
        if event is not None:
            self._tell(event)
        self.live = True
        ready.set()
        async with await self._watch(wait_ms=LISTEN_MS) as stream:
            async for event in stream:
                self._resume = stream.resume_token
                self._tell(event)

    async def _watch(self, *, wait_ms: int) -> ChangeStream:
        """The changes after those heard of; the database answers after `wait_ms` at the latest."""
        types = "|".join(sorted(self._listeners))
        pipeline: list[dict[str, Any]] = [
            {"$match": {"documentKey._id": {"$regex": f"^[^/]+/({types})/"}, "ns.coll": {"$nin": NOT_HEARD}}},
            {"$project": {"operationType": 1, "documentKey": 1, "fullDocument.deleted": 1}},
        ]
        connection = self._store.connection
        return await connection.driver.watch(
            connection.database, pipeline, resume_after=self._resume, max_await_time_ms=wait_ms
        )

    def _tell(self, event: dict[str, Any]) -> None:
        key = DocumentKey.parse(event["documentKey"]["_id"])
        gone = event["operationType"] == "delete" or (event.get("fullDocument") or {}).get("deleted")
        kind: Literal["created", "edited", "deleted"] = (
            "deleted" if gone else "created" if event["operationType"] == "insert" else "edited"
        )
        change = Change(kind, *key)
        for listener in self._listeners.get(key.type, ()):
            listener(change)

    def _hear(self, document: Document) -> None:
        """A document that this process wrote: whoever sent the request must not see what was before."""
        for own in self._own.get(document.type, ()):
            own(document)
        listeners = self._listeners.get(document.type)
        if listeners:
            deleted = document.fields.get("pvt_deleted") is True
            event: Literal["deleted", "edited"] = "deleted" if deleted else "edited"
            change = Change(event, document.partition, document.type, document.id)
            for listener in listeners:
                listener(change)

    def _lose(self, error: Exception) -> None:
        if self.live:
            unexpected = None if isinstance(error, PyMongoError) else error
            message = "change feed lost, remembered state is dropped until it is back: %s"
            log.warning(message, error, exc_info=unexpected)
        self.live = False
        self._resume = None
        for listener in self._lost:
            listener()
