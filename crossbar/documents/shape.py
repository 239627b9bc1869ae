# SPDX-License-Identifier: MPL-2.0
"""What the store has to know of a document type: how it is listed, sorted, found and kept unique.

The counterpart of KAZOO's CouchDB views (`core/kazoo_apps/priv/couchdb/account/*.json`): what a view would emit
is worked out once, when the document is written, and stored beside it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import attrgetter, methodcaller
from typing import Any, Final, Literal

import orjson

from crossbar.documents.document import Document, value_at
from crossbar.documents.field import Field
from crossbar.documents.field_text import render
from crossbar.errors import JSON

SEPARATOR = "\x01"
"""Between the parts of a listing key: lower than any character of a key, so that prefixes sort first."""

Source = str | Callable[[Document], JSON]
"""Where a value of a row comes from: a dotted path, or a function of the document."""


class Summary:
    """The fields of one row of a listing.

    Positional names are copied from the document's key of that name (`"id"` from its id); keyword arguments name
    the row's field and give a dotted path or a function of the document. Fields without a value are left out.
    """

    def __init__(self, *names: str, **sources: Source) -> None:
        self.sources: dict[str, Source] = {**{name: name for name in names}, **sources}
        self._readings = [_reading(name, source) for name, source in self.sources.items()]

    def of(self, document: Document) -> dict[str, JSON]:
        """The row for `document`."""
        row: dict[str, JSON] = {}
        field_of = document.fields.get
        for name, key, read in self._readings:
            value = field_of(key) if read is None else read(document)
            if value is not None:
                row[name] = value
        return row


def _reading(name: str, source: Source) -> tuple[str, str, Callable[[Document], JSON] | None]:
    """How a value of a row is had: the name in the row, the key in the document, or else a function for it."""
    if not isinstance(source, str):
        return name, "", source
    if source == "id":
        return name, "", attrgetter("id")
    return name, source, (methodcaller("at", source) if "." in source else None)


def or_default(path: str, default: JSON) -> Callable[[Document], JSON]:
    """A summary source: the value at `path`, or `default` where the document has none."""

    def source(document: Document) -> JSON:
        value = value_at(document.fields, path)
        return default if value is None else value

    return source


@dataclass(frozen=True, slots=True)
class Unique:
    """A value that only one document may hold.

    `name` and `value` make the claim; a second holder is refused with the validation error `unique` on `field`, whose
    `message` may be worked out from the document that holds the claim already, and `cause` if it is given.
    Within the document's partition the claim is an entry of a unique index; with `system=True` it is a document
    of the `claims` collection, written in the same transaction, and holds across all partitions.
    """

    name: str
    value: str
    field: str
    message: str | Callable[[Document], str]
    cause: JSON = None
    system: bool = False

    @property
    def key(self) -> str:
        """The claim as the index holds it."""
        return f"{self.name}{SEPARATOR}{self.value}"


LONGEST_INDEXED = 256
"""Characters of a value beyond which a filter looks at the documents."""


def filter_tag(path: str, text: str) -> str | None:
    """The tag under which documents are found whose value at `path` has this text; None if there is no such tag."""
    return f"{path}={text}" if 0 < len(text) <= LONGEST_INDEXED else None


def owner_tag(user_id: str) -> str:
    """The tag of what belongs to a user, in listings of its type."""
    return f"owner/{user_id}"


def stored_tag(document_type: str, word: str) -> str:
    """A word of `Shape.words` as the index holds it: types have their words apart."""
    return f"{document_type}/{word}"


def _nothing(_: Document) -> Iterable[str]:
    return ()


def _no_claims(_: Document) -> Iterable[Unique]:
    return ()


@dataclass(frozen=True, slots=True)
class Listening:
    """That a document wants events of an account (`EVERY_ACCOUNT`: of all) to be written.

    With `below` those of the accounts below it, too; with `until` (Unix seconds) so long only.
    """

    account_id: str
    below: bool = False
    until: float | None = None

    @property
    def stored(self) -> dict[str, Any]:
        """What stands in the stored document."""
        until = {} if self.until is None else {"until": datetime.fromtimestamp(self.until, UTC)}
        return {"account": self.account_id, "below": self.below, **until}


EVERY_ACCOUNT: Final = "*"


@dataclass(frozen=True)
class Shape:
    """How documents of one type are kept.

    - `summary`: the row that listings show, stored ready-made.
    - `sort`: a dotted path or function giving the listing's sort key (string or number); None sorts by id.
    - `tags`: words under which further listings find the document by equality (`owner/<user id>`).
    - `unique`: values that no second document may hold.
    - `numbers`: the numbers by which `search` finds it; for an account its realm.
    - `filters`: dotted paths, the most telling first; `filter_<path>=V` is answered from the index, at a cost that
      follows the page and not the number of documents.
    - `sealed`: dotted paths (`*`: every member) of credentials, which lie in the database sealed and are found by no
      filter; they are not in the row.
    - `announced`: whether changes of its documents are events; those of an endpoint's collections are anyhow.
    - `listens`: which events a document wants to be written, if any.
    - `moves`: whether its documents go along when an account moves to another installation; not what is on its way,
      or goes on just now, in this one, and not what lets somebody into this one alone.
    - `expires`: when the database forgets a document (Unix seconds), if it ever does; within a minute or so.
    - `history`: whether earlier versions of what an endpoint's collection has are kept; not where one follows another
      all the time.
    - `stored_in`: the MongoDB collection: `documents`, or `records` for what is written once and listed by time.
    """

    type: str
    summary: Summary = field(default_factory=lambda: Summary("id", "name"))
    sort: Source | None = None
    tags: Callable[[Document], Iterable[str]] = _nothing
    unique: Callable[[Document], Iterable[Unique]] = _no_claims
    numbers: Callable[[Document], Iterable[str]] = _nothing
    filters: tuple[str, ...] = ()
    sealed: tuple[str, ...] = ()
    announced: bool = False
    listens: Callable[[Document], Listening | None] | None = None
    moves: bool = True
    expires: Callable[[Document], float | None] | None = None
    stored_in: Literal["documents", "records"] = "documents"
    history: bool = True
    _filter_fields: tuple[tuple[str, Field], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_filter_fields", tuple((path, Field(path)) for path in self.filters))

    def words(self, document: Document) -> list[str]:
        """Everything under which further listings find the document: its tags, and what its indexed filters match."""
        words = list(self.tags(document))
        if self._filter_fields:
            values = {"id": document.id, **document.fields}
            found = (filter_tag(path, render(place.of(values))) for path, place in self._filter_fields)
            words.extend(filter(None, found))
        return words

    def sort_key(self, document: Document) -> str:
        """The key by which the type's listing is ordered, without the id that breaks ties."""
        if self.sort is None:
            return ""
        value = value_at(document.fields, self.sort) if isinstance(self.sort, str) else self.sort(document)
        return collate(value)

    def listing_key(self, document: Document) -> str:
        """What the listing index holds: type, sort key, id."""
        return SEPARATOR.join((self.type, self.sort_key(document), document.id))


