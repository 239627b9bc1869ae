# SPDX-License-Identifier: MPL-2.0
"""What the pipeline makes of a value of the wrong type before it complains.

Clients send `"20"` for `20` and `"true"` for `true`; KAZOO mends exactly these. A function here returns the mended
value, or its argument when there is nothing to mend or no way to. Source: `kz_json_schema:fix_js_types`,
`kz_term:to_integer`, `to_number`, `to_boolean`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

_INTEGER = re.compile(r"[+-]?\d{1,19}", re.ASCII)
_FLOAT = re.compile(r"[+-]?\d{1,308}\.\d{1,308}(?:[eE][+-]?\d{1,3})?", re.ASCII)
_WIDEST = 2**63
"""Whole numbers outside ±2⁶³ have no place in the store, so no text becomes one."""


def integer(value: Any) -> Any:
    """`"12"` → 12, `"12.6"` → 13, `12.6` → 13; halves go away from zero."""
    if isinstance(value, str):
        value = number(value)
    if not isinstance(value, float):
        return value
    rounded = int(Decimal(value).to_integral_value(ROUND_HALF_UP))
    return rounded if -_WIDEST <= rounded < _WIDEST else value


def number(value: Any) -> Any:
    """`"12"` → 12, `"1.5"` → 1.5."""
    if not isinstance(value, str):
        return value
    if _INTEGER.fullmatch(value):
        whole = int(value)
        return whole if -_WIDEST <= whole < _WIDEST else value
    if _FLOAT.fullmatch(value):
        fraction = float(value)
        return fraction if abs(fraction) != float("inf") else value
    return value


def boolean(value: Any) -> Any:
    """`"true"` → True, `"false"` → False."""
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


CASTS: Mapping[str, Callable[[Any], Any]] = {"integer": integer, "number": number, "boolean": boolean}
"""By the one `type` a property may have to be mended; unions are left alone."""
