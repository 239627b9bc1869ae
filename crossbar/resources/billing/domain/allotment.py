# SPDX-License-Identifier: MPL-2.0
"""Allotments: time that is included, by kind of number, and how much of it calls have used.

What was used follows from the legs of calls that a switch has billed to an allotment.

Source: KAZOO `cb_allotments.erl`, `j5_allotments.erl`, `kapps_call_util:calculate_cost`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from crossbar import clock
from crossbar.documents.document import Document, as_object
from crossbar.documents.listing import Listing, Position
from crossbar.documents.store import Store
from crossbar.resources.records.domain.cdr import CDR_SHAPE, billed_to
from crossbar.resources.records.domain.cdr_row import call_cost, whole

KEPT: Final = "pvt_allotments"
"""Where a limits document has them: kind of number → what is included."""


class Cycle(NamedTuple):
    """From when to when use counts (Gregorian seconds, the latter excluded), and what that span is called."""

    name: str
    start: int
    end: int


def cycle_around(name: str, moment: int) -> Cycle:
    """The cycle of this name in which a moment lies; one that nobody knows is an hour."""
    at = clock.moment(moment).replace(minute=0, second=0, microsecond=0)
    day = at.replace(hour=0)
    match name:
        case "minutely":
            minute = clock.moment(moment).replace(second=0, microsecond=0)
            return _cycle(name, minute, minute + timedelta(minutes=1))
        case "daily":
            return _cycle(name, day, day + timedelta(days=1))
        case "weekly":
            monday = day - timedelta(days=day.weekday())
            return _cycle(name, monday, monday + timedelta(weeks=1))
        case "monthly":
            first = day.replace(day=1)
            return _cycle(name, first, (first + timedelta(days=31)).replace(day=1))
    return _cycle(name, at, at + timedelta(hours=1))


def _cycle(name: str, start: datetime, end: datetime) -> Cycle:
    return Cycle(name, clock.gregorian(start.timestamp()), clock.gregorian(end.timestamp()))


def allotments_of(limits: Document | None) -> dict[str, dict[str, Any]]:
    """Kind of number → what is included of it."""
    kept = as_object(limits.at(KEPT)) if limits else {}
    return {name: allotment for name, allotment in kept.items() if isinstance(allotment, dict)}


async def consumed(store: Store, account_id: str, name: str, allotment: dict[str, Any], cycle: Cycle) -> int:
    """Seconds of an allotment that calls which ended in a cycle have used."""
    listing = Listing(
        account_id,
        CDR_SHAPE.type,
        tag=billed_to(f"allotment_{name}"),
        start=Position.value(cycle.start),
        end=Position.value(cycle.end - 1),
        descending=False,
    )
    return sum([_seconds(leg, allotment) async for _, leg in store.stream_documents(listing)])


def _seconds(leg: Document, allotment: dict[str, Any]) -> int:
    """What a call uses: reckoned like money, at one unit a second."""
    reckoning = {
        "rate": 60,
        "rate_increment": whole(allotment.get("increment"), 1),
        "rate_minimum": whole(allotment.get("minimum")),
        "rate_nocharge_time": whole(allotment.get("no_consume_time")),
    }
    return call_cost(whole(leg.at("billing_seconds")), reckoning)
