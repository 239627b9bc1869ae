# SPDX-License-Identifier: MPL-2.0
"""What becomes of values of the wrong type before anybody complains."""

from __future__ import annotations

from typing import Any

import pytest

from crossbar.documents.schemas.casts import boolean, integer, number


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("12", 12),
        ("+12", 12),
        ("-12", -12),
        ("12.5", 13),
        ("-12.5", -13),
        (12.4, 12),
        ("9223372036854775807", 2**63 - 1),
        ("9223372036854775808", "9223372036854775808"),
        ("1_0", "1_0"),
        ("١٢", "١٢"),
        (" 12", " 12"),
        (None, None),
        (True, True),
    ],
)
def test_integers(given: Any, expected: Any) -> None:
    assert (integer(given), type(integer(given))) == (expected, type(expected))


@pytest.mark.parametrize(
    ("given", "expected"),
    [("12", 12), ("1.5", 1.5), ("1.5e2", 150.0), ("1.0e999", "1.0e999"), (".5", ".5"), ("nan", "nan"), ([], [])],
)
def test_numbers(given: Any, expected: Any) -> None:
    assert (number(given), type(number(given))) == (expected, type(expected))


@pytest.mark.parametrize(
    ("given", "expected"), [("true", True), ("false", False), ("True", "True"), (1, 1), ("", ""), (None, None)]
)
def test_booleans(given: Any, expected: Any) -> None:
    assert boolean(given) is expected or boolean(given) == expected
