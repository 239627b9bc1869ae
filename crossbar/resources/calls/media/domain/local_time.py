"""Times as people of an account read them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crossbar import clock


def local_time(gregorian_seconds: int, *zones: str | None) -> datetime:
    """A moment in the first of the time zones that exists, else in UTC."""
    for zone in zones:
        if zone:
            try:
                return datetime.fromtimestamp(clock.unix(gregorian_seconds), ZoneInfo(zone))
            except (ZoneInfoNotFoundError, ValueError):
                continue
    return datetime.fromtimestamp(clock.unix(gregorian_seconds), UTC)


def file_time(moment: datetime) -> str:
    """`YYYY-MM-DD_HH:MM:SS`, as names of downloads have it."""
    return moment.strftime("%Y-%m-%d_%H:%M:%S")
