# SPDX-License-Identifier: MPL-2.0
"""Rates: what calls to a prefix cost.

Source: KAZOO `kzd_rates.erl`.
"""

from __future__ import annotations

from typing import Final

from crossbar.documents.shape import Shape, Summary
from crossbar.errors import JSON

TYPE: Final = "rate"
DIRECTIONS: Final = ("inbound", "outbound")
LONGEST_PREFIX: Final = 18
"""Digits of a prefix, well above the 15 of E.164."""

RATE_SHAPE: Final = Shape(
    TYPE,
    summary=Summary(
        "id",
        name="rate_name",
        cost="rate_cost",
        prefix="prefix",
        description="description",
        surcharge="rate_surcharge",
        carrier="carrier",
    ),
)


def default_id(fields: dict[str, JSON]) -> str:
    """The id of a rate to which nobody gave one: `<country>-<prefix>`, and `-<suffix>` where there is one."""
    suffix = fields.get("rate_suffix")
    return f"{fields.get('iso_country_code') or 'XX'}-{fields.get('prefix')}" + (f"-{suffix}" if suffix else "")


def default_routes(prefix: JSON) -> list[str]:
    """The pattern of the numbers that begin with a prefix."""
    return [f"^\\+?{prefix}.+$"]


def directions(value: JSON) -> JSON:
    """One direction as the list of that one; anything else as it is."""
    return [value] if isinstance(value, str) else value


def route_by_prefix(fields: dict[str, JSON], before: dict[str, JSON]) -> None:
    """Give a rate the pattern of its prefix, unless it has patterns other than those of the prefix it had before."""
    routes = fields.get("routes")
    if not routes or (before and routes == default_routes(before.get("prefix"))):
        fields["routes"] = default_routes(fields.get("prefix"))
