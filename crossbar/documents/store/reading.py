# SPDX-License-Identifier: MPL-2.0
"""Reading documents by their ids, in batches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Final

import orjson

from crossbar.documents.coalesce import Coalescer
from crossbar.documents.document import Document, DocumentKey, document_key
from crossbar.documents.layout import Stored
from crossbar.documents.store.connection import Connection, OverConnection, driver_errors
from crossbar.documents.store.memory import Ticket
from crossbar.documents.store.queries import KEYS_OF_A_QUERY, LONGEST_KEY, by_keys, living


@dataclass(frozen=True, slots=True)
class Raw:
    """A document on its way to the wire: its revision and its public JSON, untouched."""

    revision: str
    json: bytes


ABSENT: Final = Raw("", b"")
"""Stands in memory for a document that there is not."""
WHOLE: Final = "whole"
"""Under this and its key a document is remembered with all its fields, private ones too, as `Raw`."""
AS_THEY_ARE: Final = orjson.OPT_PASSTHROUGH_DATETIME
"""Times, which JSON would bring back as text, are refused."""


class DocumentReads(OverConnection):
    """Reads by id. Calls made at the same time travel together."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._reads: dict[tuple[str, str], Coalescer[str, Stored | None]] = {}

    async def get(self, partition: str, document_type: str, document_id: str) -> Document | None:
        """The document, or None where there is none of that type or it was deleted."""
        key = document_key(partition, document_type, document_id)
        known: Raw | None = self._memory.get((WHOLE, key))
        if known is not None:
            return Document(partition, document_type, document_id, orjson.loads(known.json), known.revision)
        ticket = self._memory.ticket(key)
        stored = await self._read(document_type, key, "doc")
        if not stored:
            return None
        document = self._codec.decode(stored)
        if ticket is not None:
            self._remember(document, ticket)
        return document

    def remember_written(self, document: Document, ticket: Ticket) -> None:
        """Remember a document as it was written; `ticket` is from before."""
        if document.fields.get("pvt_deleted"):
            return
        self._remember(document, ticket)
        if document.body is not None:
            raw = Raw(document.revision or "", document.body)
            self._memory.keep(document.key, raw, len(raw.json), ticket)

    def _remember(self, document: Document, ticket: Ticket) -> None:
        """Remember a document with all its fields, unless it has credentials that are sealed: they do not stay open."""
        if self._codec.sealed_places(document.type):
            return
        try:
            fields = orjson.dumps(document.fields, option=AS_THEY_ARE)
        except TypeError:
            return
        self._memory.keep((WHOLE, document.key), Raw(document.revision or "", fields), len(fields), ticket)

    async def get_json(self, partition: str, document_type: str, document_id: str) -> Raw | None:
        """The public JSON of a document as it lies there, or None: the cheap way to answer a GET."""
        if self._codec.sealed_places(document_type):
            document = await self.get(partition, document_type, document_id)
            return Raw(document.revision or "", orjson.dumps(document.public)) if document else None
        key = document_key(partition, document_type, document_id)
        known: Raw | None = self._memory.get(key)
        if known is not None:
            return None if known is ABSENT else known
        ticket = self._memory.ticket(key)
        stored = await self._read(document_type, key, "json")
        raw = Raw(stored["rev"], stored["json"]) if stored else None
        if ticket is not None:
            self._memory.keep(key, raw or ABSENT, len(raw.json) if raw else len(key), ticket)
        return raw

    async def get_many(self, partition: str, document_type: str, ids: list[str]) -> dict[str, Document]:
        """Those of the documents that exist, by id."""
        keys = [document_key(partition, document_type, document_id) for document_id in dict.fromkeys(ids)]
        found = await asyncio.gather(*(self._read(document_type, key, "doc") for key in keys))
        return {document.id: document for document in map(self._codec.decode, filter(None, found))}

    async def get_rows(self, partition: str, document_type: str, ids: list[str]) -> dict[str, bytes]:
        """The listing rows of those of the documents that exist, as JSON, by id."""
        keys = {document_id: document_key(partition, document_type, document_id) for document_id in ids}
        found = await asyncio.gather(*(self._read(document_type, key, "row") for key in keys.values()))
        return {document_id: stored["row"] for document_id, stored in zip(keys, found, strict=True) if stored}

    async def find_by_ids(
        self, partition: str, ids: Iterable[str], types: Iterable[str], fields: Iterable[str]
    ) -> list[Document]:
        """The documents of these ids, whichever of the `types` they have, with no more than the named fields."""
        types = tuple(types)
        keys = [document_key(partition, document_type, document_id) for document_id in ids for document_type in types]
        projection = {"rev": 1, "deleted": 1, **{f"doc.{field}": 1 for field in fields}}
        documents: list[Document] = []

        async def find(keys: list[str]) -> list[Stored]:
            query = by_keys(keys, sharded=self._connection.sharded)
            return await self._database["documents"].find(query, projection).to_list(None)

        for start in range(0, len(keys), KEYS_OF_A_QUERY):
            found = await self._run(partial(find, keys[start : start + KEYS_OF_A_QUERY]))
            documents += [self._codec.decode({"doc": {}, **stored}) for stored in found if living(stored)]
        return documents

    async def keys(self) -> AsyncIterator[list[DocumentKey]]:
        """The keys of all documents that are no records and not deleted, some at a time."""
        with driver_errors():
            cursor = self._database["documents"].find({"deleted": {"$exists": False}}, {"_id": 1})
            while found := await cursor.to_list(KEYS_OF_A_QUERY):
                yield [DocumentKey.parse(stored["_id"]) for stored in found]

    async def _read(self, document_type: str, key: str, part: str) -> Stored | None:
        if len(key) > LONGEST_KEY:
            return None
        collection = self._shapes[document_type].stored_in
        reader = self._reads.get((collection, part))
        if reader is None:
            reader = self._reads[collection, part] = Coalescer(self._finder(collection, part))
        return await reader(key)

    def _finder(self, collection: str, part: str) -> Callable[[list[str]], Awaitable[list[Stored | Exception | None]]]:
        target = self._database[collection]
        projection = {part: 1, "rev": 1, "deleted": 1} | ({"cut": 1} if part == "doc" else {})

        async def find(keys: list[str]) -> list[Stored | Exception | None]:
            query = by_keys(keys, sharded=self._connection.sharded)
            found = {stored["_id"]: stored for stored in await target.find(query, projection).to_list(None)}
            if part == "doc":
                for key in [key for key, stored in found.items() if stored.get("cut")]:
                    found[key] |= await target.find_one({"_id": key}, {"json": 1}) or {}
            return [living(found.get(key)) for key in keys]

        return lambda keys: self._run(lambda: find(keys))
