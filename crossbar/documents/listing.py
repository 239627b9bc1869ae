# SPDX-License-Identifier: MPL-2.0
"""Listings: which documents, in which order, from which key on.

Source: `crossbar_view.erl` (ranges, direction, `next_start_key`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from crossbar.documents.filters import NO_FILTERS, Filters
from crossbar.documents.indexes import LISTING, TAGGED
from crossbar.documents.shape import SEPARATOR, collate, stored_tag

LAST = "\uffff"
"""Sorts after every character of a key."""

View = Literal["row", "json", "doc"]
SearchField = Literal["id", "name", "numbers"]


@dataclass(frozen=True, slots=True)
class Search:
    """Documents whose name, id or one of whose numbers begins with `prefix`, in that order.

    Names and numbers are compared as lower-case letters and digits. `tag` narrows it as in a listing; `start` is a key
    to begin at, which an earlier search gave. `limit` is how many are wanted; None wants all.
    """

    partition: str
    type: str
    field: SearchField
    prefix: str
    tag: str | None = None
    start: str | None = None
    limit: int | None = None
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """One listing of the documents of a type.

    `tag` narrows it to the documents that carry that word, `any_tag` to those that carry one of several; the latter
    are read in the order of the whole listing. `filters` are those that every document must pass. `start` and `end`
    bound the sort key, both inclusive: `start` where the listing begins in its direction. Either is a sort key with
    id as `Page.next` gave it, or a plain value to begin at. `limit` is the page size; None reads all. `view` says
    what each row carries: the listing's row, the public document, or all its fields.
    """

    partition: str
    type: str
    tag: str | None = None
    any_tag: tuple[str, ...] = ()
    filters: Filters = NO_FILTERS
    start: Position | None = None
    end: Position | None = None
    descending: bool = True
    limit: int | None = None
    view: View = "row"

    @property
    def index(self) -> str:
        """The name of the index that serves it."""
        name: str = (TAGGED if self.tag else LISTING).document["name"]
        return name

    @property
    def is_filtered(self) -> bool:
        """Whether documents have to be looked at, beyond its bounds and its tag, to know which belong to it."""
        return bool(self.any_tag or self.filters)

    @property
    def bounds_length(self) -> int:
        """Characters of the longest of its bounds."""
        return max((len(bound.highest) for bound in (self.start, self.end) if bound), default=0)

    @property
    def projection(self) -> dict[str, Any]:
        """The stored fields that rows need."""
        return {"k": 1} | ({"doc": 1, "rev": 1, "cut": 1} if self.view == "doc" else {self.view: 1})

    def pipeline(self, number: int) -> list[dict[str, Any]]:
        """The listing as one of several in an aggregation; each row tells by `page` to which it belongs."""
        return [
            {"$match": self.query()},
            {"$sort": {"k": -1 if self.descending else 1}},
            {"$limit": self.limit},
            {"$project": {**self.projection, "page": {"$literal": number}}},
        ]

    def query(self) -> dict[str, Any]:
        """The MongoDB filter of the listing."""
        low, high = (self.end, self.start) if self.descending else (self.start, self.end)
        prefix = self.type + SEPARATOR
        bounds = {
            "$gte": prefix + (low.lowest if low else ""),
            "$lte": prefix + (high.highest if high else LAST),
        }
        query: dict[str, Any] = {"a": self.partition, "k": bounds}
        if self.tag:
            query["tags"] = stored_tag(self.type, self.tag)
        conditions = [self.filters.match] if self.filters else []
        if self.any_tag:
            conditions.append({"tags": {"$in": [stored_tag(self.type, tag) for tag in self.any_tag]}})
        return {"$and": [query, *conditions]} if conditions else query


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a listing: an exact one (sort key and id) or every document of one sort key."""

    lowest: str
    highest: str

    @classmethod
    def exact(cls, key: str) -> Position:
        """The place of one document, as `Page.next` names it."""
        return cls(key, key)

    @classmethod
    def value(cls, value: Any) -> Position:
        """All documents whose sort key is, or for strings begins with, `value`."""
        key = collate(value)
        return cls(key, key + (LAST if isinstance(value, str) else SEPARATOR + LAST))


class Row(NamedTuple):
    """One document of a listing; `body` is the row or public document as JSON bytes (empty in the `doc` view)."""

    id: str
    position: str
    body: bytes
    stored: dict[str, Any]

    @classmethod
    def of(cls, listing: Listing, stored: dict[str, Any]) -> Row:
        """The row that a stored document is in a listing."""
        key: str = stored["k"]
        body: bytes = b"" if listing.view == "doc" else stored[listing.view]
        return cls(key.rsplit(SEPARATOR, 1)[1], key[len(listing.type) + 1 :], body, stored)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing: what the database gave, and where the next page begins, if there is one.

    Most pages go to the wire as `bodies`, without an object for each row.
    """

    listing: Listing
    stored: list[dict[str, Any]]
    next: str | None

    @property
    def bodies(self) -> list[bytes]:
        """The rows, or public documents, as JSON."""
        view = self.listing.view
        return [stored[view] for stored in self.stored]

    @property
    def rows(self) -> list[Row]:
        """The rows with their ids and positions."""
        return [Row.of(self.listing, stored) for stored in self.stored]
