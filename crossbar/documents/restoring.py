# SPDX-License-Identifier: MPL-2.0
"""Filling a database with the batches of a copy, so that it is known at any time whether it is whole.

A document of the collection `maintenance` stands there from before the first write until after the last: whoever
prepares a database that has it (`Connection.prepare`) refuses to use it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from typing import Any, Final

from bson.raw_bson import RawBSONDocument
from pymongo.errors import BulkWriteError

from crossbar.background import end
from crossbar.documents.consistent_copy import CopiedBatch, copied_collections
from crossbar.documents.indexes import INDEXES, MAINTENANCE, RESTORE
from crossbar.documents.store.connection import Connection, driver_errors
from crossbar.documents.store.sole_use import LEASE_SECONDS

AT_A_TIME: Final = 3
"""Batches that are written at a time."""
LOOK_SECONDS: Final = 0.2
IN_USE: Final = "A server, or another command, uses the database. Stop it first."

Superseded = dict[tuple[str, Any], int]
"""By collection and `_id` of what was written more than once: the number of the batch that counts."""


class NotRestorable(Exception):
    """The database cannot be filled; the message tells a person why and what to do."""


class Restoring:
    """The restoring of one copy into a database: `superseded` is what `note` made of all its batches."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._database = connection.database
        self._superseded: Superseded = {}
        self._kept: Counter[str] = Counter()

    def note(self, number: int, batch: CopiedBatch) -> None:
        """Take in, before the first write, of which documents a batch has a later state."""
        if batch.later:
            for document in _documents(batch.data):
                self._superseded[batch.collection, document["_id"]] = number

    async def is_empty(self) -> bool:
        """Whether there is nothing in the database that would be lost."""
        with driver_errors():
            for name in copied_collections():
                if await self._database[name].find_one({}, {"_id": 1}) is not None:
                    return False
        return True

    async def is_unfinished(self) -> bool:
        """Whether an earlier restoring did not come to its end."""
        with driver_errors():
            return await self._database[MAINTENANCE].find_one({"_id": RESTORE}) is not None

    async def begin(self, about: str) -> None:
        """Note that the database is not whole, see that nobody uses it, and empty it. Raises NotRestorable."""
        with driver_errors():
            await self._until_unused()
            marked = await self.is_unfinished()
            fresh = {"_id": RESTORE, "of": about, "began": datetime.now(UTC)}
            await self._database[MAINTENANCE].replace_one({"_id": RESTORE}, fresh, upsert=True)
            if await self._is_in_use():  # it came just before the note
                if not marked:
                    await self._database[MAINTENANCE].delete_one({"_id": RESTORE})
                raise NotRestorable(IN_USE)
            for name in INDEXES:
                if name == MAINTENANCE:
                    continue
                if self._connection.sharded:  # a collection that is dropped is sharded no more
                    await self._database[name].delete_many({})
                else:
                    await self._database[name].drop()

    async def _until_unused(self) -> None:
        """Wait until the registrations of killed servers have run out. Raises NotRestorable for one that lasts."""
        ends = asyncio.get_running_loop().time() + LEASE_SECONDS + 1
        while await self._is_in_use():
            if asyncio.get_running_loop().time() > ends:
                raise NotRestorable(IN_USE)
            await asyncio.sleep(LOOK_SECONDS)

    async def _is_in_use(self) -> bool:
        """Whether a server is registered."""
        registered = {"$expr": {"$gt": ["$until", "$$NOW"]}}
        return await self._database["servers"].find_one(registered) is not None

    async def fill(self, batches: Iterator[tuple[int, CopiedBatch]]) -> None:
        """Write what counts of all batches, which come with the numbers that they had for `note`."""
        with driver_errors():
            writing: list[asyncio.Task[None]] = []
            try:
                while (item := await asyncio.to_thread(next, batches, None)) is not None:
                    if len(writing) == AT_A_TIME:
                        await writing.pop(0)
                    writing.append(asyncio.create_task(self._write(*item), name="restoring"))
                for task in writing:
                    await task
            finally:
                for task in writing:
                    await end(task)

    async def _write(self, number: int, batch: CopiedBatch) -> None:
        if batch.gone:
            return
        documents = list(_documents(batch.data))
        if self._superseded:
            last, name = self._superseded, batch.collection
            documents = [one for one in documents if last.get((name, one["_id"]), number) == number]
        if not documents:
            return
        try:
            await self._database[batch.collection].insert_many(documents, ordered=False)
        except BulkWriteError as error:
            failures = (error.details or {}).get("writeErrors") or [{}]
            raise NotRestorable(f"A document cannot be written: {failures[0].get('errmsg')}") from error
        self._kept[batch.collection] += len(documents)

    async def finish(self, prepare: Callable[[], Awaitable[None]]) -> dict[str, int]:
        """Compare the counts, make the indexes, and say that the database is whole; how many documents each
        collection has."""
        with driver_errors():
            for name in copied_collections():
                there = await self._database[name].count_documents({})
                if there != self._kept[name]:
                    raise NotRestorable(f"{name} has {there} documents instead of {self._kept[name]}. Begin again.")
        await prepare()
        with driver_errors():
            await self._database[MAINTENANCE].delete_one({"_id": RESTORE})
        return {name: self._kept[name] for name in copied_collections()}


def _documents(data: bytes) -> Iterator[RawBSONDocument]:
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "little")
        yield RawBSONDocument(data[at : at + length])
        at += length
