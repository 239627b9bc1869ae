# SPDX-License-Identifier: MPL-2.0
"""Reading listings, and documents by name or number."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any

from pymongo import ASCENDING, DESCENDING

from crossbar.documents.coalesce import Coalescer
from crossbar.documents.document import Document, document_key
from crossbar.documents.driver import Cursor
from crossbar.documents.dry_run import is_dry
from crossbar.documents.indexes import TAGGED
from crossbar.documents.layout import Stored, search_key
from crossbar.documents.listing import LAST, Listing, Page, Row, Search
from crossbar.documents.shape import SEPARATOR, stored_tag
from crossbar.documents.store.connection import Connection, OverConnection, driver_errors
from crossbar.documents.store.marking import listing_subject
from crossbar.documents.store.queries import LONGEST_KEY

"""What a search looks at."""

LARGEST_SHARED_PAGE = 200
"""Pages of up to so many rows may be read together with others."""
ROW_OVERHEAD = 600
"""Bytes that a row takes in memory beside its body."""
STREAM_BATCH = 500
"""Rows of a listing that travel together; the driver's own measure is 16 MB, which is a lot of Python objects."""


class ListingReads(OverConnection):
    """Reads of listings. Pages asked for at the same time travel together."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._pages: dict[str, Coalescer[Listing, list[Stored]]] = {}

    async def page(self, listing: Listing) -> Page:
        """One page of a listing. With a filter it is read on until the page is full or the data ends."""
        limit = listing.limit
        reading = replace(listing, limit=limit and limit + 1)
        if limit is None or limit > LARGEST_SHARED_PAGE or listing.is_filtered or listing.bounds_length > LONGEST_KEY:
            stored = await self._run(lambda: self._cursor(reading).to_list(None))
        else:
            stored = await self._remembered(reading)
        if listing.view == "json":
            stored = self._codec.shown(stored, listing.type)
        if limit is not None and len(stored) > limit:
            return Page(listing, stored[:-1], Row.of(reading, stored[-1]).position)
        return Page(listing, stored, None)

    async def _remembered(self, listing: Listing) -> list[Stored]:
        """The rows of a listing that may be read together with others; do not change them."""
        known: list[Stored] | None = self._memory.get(listing)
        if known is not None:
            return known
        ticket = self._memory.ticket(listing_subject(listing.partition, listing.type))
        stored = await self._page_reader(self._shapes[listing.type].stored_in)(listing)
        if ticket is not None:
            view = listing.view
            self._memory.keep(listing, stored, sum(len(row[view]) + ROW_OVERHEAD for row in stored), ticket)
        return stored

    def _page_reader(self, collection: str) -> Coalescer[Listing, list[Stored]]:
        reader = self._pages.get(collection)
        if reader is None:
            reader = self._pages[collection] = Coalescer(self._pager(collection), largest=32)
        return reader

    def _pager(self, collection: str) -> Callable[[list[Listing]], Awaitable[list[list[Stored] | Exception]]]:
        """Reads several pages in one call. Listings that are the same, as those of a busy screen are, are read once."""
        target = self._database[collection]

        async def read(listings: list[Listing]) -> list[list[Stored] | Exception]:
            different: dict[str, int] = {}
            numbers = [different.setdefault(repr(listing), len(different)) for listing in listings]
            if len(different) == 1:
                found = await self._cursor(listings[0]).to_list(None)
                return [found] * len(listings)
            chosen = dict(zip(numbers, listings, strict=True))
            first, *others = [listing.pipeline(number) for number, listing in chosen.items()]
            unions = [{"$unionWith": {"coll": collection, "pipeline": pipeline}} for pipeline in others]
            pages: list[list[Stored]] = [[] for _ in different]
            together = await self._driver.aggregate(target, [*first, *unions])
            for stored in await together.to_list(None):
                pages[stored["page"]].append(stored)
            return [pages[number] for number in numbers]

        return lambda listings: self._run(lambda: read(listings))

    async def stream(self, listing: Listing) -> AsyncIterator[Row]:
        """The rows of a listing one after another, in bounded memory however many there are."""
        cursor = self._cursor(listing)
        with driver_errors():
            try:
                async for stored in cursor:
                    shown = self._codec.shown([stored], listing.type)[0] if listing.view == "json" else stored
                    yield Row.of(listing, shown)
            finally:
                await cursor.close()

    async def stream_documents(self, listing: Listing) -> AsyncIterator[tuple[str, Document]]:
        """The documents of a listing one after another, each with its position, in bounded memory."""
        async for row in self.stream(replace(listing, view="doc")):
            yield row.position, self._codec.decode(await self._whole(row.stored, listing.type))

    def _cursor(self, listing: Listing) -> Cursor:
        target = self._database[self._shapes[listing.type].stored_in]
        cursor = target.find(listing.query(), listing.projection, hint=listing.index)
        cursor.sort("k", DESCENDING if listing.descending else ASCENDING)
        cursor.batch_size(min(listing.limit or STREAM_BATCH, STREAM_BATCH))
        if listing.limit is not None:
            cursor.limit(listing.limit)
        return cursor

    async def all(self, listing: Listing) -> list[Document]:
        """Every document of a listing, whole."""

        async def read() -> list[Stored]:
            stored = await self._cursor(replace(listing, view="doc")).to_list(None)
            return [await self._whole(document, listing.type) for document in stored]

        return list(map(self._codec.decode, await self._run(read)))

    async def _whole(self, stored: Stored, document_type: str) -> Stored:
        """A document whose mirror is cut, with the JSON that has the rest."""
        if not stored.get("cut"):
            return stored
        collection = self._database[self._shapes[document_type].stored_in]
        return stored | (await collection.find_one({"_id": stored["_id"]}, {"json": 1}) or {})

    async def exists(self, partition: str, document_type: str) -> bool:
        """Whether there is a document of this type."""
        listing = Listing(partition, document_type, limit=1)
        return bool((await self.page(listing)).stored)

    async def count_by_tag(self, listing: Listing, *, words: Sequence[str] = (), prefix: str = "") -> dict[str, int]:
        """How many documents of a listing carry each of some tags: of the given `words`, or all that begin alike.

        A word that no document carries is left out.
        """
        own = stored_tag(listing.type, "")
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
        collection = self._database[self._shapes[listing.type].stored_in]
        hint = TAGGED.document["name"]

        async def count() -> list[dict[str, Any]]:
            return await (await self._driver.aggregate(collection, steps, hint=hint)).to_list(None)

        found = await self._run(count)
        return {group["_id"].removeprefix(own): group["count"] for group in found}

    async def count_tagged(self, listing: Listing, words: Sequence[str]) -> int:
        """How many documents of a listing carry any of some tags, by the index alone."""
        collection = self._database[self._shapes[listing.type].stored_in]
        tags = {"$in": [stored_tag(listing.type, word) for word in words]}
        query = {"$and": [listing.query(), {"tags": tags}]}
        return await self._run(lambda: collection.count_documents(query, hint=TAGGED.document["name"]))

    async def count_each(self, partition: str, document_type: str, words: Sequence[str]) -> dict[str, int]:
        """How many documents of a type carry each of the tags, by the index alone; those without any are left out."""
        shape = self._shapes[document_type]

        def steps(word: str) -> list[dict[str, Any]]:
            tagged = {"a": partition, "tags": stored_tag(document_type, word)}
            return [{"$match": tagged}, {"$group": {"_id": {"$literal": word}, "count": {"$sum": 1}}}]

        first, *others = map(steps, words)
        unions = [{"$unionWith": {"coll": shape.stored_in, "pipeline": pipeline}} for pipeline in others]
        pipelines = [first, *others] if is_dry() else [[*first, *unions]]  # a transaction takes no unions

        async def count() -> list[dict[str, Any]]:
            collection = self._database[shape.stored_in]
            found = [await (await self._driver.aggregate(collection, each)).to_list(None) for each in pipelines]
            return [group for groups in found for group in groups]

        return {group["_id"]: group["count"] for group in await self._run(count)}

    async def search(self, wanted: Search) -> list[tuple[str, Document]]:
        """The documents that a search finds, with their keys."""
        if wanted.field == "id":
            key, low = "_id", document_key(wanted.partition, wanted.type, wanted.prefix)
        else:
            key, low = wanted.field, search_key(wanted.type, wanted.prefix).removesuffix(SEPARATOR)
        first, last = low, low + LAST
        if wanted.start is not None:
            first, last = (first, min(last, wanted.start)) if wanted.descending else (max(first, wanted.start), last)
        query: dict[str, Any] = {"a": wanted.partition, key: {"$gte": first, "$lte": last}}
        if wanted.tag is not None:
            query["tags"] = stored_tag(wanted.type, wanted.tag)
        target = self._database[self._shapes[wanted.type].stored_in]

        async def read() -> list[Stored]:
            cursor = target.find(query)
            if wanted.field != "numbers" and wanted.limit is not None:
                cursor = cursor.sort(key, DESCENDING if wanted.descending else ASCENDING).limit(wanted.limit)
            return await cursor.to_list(None)

        found = [(_matching_key(stored[key], low), self._codec.decode(stored)) for stored in await self._run(read)]
        # A document with several numbers is found by the first that fits, which the database cannot sort by.
        found = [entry for entry in found if first <= entry[0] <= last]
        found.sort(key=itemgetter(0), reverse=wanted.descending)
        return found[: wanted.limit]

    async def find_by_name(self, partition: str, document_type: str, name: str) -> list[Document]:
        """The documents of exactly this name, compared as lower-case letters and digits."""
        low = search_key(document_type, name)
        query = {"a": partition, "name": {"$gte": low, "$lt": low + LAST}}
        target = self._database[self._shapes[document_type].stored_in]
        found = await self._run(lambda: target.find(query).to_list(None))
        return [self._codec.decode(stored) for stored in found]


def _matching_key(held: str | list[str], prefix: str) -> str:
    return held if isinstance(held, str) else min(key for key in held if key.startswith(prefix))
