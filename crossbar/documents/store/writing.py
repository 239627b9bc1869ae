# SPDX-License-Identifier: MPL-2.0
"""Writing documents: single writes in batches, what claims a value across partitions in a transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bson.raw_bson import RawBSONDocument
from pymongo import ReplaceOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from crossbar.documents.coalesce import Coalescer
from crossbar.documents.document import Document, copied, document_key
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape
from crossbar.documents.store.claims import duplicate_of, system_claims
from crossbar.documents.store.conflicts import Duplicate, Retries, Stale
from crossbar.documents.store.connection import Connection, OverConnection
from crossbar.documents.store.history import Entry, History
from crossbar.documents.store.listing_reads import ListingReads
from crossbar.documents.store.memory import Ticket
from crossbar.documents.store.queries import KEY_INDEX, KEYS_OF_A_QUERY, by_keys, one_or_in, to_bson
from crossbar.documents.store.reading import DocumentReads
from crossbar.documents.store.transaction import Result, Transaction, transact
from crossbar.errors import SystemFault
from crossbar.ids import next_revision

Outcome = Exception | Ticket | None
"""What became of a write: why it failed, or by what it may be remembered; None where it may not."""


class DocumentWrites(OverConnection):
    """Writes. Single ones made at the same time travel together."""

    def __init__(
        self, connection: Connection, reading: DocumentReads, listings: ListingReads, history: History
    ) -> None:
        super().__init__(connection)
        self._history = history
        self._marking = connection.marking
        self._reading = reading
        self._listings = listings
        self._inserts: dict[str, Coalescer[RawBSONDocument, Ticket | None]] = {}
        self._replacements: dict[str, Coalescer[_Replacement, Ticket | None]] = {}

    async def insert(self, document: Document) -> Document:
        """Save a new document and return it with its revision.

        Raises Duplicate when its id, or a value it claims, is taken.
        """
        if document.takes_place_of is not None:
            return await self.replace(document, document.takes_place_of)
        shape = self._shapes[document.type]
        if any(claim.system for claim in shape.unique(document)):
            return await self.transact(lambda transaction: transaction.insert(document))
        saved = _revised(document, None)
        inserter = self._inserts.get(shape.stored_in)
        if inserter is None:
            inserter = self._inserts[shape.stored_in] = Coalescer(self._inserter(shape.stored_in))
        return self._written(saved, await inserter(self._encoded(saved, shape)))

    async def replace(self, document: Document, previous: Document) -> Document:
        """Save a new state of `previous` and return it with its revision.

        Raises Stale when the stored revision is no longer `previous.revision`, Duplicate as `insert` does.
        """
        shape = self._shapes[document.type]
        if system_claims(shape, document) != system_claims(shape, previous):
            return await self.transact(lambda transaction: transaction.replace(document, previous))
        saved = _revised(document, previous.revision)
        gone = self._history.entry(previous, document)
        replacer = self._replacements.get(shape.stored_in)
        if replacer is None:
            replacer = self._replacements[shape.stored_in] = Coalescer(self._replacer(shape.stored_in))
        replacement = _Replacement(saved, previous.revision or "", self._encoded(saved, shape), gone)
        return self._written(saved, await replacer(replacement))

    def _written(self, saved: Document, ticket: Ticket | None) -> Document:
        """What follows a write: it is remembered, where that is safe, and told."""
        if ticket is not None:
            self._reading.remember_written(saved, ticket)
        self._connection.written(saved)
        return saved

    async def update(
        self, partition: str, document_type: str, document_id: str, change: Callable[[Document], None]
    ) -> Document | None:
        """Read, change and replace a document, again if somebody else was faster; None if it does not exist."""
        async for _ in Retries():
            previous = await self._reading.get(partition, document_type, document_id)
            if previous is None:
                return None
            document = replace(previous, fields=copied(previous.fields))
            change(document)
            try:
                return await self.replace(document, previous)
            except Stale:
                continue
        raise SystemFault("datastore_conflict")

    async def upsert(self, document: Document) -> Document:
        """Save a document whether or not one of its id exists; its fields win whole."""
        async for _ in Retries():
            previous = await self._reading.get(document.partition, document.type, document.id)
            try:
                return await (self.replace(document, previous) if previous else self.insert(document))
            except Stale:
                continue
            except Duplicate as duplicate:
                if duplicate.claim is not None:
                    raise
        raise SystemFault("datastore_conflict")

    async def create_or_update(self, fresh: Document, change: Callable[[Document], bool]) -> bool:
        """Apply `change` to the stored document of `fresh`'s key, or to `fresh` where there is none, and save it.

        `change` says whether it changed anything, and is called again when somebody else was faster. The answer says
        whether the document is new.
        """
        async for _ in Retries():
            previous = await self._reading.get(fresh.partition, fresh.type, fresh.id)
            document = replace(previous or fresh, fields=copied((previous or fresh).fields))
            changed = change(document)
            try:
                if previous is None:
                    await self.insert(document)
                elif changed:
                    await self.replace(document, previous)
            except Stale:
                continue
            except Duplicate as duplicate:
                if duplicate.claim is not None:
                    raise
                continue
            return previous is None
        raise SystemFault("datastore_conflict")

    async def remove(self, document: Document, stamps: dict[str, Any] | None = None) -> None:
        """Take a document out of the store for good, with its claims. Already gone is no error.

        `stamps` are the private fields that say who does so, for its history.
        """
        await self.transact(lambda transaction: transaction.remove(document, stamps))

    def transact(self, work: Callable[[Transaction], Awaitable[Result]]) -> Coroutine[Any, Any, Result]:
        """Run `work` so that all its writes are kept or none; it may be run more than once."""
        return transact(self._connection, self._history, work)

    async def remove_listed(
        self, listing: Listing, stamps: Callable[[Document], dict[str, Any]] | None = None
    ) -> list[Document]:
        """Take all documents of a listing out of the store for good and return them.

        For types that claim nothing system-wide. `stamps` gives the private fields that say who does so.
        """
        documents = await self._listings.all(listing)
        collection = self._database[self._shapes[listing.type].stored_in]
        for start in range(0, len(documents), KEYS_OF_A_QUERY):
            some = documents[start : start + KEYS_OF_A_QUERY]
            keys = [document.key for document in some]
            ends = [
                entry
                for document in some
                for entry in self._history.end(document, stamps(document) if stamps else None)
            ]
            async with self._marking.writing(keys):
                await self._run(partial(self._history.keep, ends))
                await self._run(partial(collection.delete_many, self._by_keys(keys)))
        for document in documents:
            self._connection.written(document)
        return documents

    async def remove_by_ids(self, partition: str, document_type: str, ids: list[str]) -> None:
        """Take records, which claim nothing, out of the store for good. Already gone is no error."""
        keys = [document_key(partition, document_type, document_id) for document_id in ids]
        collection = self._database[self._shapes[document_type].stored_in]
        async with self._marking.writing(keys):
            await self._run(lambda: collection.delete_many(self._by_keys(keys)))

    async def remove_partition(self, partition: str) -> None:
        """Take everything of one partition out of every collection (repeatable; used when an account ends)."""
        async with self._marking.writing_everything():
            for collection in ("documents", "records", "live"):
                await self._run(partial(self._database[collection].delete_many, {"a": partition}))
        for collection in ("event_cursors", "history"):
            await self._run(partial(self._database[collection].delete_many, {"a": partition}))
        held = {"holder": {"$gte": f"{partition}/", "$lt": f"{partition}0"}}
        await self._run(lambda: self._database["claims"].delete_many(held))

    def _encoded(self, document: Document, shape: Shape) -> RawBSONDocument:
        stored = self._codec.encode(document, shape)
        if not shape.sealed:
            document.body = stored["json"]
        return to_bson(stored)

    def _by_keys(self, keys: list[str]) -> dict[str, Any]:
        return by_keys(keys, sharded=self._connection.sharded)

    async def _marked(self, keys: list[str], write: Callable[[], Awaitable[list[Exception | None]]]) -> list[Outcome]:
        """What becomes of a batch of writes of documents with these keys, marked while they are under way."""
        async with self._marking.writing(keys):
            tickets = [self._memory.ticket_of_writer(key) for key in keys]
            outcomes = await self._run(write)
        return [outcome or ticket for outcome, ticket in zip(outcomes, tickets, strict=True)]

    def _inserter(self, collection: str) -> Callable[[list[RawBSONDocument]], Awaitable[list[Outcome]]]:
        target = self._database[collection]

        async def insert(batch: list[RawBSONDocument]) -> list[Exception | None]:
            try:
                await target.insert_many(batch, ordered=False)
            except BulkWriteError as error:
                outcomes = _outcomes(len(batch), error)
            else:
                return [None] * len(batch)
            # What an earlier try wrote before its answer was lost is a duplicate of itself.
            suspects = [stored["_id"] for stored, outcome in zip(batch, outcomes, strict=True) if outcome]
            found = target.find({"_id": one_or_in(suspects)}, {"rev": 1})
            written = {(stored["_id"], stored["rev"]) async for stored in found}
            return [
                None if (stored["_id"], stored["rev"]) in written else outcome
                for stored, outcome in zip(batch, outcomes, strict=True)
            ]

        return lambda batch: self._marked([stored["_id"] for stored in batch], lambda: insert(batch))

    def _replacer(self, collection: str) -> Callable[[list[_Replacement]], Awaitable[list[Outcome]]]:
        target = self._database[collection]

        async def write(batch: list[_Replacement]) -> list[Exception | None]:
            # Of several for one document the first goes; who was outrun within the batch need not ask the database,
            # and the winner is not mistaken for outrun because a later one has already replaced what it wrote.
            chosen: dict[str, _Replacement] = {}
            for item in batch:
                chosen.setdefault(item.document.key, item)
            outcomes = dict(zip(chosen, await write_different(list(chosen.values())), strict=True))
            return [outcomes[item.document.key] if item is chosen[item.document.key] else Stale() for item in batch]

        async def write_one(item: _Replacement) -> Exception | None:
            """As `write_different`, at half the cost."""
            outcome: Exception | None = Stale()
            try:
                query = self._by_keys([item.document.key]) | {"rev": item.expected}
                if (await target.replace_one(query, item.stored, hint=KEY_INDEX)).matched_count:
                    return None
            except DuplicateKeyError as error:
                outcome = duplicate_of(error.details or {})
            found = await target.find_one({"_id": item.document.key}, {"rev": 1})
            return None if found and found["rev"] == item.document.revision else outcome

        async def write_different(batch: list[_Replacement]) -> list[Exception | None]:
            if len(batch) == 1:
                return [await write_one(batch[0])]
            requests: list[ReplaceOne[Any]] = [
                ReplaceOne(self._by_keys([item.document.key]) | {"rev": item.expected}, item.stored, hint=KEY_INDEX)
                for item in batch
            ]
            try:
                matched = (await target.bulk_write(requests, ordered=False)).matched_count
                outcomes: list[Exception | None] = [None] * len(batch)
            except BulkWriteError as error:
                outcomes = _outcomes(len(batch), error)
                matched = int(error.details["nMatched"]) if error.details else 0
            if matched < outcomes.count(None):
                # The driver counts matches of the whole batch, so the revisions tell which ones were missed; what an
                # earlier try wrote before its answer was lost is among those that were not.
                keys = [item.document.key for item in batch]
                found = target.find({"_id": one_or_in(keys)}, {"rev": 1})
                written = {stored["rev"] async for stored in found}
                outcomes = [
                    outcome if outcome or item.document.revision in written else Stale()
                    for item, outcome in zip(batch, outcomes, strict=True)
                ]
            return outcomes

        return lambda batch: self._marked(
            [item.document.key for item in batch], lambda: self._keep_and_write(batch, write)
        )

    async def _keep_and_write(
        self, batch: list[_Replacement], write: Callable[[list[_Replacement]], Awaitable[list[Exception | None]]]
    ) -> list[Exception | None]:
        """Write replacements once the versions that they replace are in the history."""
        gone = [item.gone for item in batch if item.gone is not None]
        if not gone:
            return await write(batch)
        servers = self._connection.changes
        await self._history.keep(gone)
        outcomes = await write(batch)
        if servers != self._connection.changes:  # what no majority had yet may be lost
            await self._history.keep(gone)
        return outcomes


def _revised(document: Document, revision: str | None) -> Document:
    """A document with the revision that follows."""
    return Document(document.partition, document.type, document.id, document.fields, next_revision(revision))


@dataclass(frozen=True, slots=True)
class _Replacement:
    document: Document
    expected: str
    stored: RawBSONDocument
    gone: Entry | None


def _outcomes(size: int, error: BulkWriteError) -> list[Exception | None]:
    """What became of each write of an unordered batch, from the driver's report."""
    details = error.details or {}
    if details.get("writeConcernErrors"):
        raise SystemFault("datastore_unreachable") from error
    outcomes: list[Exception | None] = [None] * size
    for failure in details.get("writeErrors", ()):
        duplicate = failure.get("code") == 11000
        outcomes[failure["index"]] = duplicate_of(failure) if duplicate else SystemFault("datastore_fault")
    return outcomes
