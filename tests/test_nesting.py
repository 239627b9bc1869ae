# SPDX-License-Identifier: MPL-2.0
"""The depth of JSON text."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import example, given
from hypothesis import strategies as st

from crossbar.nesting import nests_deeper

words = st.text(alphabet='{}[]"\\\\ab', max_size=6)
values = st.recursive(
    words | st.integers(0, 9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=30,
)


def depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


@given(values, st.integers(0, 12))
@example("[", 0)
def test_it_is_that_of_the_values_whatever_strings_hold(value: Any, levels: int) -> None:
    assert nests_deeper(orjson.dumps(value), levels) is (depth(value) > levels)


def test_brackets_in_strings_hide_nothing() -> None:
    deep = b'["]",' * 200 + b"1" + b',"["]' * 200
    assert depth(orjson.loads(deep)) == 200
    assert nests_deeper(deep, 199)
    assert not nests_deeper(deep, 200)
