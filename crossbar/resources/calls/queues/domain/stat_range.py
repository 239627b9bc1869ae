# SPDX-License-Identifier: MPL-2.0
"""The time range of statistics: `start_range` to `end_range`, in Gregorian seconds.

Source: `cb_queues.erl` (`fetch_ranged_queue_stats`), `cb_agents.erl` (`fetch_ranged_agent_stats`).
"""

from __future__ import annotations

from typing import Final, Literal

from crossbar import clock
from crossbar.documents.schemas import casts
from crossbar.errors import JSON, Invalid

LATEST: Final = 99_999_999_999
"""The last Gregorian second that a switch may tell of, too."""


def stat_range(given: JSON, until: JSON, *, longest: int, cause: Literal["start", "end"]) -> tuple[int, int]:
    """The range from `given` to `until`, both inclusive, at most `longest` seconds; without a start the last day.

    Raises 400 `end_range.maximum` for one that ends before it starts (`cause` says which end the error quotes), and
    for what is no time.
    """
    last = clock.now() if until is None else _second("end_range", until)
    if given is None:
        return last - clock.DAY, last
    first = _second("start_range", given)
    if first > last:
        quoted = given if cause == "start" else last
        raise Invalid.field("end_range", "maximum", "value is greater than start_range", cause=quoted)
    return max(first, last - longest), last


def _second(field: str, given: JSON) -> int:
    """A Gregorian second given as a number or as text. Raises 400."""
    second = casts.integer(given)
    if not isinstance(second, int) or isinstance(second, bool):
        raise Invalid.field(field, "type", "Value did not match type(s): integer", target="integer", value=given)
    if second < 0:
        raise Invalid.field(field, "minimum", "Value must be at least 0", target=0, value=given)
    if second > LATEST:
        raise Invalid.field(field, "maximum", f"Value must be at most {LATEST}", target=LATEST, value=given)
    return second
