# SPDX-License-Identifier: MPL-2.0
"""Times as people of an account read them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crossbar import clock
from crossbar.errors import JSON


def local_time(gregorian_seconds: int, *zones: JSON) -> datetime:
    """A moment in the first of the time zones that exists, else in UTC."""
    moment = clock.moment(gregorian_seconds)
    for zone in zones:
        if zone and isinstance(zone, str):
            try:
                return moment.astimezone(ZoneInfo(zone))
            except (ZoneInfoNotFoundError, ValueError, OSError):  # a part of a name, as `America`, is a folder
                continue
    return moment


def file_time(moment: datetime) -> str:
    """`YYYY-MM-DD_HH:MM:SS`, as names of downloads have it."""
    return moment.replace(tzinfo=None).isoformat("_", "seconds")
