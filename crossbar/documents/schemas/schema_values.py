# SPDX-License-Identifier: MPL-2.0
"""When two JSON values are the same: 1, 1.0, "1" and true are four different ones (Erlang's `=:=`)."""

from __future__ import annotations

import json
from typing import Any


def canonical(value: Any) -> str:
    """A text that is equal for equal values only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def is_among(value: Any, values: list[Any]) -> bool:
    """Whether a value is in a list."""
    return canonical(value) in map(canonical, values)


def are_unique(values: list[Any]) -> bool:
    """Whether no value is twice in a list."""
    texts = [value for value in values if type(value) is str]
    numbers = [value for value in values if type(value) is int]
    others = [canonical(value) for value in values if type(value) not in (str, int)]
    return all(len(set(part)) == len(part) for part in (texts, numbers, others))
