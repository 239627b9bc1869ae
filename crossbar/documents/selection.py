# SPDX-License-Identifier: MPL-2.0
"""Selections: documents by tags and conditions, in any order, a stretch of them at a time.

Where `Listing` goes by the order and the keys of KAZOO's lists, a selection has a place (`skip`) and an order of its
own. In the order of the type's listing it is read from the index; any other order is made by the database, of the
documents that the index led to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from crossbar.documents.field import Expression
from crossbar.documents.indexes import LISTING, TAGGED
from crossbar.documents.listing import LAST
from crossbar.documents.shape import SEPARATOR, stored_tag
from crossbar.errors import JSON


@dataclass(frozen=True, slots=True)
class Selection:
    """Documents of a type, or of several, in some partitions.

    `tags`: words of which a document carries one at least; without any all documents of the type. `conditions`: all of
    them hold (`equals`, `contains`, `missing`). `order`: expressions to sort by, before the order of the listing; with
    none and one partition the index gives the order.
    """

    partitions: tuple[str, ...]
    type: str | tuple[str, ...]
    tags: tuple[str, ...] = ()
    conditions: tuple[Expression, ...] = ()
    order: tuple[Expression, ...] = ()
    descending: bool = False
    skip: int = 0
    limit: int | None = None

    @property
    def types(self) -> tuple[str, ...]:
        """The types of the documents."""
        return (self.type,) if isinstance(self.type, str) else self.type

    @property
    def index(self) -> str:
        """The name of the index that serves it."""
        name: str = (TAGGED if self.tags else LISTING).document["name"]
        return name

    def query(self) -> dict[str, Any]:
        """The MongoDB filter."""
        query: dict[str, Any] = {"a": _one_or_in(self.partitions)}
        if self.tags:
            query["tags"] = _one_or_in([stored_tag(name, tag) for name in self.types for tag in self.tags])
        ranges = [{"k": {"$gte": name + SEPARATOR, "$lte": name + SEPARATOR + LAST}} for name in self.types]
        query |= ranges[0] if len(ranges) == 1 else {"$or": ranges}
        if self.conditions:
            query["$expr"] = {"$and": list(self.conditions)}
        return query

    def pipeline(self) -> list[dict[str, Any]]:
        """The stretch of documents as an aggregation."""
        way = -1 if self.descending else 1
        steps: list[dict[str, Any]] = [{"$match": self.query()}]
        if self.order:
            keys = {f"by{number}": expression for number, expression in enumerate(self.order)}
            steps += [{"$addFields": keys}, {"$sort": dict.fromkeys(keys, way) | {"k": way}}]
        else:
            steps.append({"$sort": {"k": way}})
        if self.skip:
            steps.append({"$skip": self.skip})
        if self.limit is not None:
            steps.append({"$limit": self.limit})
        return steps


def at(path: str) -> Expression:
    """The value at a dotted path of the document's fields, null where there is none."""
    return {"$ifNull": [f"$doc.{path}", None]}


def first_of(path: str) -> Expression:
    """The first value of the array at a dotted path of the document's fields."""
    return {"$arrayElemAt": [{"$ifNull": [f"$doc.{path}", []]}, 0]}


BY_AGE: Final[tuple[Expression, ...]] = ({"$ifNull": ["$doc.pvt_created", 0]}, "$_id")
"""The order in which documents were made."""


def where(condition: Expression, then: Expression, otherwise: Expression) -> Expression:
    """One value or another."""
    return {"$cond": [condition, then, otherwise]}


def glued(*parts: Expression) -> Expression:
    """Texts one right after another."""
    return {"$concat": list(parts)}


def cut(expression: Expression, start: int, length: int) -> Expression:
    """So many characters of a text from a place on."""
    return {"$substrCP": [expression, start, length]}


def or_else(expression: Expression, value: JSON) -> Expression:
    """A value, or another one where there is none."""
    return {"$ifNull": [expression, literal(value)]}


def literal(value: JSON) -> Expression:
    """A value as it is, whatever it looks like."""
    return {"$literal": value}


def same(one: Expression, other: Expression) -> Expression:
    """Whether two values are equal."""
    return {"$eq": [one, other]}


def either(conditions: Iterable[Expression]) -> Expression:
    """Whether one of the conditions holds; none of none."""
    return {"$or": list(conditions)}


def text(expression: Expression) -> Expression:
    """A value as text; nothing, or what is no simple value, as empty text."""
    return {"$convert": {"input": expression, "to": "string", "onError": "", "onNull": ""}}


def folded(expression: Expression) -> Expression:
    """A value as text in lower case."""
    return {"$toLower": text(expression)}


def joined(expressions: Sequence[Expression], between: str) -> Expression:
    """Texts one after another, those that are empty left out."""
    parts: Expression = ""
    for expression in expressions:
        part = text(expression)
        apart = {"$concat": [parts, literal(between), part]}
        parts = where(same(parts, ""), part, where(same(part, ""), parts, apart))
    return parts


def contains(expression: Expression, term: str) -> Expression:
    """Whether a value's text has a term in it, whatever the case of either."""
    return _fits(expression, re.escape(term), term)


def equals(expression: Expression, term: str) -> Expression:
    """Whether a value's text is a term, whatever the case of either."""
    return _fits(expression, rf"\A{re.escape(term)}\z", term)


def _fits(expression: Expression, pattern: str, term: str) -> Expression:
    if "\0" in term:  # no pattern can have it in it, and no value that anybody types has
        return False
    return {"$regexMatch": {"input": text(expression), "regex": literal(pattern), "options": "i"}}


def is_id_of(ids: Iterable[tuple[str, str, str]]) -> Expression:
    """Whether a document is one of those, each by partition, type and id."""
    return {"$in": ["$_id", literal(["/".join(key) for key in ids])]}


def place_of(ids: Iterable[tuple[str, str, str]]) -> Expression:
    """The place of a document among those, each by partition, type and id; before the first for any other."""
    return {"$indexOfArray": [literal(["/".join(key) for key in ids]), "$_id"]}


def has(path: str) -> Expression:
    """Whether a document has a field, and not null in it."""
    return {"$gt": [f"$doc.{path}", None]}


def one_of(expression: Expression, values: Iterable[JSON]) -> Expression:
    """Whether a value is one of those."""
    return {"$in": [expression, literal(list(values))]}


def document_id() -> Expression:
    """A document's id."""
    return {"$arrayElemAt": [{"$split": ["$_id", "/"]}, 2]}


def dashed_id() -> Expression:
    """A document's id as a UUID."""
    cuts = ((0, 8), (8, 4), (12, 4), (16, 4), (20, -1))
    parts = [{"$substrBytes": [document_id(), start, length]} for start, length in cuts]
    return {"$concat": [part for pair in zip(parts, "----", strict=False) for part in pair] + [parts[-1]]}


def includes(path: str, value: JSON) -> Expression:
    """Whether the array at a dotted path has a value in it."""
    return {"$in": [literal(value), {"$ifNull": [f"$doc.{path}", []]}]}


def missing(path: str) -> Expression:
    """Whether a document lacks a field."""
    return same({"$type": f"$doc.{path}"}, "missing")


def _one_or_in(values: Sequence[str]) -> Any:
    return values[0] if len(values) == 1 else {"$in": list(values)}
