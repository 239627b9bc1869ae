# SPDX-License-Identifier: MPL-2.0
"""The one clock.

KAZOO stores times as Gregorian seconds (seconds since year 0); tokens carry Unix seconds and the envelope
carries ISO 8601. Everything that needs the time asks here, so tests can hold it still.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

GREGORIAN_OFFSET = 62_167_219_200
"""Gregorian seconds at the Unix epoch."""
DAY = 86_400
"""Seconds of a day."""
_CALENDAR = (datetime(1, 1, 2, tzinfo=UTC).timestamp(), datetime(9999, 12, 30, tzinfo=UTC).timestamp())
"""Unix seconds between which a moment has a date in every time zone."""


class _Frozen:
    """Where the clock is held still, if it is."""

    at: float | None = None


def unix_now() -> float:
    """Seconds since the Unix epoch, with fractions."""
    return time.time() if _Frozen.at is None else _Frozen.at


def now() -> int:
    """Gregorian seconds, whole."""
    return int(unix_now()) + GREGORIAN_OFFSET


def gregorian(unix_seconds: float) -> int:
    """Turn Unix seconds into Gregorian seconds."""
    return int(unix_seconds) + GREGORIAN_OFFSET


def unix(gregorian_seconds: int) -> int:
    """Turn Gregorian seconds into Unix seconds."""
    return gregorian_seconds - GREGORIAN_OFFSET


def moment(gregorian_seconds: int) -> datetime:
    """The date of a time (UTC). Any number has one: what lies outside of the calendar, its first or last day."""
    earliest, latest = _CALENDAR
    return datetime.fromtimestamp(min(max(unix(gregorian_seconds), earliest), latest), UTC)


def year_month(gregorian_seconds: int | None = None) -> str:
    """`YYYYMM` (UTC) of a time, the prefix of the ids of monthly documents."""
    date = moment(now() if gregorian_seconds is None else gregorian_seconds)
    return f"{date.year:04}{date.month:02}"


def iso_timestamp() -> str:
    """`YYYY-MM-DDTHH:MM:SSZ`, as the envelope's `timestamp`."""
    return datetime.fromtimestamp(unix_now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextmanager
def frozen(unix_seconds: float) -> Iterator[None]:
    """Hold the clock at `unix_seconds` inside a `with` block, for tests and for what is made as if long ago."""
    before, _Frozen.at = _Frozen.at, unix_seconds
    try:
        yield
    finally:
        _Frozen.at = before
