# SPDX-License-Identifier: MPL-2.0
"""Where the properties of a voicemail box live."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from crossbar.dialects.homes import Aside, Edit, Fitted, InField, Values, fitted, only
from crossbar.documents.document import as_list, value_at
from crossbar.documents.field import Expression
from crossbar.documents.selection import first_of
from crossbar.errors import JSON

LONGEST_NAME: Final = 128
_PIN: Final = re.compile(r"[0-9]{4,6}")
ADDRESSES: Final = "notify_email_addresses"


@dataclass(frozen=True, slots=True)
class FirstAddress:
    """The first of the addresses that hear of messages; further ones stay as they are."""

    paths: tuple[str, ...] = (ADDRESSES,)

    def read(self, fields: Mapping[str, JSON]) -> JSON:
        """The first address."""
        return next(iter(as_list(value_at(fields, ADDRESSES))), None)

    def write(self, edit: Edit, value: JSON) -> None:
        """Put another one in its place."""
        further: list[Any] = as_list(edit.public.get(ADDRESSES))[1:]
        edit.put(ADDRESSES, [*([value] if value else []), *further])

    @property
    def expression(self) -> Expression:
        """The first address."""
        return first_of(ADDRESSES)


def _name(edit: Edit, value: JSON) -> Values:
    return {"name": str(value)[:LONGEST_NAME] if value else str(edit.public.get("mailbox") or "-")}


def _pin(value: JSON) -> JSON:
    return value if isinstance(value, str) and _PIN.fullmatch(value) else None


def _zone(value: JSON) -> JSON:
    return value if isinstance(value, str) and 5 <= len(value) <= 32 and is_zone(value) else None


def is_zone(name: str) -> bool:
    """Whether there is a time zone of this name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _said(value: JSON) -> JSON:
    """KAZOO fills in what is not said, so that "unset" is kept beside it."""
    return True if value is None else value


MAILBOX: Final = InField("mailbox")
NAME: Final = Fitted("name", ("name",), _name, only("name"))
PIN: Final = fitted("pin", "pin", _pin)
EMAIL: Final = FirstAddress()
ATTACH: Final = fitted("attach", "include_message_on_notify", _said)
ASK_PIN: Final = InField("require_pin")
DELETE_AFTER: Final = InField("delete_after_notify")
TIMEZONE: Final = fitted("timezone", "timezone", _zone)
CONTEXT: Final = Aside("context")
