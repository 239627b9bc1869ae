# SPDX-License-Identifier: MPL-2.0
"""How far somebody has come with the event log, and which worker goes on with it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from pymongo import UpdateOne
from pymongo.errors import DuplicateKeyError

from crossbar.documents.coalesce import Coalescer
from crossbar.documents.document import DocumentKey
from crossbar.documents.store.connection import Connection


@dataclass(frozen=True, slots=True)
class _Advance:
    key: str
    holder: str
    position: str


class Cursors:
    """Places in the log by the keys of the documents (`Document.key`) whose they are.

    A cursor is held by one worker at a time, which alone may move it: one that was taken over by another learns of it
    at its next move. Who may be taken over from is for the callers to know.
    """

    def __init__(self, connection: Connection) -> None:
        self._run = connection.run
        self._cursors = connection.database["event_cursors"]
        self._advances: Coalescer[_Advance, bool] = Coalescer(self._advance_all)

    async def position(self, key: str) -> str:
        """The place, as a token; empty text where it was never moved."""
        found = await self._run(lambda: self._cursors.find_one({"_id": key}, {"position": 1}))
        return str(found["position"]) if found else ""

    async def take(self, key: str, holder: str, living: Collection[str]) -> str | None:
        """Hold a cursor: its place, or None while another of the `living` holders has it."""
        stored = await self._run(lambda: self._cursors.find_one({"_id": key}))
        if stored is None:
            fresh = {"_id": key, "a": DocumentKey.parse(key).partition, "holder": holder, "position": ""}
            try:
                await self._run(lambda: self._cursors.insert_one(fresh))
            except DuplicateKeyError:  # by another, or by an earlier try of this call
                stored = await self._run(lambda: self._cursors.find_one({"_id": key}))
            else:
                return ""
        if stored is None:
            return None
        before = stored["holder"]
        if before != holder:
            if before in living:
                return None
            query = {"_id": key, "holder": {"$in": [before, holder]}}
            if not (
                await self._run(lambda: self._cursors.update_one(query, {"$set": {"holder": holder}}))
            ).matched_count:
                return None
        return str(stored["position"])

    async def advance(self, key: str, holder: str, position: str) -> bool:
        """Move a cursor; False where it is another's by now. Moves of many made at a time travel together."""
        return await self._advances(_Advance(key, holder, position))

    async def release(self, key: str, holder: str) -> None:
        """Let go of a cursor."""
        query = {"_id": key, "holder": holder}
        await self._run(lambda: self._cursors.update_one(query, {"$set": {"holder": ""}}))

    async def drop(self, key: str) -> None:
        """Forget a cursor whose document is gone."""
        await self._run(lambda: self._cursors.delete_one({"_id": key}))

    async def _advance_all(self, batch: list[_Advance]) -> list[bool | Exception]:
        last = {(one.key, one.holder): one for one in batch}
        requests: list[UpdateOne] = [
            UpdateOne({"_id": one.key, "holder": one.holder}, {"$set": {"position": one.position}})
            for one in last.values()
        ]
        result = await self._run(lambda: self._cursors.bulk_write(requests, ordered=False))
        if result.matched_count == len(requests):
            return [True] * len(batch)
        query: dict[str, Any] = {"_id": {"$in": [one.key for one in last.values()]}}
        stored = await self._run(lambda: self._cursors.find(query, {"holder": 1}).to_list(None))
        holders = {one["_id"]: one["holder"] for one in stored}
        return [holders.get(one.key) == one.holder for one in batch]
