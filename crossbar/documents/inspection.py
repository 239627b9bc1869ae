# SPDX-License-Identifier: MPL-2.0
"""Looking at everything that is stored, as it is stored, and putting single things right."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

import bson
from bson import ObjectId
from bson.codec_options import CodecOptions
from pymongo.errors import DuplicateKeyError

from crossbar.documents.attachments import CHUNKS, FILES, FILES_AT_A_TIME
from crossbar.documents.codec import Codec
from crossbar.documents.document import Document, DocumentKey
from crossbar.documents.indexes import INDEXES
from crossbar.documents.layout import Stored
from crossbar.documents.shape import Shape
from crossbar.documents.store import Store, driver_errors
from crossbar.documents.store.claims import system_claims
from crossbar.documents.store.queries import KEY_INDEX, by_keys
from crossbar.documents.store.transaction import Transaction
from crossbar.ids import next_revision

AT_A_TIME: Final = 500
DOCUMENTS: Final = ("documents", "records")
"""The MongoDB collections that hold documents."""
_AS_READ: Final = CodecOptions[dict[str, Any]](tz_aware=True)


class StoredFile(NamedTuple):
    """The entry of an attachment; `pieces` is how many it should have."""

    file_id: ObjectId
    owner: str
    name: str
    pieces: int
    outside: bool
    stored: datetime


class Inspection:
    """A look at the database of a store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._connection = store.connection
        self._run = store.connection.run
        self._database = store.database
        self._shapes = store.shapes
        self._closed = Codec(store.shapes, None)  # what is sealed is compared as it lies there

    async def count(self) -> int:
        """About how many documents there are to look at."""
        return sum([await self._database[name].estimated_document_count() for name in (*DOCUMENTS, "claims", FILES)])

    # Documents

    async def stored(self, name: str) -> AsyncIterator[list[Stored]]:
        """All documents of a MongoDB collection, some at a time."""
        with driver_errors():
            cursor = self._database[name].find({}).batch_size(AT_A_TIME)
            while found := await cursor.to_list(AT_A_TIME):
                yield found

    async def stored_by_key(self, name: str, keys: Iterable[str]) -> dict[str, Stored]:
        """Those documents that are there, by key."""
        wanted = list(keys)
        if not wanted:
            return {}
        query = by_keys(wanted, sharded=self._connection.sharded)
        return {one["_id"]: one for one in await self._run(lambda: self._database[name].find(query).to_list(None))}

    def document(self, stored: Stored) -> Document:
        """A stored document with its credentials open."""
        return self._connection.codec.decode(stored)

    def as_it_should_be(self, stored: Stored) -> Stored:
        """What the shape of its type makes of the fields of a stored document."""
        document = self._closed.decode(stored)
        wanted = self._closed.encode(document, self._shapes[document.type])
        return bson.decode(bson.encode(wanted), _AS_READ)

    async def put_right(self, name: str, stored: Stored, wanted: Stored) -> bool:
        """Give a stored document the form it should have, unless it was changed since; says whether it was given.

        Only what clients see of it gets it another revision.
        """
        rev = stored.get("rev")
        changed = {key: value for key, value in wanted.items() if key != "_id" and stored.get(key) != value}
        if "json" in changed:
            changed["rev"] = next_revision(rev)
        change: dict[str, Any] = {"$set": changed} if changed else {}
        if superfluous := [key for key in stored if key not in wanted]:
            change["$unset"] = dict.fromkeys(superfluous, 1)
        query = by_keys([stored["_id"]], sharded=self._connection.sharded) | {"rev": rev}
        async with self._connection.marking.writing([stored["_id"]]):
            try:
                done = await self._run(lambda: self._database[name].update_one(query, change, hint=KEY_INDEX))
            except DuplicateKeyError:  # another document holds what this one claims
                return False
        return bool(done.matched_count)

    async def twice(self) -> list[tuple[str, str, list[str]]]:
        """Values that several documents of a partition claim: partition, claim, keys. None where the index is there."""
        steps: list[dict[str, Any]] = [
            {"$match": {"uniq": {"$exists": True}}},
            {"$unwind": "$uniq"},
            {"$group": {"_id": {"a": "$a", "uniq": "$uniq"}, "keys": {"$push": "$_id"}}},
            {"$match": {"keys.1": {"$exists": True}}},
        ]
        with driver_errors():
            cursor = await self._connection.driver.aggregate(self._database["documents"], steps, allowDiskUse=True)
            return [(one["_id"]["a"], one["_id"]["uniq"], sorted(one["keys"])) for one in await cursor.to_list(None)]

    # Claims

    async def claims(self) -> AsyncIterator[dict[str, str]]:
        """All claims across partitions, some at a time: who holds each."""
        async for found in self.stored("claims"):
            yield {one["_id"]: str(one.get("holder")) for one in found}

    async def holders(self, claims: Iterable[str]) -> dict[str, str]:
        """Who holds those of some claims that are held."""
        wanted = list(claims)
        query = {"_id": {"$in": wanted}}
        found = await self._run(lambda: self._database["claims"].find(query).to_list(None)) if wanted else []
        return {one["_id"]: str(one.get("holder")) for one in found}

    async def claim(self, key: str, claim: str) -> bool:
        """Give a document what it claims and nobody holds; says whether it was so still."""
        partition, document_type, document_id = DocumentKey.parse(key)
        shape = self._shapes[document_type]

        async def settle(transaction: Transaction) -> bool:
            document = await transaction.get(partition, document_type, document_id)
            if document is None or claim not in system_claims(shape, document):
                return False
            if await transaction.holder(claim) is not None:
                return False
            # Written along, so that whoever changes the document meanwhile meets this.
            await transaction.hold(await transaction.replace(document, document), claim)
            return True

        return await self._store.transact(settle)

    async def let_go(self, claim: str, holder: str) -> bool:
        """Take a claim away whose holder does not claim it; says whether it was so still."""

        async def settle(transaction: Transaction) -> bool:
            if await transaction.holder(claim) != holder:
                return False
            key = parsed(holder)
            shape = self._shapes[key.type] if key is not None and key.type in self._shapes else None
            if shape is not None and key is not None:
                document = await transaction.get(*key)
                if document is not None and claim in system_claims(shape, document):
                    return False
            await transaction.let_go(claim)
            return True

        return await self._store.transact(settle)

    def claimed(self, shape: Shape, stored: Stored) -> set[str]:
        """What a stored document claims across partitions."""
        return system_claims(shape, self._closed.decode(stored))

    # Indexes

    async def indexes(self) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """Indexes that are missing or other ones than they should be, and those that are nobody's, with collections."""
        missing, foreign = [], []
        for name, wanted in INDEXES.items():
            there: Mapping[str, Any] = await self._run(self._database[name].index_information)
            named = {index.document["name"]: index.document for index in wanted}
            for index, document in named.items():
                found = there.get(index)
                if found is None or not _same(found, document):
                    missing.append((name, index))
            foreign += [(name, index) for index in there if index not in named and index != KEY_INDEX]
        return missing, foreign

    async def make_index(self, name: str, index: str) -> bool:
        """Make an index as it should be; False where documents are in its way."""
        (model,) = (model for model in INDEXES[name] if model.document["name"] == index)
        if index in await self._run(self._database[name].index_information):
            await self._run(lambda: self._database[name].drop_index(index))
        try:
            await self._database[name].create_indexes([model])
        except DuplicateKeyError:
            return False
        return True

    # Attachments

    async def files(self) -> AsyncIterator[list[StoredFile]]:
        """All entries of attachments, some at a time."""
        async for found in self.stored(FILES):
            yield [_file(one) for one in found]

    async def pieces(self, files: list[StoredFile]) -> dict[ObjectId, int]:
        """How many pieces of files there are, by the index alone."""
        steps: list[dict[str, Any]] = [
            {"$match": {"files_id": {"$in": [one.file_id for one in files]}}},
            {"$group": {"_id": "$files_id", "count": {"$sum": 1}}},
        ]
        with driver_errors():
            cursor = await self._connection.driver.aggregate(self._database[CHUNKS], steps)
            return {one["_id"]: one["count"] for one in await cursor.to_list(None)}

    async def pieces_without_file(self, before: datetime) -> list[ObjectId]:
        """Files begun before a time of which there are pieces and no entry."""
        orphaned: list[ObjectId] = []
        steps: list[dict[str, Any]] = [
            {"$match": {"files_id": {"$lt": ObjectId.from_datetime(before)}}},
            {"$sort": {"files_id": 1, "n": 1}},
            {"$group": {"_id": "$files_id"}},
        ]
        with driver_errors():
            cursor = await self._connection.driver.aggregate(self._database[CHUNKS], steps)
            while found := [group["_id"] for group in await cursor.to_list(FILES_AT_A_TIME)]:
                kept = self._database[FILES].find({"_id": {"$in": found}}, {"_id": 1})
                orphaned += sorted(set(found) - {stored["_id"] async for stored in kept})
        return orphaned

    async def remove_pieces(self, file_id: ObjectId) -> bool:
        """Take away the pieces of a file that has no entry."""
        if await self._run(lambda: self._database[FILES].find_one({"_id": file_id}, {"_id": 1})) is not None:
            return False
        await self._run(lambda: self._database[CHUNKS].delete_many({"files_id": file_id}))
        return True

    async def remove_file(self, file: StoredFile) -> bool:
        """Take a file away, its entry first."""
        await self._run(lambda: self._database[FILES].delete_one({"_id": file.file_id}))
        return await self.remove_pieces(file.file_id)


def parsed(key: str) -> DocumentKey | None:
    """The parts of a key; None for what is none."""
    return DocumentKey.parse(key) if key.count("/") >= 2 else None


def _same(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    """Whether an index is the one that is wanted."""
    options = ("unique", "partialFilterExpression", "expireAfterSeconds")
    return dict(found["key"]) == dict(wanted["key"]) and all(
        (found.get(option) or None) == (wanted.get(option) or None) for option in options
    )


def _file(stored: Mapping[str, Any]) -> StoredFile:
    about = stored.get("metadata") or {}
    length, size = stored.get("length", 0), stored.get("chunkSize") or 1
    outside = about.get("outside") is not None
    pieces = 0 if outside else -(-length // size)
    return StoredFile(
        stored["_id"], str(about.get("document")), str(about.get("name")), pieces, outside, stored["uploadDate"]
    )
