# SPDX-License-Identifier: MPL-2.0
"""Numbers as people dial them, and what the server keeps of them."""

from __future__ import annotations

import pytest

from crossbar.dialing import is_reconcilable, normalize


@pytest.mark.parametrize(
    ("dialled", "stored"),
    [
        ("4155550100", "+14155550100"),
        ("14155550100", "+14155550100"),
        ("+14155550100", "+14155550100"),
        ("+1 415 555 0100", "+1 415 555 0100"),
        ("011442079460000", "+442079460000"),
        ("00442079460000", "+442079460000"),
        ("442079460000", "+442079460000"),
        ("5551234", "5551234"),
        ("2001", "2001"),
        ("*97", "*97"),
        ("no_match", "no_match"),
        ("1234567890", "1234567890"),
    ],
)
def test_normalize(dialled: str, stored: str) -> None:
    assert normalize(dialled) == stored


def test_the_dial_plan_of_an_account_goes_first() -> None:
    plan = {
        "system": ["ignored"],
        r"^(\d{7})$": {"prefix": "+1415"},
        r"^9(\d{10})$": {"prefix": "1", "description": "outside line"},
        r"^77$": {"suffix": "00"},
        "(": {"prefix": "never"},
    }
    assert normalize("5550100", plan) == "+14155550100"
    assert normalize("94155550100", plan) == "+14155550100"
    assert normalize("77", plan) == "7700"
    assert normalize("2001", plan) == "2001"


@pytest.mark.parametrize(
    ("number", "public"),
    [
        ("4155550100", True),
        ("+14155550100", True),
        ("+442079460000", True),
        ("1234567890", True),
        ("2001", False),
        ("*97", False),
        ("911", False),
    ],
)
def test_is_reconcilable(number: str, public: bool) -> None:
    assert is_reconcilable(number) is public
