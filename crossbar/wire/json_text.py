# SPDX-License-Identifier: MPL-2.0
"""Values → JSON text, whatever the values are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import orjson

from crossbar.errors import JSON

_DEEPEST: Final = 200
"""Levels that are written as what they are; orjson writes no more than 254."""
_LONGEST_DECIMAL: Final = 8_192
"""Bits of a number that Python writes in decimal digits without complaint."""


def json_text(value: JSON) -> bytes:
    """The JSON text of a value; what JSON has no form for (a whole number beyond 64 bits, …) is told as text."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return orjson.dumps(_writable(value, _DEEPEST))


def _writable(value: object, levels: int) -> JSON:
    if isinstance(value, Mapping):
        return {_text(key): _writable(item, levels - 1) for key, item in value.items()} if levels else "{…}"
    if isinstance(value, list | tuple):
        return [_writable(item, levels - 1) for item in value] if levels else "[…]"
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if -(2**63) <= value < 2**63 else _digits(value)
    return _text(value)


def _text(value: object) -> str:
    """A value as text, in which U+FFFD stands for lone surrogates."""
    return str(value).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _digits(number: int) -> str:
    return str(number) if number.bit_length() <= _LONGEST_DECIMAL else hex(number)
