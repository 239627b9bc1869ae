# SPDX-License-Identifier: MPL-2.0
"""Writes of which all are kept or none."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any, NamedTuple, TypeVar

import pymongo
from pymongo import ASCENDING, DeleteOne, InsertOne, ReplaceOne, WriteConcern
from pymongo.errors import BulkWriteError, DuplicateKeyError, ServerSelectionTimeoutError
from pymongo.read_concern import ReadConcern

from crossbar.documents import dry_run
from crossbar.documents.document import Document, document_key
from crossbar.documents.driver import Collection, Session
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape
from crossbar.documents.store.claims import duplicate_of, system_claims
from crossbar.documents.store.conflicts import Duplicate, Stale, pause
from crossbar.documents.store.connection import Connection, driver_errors
from crossbar.documents.store.event_log import raised
from crossbar.documents.store.history import Entry, History
from crossbar.documents.store.live import Live, lapse_of
from crossbar.documents.store.queries import KEY_INDEX, by_keys, to_bson
from crossbar.errors import JSON, SystemFault
from crossbar.ids import next_revision

Result = TypeVar("Result")

DUPLICATE_KEY = 11000
"""MongoDB's code for a key that is taken."""


async def transact(
    connection: Connection, history: History, work: Callable[[Transaction], Awaitable[Result]]
) -> Result:
    """Run `work` so that all its writes are kept or none; it may be run more than once.

    The driver tries it again while others are in the way or the set elects a primary. Raises 503 where that lasts.
    """
    trial = dry_run.current()
    if trial is not None:
        with driver_errors():
            return await trial.transacted(lambda session: work(Transaction(connection, history, session, [])))
    slots: list[int] = []
    try:
        result, touched = await _transacted(connection, history, work, slots)
    except BaseException as error:
        connection.marking.end(slots, error)
        raise
    connection.marking.end(slots)
    for document in touched:
        connection.written(document)
    return result


async def _transacted(
    connection: Connection, history: History, work: Callable[[Transaction], Awaitable[Result]], slots: list[int]
) -> tuple[Result, list[Document]]:
    """The result and what was written; all that an attempt marked is added to the slots."""
    with driver_errors(), pymongo.timeout(connection.patience):
        async with await connection.driver.session(connection.client) as session:
            made = count()

            async def attempt(session: Session) -> tuple[Result, list[Document]]:
                await pause(next(made))
                transaction = Transaction(connection, history, session, slots)
                try:
                    return await work(transaction), transaction.touched
                except ServerSelectionTimeoutError as error:  # waited for long enough; the driver would try again
                    raise SystemFault("datastore_unreachable") from error

            return await session.with_transaction(
                attempt, read_concern=ReadConcern("snapshot"), write_concern=WriteConcern("majority", j=True)
            )


class Write(NamedTuple):
    """One of many writes: a document as it was read (None: a new one), and as it is to be (None: gone for good)."""

    before: Document | None
    after: Document | None


