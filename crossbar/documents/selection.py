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
    """Documents of a type in some partitions.

    `tags`: words of which a document carries one at least; without any all documents of the type. `conditions`: all of
    them hold (`equals`, `contains`, `missing`). `order`: expressions to sort by, before the order of the listing; with
    none and one partition the index gives the order.
    """

    partitions: tuple[str, ...]
    type: str
    tags: tuple[str, ...] = ()
    conditions: tuple[Expression, ...] = ()
    order: tuple[Expression, ...] = ()
    descending: bool = False
    skip: int = 0
    limit: int | None = None

    @property
    def index(self) -> str:
        """The name of the index that serves it."""
        name: str = (TAGGED if self.tags else LISTING).document["name"]
        return name

    def query(self) -> dict[str, Any]:
        """The MongoDB filter."""
        prefix = self.type + SEPARATOR
        query: dict[str, Any] = {
            "a": _one_or_in(self.partitions),
            "k": {"$gte": prefix, "$lte": prefix + LAST},
        }
        if self.tags:
            query["tags"] = _one_or_in([stored_tag(self.type, tag) for tag in self.tags])
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


def missing(path: str) -> Expression:
    """Whether a document lacks a field."""
    return same({"$type": f"$doc.{path}"}, "missing")


def _one_or_in(values: Sequence[str]) -> Any:
    return values[0] if len(values) == 1 else {"$in": list(values)}
