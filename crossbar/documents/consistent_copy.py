# SPDX-License-Identifier: MPL-2.0
"""A copy of the whole database as it was at one moment, taken while it is written to.

A snapshot that lasts as long as the copying would need the database to keep all old versions for so long; it keeps
them for seconds. So everything is read as it comes, while the change stream tells which documents were written
meanwhile. Those are read once more, and those written during that again, until they are few. Then a snapshot is opened,
the stream is read past its time, and the few are read from the snapshot. What was not written since it was read is in
the snapshot as it was read; what was, is read from the snapshot, or is missing in it. So the copy is the snapshot, and
of several states of a document the last one counts.

The stream is known to have passed a time when it brings a document that was written after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import Primary

from crossbar.background import end
from crossbar.documents.attachments import CHUNKS
from crossbar.documents.driver import Collection, Session
from crossbar.documents.indexes import INDEXES, MAINTENANCE, NOT_COPIED
from crossbar.documents.store.connection import Connection, driver_errors
from crossbar.documents.store.event_log import SNAPSHOT_GONE
from crossbar.ids import new_id

BATCH: Final = 1000
"""Documents that are read at a time; the database gives at most 16 MB."""
KEYS_AT_A_TIME: Final = 500
BYTES_AT_A_TIME: Final = 16 * 2**20
"""Of a batch of documents that are read again, but for one document more; what `BATCH` has, too."""
HELD: Final = 64 * 2**20
"""Bytes that are read from a snapshot before any of it is handed on: whoever takes it may be slow."""
FEW: Final = 10_000
"""Documents that can be read from a snapshot while the database keeps it."""
CHUNK_WEIGHT: Final = 100
"""How many documents a piece of a file, which is larger, counts for."""
ROUNDS: Final = 20
"""How often what was written meanwhile is read again before giving up."""
LISTEN_MS: Final = 200
PATIENCE_SECONDS: Final = 60.0
SHORTEST: Final = 5
"""Bytes of an empty document."""
RAW: Final = CodecOptions[RawBSONDocument](document_class=RawBSONDocument)


class TooMuchChange(Exception):
    """The database is written to faster than it can be copied; the message is for a person."""


class CopiedBatch(NamedTuple):
    """Some documents of a MongoDB collection, as BSON one after another.

    Those of a `later` batch stand for what earlier ones had under the same `_id`. With `gone` each has nothing but the
    `_id`, and is no more.
    """

    collection: str
    documents: int
    data: bytes
    later: bool = False
    gone: bool = False


def copied_collections() -> list[str]:
    """The MongoDB collections that a copy holds."""
    return [name for name in INDEXES if name not in NOT_COPIED]


async def size(connection: Connection) -> int:
    """Bytes of BSON that a copy has about."""
    with driver_errors():
        found = [await connection.database.command("collStats", name) for name in copied_collections()]
    return sum(int(stats.get("size", 0)) for stats in found)


async def consistent_copy(connection: Connection) -> AsyncIterator[CopiedBatch]:
    """The batches of a copy. Raises TooMuchChange, SystemFault (503) where the database goes away."""
    with driver_errors():
        async with _watched(connection) as changes:
            for name in copied_collections():
                async for batch in _everything(connection, name):
                    yield batch
            for number in range(ROUNDS):
                if changes.weight > FEW and number < ROUNDS // 2:
                    await changes.caught_up()
                    async for batch in _again(connection, changes.taken(), None):
                        yield batch
                    continue
                last = _Last()
                async for batch in last.batches(connection, changes):
                    yield batch
                if last.is_whole:
                    return
            raise TooMuchChange(
                "The database is written to faster than it can be copied. Take the backup at a calmer time."
            )


async def _everything(connection: Connection, name: str) -> AsyncIterator[CopiedBatch]:
    """A collection as it is while it is read."""
    async for data in _collection(connection, name).find_raw_batches({}, batch_size=BATCH):
        if data:
            yield CopiedBatch(name, document_count(data), data)


def _collection(connection: Connection, name: str, *, snapshot: bool = False) -> Collection:
    """A collection of the primary; what was read can never be rolled back."""
    concern = None if snapshot else ReadConcern("majority")
    collection: Collection = connection.database.get_collection(
        name, codec_options=RAW, read_preference=Primary(), read_concern=concern
    )
    return collection


Written = Mapping[str, set[Any]]
"""The `_id` of documents that were written, by collection."""


class _Last:
    """What was written last, as it is at one moment."""

    def __init__(self) -> None:
        self.is_whole = False
        """Whether all was read, and the copy is done by that."""

    async def batches(self, connection: Connection, changes: _Changes) -> AsyncIterator[CopiedBatch]:
        """Read it. Where the database forgets the moment too early, all of it is put back among the changes.

        What was handed on by then stands for nothing: whatever is read again takes its place.
        """
        async with await connection.driver.session(connection.client, snapshot=True) as session:
            await _collection(connection, MAINTENANCE, snapshot=True).find_one({}, session=session)
            await changes.caught_up()
            written = changes.taken()
            held: list[CopiedBatch] = []
            weight = 0
            try:
                async for batch in _again(connection, written, session):
                    held.append(batch)
                    weight += len(batch.data)
                    if weight >= HELD:
                        for one in held:
                            yield one
                        held, weight = [], 0
            except OperationFailure as error:
                if error.code not in SNAPSHOT_GONE:
                    raise
                changes.put_back(written)
                return
        for one in held:
            yield one
        self.is_whole = True


async def _again(connection: Connection, written: Written, session: Session | None) -> AsyncIterator[CopiedBatch]:
    """Documents as they are by now, and which of them are gone."""
    for name, keys in written.items():
        collection, waiting = _collection(connection, name, snapshot=session is not None), list(keys)
        for start in range(0, len(waiting), KEYS_AT_A_TIME):
            wanted = waiting[start : start + KEYS_AT_A_TIME]
            found: list[bytes] = []
            weight, there = 0, set()
            async for document in collection.find({"_id": {"$in": wanted}}, session=session):
                there.add(document["_id"])
                found.append(document.raw)
                weight += len(document.raw)
                if weight >= BYTES_AT_A_TIME:
                    yield CopiedBatch(name, len(found), b"".join(found), later=True)
                    found, weight = [], 0
            if found:
                yield CopiedBatch(name, len(found), b"".join(found), later=True)
            if gone := [bson.encode({"_id": key}) for key in wanted if key not in there]:
                yield CopiedBatch(name, len(gone), b"".join(gone), later=True, gone=True)


def document_count(data: bytes) -> int:
    """How many documents of BSON stand one after another; -1 where that is no BSON."""
    count = at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 4], "little")
        if length < SHORTEST:
            return -1
        at += length
        count += 1
    return count if at == len(data) else -1


@asynccontextmanager
async def _watched(connection: Connection) -> AsyncIterator[_Changes]:
    """What is written while the block runs, from its first statement on."""
    steps: list[dict[str, Any]] = [
        {"$match": {"ns.coll": {"$in": [*copied_collections(), MAINTENANCE]}}},
        {"$project": {"ns": 1, "operationType": 1, "documentKey": 1}},
    ]
    changes = _Changes(connection)
    async with await connection.driver.watch(
        connection.database, steps, max_await_time_ms=LISTEN_MS, batch_size=BATCH
    ) as stream:
        task = asyncio.create_task(changes.hear(stream), name="changes during a copy")
        try:
            await changes.caught_up()
            yield changes
        finally:
            await end(task)


class _Changes:
    """Which documents the change stream told of."""

    def __init__(self, connection: Connection) -> None:
        self._marks = connection.database[MAINTENANCE]
        self._written: dict[str, set[Any]] = {}
        self._awaited: dict[str, asyncio.Future[None]] = {}
        self._failure: Exception | None = None

    @property
    def weight(self) -> int:
        """How much there is to be read again."""
        return sum(len(keys) * (CHUNK_WEIGHT if name == CHUNKS else 1) for name, keys in self._written.items())

    def taken(self) -> Written:
        """What was written since this was asked last."""
        written, self._written = self._written, {}
        return written

    def put_back(self, written: Written) -> None:
        """What is to be read once more."""
        for name, keys in written.items():
            self._written.setdefault(name, set()).update(keys)

    async def caught_up(self) -> None:
        """Return when everything is known that was written before the call."""
        key = f"mark/{new_id()}"
        heard = self._awaited[key] = asyncio.get_running_loop().create_future()
        await self._marks.insert_one({"_id": key, "at": datetime.now(UTC)})
        try:
            if self._failure is not None:
                raise self._failure
            async with asyncio.timeout(PATIENCE_SECONDS):
                await heard
        except TimeoutError:
            raise TooMuchChange("The database does not tell in time what was written. Try again later.") from None
        finally:
            del self._awaited[key]
            await self._marks.delete_one({"_id": key})

    async def hear(self, stream: Any) -> None:
        """Take in what the stream tells, until cancelled."""
        try:
            async for event in stream:
                self._take(event)
        except PyMongoError as error:
            self._fail(error)
        else:
            self._fail(TooMuchChange("The database was dropped while it was copied."))

    def _take(self, event: Mapping[str, Any]) -> None:
        if "documentKey" not in event:
            self._fail(TooMuchChange(f"A collection was changed while it was copied ({event['operationType']})."))
            return
        name, key = event["ns"]["coll"], event["documentKey"]["_id"]
        if name != MAINTENANCE:
            self._written.setdefault(name, set()).add(key)
        elif event["operationType"] == "insert" and key in self._awaited and not self._awaited[key].done():
            self._awaited[key].set_result(None)

    def _fail(self, error: Exception) -> None:
        self._failure = error
        for awaited in self._awaited.values():
            if not awaited.done():
                awaited.set_exception(error)