class Transaction:
    """The store's reads and writes inside one transaction."""

    def __init__(self, connection: Connection, history: History, session: Session, slots: list[int]) -> None:
        self._history = history
        self._marking = connection.marking
        self._slots = slots
        self._sharded = connection.sharded
        self._codec = connection.codec
        self._database = connection.database
        self._shapes = connection.shapes
        self._session = session
        self.touched: list[Document] = []
        """What it wrote or removed."""

    async def _mark(self, document: Document) -> None:
        """Say that the document is being written until the transaction has ended."""
        self._slots += await self._marking.begin((document.key,))

    def _collection(self, shape: Shape) -> Collection:
        return self._database[shape.stored_in]

    async def get(self, partition: str, document_type: str, document_id: str) -> Document | None:
        """The document as this transaction sees it."""
        key = document_key(partition, document_type, document_id)
        collection = self._collection(self._shapes[document_type])
        stored = await collection.find_one(by_keys([key], sharded=self._sharded), session=self._session)
        return self._codec.decode(stored) if stored and not stored.get("deleted") else None

    async def all(self, listing: Listing) -> list[Document]:
        """Every document of a listing, as this transaction sees it."""
        collection = self._collection(self._shapes[listing.type])
        cursor = collection.find(listing.query(), session=self._session, hint=listing.index).sort("k", ASCENDING)
        return [self._codec.decode(stored) for stored in await cursor.to_list(None)]

    async def count(self, listing: Listing) -> int:
        """How many documents a listing has, as this transaction sees it."""
        collection = self._collection(self._shapes[listing.type])
        return await collection.count_documents(listing.query(), session=self._session, hint=listing.index)

    async def insert(self, document: Document) -> Document:
        """As `Store.insert`."""
        if document.takes_place_of is not None:
            return await self.replace(document, document.takes_place_of)
        shape = self._shapes[document.type]
        saved = replace(document, revision=next_revision(None))
        await self._mark(saved)
        await self._claim(shape, saved, system_claims(shape, saved))
        try:
            await self._collection(shape).insert_one(to_bson(self._codec.encode(saved, shape)), session=self._session)
        except DuplicateKeyError as error:
            raise duplicate_of(error.details or {}) from error
        self.touched.append(saved)
        return saved

    async def replace(self, document: Document, previous: Document) -> Document:
        """As `Store.replace`."""
        shape = self._shapes[document.type]
        saved = replace(document, revision=next_revision(previous.revision))
        await self._mark(saved)
        await self._keep([self._history.entry(previous, document)])
        held, wanted = system_claims(shape, previous), system_claims(shape, saved)
        await self._release(held - wanted)
        await self._claim(shape, saved, wanted - held)
        query = by_keys([saved.key], sharded=self._sharded) | {"rev": previous.revision}
        try:
            result = await self._collection(shape).replace_one(
                query, to_bson(self._codec.encode(saved, shape)), hint=KEY_INDEX, session=self._session
            )
        except DuplicateKeyError as error:
            raise duplicate_of(error.details or {}) from error
        if not result.matched_count:
            raise Stale
        self.touched.append(saved)
        return saved

    async def _keep(self, gone: Sequence[Entry | None]) -> None:
        """Put versions that are about to be replaced into the history."""
        await self._history.keep_within(self._session, [entry for entry in gone if entry is not None])

    async def remove(self, document: Document, stamps: dict[str, Any] | None = None) -> None:
        """As `Store.remove`."""
        shape = self._shapes[document.type]
        await self._mark(document)
        await self._keep(self._history.end(document, stamps))
        # By its holder: the caller may not have seen what the document claims by now.
        await self._database["claims"].delete_many({"holder": document.key}, session=self._session)
        await self._collection(shape).delete_one(by_keys([document.key], sharded=self._sharded), session=self._session)
        self.touched.append(document)

    async def write_all(self, writes: Sequence[Write]) -> list[Document]:
        """Many documents of one MongoDB collection at a time: what `insert`, `replace` and `remove` do one by one.

        Returns the documents as they are kept; one that is taken away comes back as it was. Raises Stale and Duplicate.
        """
        saved: list[Document] = []
        released: set[str] = set()
        claimed: list[dict[str, str]] = []
        requests: list[Any] = []
        gone: list[Entry | None] = []
        for before, after in writes:
            document = after or before
            if document is None:
                continue
            shape = self._shapes[document.type]
            revision = before.revision if before else None
            kept = document if after is None else replace(document, revision=next_revision(revision))
            saved.append(kept)
            if before is not None:
                gone += [self._history.entry(before, after)] if after else self._history.end(before)
            held = system_claims(shape, before) if before else set()
            wanted = system_claims(shape, after) if after else set()
            released |= held - wanted
            claimed += [{"_id": claim, "holder": kept.key} for claim in sorted(wanted - held)]
            requests.append(self._request(before, kept if after else None, shape))
        if not requests:
            return []
        self._slots += await self._marking.begin(tuple(document.key for document in saved))
        await self._keep(gone)
        await self._release(released)
        collection = self._collection(self._shapes[saved[0].type])
        try:
            if claimed:
                await self._database["claims"].insert_many(claimed, session=self._session)
            done = await collection.bulk_write(requests, session=self._session)
        except BulkWriteError as error:
            if any(failure.get("code") == DUPLICATE_KEY for failure in (error.details or {}).get("writeErrors", ())):
                raise Duplicate from error
            raise
        if done.inserted_count + done.matched_count + done.deleted_count != len(requests):
            raise Stale
        self.touched += saved
        return saved

    def _request(self, before: Document | None, after: Document | None, shape: Shape) -> Any:
        """One write as the driver takes it; what was read before has to be there still."""
        if before is None and after is not None:
            return InsertOne(to_bson(self._codec.encode(after, shape)))
        key = before.key if before else ""
        query = by_keys([key], sharded=self._sharded) | {"rev": before.revision if before else None}
        if after is None:
            return DeleteOne(query, hint=KEY_INDEX)
        return ReplaceOne(query, to_bson(self._codec.encode(after, shape)), hint=KEY_INDEX)

    async def raise_event(
        self, account_id: str, category: str, name: str, body: Mapping[str, JSON], **about: Any
    ) -> None:
        """As `EventLog.raise_event`, if the transaction's writes are kept."""
        stored = raised(account_id, category, name, body, **about)
        await self._database["raised_events"].insert_one(stored, session=self._session)

    async def note_lapse(self, live: Live) -> bool:
        """Note that something live (`LiveState.lapsed`) came to its own end; False where it did not, or it is noted."""
        query, update = lapse_of(live)
        return (await self._database["live"].update_one(query, update, session=self._session)).matched_count > 0

    async def holder(self, claim: str) -> str | None:
        """The key of the document that holds a claim across partitions (`Unique.key`), or None."""
        stored = await self._database["claims"].find_one({"_id": claim}, session=self._session)
        return str(stored["holder"]) if stored else None

    async def hold(self, document: Document, claim: str) -> None:
        """Note that a document holds a claim which it has long made. Raises Duplicate."""
        await self._claim(self._shapes[document.type], document, {claim})

    async def let_go(self, claim: str) -> None:
        """Take a claim away that nobody makes."""
        await self._release({claim})

    async def _claim(self, shape: Shape, document: Document, claims: set[str]) -> None:
        for claim in sorted(claims):
            try:
                await self._database["claims"].insert_one({"_id": claim, "holder": document.key}, session=self._session)
            except DuplicateKeyError as error:
                raise Duplicate(claim) from error

    async def _release(self, claims: set[str]) -> None:
        if claims:
            await self._database["claims"].delete_many({"_id": {"$in": sorted(claims)}}, session=self._session)
