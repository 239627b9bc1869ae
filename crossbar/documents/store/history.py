# SPDX-License-Identifier: MPL-2.0
"""What documents were before they were changed.

Whoever replaces or removes a document knows the version that goes. That version is put into the MongoDB collection
`history` *before* the new one is written: it did exist, so an entry is never untrue, whatever becomes of the write. An
entry of the version that a document still has is what a failed write left behind, and readers leave it out.

The entry need not wait for a majority where the write that follows does: both go through the same oplog, in this order.
Where servers of the set came or went in between, it is put in once more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
from pymongo import ASCENDING, DESCENDING, ReplaceOne, WriteConcern
from pymongo.errors import BulkWriteError

from crossbar import clock
from crossbar.documents.document import Document, DocumentKey, document_key, is_private
from crossbar.documents.driver import Collection, Session
from crossbar.documents.listing import LAST
from crossbar.documents.shape import SEPARATOR
from crossbar.documents.store.connection import Connection, OverConnection
from crossbar.documents.store.queries import LONGEST_KEY, by_keys, one_or_in
from crossbar.errors import SystemFault
from crossbar.ids import next_revision

DAYS: Final = 30.0
"""How long versions are kept where nothing else is configured."""
DUPLICATE_KEY: Final = 11000
STAMPS: Final = ("pvt_request_id", "pvt_modified")
"""The private fields that differ whenever a request has changed a document."""

Entry = dict[str, Any]
"""A version as the collection holds it."""


@dataclass(frozen=True, slots=True)
class Version:
    """One state of a document. `until` (Unix seconds) is when the next one was written, None for the present one."""

    document: Document
    until: float | None = None

    @property
    def is_deleted(self) -> bool:
        """Whether it is the end of the document."""
        return bool(self.document.fields.get("pvt_deleted"))

    @property
    def position(self) -> str:
        """Its place among the versions of all documents."""
        return position(self.document.key, self.document.revision or "")


@dataclass(frozen=True, slots=True)
class Span:
    """A time (Gregorian seconds, both inclusive) of which the newest comes first, or the oldest (`ascending`).

    `past` is where an earlier page ended: the moment of its last entry (`moment_of`), after which this one begins.
    """

    since: int
    until: int
    past: str | None = None
    ascending: bool = False

    @property
    def past_second(self) -> int:
        """The second of `past`."""
        return int((self.past or "").partition(SEPARATOR)[0])

    def has(self, moment: str) -> bool:
        """Whether a moment lies in it, beyond `past`."""
        if not f"{self.since:012}" <= moment < f"{self.until + 1:012}":
            return False
        return self.past is None or (moment > self.past if self.ascending else moment < self.past)

    def beyond(self, key: str) -> tuple[int, int, str | None]:
        """Of entries that lie in the order of their keys within each second, those beyond `past`.

        Returns the first and the last second, and, where `past` is one of them, its key. `key` is what their keys have
        in common.
        """
        if self.past is None:
            return self.since, self.until, None
        second, place = self.past_second, self.past.partition(SEPARATOR)[2]
        if place.startswith(key):
            return self.since, self.until, place
        if self.ascending:
            return max(self.since, second + (0 if key > place else 1)), self.until, None
        return self.since, min(self.until, second - (0 if key < place else 1)), None


def position(key: str, revision: str) -> str:
    """The `_id` of a version: of one document, in the order of its revisions."""
    number, _, rest = revision.partition("-")
    return f"{key}{SEPARATOR}{number:0>10}-{rest}"


class History(OverConnection):
    """Keeps versions, and finds them."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        concern = WriteConcern("majority") if connection.sharded else WriteConcern(1)
        self._entries = connection.database.get_collection("history", write_concern=concern)
        self._documents = connection.database["documents"]
        self.keep_days: Callable[[], float] = lambda: DAYS
        """Days that a version is kept after it was replaced; 0 keeps none. Asked at each use."""

    # Keeping

    def entry(self, previous: Document, following: Document | None) -> Entry | None:
        """The entry for a version that is about to be replaced; None where none is kept.

        A change that no request made and that clients do not see is no new version.
        """
        if previous.type not in self._shapes.with_history or previous.revision is None:
            return None
        days = self.keep_days()
        if not days or (following is not None and _is_same(previous, following)):
            return None
        now = clock.unix_now()
        fields = self._codec.closed(previous)
        return {
            "_id": position(previous.key, previous.revision),
            "a": previous.partition,
            "at": fields.get("pvt_modified"),
            "until": now,
            "expires": datetime.fromtimestamp(now, UTC) + timedelta(days=days),
            "json": orjson.dumps(fields, option=orjson.OPT_NON_STR_KEYS),
        }

    def end(self, document: Document, stamps: dict[str, Any] | None = None) -> list[Entry]:
        """The entries for a document that is taken out for good: its last version, and its end, marked as deleted.

        `stamps` are the private fields that say who ends it; without, nobody known does.
        """
        if document.revision is None or document.type not in self._shapes.with_history:
            return []
        nobody = {"pvt_modified": clock.now(), "pvt_is_authenticated": False}
        fields = {**document.fields, **(stamps or nobody), "pvt_deleted": True}
        end = replace(document, fields=fields, revision=next_revision(document.revision))
        return [entry for entry in (self.entry(document, None), self.entry(end, None)) if entry is not None]

    async def keep(self, entries: Sequence[Entry]) -> None:
        """Put versions in; those that are there already stay for as long as the others."""
        if not entries:
            return
        try:
            await self._entries.insert_many(entries, ordered=False)
        except BulkWriteError as error:
            failures = (error.details or {}).get("writeErrors", ())
            if not failures or any(failure.get("code") != DUPLICATE_KEY for failure in failures):
                raise SystemFault("datastore_fault") from error
            # What a write that failed, or one that was outrun, has left behind.
            known = [entries[failure["index"]] for failure in failures]
            later = {name: known[0][name] for name in ("until", "expires")}
            await self._entries.update_many({"_id": one_or_in([entry["_id"] for entry in known])}, {"$set": later})

    async def keep_within(self, session: Session, entries: Sequence[Entry]) -> None:
        """Put versions in, if the transaction of the session is kept."""
        if entries:
            requests = [ReplaceOne({"_id": entry["_id"]}, entry, upsert=True) for entry in entries]
            await self._entries.bulk_write(requests, session=session)

    async def forget(self, key: str) -> None:
        """Take all versions of a document out, of which nothing is to be known any more."""
        versions = self._of(key) | {"_id": {"$gte": key + SEPARATOR, "$lt": key + SEPARATOR + LAST}}
        await self._run(lambda: self._entries.delete_many(versions))

    # Finding

    async def present(self, partition: str, document_type: str, document_id: str) -> Document | None:
        """The document as it is, deleted or not; None where there never was one, or it was taken out for good."""
        key = document_key(partition, document_type, document_id)
        if len(key) > LONGEST_KEY:
            return None
        query = by_keys([key], sharded=self._connection.sharded)
        stored = await self._run(lambda: self._documents.find_one(query))
        return self._codec.decode(stored) if stored else None

    async def versions(
        self,
        key: str,
        start: str | None,
        limit: int,
        *,
        ascending: bool = False,
        written: tuple[int, int] | None = None,
    ) -> list[Version]:
        """Kept versions of a document, the newest first or `ascending`: those from a position on, or all.

        `written` bounds when they were written (Gregorian seconds, both inclusive). No position leads to the versions
        of another document.
        """
        if len(key) > LONGEST_KEY:
            return []
        low, high = f"{key}{SEPARATOR}", f"{key}{SEPARATOR}{LAST}"
        if start is not None:
            low, high = (max(low, start), high) if ascending else (low, min(high, start))
        query = self._of(key) | {"_id": {"$gte": low, "$lte": high}}
        if written is not None:
            query["at"] = {"$gte": written[0], "$lte": written[1]}
        direction = ASCENDING if ascending else DESCENDING
        found = await self._run(lambda: self._entries.find(query).sort("_id", direction).limit(limit).to_list(None))
        return [self._version(entry) for entry in found]

    async def previous(self, version: Version) -> Version | None:
        """The kept version of the same document before one."""
        found = await self.versions(version.document.key, version.position, 2)
        return next((one for one in found if one.position != version.position), None)

    async def at(self, key: str, revision: str) -> Version | None:
        """The version of a revision."""
        wanted = position(key, revision)
        if len(wanted) > LONGEST_KEY:
            return None
        query = self._of(key) | {"_id": wanted}
        found = await self._run(lambda: self._entries.find_one(query))
        return self._version(found) if found else None

    async def predecessors(self, versions: Sequence[Version]) -> dict[str, Version]:
        """What stood before each of some versions, by their positions, in one call; nothing stands before the first."""
        later = [version for version in versions if not (version.document.revision or "").startswith("1-")]
        if not later:
            return {}
        pipelines: list[list[dict[str, Any]]] = [
            [
                {"$match": self._of(key) | {"_id": {"$gte": key + SEPARATOR, "$lt": version.position}}},
                {"$sort": {"_id": DESCENDING}},
                {"$limit": 1},
                {"$addFields": {"number": {"$literal": number}}},
            ]
            for number, version in enumerate(later)
            for key in [version.document.key]
        ]
        first, *others = pipelines
        unions = [{"$unionWith": {"coll": "history", "pipeline": steps}} for steps in others]

        async def read() -> list[Entry]:
            return await (await self._driver.aggregate(self._entries, [*first, *unions])).to_list(None)

        return {later[entry["number"]].position: self._version(entry) for entry in await self._run(read)}

    def _of(self, key: str) -> dict[str, Any]:
        """The condition that leads to the shard of a document's versions, where there are shards."""
        return {"a": DocumentKey.parse(key).partition} if self._connection.sharded else {}

    async def changes(self, partition: str, span: Span, limit: int) -> list[Version]:
        """Versions of documents of a partition that were written in a span of time, in its order."""
        kept = self._beginning(self._entries, "at", partition, span, limit)
        present = self._beginning(self._documents, "m", partition, span, limit)
        versions = {version.position: version for version in map(self._version, await self._run(kept))}
        for stored in await self._run(present):
            version = Version(self._codec.decode(stored))
            versions[version.position] = version
        found = [version for version in versions.values() if span.has(moment_of(version))]
        return sorted(found, key=moment_of, reverse=not span.ascending)[:limit]

    def _beginning(
        self, collection: Collection, name: str, partition: str, span: Span, limit: int
    ) -> Callable[[], Awaitable[list[Entry]]]:
        """Reads the first of a span, and all of the seconds in which it begins and in which they end.

        Within a second the index has no order that means anything; the caller puts them in order.
        """
        hint, direction = f"a_{name}", ASCENDING if span.ascending else DESCENDING

        async def of_second(second: int) -> list[Entry]:
            return await collection.find({"a": partition, name: second}, hint=hint).to_list(None)

        async def read() -> list[Entry]:
            first: list[Entry] = []
            since, until = span.since, span.until
            if span.past is not None:
                second = span.past_second
                if since <= second <= until:
                    first = await of_second(second)
                since, until = (max(since, second + 1), until) if span.ascending else (since, min(until, second - 1))
            query = {"a": partition, name: {"$gte": since, "$lte": until}}
            page = await collection.find(query, hint=hint).sort(name, direction).limit(limit).to_list(None)
            if len(page) < limit:
                return first + page
            known = {entry["_id"] for entry in page}
            return first + page + [entry for entry in await of_second(page[-1][name]) if entry["_id"] not in known]

        return read

    def _version(self, entry: Entry) -> Version:
        key, _, place = entry["_id"].rpartition(SEPARATOR)
        number, _, rest = place.partition("-")
        document = Document(*DocumentKey.parse(key), orjson.loads(entry["json"]), f"{int(number)}-{rest}")
        return Version(self._codec.open(document), entry["until"])


def moment_of(version: Version) -> str:
    """Where a version stands in the order of changes: by the second in which it was written, and by its position."""
    written = version.document.fields.get("pvt_modified")
    return f"{written if isinstance(written, int) else 0:012}{SEPARATOR}{version.position}"


def changed_keys(before: Document | None, after: Document) -> list[str]:
    """The public keys that differ."""
    old = before.fields if before else {}
    keys = {key for key in old.keys() | after.fields.keys() if not is_private(key)}
    return sorted(key for key in keys if old.get(key) != after.fields.get(key))


def _is_same(previous: Document, following: Document) -> bool:
    """Whether nobody changed anything that is shown."""
    old, new = previous.fields, following.fields
    if any(old.get(name) != new.get(name) for name in STAMPS):
        return False
    if bool(old.get("pvt_deleted")) != bool(new.get("pvt_deleted")):
        return False
    return not changed_keys(previous, following)
