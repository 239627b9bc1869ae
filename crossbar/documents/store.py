"""The store: documents in, documents out. The only module, with its neighbours here, that speaks to the driver.

Writes are acknowledged by a majority and journaled. Reads by id and single writes travel in batches
(`coalesce`); what touches several documents, or claims a value across partitions, is a transaction.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any, Literal, TypeVar

import bson
import pymongo
from bson.codec_options import CodecOptions
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument
from motor.motor_asyncio import (
    AsyncIOMotorClient,
    AsyncIOMotorClientSession,
    AsyncIOMotorCollection,
    AsyncIOMotorCursor,
    AsyncIOMotorDatabase,
)
from pymongo import ASCENDING, DESCENDING, ReplaceOne, WriteConcern
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DocumentTooLarge,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    OperationFailure,
    PyMongoError,
)
from pymongo.monitoring import (
    TopologyClosedEvent,
    TopologyDescriptionChangedEvent,
    TopologyListener,
    TopologyOpenedEvent,
)
from pymongo.read_concern import ReadConcern

from crossbar import clock
from crossbar.documents.coalesce import Coalescer
from crossbar.documents.document import SYSTEM_AUTH, Document, DocumentKey, document_key
from crossbar.documents.indexes import INDEXES, TAGGED
from crossbar.documents.layout import Stored, decode, encode, search_key
from crossbar.documents.listing import LAST, Listing, Page, Row
from crossbar.documents.shape import SEPARATOR, Shape, Shapes, Unique
from crossbar.errors import CrossbarError, Invalid, SystemFault
from crossbar.ids import next_revision

Result = TypeVar("Result")

COLLECTION_EXISTS = 48
"""MongoDB's code for a collection that somebody else has just created."""
SearchField = Literal["id", "name", "numbers"]
"""What a search looks at."""

ATTEMPTS = 20
"""How often a read-change-write is tried when somebody else writes in between."""
PAUSE_SECONDS = 0.005
"""What the pause between two tries grows by at most."""
LARGEST_SHARED_PAGE = 200
"""Pages of up to so many rows may be read together with others."""
LONGEST_KEY = 4096
"""Nothing has a longer key, and a page that begins at one is read by itself: it would spoil the query for others."""
STREAM_BATCH = 500
"""Rows of a listing that travel together; the driver's own measure is 16 MB, which is a lot of Python objects."""


INDEXING_SECONDS = 3600.0
"""What a new index of a large collection may take when the server starts."""
TRANSACTION_SECONDS = 15.0
"""For how long a transaction that others get in the way of is tried again."""
KEYS_OF_A_QUERY = 1000
"""So many documents are asked for by name in one query."""


class Duplicate(Exception):
    """A document of that id exists (`claim` is None), or another one holds the claimed value."""

    def __init__(self, claim: str | None = None) -> None:
        super().__init__(claim or "id")
        self.claim = claim


class Retries:
    """Tries of a read-change-write, each of which may be outrun.

    Between two of them is a pause that grows and is never the same: of many who change one document at a time, all
    get through.
    """

    __slots__ = ("_made",)

    def __init__(self) -> None:
        self._made = 0

    def __aiter__(self) -> Retries:
        return self

    async def __anext__(self) -> int:
        if self._made == ATTEMPTS:
            raise StopAsyncIteration
        if self._made:
            await asyncio.sleep(random.uniform(0, PAUSE_SECONDS * self._made))  # noqa: S311 - no secret
        self._made += 1
        return self._made


class Stale(Exception):
    """The document is not at the revision that was to be replaced."""


@dataclass(frozen=True, slots=True)
class Raw:
    """A document on its way to the wire: its revision and its public JSON, untouched."""

    revision: str
    json: bytes


@contextmanager
def driver_errors() -> Iterator[None]:
    """Turn what the driver raises into the protocol's words."""
    try:
        yield
    except (ConnectionFailure, ExecutionTimeout, NetworkTimeout) as error:
        raise SystemFault("datastore_unreachable") from error
    except DocumentTooLarge as error:
        raise _too_large() from error
    except (BulkWriteError, DuplicateKeyError):
        raise
    except PyMongoError as error:
        if error.has_error_label("TransientTransactionError"):
            raise
        raise SystemFault("datastore_fault") from error


