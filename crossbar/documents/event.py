# SPDX-License-Identifier: MPL-2.0
"""What happened: one entry of the event log, and the tokens that name places in it.

A token is the cluster time of a change (16 hex digits) and the number of the event among those of that time (6 hex
digits). Tokens are ordered as the changes were made, so that one of them says what has been seen and what has not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import orjson
from bson import Timestamp

from crossbar import clock

CONFIGURATION: Final = "configuration"
"""Category of the changes of documents; their names are `doc_created`, `doc_edited` and `doc_deleted`."""
NOTIFICATION: Final = "notification"
CALL_EVENT: Final = "call_event"

LAST_NUMBER: Final = 0xFFFFFF
_TOKEN: Final = re.compile(r"[0-9a-f]{22}")


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    `tree` are the accounts above `account_id` when it happened, the topmost first. `type` and `id` say which document
    changed, or what else it is about. `body` is what listeners are told, a JSON object; `unix_time` when it happened.
    """

    token: str
    account_id: str
    tree: tuple[str, ...]
    category: str
    name: str
    type: str
    id: str
    body: bytes
    unix_time: float

    @property
    def json(self) -> bytes:
        """The event as one JSON object: what it is, and its body as `data`."""
        about = {
            "token": self.token,
            "account_id": self.account_id,
            "category": self.category,
            "name": self.name,
            "timestamp": clock.gregorian(self.unix_time),
        }
        return b'%s,"data":%s}' % (orjson.dumps(about)[:-1], self.body)

    def told(self) -> dict[str, Any]:
        """The body as an object."""
        told: dict[str, Any] = orjson.loads(self.body)
        return told


def token_at(time: Timestamp, number: int = 0) -> str:
    """The token of an event, by its cluster time and its number there (from 1); number 0 is before all of them."""
    return f"{time.time:08x}{time.inc:08x}{number:06x}"


def token_behind(time: Timestamp) -> str:
    """A token behind all events of a cluster time."""
    return token_at(time, LAST_NUMBER)


def token_of_second(unix_time: float) -> str:
    """A token before all events from this second on."""
    return token_at(Timestamp(max(int(unix_time), 0), 0))


def unix_time_of(token: str) -> int:
    """The second in which what a token names was committed."""
    return int(token[:8], 16)


def is_token(text: str) -> bool:
    """Whether a text has the form of a token."""
    return _TOKEN.fullmatch(text) is not None
