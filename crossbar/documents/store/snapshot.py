# SPDX-License-Identifier: MPL-2.0
"""Reading a lot as it was at one moment, without keeping anybody from writing.

MongoDB remembers each moment for a while (five minutes, `minSnapshotHistoryWindowInSeconds`). What takes longer is read
on as it is by then, and `Snapshot.is_consistent` says so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Final

from pymongo import ASCENDING
from pymongo.errors import OperationFailure

from crossbar.documents.document import Document
from crossbar.documents.driver import Session
from crossbar.documents.indexes import LISTING, TAGGED
from crossbar.documents.layout import Stored
from crossbar.documents.shape import stored_tag
from crossbar.documents.store.connection import Connection, OverConnection
from crossbar.errors import SystemFault

AT_A_TIME: Final = 200
"""Documents that travel together."""
NO_SUCH_MOMENT: Final = frozenset({72, 239, 246})
"""MongoDB's codes of a moment that it does not remember any more, or where it remembers none."""
COLLECTIONS: Final = ("documents", "records")


class Snapshot(OverConnection):
    """Documents of whole partitions, in the order of their listings; deleted ones are left out."""

    def __init__(self, connection: Connection, session: Session) -> None:
        super().__init__(connection)
        self._session: Session | None = session

    @property
    def is_consistent(self) -> bool:
        """Whether all that was read was so at one moment."""
        return self._session is not None

    async def get(self, partition: str, document_type: str, document_id: str) -> Document | None:
        """The document, or None."""
        key = Document(partition, document_type, document_id, {}).key
        query = {"_id": key, "a": partition, "deleted": {"$exists": False}}
        collection = self._shapes[document_type].stored_in
        for stored in await self.find(collection, query, [("_id", ASCENDING)], limit=1):
            return self._codec.decode(stored)
        return None

    async def count(self, partition: str) -> int:
        """How many documents a partition has now."""
        query, hint = {"a": partition, "k": {"$gt": ""}}, LISTING.document["name"]
        return sum(
            [await self._run(partial(self._database[name].count_documents, query, hint=hint)) for name in COLLECTIONS]
        )

    async def documents(self, partition: str) -> AsyncIterator[Document]:
        """All documents of a partition."""
        for collection in COLLECTIONS:
            async for document in self._by_key(collection, {"a": partition}, LISTING.document["name"]):
                yield document

    async def tagged(self, partition: str, document_type: str, tag: str) -> AsyncIterator[Document]:
        """The documents of a type that carry a word (`Shape.tags`)."""
        query = {"a": partition, "tags": stored_tag(document_type, tag)}
        collection = self._shapes[document_type].stored_in
        async for document in self._by_key(collection, query, TAGGED.document["name"]):
            yield document

    async def _by_key(self, collection: str, query: Mapping[str, Any], index: str) -> AsyncIterator[Document]:
        after = ""
        while True:
            wanted = {**query, "k": {"$gt": after}}
            found = await self.find(collection, wanted, [("k", ASCENDING)], limit=AT_A_TIME, hint=index)
            for stored in found:
                yield self._codec.decode(stored)
            if len(found) < AT_A_TIME:
                return
            after = found[-1]["k"]

    async def find(
        self,
        collection: str,
        query: Mapping[str, Any],
        order: Sequence[tuple[str, int]],
        *,
        limit: int,
        hint: str | None = None,
    ) -> list[Stored]:
        """What a MongoDB collection holds, as it was at the moment while that is remembered."""
        target, leave_out = self._database[collection], {"row": 0, "tags": 0, "uniq": 0, "numbers": 0, "name": 0}

        async def read() -> list[Stored]:
            cursor = target.find(query, leave_out, sort=list(order), limit=limit, hint=hint, session=self._session)
            return await cursor.to_list(None)

        try:
            return await self._run(read)
        except SystemFault as error:
            cause = error.__cause__
            if self._session is None or not isinstance(cause, OperationFailure) or cause.code not in NO_SUCH_MOMENT:
                raise
        self._session = None
        return await self._run(read)


@asynccontextmanager
async def snapshot(connection: Connection) -> AsyncIterator[Snapshot]:
    """Reads as of the moment of the first one."""
    async with await connection.driver.session(connection.client, snapshot=True) as session:
        yield Snapshot(connection, session)