def _too_large() -> CrossbarError:
    return Invalid.field("", "maxSize", "The document is too large to be stored; shorten it")


class Outage(TopologyListener):
    """Knows for how long no server has been there to write to; the driver's monitors tell, on threads of their own."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._since: float | None = None

    @property
    def lasts(self) -> bool:
        """Whether it has lasted longer than a request may wait for its end."""
        since = self._since
        return since is not None and time.monotonic() - since > self._patience

    def description_changed(self, event: TopologyDescriptionChangedEvent) -> None:
        """A server came or went."""
        if event.new_description.has_writable_server():
            self._since = None
        elif self._since is None:
            self._since = time.monotonic()

    def opened(self, event: TopologyOpenedEvent) -> None:
        """The client was made."""

    def closed(self, event: TopologyClosedEvent) -> None:
        """The client was closed."""


class Store:
    """All documents of one installation."""

    def __init__(self, client: AsyncIOMotorClient[Any], name: str, shapes: Shapes, outage: Outage) -> None:
        self.client = client
        self._outage = outage
        options: CodecOptions[dict[str, Any]] = CodecOptions(tz_aware=True)
        self.database: AsyncIOMotorDatabase[Any] = client.get_database(
            name, options, write_concern=WriteConcern("majority", j=True)
        )
        self.shapes = shapes
        self.written: Callable[[Document], None] = lambda _: None
        """Told of every document this process writes or removes, once that is certain; the change feed listens."""
        self._reads: dict[tuple[str, str], Coalescer[str, Stored | None]] = {}
        self._pages: dict[str, Coalescer[Listing, list[Stored]]] = {}
        self._inserts: dict[str, Coalescer[RawBSONDocument, None]] = {}
        self._replacements: dict[str, Coalescer[_Replacement, None]] = {}

    @classmethod
    def connect(cls, uri: str, name: str, shapes: Shapes, *, timeout: float = 10.0, pool_size: int = 50) -> Store:
        """A store on the MongoDB at `uri`. `timeout` (s) bounds the search for a server, three times it each call."""
        client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(
            uri,
            serverSelectionTimeoutMS=int(timeout * 1000),
            connectTimeoutMS=int(timeout * 1000),
            waitQueueTimeoutMS=int(timeout * 1000),
            socketTimeoutMS=int(timeout * 3000),
            maxPoolSize=pool_size,
            appname="kazoo-crossbar",
            tz_aware=True,
            event_listeners=[outage := Outage(timeout)],
        )
        return cls(client, name, shapes, outage)

    def close(self) -> None:
        """Let go of the connections."""
        self.client.close()

    async def prepare(self) -> None:
        """Create the collections and indexes that are missing. Harmless when all are there."""
        with driver_errors():
            present = set(await self.database.list_collection_names())
            for name, indexes in INDEXES.items():
                if name not in present:
                    await self._create_collection(name)
                if indexes:
                    with pymongo.timeout(INDEXING_SECONDS):
                        await self.database[name].create_indexes(indexes)

    async def _create_collection(self, name: str) -> None:
        try:
            await self.database.create_collection(name, check_exists=False)
        except OperationFailure as error:
            if error.code != COLLECTION_EXISTS:  # another worker was faster
                raise

    def require(self) -> None:
        """Raise 503 while the database is known to be away, so that nobody waits to find it out once more."""
        if self._outage.lasts:
            raise SystemFault("datastore_unreachable")

    async def ping(self) -> None:
        """Answer, or raise 503, by whether the database does."""
        self.require()
        with driver_errors():
            await self.database.command("ping")

    # Reading

    async def get(self, partition: str, document_type: str, document_id: str) -> Document | None:
        """The document, or None where there is none of that type or it was deleted."""
        stored = await self._read(document_type, document_key(partition, document_type, document_id), "doc")
        return decode(stored) if stored else None

    async def get_json(self, partition: str, document_type: str, document_id: str) -> Raw | None:
        """The public JSON of a document as it lies there, or None: the cheap way to answer a GET."""
        stored = await self._read(document_type, document_key(partition, document_type, document_id), "json")
        return Raw(stored["rev"], stored["json"]) if stored else None

    async def get_many(self, partition: str, document_type: str, ids: list[str]) -> dict[str, Document]:
        """Those of the documents that exist, by id."""
        keys = [document_key(partition, document_type, document_id) for document_id in dict.fromkeys(ids)]
        found = await asyncio.gather(*(self._read(document_type, key, "doc") for key in keys))
        return {document.id: document for document in map(decode, filter(None, found))}

    async def rows(self, partition: str, document_type: str, ids: list[str]) -> dict[str, bytes]:
        """The listing rows of those of the documents that exist, as JSON, by id."""
        keys = {document_id: document_key(partition, document_type, document_id) for document_id in ids}
        found = await asyncio.gather(*(self._read(document_type, key, "row") for key in keys.values()))
        return {document_id: stored["row"] for document_id, stored in zip(keys, found, strict=True) if stored}

    async def _read(self, document_type: str, key: str, part: str) -> Stored | None:
        if len(key) > LONGEST_KEY:
            return None
        collection = self.shapes[document_type].collection
        reader = self._reads.get((collection, part))
        if reader is None:
            # Reads by id wait for nobody's lock, so the next batch may wait for this one.
            reader = self._reads[collection, part] = Coalescer(self._finder(collection, part), abreast=1)
        return await reader(key)

    def _finder(self, collection: str, part: str) -> Callable[[list[str]], Awaitable[list[Stored | Exception | None]]]:
        target = self.database[collection]
        projection = {part: 1, "rev": 1, "deleted": 1} | ({"cut": 1} if part == "doc" else {})

        async def find(keys: list[str]) -> list[Stored | Exception | None]:
            partitions = list({key.split("/", 1)[0] for key in keys})
            query = {"_id": _one_or_in(keys), "a": _one_or_in(partitions)}
            with driver_errors():
                found = {stored["_id"]: stored for stored in await target.find(query, projection).to_list(None)}
                if part == "doc":
                    for key in [key for key, stored in found.items() if stored.get("cut")]:
                        found[key] |= await target.find_one({"_id": key}, {"json": 1}) or {}
            return [_living(found.get(key)) for key in keys]

        return find

    async def page(self, listing: Listing) -> Page:
        """One page of a listing. With a filter it is read on until the page is full or the data ends."""
        limit = listing.limit
        reading = replace(listing, limit=limit and limit + 1)
        if limit is None or limit > LARGEST_SHARED_PAGE or listing.match or listing.bounds_length > LONGEST_KEY:
            with driver_errors():
                stored = await self._cursor(reading).to_list(None)
        else:
            stored = await self._page_reader(self.shapes[listing.type].collection)(reading)
        if limit is not None and len(stored) > limit:
            return Page(listing, stored[:-1], Row.of(reading, stored[-1]).position)
        return Page(listing, stored, None)

    def _page_reader(self, collection: str) -> Coalescer[Listing, list[Stored]]:
        reader = self._pages.get(collection)
        if reader is None:
            reader = self._pages[collection] = Coalescer(self._pager(collection), largest=32)
        return reader

    def _pager(self, collection: str) -> Callable[[list[Listing]], Awaitable[list[list[Stored] | Exception]]]:
        """Reads several pages in one call. Listings that are the same, as those of a busy screen are, are read once."""
        target = self.database[collection]

        async def read(listings: list[Listing]) -> list[list[Stored] | Exception]:
            different: dict[str, int] = {}
            numbers = [different.setdefault(repr(listing), len(different)) for listing in listings]
            with driver_errors():
                if len(different) == 1:
                    found = await self._cursor(listings[0]).to_list(None)
                    return [found] * len(listings)
                chosen = dict(zip(numbers, listings, strict=True))
                first, *others = [listing.pipeline(number) for number, listing in chosen.items()]
                unions = [{"$unionWith": {"coll": collection, "pipeline": pipeline}} for pipeline in others]
                pages: list[list[Stored]] = [[] for _ in different]
                for stored in await target.aggregate([*first, *unions]).to_list(None):
                    pages[stored["page"]].append(stored)
            return [pages[number] for number in numbers]

        return read

    async def stream(self, listing: Listing) -> AsyncIterator[Row]:
        """The rows of a listing one after another, in bounded memory however many there are."""
        cursor = self._cursor(listing)
        with driver_errors():
            try:
                async for stored in cursor:
                    yield Row.of(listing, stored)
            finally:
                await cursor.close()

    async def stream_documents(self, listing: Listing) -> AsyncIterator[tuple[str, Document]]:
        """The documents of a listing one after another, each with its position, in bounded memory."""
        async for row in self.stream(replace(listing, view="doc")):
            yield row.position, decode(await self._whole(row.stored, listing.type))

    def _cursor(self, listing: Listing) -> AsyncIOMotorCursor[Any]:
        target = self.database[self.shapes[listing.type].collection]
        cursor = target.find(listing.query(), listing.projection, hint=listing.index)
        cursor.sort("k", DESCENDING if listing.descending else ASCENDING)
        cursor.batch_size(min(listing.limit or STREAM_BATCH, STREAM_BATCH))
        if listing.limit is not None:
            cursor.limit(listing.limit)
        return cursor

    async def all(self, listing: Listing) -> list[Document]:
        """Every document of a listing, whole."""
        with driver_errors():
            stored = await self._cursor(replace(listing, view="doc")).to_list(None)
            return [decode(await self._whole(document, listing.type)) for document in stored]

    async def _whole(self, stored: Stored, document_type: str) -> Stored:
        """A document whose mirror is cut, with the JSON that has the rest."""
        if not stored.get("cut"):
            return stored
        collection = self.database[self.shapes[document_type].collection]
        return stored | (await collection.find_one({"_id": stored["_id"]}, {"json": 1}) or {})

    async def count_by_tag(self, listing: Listing, *, words: Sequence[str] = (), prefix: str = "") -> dict[str, int]:
        """How many documents of a listing carry each of some tags: of the given `words`, or all that begin alike.

        A word that no document carries is left out.
        """
        own = f"{listing.type}/"
        wanted: dict[str, Any] = {"$gte": own + prefix, "$lt": own + prefix + LAST}
        if words:
            wanted = {"$in": [own + word for word in words]}
        steps: list[dict[str, Any]] = [
            {"$match": {"$and": [listing.query(), {"tags": wanted}]}},
            {"$project": {"tags": 1}},
            {"$unwind": "$tags"},
            {"$match": {"tags": wanted}},
            {"$group": {"_id": "$tags", "count": {"$sum": 1}}},
        ]
        collection = self.database[self.shapes[listing.type].collection]
        with driver_errors():
            found = [group async for group in collection.aggregate(steps, hint=TAGGED.document["name"])]
        return {group["_id"].removeprefix(own): group["count"] for group in found}

    async def search(
        self,
        partition: str,
        document_type: str,
        field: SearchField,
        prefix: str,
        *,
        tag: str | None = None,
        start: str | None = None,
        limit: int | None = None,
        descending: bool = False,
    ) -> list[tuple[str, Document]]:
        """Documents whose name, id or one of whose numbers begins with `prefix`, in that order, with their keys.

        Names and numbers are compared as lower-case letters and digits. `tag` narrows it as in a listing; `start` is
        a key to begin at, which an earlier call gave.
        """
        if field == "id":
            key, low = "_id", document_key(partition, document_type, prefix)
        else:
            key, low = field, search_key(document_type, prefix).removesuffix(SEPARATOR)
        first, last = low, low + LAST
        if start is not None:
            first, last = (first, min(last, start)) if descending else (max(first, start), last)
        query: dict[str, Any] = {"a": partition, key: {"$gte": first, "$lte": last}}
        if tag is not None:
            query["tags"] = f"{document_type}/{tag}"
        cursor = self.database[self.shapes[document_type].collection].find(query)
        if field != "numbers" and limit is not None:
            cursor = cursor.sort(key, DESCENDING if descending else ASCENDING).limit(limit)
        with driver_errors():
            found = [(_matching_key(stored[key], low), decode(stored)) async for stored in cursor]
        # A document with several numbers is found by the first that fits, which the database cannot sort by.
        found = [entry for entry in found if first <= entry[0] <= last]
        found.sort(key=itemgetter(0), reverse=descending)
        return found[:limit]

    async def holder(self, partition: str, claim: str) -> str | None:
        """The id of the document that holds a claim (`Unique.key`) within its partition, or None."""
        with driver_errors():
            stored = await self.database["documents"].find_one({"a": partition, "uniq": claim}, {"_id": 1})
        return DocumentKey.parse(stored["_id"]).id if stored else None

    async def claimed(self, claim: str) -> DocumentKey | None:
        """The document that holds a claim across partitions (`Unique.key`), or None."""
        with driver_errors():
            stored = await self.database["claims"].find_one({"_id": claim})
        return DocumentKey.parse(stored["holder"]) if stored else None

    async def claimants(self, partition: str, claims: Iterable[Unique]) -> dict[str, DocumentKey]:
        """Who holds what is claimed, by `Unique.key`: in the partition, or anywhere if the claim is the system's."""
        wanted = list(claims)
        own = [claim.key for claim in wanted if not claim.system]
        shared = [claim.key for claim in wanted if claim.system]
        holders: dict[str, DocumentKey] = {}
        with driver_errors():
            if own:
                query = {"a": partition, "uniq": _one_or_in(own)}
                async for stored in self.database["documents"].find(query, {"uniq": 1}):
                    holder = DocumentKey.parse(stored["_id"])
                    holders.update(dict.fromkeys(set(stored["uniq"]).intersection(own), holder))
            if shared:
                async for stored in self.database["claims"].find({"_id": _one_or_in(shared)}):
                    holders[stored["_id"]] = DocumentKey.parse(stored["holder"])
        return holders

    async def claims_of(self, partition: str, document_type: str, name: str) -> dict[str, str]:
        """What documents of a type claim system-wide under a name (`Unique.name`): value → id of the document."""
        low = document_key(partition, document_type, "")
        claim = f"{name}{SEPARATOR}"
        query = {"holder": {"$gte": low, "$lt": low + LAST}, "_id": {"$gte": claim, "$lt": claim + LAST}}
        with driver_errors():
            found = await self.database["claims"].find(query).to_list(None)
        return {stored["_id"].removeprefix(claim): DocumentKey.parse(stored["holder"]).id for stored in found}

    async def find_by_ids(
        self, partition: str, ids: Iterable[str], types: Iterable[str], fields: Iterable[str]
    ) -> list[Document]:
        """The documents of these ids, whichever of the `types` they have, with no more than the named fields."""
        types = tuple(types)
        keys = [document_key(partition, document_type, document_id) for document_id in ids for document_type in types]
        projection = {"rev": 1, "deleted": 1, **{f"doc.{field}": 1 for field in fields}}
        documents: list[Document] = []
        with driver_errors():
            for start in range(0, len(keys), KEYS_OF_A_QUERY):
                query = {"_id": _one_or_in(keys[start : start + KEYS_OF_A_QUERY]), "a": partition}
                async for stored in self.database["documents"].find(query, projection):
                    if _living(stored):
                        documents.append(decode({"doc": {}, **stored}))
        return documents

    async def exists(self, partition: str, document_type: str) -> bool:
        """Whether there is a document of this type."""
        listing = Listing(partition, document_type, limit=1)
        return bool((await self.page(listing)).stored)

    async def named(self, partition: str, document_type: str, name: str) -> list[Document]:
        """The documents of exactly this name, compared as lower-case letters and digits."""
        low = search_key(document_type, name)
        query = {"a": partition, "name": {"$gte": low, "$lt": low + LAST}}
        with driver_errors():
            found = await self.database[self.shapes[document_type].collection].find(query).to_list(None)
        return [decode(stored) for stored in found]

    async def revoked(self, digest: str) -> bool:
        """Whether the token of this digest was revoked."""
        with driver_errors():
            return await self.database["revocations"].find_one({"_id": revocation_key(digest)}, {"_id": 1}) is not None

    # Writing

    async def revoke(self, digest: str, expires: float | None) -> None:
        """Note that a token is no longer good. It is forgotten at `expires` (Unix seconds), if it ever expires."""
        fields = {"a": SYSTEM_AUTH} | ({} if expires is None else {"expires": datetime.fromtimestamp(expires, UTC)})
        with driver_errors():
            await self.database["revocations"].update_one(
                {"_id": revocation_key(digest)}, {"$set": fields}, upsert=True
            )

    async def insert(self, document: Document) -> Document:
        """Save a new document and return it with its revision.

        Raises Duplicate when its id, or a value it claims, is taken.
        """
        shape = self.shapes[document.type]
        if any(claim.system for claim in shape.unique(document)):
            return await self.transact(lambda transaction: transaction.insert(document))
        saved = replace(document, revision=next_revision(None))
        inserter = self._inserts.get(shape.collection)
        if inserter is None:
            inserter = self._inserts[shape.collection] = Coalescer(self._inserter(shape.collection))
        await inserter(to_bson(encode(saved, shape)))
        self.written(saved)
        return saved

    async def replace(self, document: Document, previous: Document) -> Document:
        """Save a new state of `previous` and return it with its revision.

        Raises Stale when the stored revision is no longer `previous.revision`, Duplicate as `insert` does.
        """
        shape = self.shapes[document.type]
        if _system_claims(shape, document) != _system_claims(shape, previous):
            return await self.transact(lambda transaction: transaction.replace(document, previous))
        saved = replace(document, revision=next_revision(previous.revision))
        replacer = self._replacements.get(shape.collection)
        if replacer is None:
            replacer = self._replacements[shape.collection] = Coalescer(self._replacer(shape.collection))
        await replacer(_Replacement(saved, previous.revision or "", to_bson(encode(saved, shape))))
        self.written(saved)
        return saved

    async def remove(self, document: Document) -> None:
        """Take a document out of the store for good, with its claims. Already gone is no error."""
        await self.transact(lambda transaction: transaction.remove(document))

    async def remove_all(self, listing: Listing) -> list[Document]:
        """Take all documents of a listing out of the store for good and return them.

        For types that claim nothing system-wide.
        """
        documents = await self.all(listing)
        collection = self.database[self.shapes[listing.type].collection]
        with driver_errors():
            for start in range(0, len(documents), KEYS_OF_A_QUERY):
                keys = [document.key for document in documents[start : start + KEYS_OF_A_QUERY]]
                await collection.delete_many({"_id": {"$in": keys}, "a": listing.partition})
        for document in documents:
            self.written(document)
        return documents

    async def remove_many(self, partition: str, document_type: str, ids: list[str]) -> None:
        """Take records, which claim nothing, out of the store for good. Already gone is no error."""
        keys = [document_key(partition, document_type, document_id) for document_id in ids]
        with driver_errors():
            await self.database[self.shapes[document_type].collection].delete_many(
                {"_id": {"$in": keys}, "a": partition}
            )

    async def lease(self, name: str, holder: str, seconds: float) -> bool:
        """Take or prolong a piece of work that one worker of the installation does at a time.

        False while another holder has it; what is not prolonged within `seconds` is free again.
        """
        now = datetime.fromtimestamp(clock.unix_now(), UTC)
        free = {"_id": name, "$or": [{"holder": holder}, {"until": {"$lte": now}}]}
        terms = {"holder": holder, "until": now + timedelta(seconds=seconds)}
        with driver_errors():
            try:
                await self.database["leases"].update_one(free, {"$set": terms}, upsert=True)
            except DuplicateKeyError:
                return False
        return True

    async def update(
        self, partition: str, document_type: str, document_id: str, change: Callable[[Document], None]
    ) -> Document | None:
        """Read, change and replace a document, again if somebody else was faster; None if it does not exist."""
        async for _ in Retries():
            previous = await self.get(partition, document_type, document_id)
            if previous is None:
                return None
            document = replace(previous, fields=dict(previous.fields))
            change(document)
            try:
                return await self.replace(document, previous)
            except Stale:
                continue
        raise SystemFault("datastore_conflict")

    async def upsert(self, document: Document) -> Document:
        """Save a document whether or not one of its id exists; its fields win whole."""
        async for _ in Retries():
            previous = await self.get(document.partition, document.type, document.id)
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
            previous = await self.get(fresh.partition, fresh.type, fresh.id)
            document = replace(previous or fresh, fields=dict((previous or fresh).fields))
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

    async def transact(self, work: Callable[[Transaction], Awaitable[Result]]) -> Result:
        """Run `work` so that all its writes are kept or none; it may be run more than once."""
        with driver_errors(), pymongo.timeout(TRANSACTION_SECONDS):
            async with await self.client.start_session() as session:

                async def attempt(session: AsyncIOMotorClientSession) -> tuple[Result, list[Document]]:
                    transaction = Transaction(self, session)
                    return await work(transaction), transaction.touched

                outcome: tuple[Result, list[Document]] = await session.with_transaction(
                    attempt, read_concern=ReadConcern("snapshot"), write_concern=WriteConcern("majority", j=True)
                )
        result, touched = outcome
        for document in touched:
            self.written(document)
        return result

    async def remove_partition(self, partition: str) -> None:
        """Take everything of one partition out of every collection (repeatable; used when an account ends)."""
        with driver_errors():
            for collection in ("documents", "records"):
                await self.database[collection].delete_many({"a": partition})
            await self.database["claims"].delete_many({"holder": {"$gte": f"{partition}/", "$lt": f"{partition}0"}})

    def _inserter(self, collection: str) -> Callable[[list[RawBSONDocument]], Awaitable[list[Exception | None]]]:
        target = self.database[collection]

        async def insert(batch: list[RawBSONDocument]) -> list[Exception | None]:
            with driver_errors():
                try:
                    await target.insert_many(batch, ordered=False)
                except BulkWriteError as error:
                    return _outcomes(len(batch), error)
            return [None] * len(batch)

        return insert

    def _replacer(self, collection: str) -> Callable[[list[_Replacement]], Awaitable[list[Exception | None]]]:
        target = self.database[collection]

        async def write(batch: list[_Replacement]) -> list[Exception | None]:
            # Of several for one document the first goes; who was outrun within the batch need not ask the database,
            # and the winner is not mistaken for outrun because a later one has already replaced what it wrote.
            chosen: dict[str, _Replacement] = {}
            for item in batch:
                chosen.setdefault(item.document.key, item)
            outcomes = dict(zip(chosen, await write_different(list(chosen.values())), strict=True))
            return [outcomes[item.document.key] if item is chosen[item.document.key] else Stale() for item in batch]

        async def write_different(batch: list[_Replacement]) -> list[Exception | None]:
            requests: list[ReplaceOne[Any]] = [
                ReplaceOne({"_id": item.document.key, "a": item.document.partition, "rev": item.expected}, item.stored)
                for item in batch
            ]
            with driver_errors():
                try:
                    matched = (await target.bulk_write(requests, ordered=False)).matched_count
                    outcomes: list[Exception | None] = [None] * len(batch)
                except BulkWriteError as error:
                    outcomes = _outcomes(len(batch), error)
                    matched = int(error.details["nMatched"]) if error.details else 0
                if matched < outcomes.count(None):
                    # The driver counts matches of the whole batch, so the revisions tell which ones were missed.
                    keys = [item.document.key for item in batch]
                    found = target.find({"_id": _one_or_in(keys)}, {"rev": 1})
                    written = {stored["rev"] async for stored in found}
                    outcomes = [
                        outcome if outcome or item.document.revision in written else Stale()
                        for item, outcome in zip(batch, outcomes, strict=True)
                    ]
            return outcomes

        return write


