"""The time range of statistics: `start_range` to `end_range`, in Gregorian seconds.

Source: `cb_queues.erl` (`fetch_ranged_queue_stats`), `cb_agents.erl` (`fetch_ranged_agent_stats`).
"""

from __future__ import annotations

from typing import Literal

from crossbar import clock
from crossbar.errors import JSON, Invalid
from crossbar.resources.records.domain.cdr_row import whole


def stat_range(given: JSON, until: JSON, *, longest: int, cause: Literal["start", "end"]) -> tuple[int, int]:
    """The range from `given` to `until`, both inclusive, at most `longest` seconds; without a start the last day.

    Raises 400 `end_range.maximum` for one that ends before it starts; `cause` says which end the error quotes.
    """
    last = whole(until) or clock.now()
    if given is None:
        return last - clock.DAY, last
    first = whole(given)
    if first > last:
        quoted = given if cause == "start" else last
        raise Invalid.field("end_range", "maximum", "value is greater than start_range", cause=quoted)
    return max(first, last - longest), last
