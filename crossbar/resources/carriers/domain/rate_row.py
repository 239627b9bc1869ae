# SPDX-License-Identifier: MPL-2.0
"""Rates as rows of a sheet: what a row means, and how a rate is written as one.

Source: KAZOO `kt_rates.erl` (`generate_row`, `to_csv_row`), `kzd_rates.erl` (`from_map`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from crossbar.errors import JSON
from crossbar.resources.carriers.domain.rate import DIRECTIONS, LONGEST_PREFIX, default_routes, directions

COLUMNS: Final = (
    "account_id",
    "caller_id_numbers",
    "carrier",
    "description",
    "direction",
    "internal_rate_cost",
    "iso_country_code",
    "options",
    "prefix",
    "rate_cost",
    "rate_increment",
    "rate_minimum",
    "rate_name",
    "rate_nocharge_time",
    "rate_suffix",
    "rate_surcharge",
    "rate_version",
    "ratedeck_id",
    "routes",
    "weight",
)
LIGHTEST, HEAVIEST = 1, 100
"""The weights there are."""

_DECIMAL: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,12})?", re.ASCII)


def is_whole(cell: str) -> bool:
    """Whether a cell is a number without fraction."""
    return cell.isascii() and cell.isdigit() and len(cell) <= LONGEST_PREFIX


def is_direction(cell: str) -> bool:
    """Whether a cell names a direction."""
    return cell in DIRECTIONS


def _is_cost(cell: str) -> bool:
    return _DECIMAL.fullmatch(cell) is not None


CHECKS: Final[dict[str, Callable[[str], bool]]] = {
    "direction": is_direction,
    **dict.fromkeys(("internal_rate_cost", "rate_cost", "rate_surcharge"), _is_cost),
    **dict.fromkeys(("prefix", "rate_increment", "rate_minimum", "rate_nocharge_time", "weight"), is_whole),
}
"""Column → whether a cell will do."""


def _texts(cell: str) -> list[str]:
    """A cell with a JSON list of texts as that list; any other as the list of its text."""
    try:
        found = json.loads(cell)
    except (ValueError, RecursionError):
        return [cell]
    return found if isinstance(found, list) and all(isinstance(text, str) for text in found) else [cell]


def _caller_patterns(cell: str) -> str:
    """Leading digits, with colons between them, as patterns; what is a pattern already stays."""
    return ":".join(part if part.startswith("^") else f"^\\+?{part}.+$" for part in cell.split(":"))


_READ: Final[dict[str, Callable[[str], Any]]] = {
    "caller_id_numbers": _caller_patterns,
    "direction": directions,
    **dict.fromkeys(("options", "routes"), _texts),
    **dict.fromkeys(("internal_rate_cost", "rate_cost", "rate_surcharge"), float),
    **dict.fromkeys(("prefix", "rate_increment", "rate_minimum", "rate_nocharge_time", "weight"), int),
}


def fields_of(row: Mapping[str, str]) -> dict[str, JSON]:
    """What a row that passed its checks says of a rate; empty cells say nothing."""
    return {column: _READ.get(column, str)(cell) for column, cell in row.items() if column in COLUMNS and cell}


def completed(fields: dict[str, Any]) -> dict[str, Any]:
    """A rate with all that follows from the rest of it where it is not given."""
    whole = {"direction": list(DIRECTIONS), **fields}
    prefix = str(whole["prefix"])
    if not whole.get("routes"):
        whole["routes"] = default_routes(prefix)
    if not whole.get("rate_name"):
        whole["rate_name"] = "_".join(filter(None, (*whole["direction"], whole.get("iso_country_code"), prefix)))
    cost = whole.get("internal_rate_cost") or whole["rate_cost"]
    weight = whole.get("weight", len(prefix) * 10 - int(cost * 100))
    return {**whole, "weight": min(max(weight, LIGHTEST), HEAVIEST)}


def row_of(fields: Mapping[str, Any]) -> dict[str, JSON]:
    """A rate as a row, which says the same when it is read."""
    return {column: _cell(column, fields.get(column)) for column in COLUMNS}


def _cell(column: str, value: JSON) -> JSON:
    if column == "direction" and isinstance(value, list):
        return value[0] if len(value) == 1 else ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list) else value