class Transaction:
    """The store's reads and writes inside one transaction."""

    def __init__(self, store: Store, session: AsyncIOMotorClientSession) -> None:
        self._store = store
        self._session = session
        self.touched: list[Document] = []
        """What it wrote or removed."""

    def _collection(self, shape: Shape) -> AsyncIOMotorCollection[Any]:
        return self._store.database[shape.collection]

    async def get(self, partition: str, document_type: str, document_id: str) -> Document | None:
        """The document as this transaction sees it."""
        key = document_key(partition, document_type, document_id)
        collection = self._collection(self._store.shapes[document_type])
        stored = await collection.find_one({"_id": key, "a": partition}, session=self._session)
        return decode(stored) if stored and not stored.get("deleted") else None

    async def all(self, listing: Listing) -> list[Document]:
        """Every document of a listing, as this transaction sees it."""
        collection = self._collection(self._store.shapes[listing.type])
        cursor = collection.find(listing.query(), session=self._session, hint=listing.index).sort("k", ASCENDING)
        return [decode(stored) for stored in await cursor.to_list(None)]

    async def count(self, listing: Listing) -> int:
        """How many documents a listing has, as this transaction sees it."""
        collection = self._collection(self._store.shapes[listing.type])
        return await collection.count_documents(listing.query(), session=self._session, hint=listing.index)

    async def insert(self, document: Document) -> Document:
        """As `Store.insert`."""
        shape = self._store.shapes[document.type]
        saved = replace(document, revision=next_revision(None))
        await self._claim(shape, saved, _system_claims(shape, saved))
        try:
            await self._collection(shape).insert_one(to_bson(encode(saved, shape)), session=self._session)
        except DuplicateKeyError as error:
            raise _duplicate(error.details or {}) from error
        self.touched.append(saved)
        return saved

    async def replace(self, document: Document, previous: Document) -> Document:
        """As `Store.replace`."""
        shape = self._store.shapes[document.type]
        saved = replace(document, revision=next_revision(previous.revision))
        held, wanted = _system_claims(shape, previous), _system_claims(shape, saved)
        await self._release(held - wanted)
        await self._claim(shape, saved, wanted - held)
        query = {"_id": saved.key, "a": saved.partition, "rev": previous.revision}
        try:
            result = await self._collection(shape).replace_one(
                query, to_bson(encode(saved, shape)), session=self._session
            )
        except DuplicateKeyError as error:
            raise _duplicate(error.details or {}) from error
        if not result.matched_count:
            raise Stale
        self.touched.append(saved)
        return saved

    async def remove(self, document: Document) -> None:
        """As `Store.remove`."""
        shape = self._store.shapes[document.type]
        # By its holder: the caller may not have seen what the document claims by now.
        await self._store.database["claims"].delete_many({"holder": document.key}, session=self._session)
        await self._collection(shape).delete_one({"_id": document.key, "a": document.partition}, session=self._session)
        self.touched.append(document)

    async def _claim(self, shape: Shape, document: Document, claims: set[str]) -> None:
        for claim in sorted(claims):
            try:
                await self._store.database["claims"].insert_one(
                    {"_id": claim, "holder": document.key}, session=self._session
                )
            except DuplicateKeyError as error:
                raise Duplicate(claim) from error

    async def _release(self, claims: set[str]) -> None:
        if claims:
            await self._store.database["claims"].delete_many({"_id": {"$in": sorted(claims)}}, session=self._session)


