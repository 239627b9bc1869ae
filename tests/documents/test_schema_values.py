# SPDX-License-Identifier: MPL-2.0
"""When two JSON values are the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossbar.documents.schemas.schema_values import are_unique, canonical

scalars = st.none() | st.booleans() | st.integers(-1, 2) | st.sampled_from([0.0, 1.0, "", "1", "true", '"1"'])
values = scalars | st.lists(scalars, max_size=2) | st.dictionaries(st.sampled_from("ab"), scalars, max_size=2)


@given(st.lists(values, max_size=4))
def test_values_are_unique_where_no_two_are_written_alike(several: list[Any]) -> None:
    alike = any(canonical(one) == canonical(other) for i, one in enumerate(several) for other in several[:i])
    assert are_unique(several) is not alike


@pytest.mark.parametrize("several", [[1, 1.0, "1", True, '"1"'], [0, False, None, "", [], {}], [[1], [True], ["1"]]])
def test_values_of_different_types_are_different(several: list[Any]) -> None:
    assert are_unique(several)
