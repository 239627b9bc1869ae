# SPDX-License-Identifier: MPL-2.0
"""JSON text → value, with the protocol's words for what is wrong with it.

Source: `api_util:decode_json_body`; the words are those of its decoder (jiffy).
"""

from __future__ import annotations

import json
from typing import Final, NamedTuple

import orjson

from crossbar.errors import JSON, Invalid
from crossbar.nesting import nests_deeper, outside_strings


class BodyLimits(NamedTuple):
    """What a request may send: bytes of a body (`max_upload_size`), levels of nested objects and arrays, values in all.

    orjson writes no more than 254 levels, and an answer wraps what was sent in some of its own. A value of two bytes
    becomes an object of hundreds.
    """

    size: int = 8_000_000
    depth: int = 200
    values: int = 50_000


DEFAULT_LIMITS: Final = BodyLimits()


_REASONS: Final = (
    ("unexpected end of data", "truncated_json"),
    ("input data is empty", "truncated_json"),
    ("expected a string key", "invalid_object_member_key"),
    ("in string", "invalid_string"),
    ("invalid literal", "invalid_literal"),
    ("number", "invalid_number"),
    ("no digit", "invalid_number"),
    ("content after document", "invalid_trailing_data"),
)
"""A part of orjson's message and the word for it; what is not listed is `invalid_json`."""

_WINDOWS: Final = (2**18, 2**20)
"""Bytes at the beginning of a body that may tell already."""
_DIGITS: Final = bytes.maketrans(b"123456789", b"000000000")
_LONG_INTEGER: Final = b"0" * 19
_INTEGER_RANGE: Final = range(-(2**63), 2**63)
_LONGEST_INTEGER: Final = 20


def decode_json(body: bytes, limits: BodyLimits = DEFAULT_LIMITS) -> JSON:
    """Decode a body; Latin-1 is understood where it is not UTF-8, the last of duplicate keys wins.

    Raises `Invalid` (400, field `json`, code `invalid`) for malformed text and for what the store cannot hold:
    too many values or levels, integers beyond 64 bits, NUL in a key.
    """
    _check_count(body, limits)
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        utf8 = _from_latin1(body)
        if utf8 is None:
            raise _malformed(error) from None
        return decode_json(utf8, limits)
    _check_storable(body, value, limits)
    return value


def invalid_json(text: str) -> Invalid:
    """400: the body cannot be read as JSON."""
    return Invalid.field("json", "invalid", text, target="body")


def _from_latin1(body: bytes) -> bytes | None:
    """The body in UTF-8, or None if it is UTF-8 already."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return body.decode("latin-1").encode()
    return None


def _malformed(error: orjson.JSONDecodeError) -> Invalid:
    if "depth limit" in error.msg:
        return invalid_json("too many nested levels")
    position = len(error.doc[: error.pos].encode()) + 1
    reason = next((word for part, word in _REASONS if part in error.msg), "invalid_json")
    return invalid_json(f"{reason} around {position}")


def _check_count(body: bytes, limits: BodyLimits) -> None:
    """Refuse too many values before any of them is made, and without a look at more of the text than it takes."""
    for size in (*_WINDOWS, len(body)):
        part = body[:size]
        if _most_values(part) > limits.values and _most_values(outside_strings(part)) > limits.values:
            raise invalid_json(f"more than {limits.values} values; send fewer at a time")
        if size >= len(body):
            return


def _most_values(text: bytes) -> int:
    """At least as many values as there are: each follows a comma or what opens an object or array."""
    return text.count(b",") + text.count(b"[") + text.count(b"{")


def _check_storable(body: bytes, value: JSON, limits: BodyLimits) -> None:
    """Look closer only where the text shows that there may be something to see: a walk costs more than decoding."""
    if nests_deeper(body, limits.depth):
        raise invalid_json(f"more than {limits.depth} nested levels")
    if b"\\u0000" in body and _has_nul_key(value):
        raise invalid_json("keys must not contain NUL")
    if _LONG_INTEGER in body.translate(_DIGITS):
        json.loads(body, parse_int=_check_integer)


def _has_nul_key(value: JSON) -> bool:
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            if any("\0" in key for key in item):
                return True
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
    return False


def _check_integer(digits: str) -> int:
    """orjson makes a float of an integer beyond 64 bits, so only the text still tells."""
    if len(digits) > _LONGEST_INTEGER or int(digits) not in _INTEGER_RANGE:
        raise invalid_json(f"integer {digits[:_LONGEST_INTEGER]} does not fit in 64 bits")
    return 0
