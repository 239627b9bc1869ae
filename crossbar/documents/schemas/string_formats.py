# SPDX-License-Identifier: MPL-2.0
"""The four values of `format` that are enforced; every other one is only a remark in a schema.

Source: jesse's `check_format`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from ipaddress import IPv4Address, IPv6Address

_DATE_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.\d+)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)", re.ASCII
)


def is_email(text: str) -> bool:
    """One `@` with something on both sides."""
    name, at, domain = text.partition("@")
    return bool(name and at and domain) and "@" not in domain


def is_date_time(text: str) -> bool:
    """An RFC 3339 time."""
    parts = _DATE_TIME.fullmatch(text)
    if parts is None:
        return False
    return _is_read(datetime.fromisoformat, f"{parts[1]}T{parts[2]}")


def is_ipv4(text: str) -> bool:
    """A dotted quad."""
    return _is_read(IPv4Address, text)


def is_ipv6(text: str) -> bool:
    """An IPv6 address without brackets."""
    return _is_read(IPv6Address, text)


def _is_read(read: Callable[[str], object], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True


FORMATS: dict[str, Callable[[str], bool]] = {
    "date-time": is_date_time,
    "email": is_email,
    "ipv4": is_ipv4,
    "ipv6": is_ipv6,
}
