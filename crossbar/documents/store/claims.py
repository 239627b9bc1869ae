# SPDX-License-Identifier: MPL-2.0
"""Values that only one document may hold, and which one does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from crossbar.documents.document import Document, DocumentKey, document_key
from crossbar.documents.listing import LAST
from crossbar.documents.shape import SEPARATOR, Shape, Unique
from crossbar.documents.store.conflicts import Duplicate
from crossbar.documents.store.connection import Connection
from crossbar.documents.store.queries import one_or_in


class Claims:
    """Who holds what. A claim is named by `Unique.key`."""

    def __init__(self, connection: Connection) -> None:
        self._run = connection.run
        self._documents = connection.database["documents"]
        self._claims = connection.database["claims"]

    async def holder(self, partition: str, claim: str) -> str | None:
        """The id of the document that holds a claim (`Unique.key`) within its partition, or None."""
        query = {"a": partition, "uniq": claim}
        stored = await self._run(lambda: self._documents.find_one(query, {"_id": 1}))
        return DocumentKey.parse(stored["_id"]).id if stored else None

    async def partitions_of(self, partitions: list[str], claim: str) -> list[str]:
        """Those of some partitions, of which there is at least one, in which a claim (`Unique.key`) is held."""
        query = {"a": one_or_in(partitions), "uniq": claim}
        found = await self._run(lambda: self._documents.find(query, {"a": 1}).to_list(None))
        return [stored["a"] for stored in found]

    async def system_holder(self, claim: str) -> DocumentKey | None:
        """The document that holds a claim across partitions (`Unique.key`), or None."""
        stored = await self._run(lambda: self._claims.find_one({"_id": claim}))
        return DocumentKey.parse(stored["holder"]) if stored else None

    async def holders(self, partition: str, claims: Iterable[Unique]) -> dict[str, DocumentKey]:
        """Who holds what is claimed, by `Unique.key`: in the partition, or anywhere if the claim is the system's."""
        wanted = list(claims)
        own = [claim.key for claim in wanted if not claim.system]
        shared = [claim.key for claim in wanted if claim.system]
        found: dict[str, DocumentKey] = {}
        if own:
            query = {"a": partition, "uniq": one_or_in(own)}
            for stored in await self._run(lambda: self._documents.find(query, {"uniq": 1}).to_list(None)):
                holder = DocumentKey.parse(stored["_id"])
                found.update(dict.fromkeys(set(stored["uniq"]).intersection(own), holder))
        if shared:
            for stored in await self._run(lambda: self._claims.find({"_id": one_or_in(shared)}).to_list(None)):
                found[stored["_id"]] = DocumentKey.parse(stored["holder"])
        return found

    async def held_by_type(self, partition: str, document_type: str, name: str) -> dict[str, str]:
        """What documents of a type claim system-wide under a name (`Unique.name`): value → id of the document."""
        low = document_key(partition, document_type, "")
        claim = f"{name}{SEPARATOR}"
        query = {"holder": {"$gte": low, "$lt": low + LAST}, "_id": {"$gte": claim, "$lt": claim + LAST}}
        found = await self._run(lambda: self._claims.find(query).to_list(None))
        return {stored["_id"].removeprefix(claim): DocumentKey.parse(stored["holder"]).id for stored in found}


def system_claims(shape: Shape, document: Document) -> set[str]:
    """The keys of what a document claims across partitions; a deleted one claims nothing."""
    if document.fields.get("pvt_deleted"):
        return set()
    return {claim.key for claim in shape.unique(document) if claim.system}


def duplicate_of(details: Any) -> Duplicate:
    """The `Duplicate` for a duplicate-key report: which claim of the unique index, or the id."""
    return Duplicate(details.get("keyValue", {}).get("uniq"))
