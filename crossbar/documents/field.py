# SPDX-License-Identifier: MPL-2.0
"""The place in a document that a dotted key names: `caller_id.internal.name`, `gateways.1.server`.

It is looked up in two ways that agree: in Python, and as a MongoDB expression over stored documents, whose fields lie
under `doc`. A number steps into an array, counting from 1; into an object it is a key like any other.

Source: `kz_json:get_value`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from crossbar.errors import JSON

Expression = Any
"""A MongoDB aggregation expression."""

VALUE: Final = "$$v"
"""The value of a field, in the expressions that `Field.bind` takes."""

MISSING: Final = object()
"""The value of a field that a document lacks."""

IS_ARRAY: Final[Expression] = {"$isArray": [VALUE]}

_DEEPEST: Final = 30
"""Keys in a path beyond which nothing is looked for: each costs levels of the expression, and MongoDB limits those."""

_AFTER_SLASH: Final[Expression] = {"$add": [{"$indexOfBytes": ["$_id", "/"]}, 1]}
_ID: Final[Expression] = {
    "$substrBytes": ["$_id", {"$add": [{"$indexOfBytes": ["$_id", "/", _AFTER_SLASH]}, 1]}, -1],
}
"""The id in a stored `<partition>/<type>/<id>`."""


class Field:
    """One field. `id` and `_id` are both the document's id, which is not among the stored fields."""

    __slots__ = ("_is_hidden", "_keys")

    def __init__(self, path: str) -> None:
        self._keys = ["id"] if path == "_id" else path.split(".")
        self._is_hidden = False

    @classmethod
    def hidden(cls) -> Field:
        """A field that every document lacks."""
        field = cls("")
        field._is_hidden = True
        return field

    def of(self, document: Mapping[str, JSON]) -> Any:
        """The value in a document (its fields, with `id`), or `MISSING`."""
        value: Any = MISSING if self._is_hidden or len(self._keys) > _DEEPEST else document
        for key in self._keys:
            if isinstance(value, list):
                index = _index(key)
                value = value[index] if index is not None and index < len(value) else MISSING
            else:
                value = value.get(key, MISSING) if isinstance(value, Mapping) else MISSING
        return value

    def bind(self, expression: Expression) -> Expression:
        """`expression`, in which the value of this field in a stored document is called `VALUE`."""
        return _let(self._value(), expression)

    def _value(self) -> Expression:
        if self._keys == ["id"]:
            return _ID
        if self._is_hidden or len(self._keys) > _DEEPEST or any("\0" in key for key in self._keys):
            return "$$REMOVE"
        value: Expression = "$doc"
        for key in self._keys:
            value = _let(value, _member(key))
        return value


def _let(value: Expression, expression: Expression) -> Expression:
    return {"$let": {"vars": {"v": value}, "in": expression}}


def _member(key: str) -> Expression:
    """The member of `VALUE`. The key is a literal: `$` in it has no meaning."""
    member: Expression = {
        "$cond": [
            {"$eq": [{"$type": VALUE}, "object"]},
            {"$getField": {"field": {"$literal": key}, "input": VALUE}},
            "$$REMOVE",
        ]
    }
    index = _index(key)
    return member if index is None else {"$cond": [IS_ARRAY, {"$arrayElemAt": [VALUE, index]}, member]}


def _index(key: str) -> int | None:
    """The position from 0 that a key names in an array, None if it names none."""
    return int(key) - 1 if key.isascii() and key.isdigit() and len(key) < 10 and int(key) else None