@dataclass(frozen=True, slots=True)
class _Replacement:
    document: Document
    expected: str
    stored: RawBSONDocument


def to_bson(stored: Stored) -> RawBSONDocument:
    """Encode one document by itself, so that one that cannot be stored never fails its batch."""
    try:
        encoded = bson.encode(stored)
    except (BSONError, OverflowError, RecursionError) as error:
        raise Invalid.field("", "invalid", f"The document cannot be stored: {error}") from error
    if len(encoded) > 16 * 1024 * 1024 - 1024:
        raise _too_large()
    return RawBSONDocument(encoded)


REVOCATION = "revocation"
"""The type under which the change feed tells of a revoked token."""


def revocation_key(digest: str) -> str:
    """The `_id` of a revocation, made like a document's, so that the change feed tells of it."""
    return document_key(SYSTEM_AUTH, REVOCATION, digest)


def _system_claims(shape: Shape, document: Document) -> set[str]:
    if document.fields.get("pvt_deleted"):
        return set()
    return {claim.key for claim in shape.unique(document) if claim.system}


def _living(stored: Stored | None) -> Stored | None:
    return None if stored is None or stored.get("deleted") else stored


def _one_or_in(values: list[str]) -> Any:
    return values[0] if len(values) == 1 else {"$in": values}


def _matching_key(held: str | list[str], prefix: str) -> str:
    return held if isinstance(held, str) else min(key for key in held if key.startswith(prefix))


def _outcomes(size: int, error: BulkWriteError) -> list[Exception | None]:
    """What became of each write of an unordered batch, from the driver's report."""
    details = error.details or {}
    if details.get("writeConcernErrors"):
        raise SystemFault("datastore_unreachable") from error
    outcomes: list[Exception | None] = [None] * size
    for failure in details.get("writeErrors", ()):
        duplicate = failure.get("code") == 11000
        outcomes[failure["index"]] = _duplicate(failure) if duplicate else SystemFault("datastore_fault")
    return outcomes


def _duplicate(details: Any) -> Duplicate:
    """The `Duplicate` for a duplicate-key report: which claim of the unique index, or the id."""
    return Duplicate(details.get("keyValue", {}).get("uniq"))
