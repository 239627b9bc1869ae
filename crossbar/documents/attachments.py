# SPDX-License-Identifier: MPL-2.0
"""Attachments: the files that belong to documents, streamed in and out in the layout of GridFS.

An attachment belongs to one document and has a name there. A new one of the same name takes the old one's place only
when it is stored whole; of several stored at a time the last to be whole stays. All of a document's attachments end
with it.

What lies with another store (`Outside`) has its entry here, but no chunks; before it went there it was stored here
whole.

The driver's own GridFS gathers 48 MB before it writes and fetches 16 MB at a time; here a file of any size passes
through about a megabyte.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Final, Protocol

from bson import ObjectId
from pymongo import ASCENDING, DESCENDING
from pymongo.errors import BulkWriteError

from crossbar import clock
from crossbar.documents.document import Document, document_key
from crossbar.documents.driver import Collection
from crossbar.documents.indexes import INDEXES
from crossbar.documents.store import Snapshot, Store, driver_errors
from crossbar.errors import Invalid, SystemFault

FILES: Final = "attachments.files"
CHUNKS: Final = "attachments.chunks"
CHUNK_BYTES: Final = 255 * 1024
CHUNKS_AT_A_TIME: Final = 4
FILES_AT_A_TIME: Final = 1000
DUPLICATE_KEY: Final = 11000
"""MongoDB's code for an id that is taken."""
NEWEST_FIRST: Final = [("uploadDate", DESCENDING), ("_id", DESCENDING)]
"""The first of several files of one name is the attachment, the others are on their way out."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """One stored file: `size` in bytes, `created` in Gregorian seconds, `file_id` its place in GridFS.

    `owner` is the key of its document, `outside` says where another store has it; None: it lies in the database.
    """

    name: str
    content_type: str
    size: int
    created: int
    file_id: ObjectId
    owner: str
    outside: dict[str, Any] | None = None


class Outside(Protocol):
    """Stores outside of the database, to which files go and from which they are read."""

    async def take(self, document: Document, attachment: Attachment) -> None:
        """A file was stored: send it on if it belongs elsewhere. Raises nothing for a store that fails."""

    async def fetch(self, attachment: Attachment) -> bytes:
        """The bytes of a file that lies outside. Raises 503 where the store does not give them."""

    async def give_up(self, attachment: Attachment) -> None:
        """A file that lies outside is about to lose its entry: remember to have its store delete it."""


class Attachments:
    """Stores, finds, streams and deletes the attachments of documents."""

    def __init__(self, store: Store) -> None:
        self._run = store.connection.run
        self._driver = store.connection.driver
        self._files = store.database[FILES]
        self._chunks = store.database[CHUNKS]
        self.outside: Outside | None = None

    async def put(
        self,
        document: Document,
        name: str,
        content_type: str,
        contents: bytes | AsyncIterable[bytes],
        *,
        alone: bool = False,
        largest: int | None = None,
        created: int | None = None,
    ) -> Attachment:
        """Store a file under `name`; what had the name before goes when the new one is whole.

        With `alone` all files that the document had before go, whatever they are called. Nothing is left of a file
        that could not be stored whole, at the latest after `remove_orphans`. `created` (Gregorian seconds) is the time
        that it has from elsewhere. Raises 400 `file.maxSize` when it has more than `largest` bytes.
        """
        file_id = ObjectId()
        owner = {"a": document.partition, "document": document.key, "name": name}
        try:
            size = await self._write(file_id, contents, largest)
            finished = datetime.fromtimestamp(clock.unix_now(), UTC)
            file = {
                "_id": file_id,
                "filename": name,
                "length": size,
                "chunkSize": CHUNK_BYTES,
                "uploadDate": finished,
                "metadata": {**owner, "content_type": content_type, "created": created or clock.now()},
            }
            await self._insert(self._files, [file])
        except SystemFault:  # the database is away: it would not take the removal either
            raise
        except BaseException:
            with suppress(SystemFault):
                await self._remove(file_id)
            raise
        await self._keep_newest(_owned_by(document, None if alone else name))
        stored = _attachment(file)
        if self.outside is not None:
            await self.outside.take(document, stored)
        return stored

    async def by_id(self, file_id: str) -> Attachment | None:
        """The attachment of this place in GridFS, if it is there still."""
        stored = await self._run(lambda: self._files.find_one({"_id": ObjectId(file_id)}))
        return _attachment(stored) if stored else None

    async def moved(self, attachment: Attachment, outside: dict[str, Any]) -> None:
        """Note where another store has a file, and let go of what the database holds of it."""
        query, change = {"_id": attachment.file_id}, {"$set": {"metadata.outside": outside}}
        await self._run(lambda: self._files.update_one(query, change))
        await self._run(lambda: self._chunks.delete_many({"files_id": attachment.file_id}))

    async def _keep_newest(self, owned: dict[str, Any]) -> None:
        """Delete all but the newest of some files; the one just written, too, where a newer one was faster."""
        newest = await self._run(lambda: self._files.find_one(owned, {"uploadDate": 1}, sort=NEWEST_FIRST))
        if newest is not None:
            date, file_id = newest["uploadDate"], newest["_id"]
            older = [{"uploadDate": {"$lt": date}}, {"uploadDate": date, "_id": {"$lt": file_id}}]
            await self._delete({**owned, "$or": older})

    async def find(self, document: Document, name: str) -> Attachment | None:
        """The attachment of this name, or None."""
        query = _owned_by(document, name)
        stored = await self._run(lambda: self._files.find_one(query, sort=NEWEST_FIRST))
        return _attachment(stored) if stored else None

    async def all(self, document: Document) -> list[Attachment]:
        """The attachments of a document, by name."""
        query, order = _owned_by(document), [("metadata.name", ASCENDING), *NEWEST_FIRST]
        newest: dict[str, Attachment] = {}
        for stored in await self._run(lambda: self._files.find(query).sort(order).to_list(None)):
            newest.setdefault(stored["metadata"]["name"], _attachment(stored))
        return list(newest.values())

    async def of_many(self, partition: str, document_type: str, ids: Iterable[str]) -> dict[str, list[Attachment]]:
        """The attachments of many documents of a type, by document id; those without any are left out."""
        keys = [document_key(partition, document_type, document_id) for document_id in ids]
        found: dict[str, list[Attachment]] = {}
        query = {"metadata.a": partition, "metadata.document": {"$in": keys}}
        for stored in await self._run(lambda: self._files.find(query).to_list(None)):
            document_id = stored["metadata"]["document"].split("/", 2)[2]
            found.setdefault(document_id, []).append(_attachment(stored))
        return found

    async def of_partition(self, partition: str, snapshot: Snapshot) -> AsyncIterator[Attachment]:
        """The attachments of all documents of a partition, by document and name."""
        order = [("metadata.document", ASCENDING), ("metadata.name", ASCENDING)]
        hint = INDEXES[FILES][0].document["name"]
        last, limit = ("", ""), FILES_AT_A_TIME
        while True:
            query = {"metadata.a": partition, "metadata.document": {"$gte": last[0]}}
            found = list(map(_attachment, await snapshot.find(FILES, query, order, limit=limit, hint=hint)))
            newest = {(one.owner, one.name): one for one in sorted(found, key=attrgetter("file_id"))}
            further = sorted(place for place in newest if place > last)
            for place in further:
                yield newest[place]
            if len(found) < limit:
                return
            last, limit = (further[-1], FILES_AT_A_TIME) if further else (last, 2 * limit)

    async def stream(self, attachment: Attachment, first: int = 0, last: int | None = None) -> AsyncIterator[bytes]:
        """The bytes `first` to `last` (inclusive; the end) of an attachment, a chunk at a time."""
        if attachment.outside is not None:
            contents = await self._fetch(attachment)
            yield contents[first : None if last is None else last + 1]
            return
        left = (attachment.size if last is None else last + 1) - first
        number, skipped = divmod(first, CHUNK_BYTES)
        query = {"files_id": attachment.file_id, "n": {"$gte": number}}
        with driver_errors():
            async for chunk in self._chunks.find(query).sort("n", ASCENDING).batch_size(CHUNKS_AT_A_TIME):
                if left <= 0 or chunk["n"] != number:
                    break
                data: bytes = chunk["data"][skipped : skipped + left]
                yield data
                left -= len(data)
                number, skipped = number + 1, 0
        if left > 0:  # deleted or replaced while it was read
            raise SystemFault("datastore_fault")

    async def read(self, attachment: Attachment) -> bytes:
        """All bytes of an attachment."""
        return b"".join([chunk async for chunk in self.stream(attachment)])

    async def _fetch(self, attachment: Attachment) -> bytes:
        if self.outside is None:  # a command, which sends nothing anywhere
            raise SystemFault("datastore_fault")
        return await self.outside.fetch(attachment)

    async def copy(self, attachment: Attachment, owner: Document) -> Attachment:
        """Give another document a copy of an attachment, without holding it in memory."""
        return await self.put(owner, attachment.name, attachment.content_type, self.stream(attachment))

    async def delete(self, document: Document, name: str | None = None) -> None:
        """Delete one attachment of a document, or all. What is not there is no error."""
        await self._delete(_owned_by(document, name))

    async def delete_many(self, partition: str, document_type: str, ids: list[str]) -> None:
        """Delete all attachments of several documents of one type."""
        keys = [document_key(partition, document_type, document_id) for document_id in ids]
        await self._delete({"metadata.a": partition, "metadata.document": {"$in": keys}})

    async def delete_partition(self, partition: str) -> None:
        """Delete every attachment of an account."""
        await self._delete({"metadata.a": partition})

    async def remove_orphans(self, before: datetime) -> int:
        """Remove the chunks, begun before a time, of files that never became whole; returns how many files it were."""
        removed = 0
        begun_before = {"files_id": {"$lt": ObjectId.from_datetime(before)}}
        # In the order of the index, so that the database goes from file to file without looking at every chunk.
        steps: list[dict[str, Any]] = [
            {"$match": begun_before},
            {"$sort": {"files_id": 1, "n": 1}},
            {"$group": {"_id": "$files_id"}},
        ]
        with driver_errors():
            cursor = await self._driver.aggregate(self._chunks, steps, batchSize=FILES_AT_A_TIME)
            while found := [group["_id"] for group in await cursor.to_list(FILES_AT_A_TIME)]:
                kept = self._files.find({"_id": {"$in": found}}, {"_id": 1})
                orphaned = set(found) - {stored["_id"] async for stored in kept}
                for file_id in orphaned:
                    await self._chunks.delete_many({"files_id": file_id})
                removed += len(orphaned)
        return removed

    async def _write(self, file_id: ObjectId, contents: bytes | AsyncIterable[bytes], largest: int | None) -> int:
        """Store the chunks of a file and return its size."""
        size = number = 0
        async for piece in _pieces(contents, CHUNK_BYTES * CHUNKS_AT_A_TIME):
            size += len(piece)
            if largest is not None and size > largest:
                message = f"Payload or Files must not be more than {largest} bytes"
                raise Invalid.field("file", "maxSize", message, target=largest)
            chunks = [
                {"_id": ObjectId(), "files_id": file_id, "n": number + index, "data": piece[cut : cut + CHUNK_BYTES]}
                for index, cut in enumerate(range(0, len(piece), CHUNK_BYTES))
            ]
            # Acknowledged by a majority as the file is: a server that ends between two pieces must not take one along.
            await self._insert(self._chunks, chunks)
            number += len(chunks)
        return size

    async def _insert(self, collection: Collection, documents: list[dict[str, Any]]) -> None:
        """Insert documents with ids of their own; those that an earlier try brought in are no error."""
        try:
            await self._run(lambda: collection.insert_many(documents, ordered=False))
        except BulkWriteError as error:
            details = error.details or {}
            codes = {failure["code"] for failure in details.get("writeErrors", ())}
            if details.get("writeConcernErrors") or codes - {DUPLICATE_KEY}:
                raise SystemFault("datastore_unreachable") from error

    async def _delete(self, query: dict[str, Any]) -> None:
        for stored in await self._run(lambda: self._files.find(query).to_list(None)):
            attachment = _attachment(stored)
            if attachment.outside is not None and self.outside is not None:
                await self.outside.give_up(attachment)
            await self._remove(attachment.file_id)

    async def _remove(self, file_id: ObjectId) -> None:
        """Take a file away, its entry first so that nobody finds half of it."""
        await self._run(lambda: self._files.delete_one({"_id": file_id}))
        await self._run(lambda: self._chunks.delete_many({"files_id": file_id}))


async def _pieces(contents: bytes | AsyncIterable[bytes], size: int) -> AsyncIterator[bytes]:
    """The contents in pieces of exactly `size` bytes, but for the last."""
    if isinstance(contents, bytes):
        for start in range(0, len(contents), size):
            yield contents[start : start + size]
        return
    gathered = bytearray()
    async for piece in contents:
        gathered += piece
        while len(gathered) >= size:
            yield bytes(gathered[:size])
            del gathered[:size]
    if gathered:
        yield bytes(gathered)


def _owned_by(document: Document, name: str | None = None) -> dict[str, Any]:
    query = {"metadata.a": document.partition, "metadata.document": document.key}
    return query if name is None else {**query, "metadata.name": name}


def _attachment(stored: dict[str, Any]) -> Attachment:
    about = stored["metadata"]
    return Attachment(
        about["name"],
        about["content_type"],
        stored["length"],
        about["created"],
        stored["_id"],
        about["document"],
        about.get("outside"),
    )
