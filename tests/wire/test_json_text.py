# SPDX-License-Identifier: MPL-2.0
"""Any value has a JSON text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossbar.errors import Invalid
from crossbar.wire.envelope import Envelopes, Exchange
from crossbar.wire.json_text import json_text

TOLD: list[tuple[Any, Any]] = [
    (2**64, str(2**64)),
    (-(10**30), str(-(10**30))),
    (10**5000, hex(10**5000)),
    ({"a": [2**70, 1]}, {"a": [str(2**70), 1]}),
    ("\ud800", "\ufffd"),
    ({"\udcff": "a"}, {"\ufffd": "a"}),
    ({1: 2**64}, {"1": str(2**64)}),
    ((2**64,), [str(2**64)]),
    (b"x", "b'x'"),
    (datetime(2026, 1, 1, tzinfo=UTC), "2026-01-01T00:00:00+00:00"),
]


@pytest.mark.parametrize(("value", "told"), TOLD, ids=map(str, range(len(TOLD))))
def test_what_json_has_no_form_for_is_told_as_text(value: Any, told: Any) -> None:
    assert orjson.loads(json_text(value)) == told


def test_values_nested_beyond_measure() -> None:
    value: Any = "a"
    for _ in range(1000):
        value = [value]
    assert orjson.loads(json_text(value))


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary()


@given(st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner)))
def test_an_error_repeats_any_value(value: Any) -> None:
    error = Invalid.field("a", "type", "wrong", value=value, cause=value)
    envelope = orjson.loads(Envelopes("node", "1").error(error, Exchange("request")))
    assert envelope["data"]["a"]["type"].keys() == {"message", "value", "cause"}
