"""The attachments room: the files that belong to documents, streamed in and out of GridFS.

An attachment belongs to one document and has a name there. A new one of the same name takes the old one's place only
when it is stored whole, and all of a document's attachments end with it.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from typing import Any, Final

from bson import ObjectId
from motor.motor_asyncio import AsyncIOMotorGridFSBucket
from pymongo import ASCENDING, WriteConcern

from crossbar import clock
from crossbar.documents.document import Document
from crossbar.documents.store import Store, driver_errors

BUCKET: Final = "attachments"
FILES: Final = f"{BUCKET}.files"
CHUNK_BYTES: Final = 255 * 1024


@dataclass(frozen=True, slots=True)
class Attachment:
    """One stored file: `size` in bytes, `created` in Gregorian seconds, `file_id` its place in GridFS."""

    name: str
    content_type: str
    size: int
    created: int
    file_id: ObjectId


class Attachments:
    """Stores, finds, streams and deletes the attachments of documents."""

    def __init__(self, store: Store) -> None:
        self._files = store.database[FILES]
        self._bucket = AsyncIOMotorGridFSBucket(
            store.database, BUCKET, chunk_size_bytes=CHUNK_BYTES, write_concern=WriteConcern("majority", j=True)
        )

    async def put(
        self, document: Document, name: str, content_type: str, contents: bytes | AsyncIterable[bytes]
    ) -> Attachment:
        """Store a file under `name`; what had the name before goes when the new one is whole."""
        owner = {"a": document.database, "document": document.key, "name": name}
        metadata = {**owner, "content_type": content_type, "created": clock.now()}
        with driver_errors():
            upload = self._bucket.open_upload_stream(name, metadata=metadata)
            try:
                if isinstance(contents, bytes):
                    await upload.write(contents)
                else:
                    async for chunk in contents:
                        await upload.write(chunk)
            except BaseException:
                await upload.abort()
                raise
            await upload.close()
            query = {f"metadata.{key}": value for key, value in owner.items()}
            await self._delete({**query, "_id": {"$ne": upload._id}})
            stored = await self._files.find_one({"_id": upload._id})
        return _attachment(stored or {})

    async def find(self, document: Document, name: str) -> Attachment | None:
        """The attachment of this name, or None."""
        query = {"metadata.a": document.database, "metadata.document": document.key, "metadata.name": name}
        with driver_errors():
            stored = await self._files.find_one(query, sort=[("uploadDate", -1)])
        return _attachment(stored) if stored else None

    async def all(self, document: Document) -> list[Attachment]:
        """The attachments of a document, by name."""
        query = {"metadata.a": document.database, "metadata.document": document.key}
        with driver_errors():
            cursor = self._files.find(query).sort("metadata.name", ASCENDING)
            return [_attachment(stored) async for stored in cursor]

    async def stream(self, attachment: Attachment) -> AsyncIterator[bytes]:
        """The bytes of an attachment, a chunk at a time."""
        with driver_errors():
            download = await self._bucket.open_download_stream(attachment.file_id)
            while chunk := await download.readchunk():
                yield chunk

    async def read(self, attachment: Attachment) -> bytes:
        """All bytes of an attachment."""
        return b"".join([chunk async for chunk in self.stream(attachment)])

    async def delete(self, document: Document, name: str | None = None) -> None:
        """Delete one attachment of a document, or all. What is not there is no error."""
        query = {"metadata.a": document.database, "metadata.document": document.key}
        with driver_errors():
            await self._delete(query if name is None else {**query, "metadata.name": name})

    async def delete_database(self, database: str) -> None:
        """Delete every attachment of an account."""
        with driver_errors():
            await self._delete({"metadata.a": database})

    async def _delete(self, query: dict[str, Any]) -> None:
        async for stored in self._files.find(query, {"_id": 1}):
            await self._bucket.delete(stored["_id"])


def _attachment(stored: dict[str, Any]) -> Attachment:
    about = stored["metadata"]
    return Attachment(about["name"], about["content_type"], stored["length"], about["created"], stored["_id"])
