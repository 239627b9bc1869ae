# SPDX-License-Identifier: MPL-2.0
"""Filters of the query string: which documents a listing keeps.

`filter_KEY=V`, `has_key=KEY` and their kin look at the public fields of the stored document; a private one counts as
missing, so that nobody learns what it is by asking. `created_from=N` and its kin compare the times of the document.
Each condition exists twice, side by side: as a MongoDB expression over stored documents, and as a
predicate for rows that do not come from the store.

What a request sends stands in expressions as literals only, so it can be no operator.

Source: `crossbar_filter.erl`; `filter_any_*`, `filter_none_*` and `filter_array_intersect_*` are of the later public
line.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final, Literal, NamedTuple

import orjson

from crossbar.documents.document import is_private
from crossbar.documents.field import IS_ARRAY, MISSING, VALUE, Expression, Field
from crossbar.documents.field_text import render, renders_as
from crossbar.errors import JSON

Parameter = tuple[str, str | Literal[True]]
"""Name and value of a query parameter; one without `=` is true."""

TIME_RANGE: Final = frozenset({"created_from", "created_to"})
"""What selects the range of a monthly listing and therefore filters none of its documents."""

_EMPTY: Final[tuple[JSON, ...]] = (0, "", "0", "NULL", "undefined", None, [], {})
"""Values that `has_value` does not count (0.0 is 0, but false is a value)."""


class Filters:
    """All filters of a request, of which a document must pass every one."""

    __slots__ = ("_conditions",)

    def __init__(self, conditions: Iterable[Condition] = ()) -> None:
        self._conditions = tuple(conditions)

    @classmethod
    def parse(
        cls,
        parameters: Iterable[Parameter],
        *,
        ignored: Collection[str] = (),
        rename: Callable[[str], str] = str,
    ) -> Filters:
        """The filters among the parameters of a query string; a repeated one counts each time, others are skipped.

        `ignored` names parameters that are no filters of this listing (`TIME_RANGE`). `rename` maps the KEY of a
        filter to the field it stands for (voicemail messages: `folder` → `metadata.folder`). Never fails: what cannot
        be understood keeps no document.
        """
        conditions = (_condition(name, value, rename) for name, value in parameters if name not in ignored)
        found = [condition for condition in conditions if condition]
        return cls(found) if found else NO_FILTERS

    def __repr__(self) -> str:
        # Listings that say the same are read once, and are told apart by what they say.
        return f"Filters({[condition.expression for condition in self._conditions]})"

    def __bool__(self) -> bool:
        return bool(self._conditions)

    @property
    def match(self) -> dict[str, Expression]:
        """The MongoDB query for stored documents that pass; empty if there are no filters."""
        return {"$expr": {"$and": [condition.expression for condition in self._conditions]}} if self else {}

    def matches(self, document: Mapping[str, JSON]) -> bool:
        """Whether a document or row (its fields, with `id`) passes."""
        return all(condition.holds(document) for condition in self._conditions)


NO_FILTERS: Final = Filters()
"""Which every document passes."""


class Condition(NamedTuple):
    """One filter, for the store and for Python."""

    expression: Expression
    holds: Callable[[Mapping[str, JSON]], bool]


_NEVER: Final = Condition(expression=False, holds=lambda _: False)


def _condition(name: str, value: str | Literal[True], rename: Callable[[str], str]) -> Condition | None:
    """The condition a parameter stands for; None if it is no filter."""
    for prefix, make in _BY_PREFIX:
        if name.startswith(prefix):
            return make(_named(name.removeprefix(prefix), rename), "true" if value is True else value)
    if make_of_field := _BY_NAME.get(name):
        return _NEVER if value is True else make_of_field(_named(value, rename))
    if make_of_number := _BY_TIME.get(name):
        number = _number(value)
        return _NEVER if number is None else make_of_number(number)
    return None


def _named(key: str, rename: Callable[[str], str]) -> Field:
    """The field that a client names; a private one is hidden, whatever the listing has in its place."""
    return Field.hidden() if is_private(key) and key.partition(".")[0] != "_id" else Field(rename(key))


def _test(field: Field, expression: Expression, holds: Callable[[Any], bool]) -> Condition:
    """A condition on one field; `expression` speaks of its value as `VALUE`."""
    return Condition(field.bind(expression), lambda document: holds(field.of(document)))


def _not(condition: Condition) -> Condition:
    return Condition({"$not": [condition.expression]}, lambda document: not condition.holds(document))


def _equal(field: Field, text: str) -> Condition:
    return _one_of(field, {text, *_strings(text)})


def _any(field: Field, text: str) -> Condition:
    return _one_of(field, set(_strings(text)))


def _one_of(field: Field, texts: set[str]) -> Condition:
    return _test(field, renders_as(texts), lambda value: render(value) in texts)


def _intersects(field: Field, text: str) -> Condition:
    wanted = _strings(text)
    common = {"$size": {"$setIntersection": [VALUE, {"$literal": wanted}]}}
    return _test(
        field,
        {"$cond": [IS_ARRAY, {"$gt": [common, 0]}, False]},
        lambda value: isinstance(value, list) and any(item in value for item in wanted),
    )


def _includes(field: Field, text: str) -> Condition:
    wanted = _strings(text)
    return _test(
        field,
        {"$cond": [IS_ARRAY, {"$setIsSubset": [{"$literal": wanted}, VALUE]}, False]},
        lambda value: isinstance(value, list) and all(item in value for item in wanted),
    )


def _has_key(field: Field) -> Condition:
    return _test(field, {"$ne": [{"$type": VALUE}, "missing"]}, lambda value: value is not MISSING)


def _has_value(field: Field) -> Condition:
    is_empty = {"$in": [VALUE, {"$literal": list(_EMPTY)}]}
    return _test(
        field,
        {"$and": [{"$ne": [{"$type": VALUE}, "missing"]}, {"$not": [is_empty]}]},
        lambda value: value is not MISSING and (isinstance(value, bool) or value not in _EMPTY),
    )


def _from(path: str) -> Callable[[int], Condition]:
    """Not before a time; what has none passes."""
    return lambda limit: _test(
        Field(path),
        {"$cond": [{"$isNumber": VALUE}, {"$gte": [VALUE, limit]}, True]},
        lambda value: value >= limit if _is_number(value) else True,
    )


def _to(path: str) -> Callable[[int], Condition]:
    """Not after a time; what has none does not pass."""
    return lambda limit: _test(
        Field(path),
        {"$cond": [{"$isNumber": VALUE}, {"$lte": [VALUE, limit]}, False]},
        lambda value: value <= limit if _is_number(value) else False,
    )


_BY_PREFIX: Final[tuple[tuple[str, Callable[[Field, str], Condition]], ...]] = (
    ("filter_not_", lambda field, text: _not(_equal(field, text))),
    ("filter_any_", _any),
    ("filter_none_", lambda field, text: _not(_any(field, text))),
    ("filter_array_intersect_any_", _intersects),
    ("filter_array_intersect_all_", _includes),
    ("filter_array_intersect_none_", lambda field, text: _not(_intersects(field, text))),
    ("filter_", _equal),
)
_BY_NAME: Final[Mapping[str, Callable[[Field], Condition]]] = {
    "has_key": _has_key,
    "key_missing": lambda field: _not(_has_key(field)),
    "has_value": _has_value,
    "value_missing": lambda field: _not(_has_value(field)),
    "missing_value": lambda field: _not(_has_value(field)),
}
_BY_TIME: Final[Mapping[str, Callable[[int], Condition]]] = {
    "created_from": _from("pvt_created"),
    "created_to": _to("pvt_created"),
    "modified_from": _from("pvt_modified"),
    "modified_to": _to("pvt_modified"),
}

FILTERS: Final[Mapping[str, str]] = {
    "filter_{field}": "The field has this text, or (a JSON list) one of these",
    "filter_not_{field}": "The field has another text, or none",
    "filter_any_{field}": "The field has one of these texts, given as a JSON list",
    "filter_none_{field}": "The field has none of these texts",
    "filter_array_intersect_any_{field}": "The list in the field has one of these texts",
    "filter_array_intersect_all_{field}": "The list in the field has all of these texts",
    "filter_array_intersect_none_{field}": "The list in the field has none of these texts",
    "has_key": "The field of this name is there",
    "key_missing": "The field of this name is not there",
    "has_value": "The field of this name has a value that says something",
    "value_missing": "The field of this name has none",
    "missing_value": "The same",
    "created_from": "It was created at this time (Gregorian seconds) or later",
    "created_to": "It was created at this time or before",
    "modified_from": "It was changed last at this time or later",
    "modified_to": "It was changed last at this time or before",
}
"""Parameter → which documents pass; `{field}` stands for the path of a field."""


def _strings(text: str) -> list[str]:
    """The strings of a parameter that is a JSON array, else the JSON string it is, else the parameter itself."""
    if not text.lstrip().startswith(("[", '"')):
        return [text]
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return [text]
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else [value]


def _number(value: str | Literal[True]) -> int | None:
    """A parameter as a whole number that MongoDB can hold; a fraction is rounded."""
    try:
        number = round(float(value))
    except (ValueError, OverflowError):
        return None
    return None if value is True else max(-(2**53), min(number, 2**53))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
