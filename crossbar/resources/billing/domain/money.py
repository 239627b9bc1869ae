# SPDX-License-Identifier: MPL-2.0
"""Money: whole units inside, dollars on the wire.

Source: KAZOO `kz_currency.erl`.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from crossbar.documents.document import value_at
from crossbar.errors import Invalid

UNITS: Final = 10_000
"""Units of a dollar."""
MOST_DOLLARS: Final = 10**9
"""The largest amount of one entry: a million of them can still be added up exactly, as a float and as an integer."""
MOST_USAGE: Final = 10**12
"""The largest quantity of one entry."""


def units_of(dollars: float) -> int:
    """Dollars in units, to the nearest one as they are written."""
    return int((Decimal(str(dollars)) * UNITS).to_integral_value(ROUND_HALF_UP))


def dollars_of(units: int) -> float:
    """Units in dollars; `units_of` makes the same units of them again."""
    return units / UNITS


def check_at_most(data: dict[str, Any], path: str, most: int) -> None:
    """Refuse (400) a number at a dotted path that could not be added up."""
    given = value_at(data, path)
    if isinstance(given, int | float) and abs(given) > most:
        raise Invalid.field(path, "maximum", f"Value must be at most {most}", target=most, value=given)
