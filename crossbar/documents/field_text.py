# SPDX-License-Identifier: MPL-2.0
"""A field's value as the text that filters compare.

`true`, `12`, `1.5`, `null`; strings as they are; an array of strings as their concatenation; anything else (nothing, an
object, another array) is the empty text.

Source: `kz_json:get_binary_value`, `kz_term:to_binary`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from crossbar.documents.field import IS_ARRAY, VALUE, Expression

_WORDS: Final[Mapping[str, bool | None]] = {"true": True, "false": False, "null": None}
_WORD_OF: Final = {value: word for word, value in _WORDS.items()}
_INT64: Final = range(-(2**63), 2**63)
_LONGEST_INTEGER: Final = 20

_CONCATENATION: Final[Expression] = {
    "$reduce": {
        "input": VALUE,
        "initialValue": "",
        "in": {
            "$cond": [{"$eq": [{"$type": "$$this"}, "string"]}, {"$concat": ["$$value", "$$this"]}, None],
        },
    }
}
"""The strings of an array in one; null if it holds anything else, because what follows an unsuitable item is null."""


def render(value: Any) -> str:
    """The text of a value; `MISSING` has the empty one."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool):
        return _WORD_OF[value]
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _render_float(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "".join(value)
    return ""


def renders_as(texts: set[str]) -> Expression:
    """Whether the text of `VALUE` is one of these: for each type, the values that have such a text."""
    literal = {"$literal": sorted(texts)}
    cases: list[Expression] = [
        {"$in": [VALUE, literal]},
        {"$cond": [IS_ARRAY, {"$in": [{"$ifNull": [_CONCATENATION, ""]}, literal]}, False]},
    ]
    if "" in texts:
        cases.append({"$in": [{"$type": VALUE}, ["missing", "object"]]})
    if words := [_WORDS[text] for text in texts & _WORDS.keys()]:
        cases.append({"$in": [VALUE, words]})
    if integers := [int(text) for text in texts if _is_integer(text)]:
        cases.append({"$and": [{"$in": [{"$type": VALUE}, ["int", "long"]]}, {"$in": [VALUE, integers]}]})
    if floats := [float(text) for text in texts if _is_float(text)]:
        cases.append({"$and": [{"$eq": [{"$type": VALUE}, "double"]}, {"$in": [VALUE, floats]}]})
    return {"$or": cases}


def _render_float(value: float) -> str:
    """`1.5`, `12.0`, `1.0e22`; zero has no sign."""
    mantissa, exponent, power = repr(value + 0.0).partition("e")
    if not exponent:
        return mantissa
    return f"{mantissa if '.' in mantissa else mantissa + '.0'}e{int(power)}"


def _is_integer(text: str) -> bool:
    """Whether an integer of 64 bits has this text."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(text) <= _LONGEST_INTEGER):
        return False
    return str(int(text)) == text and int(text) in _INT64


def _is_float(text: str) -> bool:
    """Whether a float has this text."""
    try:
        return "." in text and _render_float(float(text)) == text
    except ValueError:
        return False
