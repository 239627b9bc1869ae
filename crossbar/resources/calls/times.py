"""Times as people of an account read them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crossbar import clock
from crossbar.resource import Call


def local_time(call: Call, gregorian_seconds: int, *zones: str | None) -> datetime:
    """A moment in the first of the time zones that exists: the given ones, the account's, the configured one."""
    for zone in (*zones, call.account.timezone, call.config.accounts.default_timezone):
        if zone:
            try:
                return datetime.fromtimestamp(clock.unix(gregorian_seconds), ZoneInfo(zone))
            except (ZoneInfoNotFoundError, ValueError):
                continue
    raise LookupError("the configured time zone does not exist")


def file_time(moment: datetime) -> str:
    """`YYYY-MM-DD_HH:MM:SS`, as names of downloads have it."""
    return moment.strftime("%Y-%m-%d_%H:%M:%S")
