# SPDX-License-Identifier: MPL-2.0
"""The store: documents in, documents out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Unpack

from crossbar.documents.document import Document, DocumentKey
from crossbar.documents.listing import Listing, Page, Row, Search
from crossbar.documents.selection import Selection
from crossbar.documents.shape import Shapes
from crossbar.documents.store.claims import Claims
from crossbar.documents.store.connection import Connection, ConnectOptions
from crossbar.documents.store.counters import Counters
from crossbar.documents.store.cursors import Cursors
from crossbar.documents.store.event_log import EventLog
from crossbar.documents.store.history import History
from crossbar.documents.store.leases import Leases
from crossbar.documents.store.listing_reads import ListingReads
from crossbar.documents.store.live import LiveState
from crossbar.documents.store.reading import DocumentReads, Raw
from crossbar.documents.store.revocations import Revocations
from crossbar.documents.store.selecting import Selecting
from crossbar.documents.store.snapshot import Snapshot, snapshot
from crossbar.documents.store.transaction import Result, Transaction
from crossbar.documents.store.writing import DocumentWrites
from crossbar.documents.turns import Turns


class Store:
    """All documents of one installation.

    Every call raises SystemFault (503) where the database cannot be reached. The methods hand out the coroutines of
    the parts that do the work, so that a call costs no further await.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.database = connection.database
        self.shapes = connection.shapes
        self.claims = Claims(connection)
        self.counters = Counters(connection)
        self.cursors = Cursors(connection)
        self.event_log = EventLog(connection)
        self.leases = Leases(connection)
        self.live = LiveState(connection)
        self.revocations = Revocations(connection)
        self.turns = Turns()
        self._reading = DocumentReads(connection)
        self._listings = ListingReads(connection)
        self._selecting = Selecting(connection)
        self.history = History(connection)
        self._writing = DocumentWrites(connection, self._reading, self._listings, self.history)

    @classmethod
    def connect(cls, uri: str, name: str, shapes: Shapes, **options: Unpack[ConnectOptions]) -> Store:
        """A store in the database `name` of the MongoDB at `uri`."""
        return cls(Connection.connect(uri, name, shapes, **options))

    def close(self) -> Coroutine[Any, Any, None]:
        """Let go of the connections."""
        return self.connection.close()

    def prepare(self, *, indexes: bool = True) -> Coroutine[Any, Any, None]:
        """Create the collections and, with `indexes`, the indexes that are missing. Harmless when all are there."""
        return self.connection.prepare(indexes=indexes)

    def register(self) -> Coroutine[Any, Any, None]:
        """Make this server, or command, known to other servers of the database: to be awaited before it writes."""
        return self.connection.register()

    def require(self) -> None:
        """Raise SystemFault (503) while the database is known to be away, so that no request waits for it."""
        self.connection.require()

    def ping(self) -> Coroutine[Any, Any, None]:
        """Return when the database answers; raises SystemFault (503) when it does not."""
        return self.connection.ping()

    def on_write(self, listener: Callable[[Document], None]) -> None:
        """Tell `listener`, and no other, of every document this process writes or removes, once that is certain."""
        self.connection.listener = listener

    def dry_run(self) -> AbstractAsyncContextManager[None]:
        """Make of all that the block asks of the store a dry run: nothing of it stays, and nobody else sees it."""
        return self.connection.dry_run()

    # Reading by id

    def get(self, partition: str, document_type: str, document_id: str) -> Coroutine[Any, Any, Document | None]:
        """The document, or None where there is none of that type or it was deleted."""
        return self._reading.get(partition, document_type, document_id)

    def get_json(self, partition: str, document_type: str, document_id: str) -> Coroutine[Any, Any, Raw | None]:
        """The public JSON of a document as it lies there, or None: the cheap way to answer a GET."""
        return self._reading.get_json(partition, document_type, document_id)

    def get_many(self, partition: str, document_type: str, ids: list[str]) -> Coroutine[Any, Any, dict[str, Document]]:
        """Those of the documents that exist, by id."""
        return self._reading.get_many(partition, document_type, ids)

    def get_rows(self, partition: str, document_type: str, ids: list[str]) -> Coroutine[Any, Any, dict[str, bytes]]:
        """The listing rows of those of the documents that exist, as JSON, by id."""
        return self._reading.get_rows(partition, document_type, ids)

    def find_by_ids(
        self, partition: str, ids: Iterable[str], types: Iterable[str], fields: Iterable[str]
    ) -> Coroutine[Any, Any, list[Document]]:
        """The documents of these ids, whichever of the `types` they have, with no more than the named fields."""
        return self._reading.find_by_ids(partition, ids, types, fields)

    def keys(self) -> AsyncIterator[list[DocumentKey]]:
        """The keys of all documents of the installation that are no records and not deleted, some at a time."""
        return self._reading.keys()

    def snapshot(self) -> AbstractAsyncContextManager[Snapshot]:
        """Reads of whole partitions, all as of one moment."""
        return snapshot(self.connection)

    # Reading listings

    def page(self, listing: Listing) -> Coroutine[Any, Any, Page]:
        """One page of a listing. With a filter it is read on until the page is full or the data ends."""
        return self._listings.page(listing)

    def stream(self, listing: Listing) -> AsyncIterator[Row]:
        """The rows of a listing one after another, in bounded memory however many there are."""
        return self._listings.stream(listing)

    def stream_documents(self, listing: Listing) -> AsyncIterator[tuple[str, Document]]:
        """The documents of a listing one after another, each with its position, in bounded memory."""
        return self._listings.stream_documents(listing)

    def all(self, listing: Listing) -> Coroutine[Any, Any, list[Document]]:
        """Every document of a listing, whole."""
        return self._listings.all(listing)

    def exists(self, partition: str, document_type: str) -> Coroutine[Any, Any, bool]:
        """Whether there is a document of this type."""
        return self._listings.exists(partition, document_type)

    def count_by_tag(
        self, listing: Listing, *, words: Sequence[str] = (), prefix: str = ""
    ) -> Coroutine[Any, Any, dict[str, int]]:
        """How many documents of a listing carry each of some tags: of the given `words`, or all that begin alike.

        A word that no document carries is left out.
        """
        return self._listings.count_by_tag(listing, words=words, prefix=prefix)

    def count_tagged(self, listing: Listing, words: Sequence[str]) -> Coroutine[Any, Any, int]:
        """How many documents of a listing carry any of some tags, by the index alone."""
        return self._listings.count_tagged(listing, words)

    def count_each(
        self, partition: str, document_type: str, words: Sequence[str]
    ) -> Coroutine[Any, Any, dict[str, int]]:
        """How many documents of a type carry each of the tags, by the index alone; those without any are left out."""
        return self._listings.count_each(partition, document_type, words)

    def search(self, wanted: Search) -> Coroutine[Any, Any, list[tuple[str, Document]]]:
        """The documents that a search finds, with their keys."""
        return self._listings.search(wanted)

    def find_by_name(self, partition: str, document_type: str, name: str) -> Coroutine[Any, Any, list[Document]]:
        """The documents of exactly this name, compared as lower-case letters and digits."""
        return self._listings.find_by_name(partition, document_type, name)

    def select(self, selection: Selection) -> Coroutine[Any, Any, list[Document]]:
        """Documents by tags and conditions, in any order, from one place to another."""
        return self._selecting.select(selection)

    def count(self, selection: Selection) -> Coroutine[Any, Any, int]:
        """How many documents a selection has, whatever its place and length."""
        return self._selecting.count(selection)

    # Writing

    def insert(self, document: Document) -> Coroutine[Any, Any, Document]:
        """Save a new document and return it with its revision.

        Raises Duplicate when its id, or a value it claims, is taken.
        """
        return self._writing.insert(document)

    def replace(self, document: Document, previous: Document) -> Coroutine[Any, Any, Document]:
        """Save a new state of `previous` and return it with its revision.

        Raises Stale when the stored revision is no longer `previous.revision`, Duplicate as `insert` does.
        """
        return self._writing.replace(document, previous)

    def update(
        self, partition: str, document_type: str, document_id: str, change: Callable[[Document], None]
    ) -> Coroutine[Any, Any, Document | None]:
        """Read, change and replace a document, again if somebody else was faster; None if it does not exist."""
        return self._writing.update(partition, document_type, document_id, change)

    def upsert(self, document: Document) -> Coroutine[Any, Any, Document]:
        """Save a document whether or not one of its id exists; its fields win whole."""
        return self._writing.upsert(document)

    def create_or_update(self, fresh: Document, change: Callable[[Document], bool]) -> Coroutine[Any, Any, bool]:
        """Apply `change` to the stored document of `fresh`'s key, or to `fresh` where there is none, and save it.

        `change` says whether it changed anything, and is called again when somebody else was faster. The answer says
        whether the document is new.
        """
        return self._writing.create_or_update(fresh, change)

    def remove(self, document: Document, stamps: dict[str, Any] | None = None) -> Coroutine[Any, Any, None]:
        """Take a document out of the store for good, with its claims. Already gone is no error.

        `stamps` are the private fields that say who does so, for its history.
        """
        return self._writing.remove(document, stamps)

    def remove_listed(
        self, listing: Listing, stamps: Callable[[Document], dict[str, Any]] | None = None
    ) -> Coroutine[Any, Any, list[Document]]:
        """Take all documents of a listing out of the store for good and return them.

        For types that claim nothing system-wide. `stamps` gives the private fields that say who does so.
        """
        return self._writing.remove_listed(listing, stamps)

    def remove_by_ids(self, partition: str, document_type: str, ids: list[str]) -> Coroutine[Any, Any, None]:
        """Take records, which claim nothing, out of the store for good. Already gone is no error."""
        return self._writing.remove_by_ids(partition, document_type, ids)

    def remove_partition(self, partition: str) -> Coroutine[Any, Any, None]:
        """Take everything of one partition out of every collection (repeatable; used when an account ends)."""
        return self._writing.remove_partition(partition)

    def transact(self, work: Callable[[Transaction], Awaitable[Result]]) -> Coroutine[Any, Any, Result]:
        """Run `work` so that all its writes are kept or none; it may be run more than once."""
        return self._writing.transact(work)
