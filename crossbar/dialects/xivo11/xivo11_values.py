# SPDX-License-Identifier: MPL-2.0
"""The kinds of values of XiVO REST 1.1, with its words for what is wrong with one; `{name}` is the property's."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from crossbar.dialects.box_homes import is_zone
from crossbar.dialects.declaration import Property, ValueKind
from crossbar.dialects.refusals import WrongValue
from crossbar.dialects.user_homes import caller_id_parts
from crossbar.documents.field import Expression
from crossbar.errors import JSON

WRONG_TYPE: Final = "field '{{name}}': wrong type. Should be {}".format
_NUMBER: Final = re.compile(r"\d+", re.ASCII)


def _as_it_is(value: JSON) -> JSON:
    return value


def text(
    longest: int | None = None, pattern: str | None = None, check: Callable[[str], bool] | None = None, words: str = ""
) -> ValueKind:
    """A string of so many characters, that fits a pattern, or passes a check."""
    compiled = re.compile(pattern, re.ASCII) if pattern else None

    def take(value: JSON) -> JSON:
        if value is None:
            return None
        if not isinstance(value, str):
            raise WrongValue(WRONG_TYPE("a unicode string"))
        if longest is not None and len(value) > longest:
            raise WrongValue(f"{{name}}: Longer than maximum length {longest}.")
        if compiled is not None and not compiled.fullmatch(value):
            shown = f"^{pattern}$".replace("{", "{{").replace("}", "}}")
            raise WrongValue(WRONG_TYPE(f"a string matching regex '{shown}'"))
        if check is not None and not check(value):
            raise WrongValue(words)
        return value

    limits: dict[str, Any] = {"type": "string"}
    if longest is not None:
        limits["maxLength"] = longest
    if pattern:
        limits["pattern"] = f"^{pattern}$"
    return ValueKind(take, _as_it_is, limits)


def unset_if_empty(kind: ValueKind) -> ValueKind:
    """The same, but the empty string is nothing."""
    return ValueKind(lambda value: None if value == "" else kind.take(value), kind.show, kind.schema)


def numeric(longest: int) -> ValueKind:
    """Digits, as a string."""

    def take(value: JSON) -> JSON:
        if value is None:
            return None
        if not isinstance(value, str) or not _NUMBER.fullmatch(value) or len(value) > longest:
            raise WrongValue(WRONG_TYPE(f"a numeric string (max length: {longest})"))
        return value

    return ValueKind(take, _as_it_is, {"type": "string", "pattern": rf"^\d{{1,{longest}}}$"})


def integer(least: int | None = None, largest: int | None = None, step: int = 1) -> ValueKind:
    """A whole number within a range."""

    def take(value: JSON) -> JSON:
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            raise WrongValue(WRONG_TYPE("an integer"))
        low, high = (-(2**31) if least is None else least), (2**31 - 1 if largest is None else largest)
        if not low <= value <= high or value % step:
            facts = f"'min': {low}, 'max': {high}" + (f", 'step': {step}" if step > 1 else "")
            raise WrongValue(f"{{name}} is outside of range ({facts})")
        return value

    limits = {"minimum": least, "maximum": largest}
    return ValueKind(take, _as_it_is, {"type": "integer", **{k: v for k, v in limits.items() if v is not None}})


def _boolean(value: JSON) -> JSON:
    if value is not None and not isinstance(value, bool):
        raise WrongValue(WRONG_TYPE("a boolean"))
    return value


def _pairs(value: JSON) -> JSON:
    if value is None:
        return []
    is_list = isinstance(value, list) and all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(part, str) for part in pair) for pair in value
    )
    if not is_list:
        raise WrongValue(WRONG_TYPE("a list of paired string tuples"))
    return value


def _object(value: JSON) -> JSON:
    if value is not None and not isinstance(value, dict):
        raise WrongValue(WRONG_TYPE("a dict"))
    return value


def _outgoing(value: str) -> bool:
    return value in ("default", "anonymous") or caller_id_parts(value) is not None


_CALLER_WORDS: Final = WRONG_TYPE("a string matching regex '^\"(.*)\"( <\\+?\\d+>)?$'")

TEXT: Final = text()
SHORT_TEXT: Final = text(128)
BOOLEAN: Final = ValueKind(_boolean, bool, {"type": "boolean"})
ANY_INTEGER: Final = integer()
PAIRS: Final = ValueKind(_pairs, _as_it_is, {"type": "array", "items": {"type": "array", "items": {"type": "string"}}})
OBJECT: Final = ValueKind(_object, _as_it_is, {"type": "object"})
ANYTHING: Final = ValueKind(_as_it_is, _as_it_is, {})


def given(
    name: str, expression: Expression | None = None, *, is_searched: bool = True, also: tuple[str, ...] = ()
) -> Property:
    """A property that clients only read; with an expression of the database, lists are ordered by it and searched."""
    column = expression is not None
    return Property(
        name, ANYTHING, is_read_only=True, is_column=column, is_searched=column and is_searched, expression=expression,
        also=also,
    )  # fmt: skip


LANGUAGE: Final = text(pattern=r"[a-z]{2}_[A-Z]{2}")
CALLER_ID: Final = text(check=lambda value: caller_id_parts(value) is not None, words=_CALLER_WORDS)
OUTGOING_CALLER_ID: Final = text(check=_outgoing, words=_CALLER_WORDS)
MOBILE: Final = unset_if_empty(text(pattern=r"\+?[0-9*#]+"))
"""Telephone programs send back the empty string that they show where there is none."""
USERNAME: Final = text(pattern=r"[a-zA-Z0-9\-._~!$&'()*+,;=%@]{1,254}")
PASSWORD: Final = text(pattern=r"[a-zA-Z0-9\-._~!$&'()*+,;=%]{1,254}")
PERMISSION_PASSWORD: Final = text(pattern=r"[0-9#*]{1,16}")
ZONE: Final = text(check=is_zone, words="field '{name}': Timezone was not found")