LARGEST = 10**15
"""The largest number that listings tell from a larger one."""


def collate(value: JSON) -> str:
    """A string that sorts as CouchDB would sort the value: null < false < true < numbers < strings.

    Strings compare without regard to case; numbers by size with three decimals, those beyond ±`LARGEST` alike.
    """
    if value is None:
        return "0"
    if isinstance(value, bool):
        return "2" if value else "1"
    if isinstance(value, int | float):
        return f"3{int(min(max(value, -LARGEST), LARGEST) * 1000) + 10**18:020d}"
    if isinstance(value, str):
        return "4" + value.casefold().replace(SEPARATOR, " ")
    return "5" + orjson.dumps(value).decode()


_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]+")


def alphanumeric(text: str) -> str:
    """Lower-cased and stripped to `[a-z0-9]`: how names are compared and searched."""
    return _NOT_ALPHANUMERIC.sub("", text.lower())


class Shapes:
    """All shapes of one server, by type."""

    def __init__(self, shapes: Iterable[Shape] = ()) -> None:
        self._shapes: dict[str, Shape] = {}
        self.announced: set[str] = set()
        """The types of which changes are events."""
        self.with_history: set[str] = set()
        """The types of which earlier versions are kept."""
        for shape in shapes:
            self.add(shape)

    def add(self, shape: Shape, *, announced: bool = False) -> None:
        """Make a type known; a type has one shape. `announced` says that its changes are events in any case."""
        if self._shapes.setdefault(shape.type, shape) is not shape:
            raise ValueError(f"document type {shape.type!r} has two shapes")
        if announced or shape.announced:
            self.announced.add(shape.type)

    def change(self, change: Callable[[Shape], Shape]) -> None:
        """Put in the place of each shape what `change` makes of it."""
        self._shapes = {document_type: change(shape) for document_type, shape in self._shapes.items()}

    def __contains__(self, document_type: object) -> bool:
        return document_type in self._shapes

    def __getitem__(self, document_type: str) -> Shape:
        return self._shapes[document_type]

    def __iter__(self) -> Iterator[Shape]:
        return iter(self._shapes.values())
