# SPDX-License-Identifier: MPL-2.0
"""What a switch tells: something that happened, in KAZOO's words, and when, and which switch told it.

Source: `core/kazoo_amqp/src/api/kapi_call.erl`, `kapi_conference.erl`, `kapi_presence.erl`, `kapi_registration.erl`,
`kapi_fax.erl` for the words; keys are in lower case with `_` for `-`, as listeners of a KAZOO get them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Unpack

from crossbar import clock
from crossbar.documents.document import as_object
from crossbar.documents.store import MICROSECONDS, Switch, Telling
from crossbar.documents.store.live import Details
from crossbar.errors import JSON

CALL: Final = "call_event"
"""The category of what happens to a call; other categories are `conference`, `presence`, `directory`, `fax`, …"""


def believed(at: int) -> int:
    """A time that a switch tells, in microseconds since the Unix epoch; one that is a day ahead of ours is now."""
    now = int(clock.unix_now() * MICROSECONDS)
    return at if 0 < at < now + clock.DAY * MICROSECONDS else now


@dataclass(frozen=True, slots=True)
class SwitchEvent:
    """Something that happened in an account; `id` tells it from everything else that did.

    `category` and `name` are KAZOO's `event_category` and `event_name`; `at` is the time by the switch's clock, in
    microseconds since the Unix epoch. `about` are further facts, which are not part of the event itself.
    """

    account_id: str
    id: str
    category: str
    name: str
    at: int
    fields: Mapping[str, JSON]
    about: Mapping[str, JSON]
    switch: Switch

    @property
    def seconds(self) -> int:
        """When it happened, in Gregorian seconds."""
        return clock.gregorian(self.at // MICROSECONDS)

    @property
    def variables(self) -> dict[str, Any]:
        """The channel variables."""
        return as_object(self.fields.get("custom_channel_vars"))

    def text(self, *names: str) -> str:
        """The first of the fields, or of the further facts, that says something."""
        found = (self.fields.get(name) or self.about.get(name) for name in names)
        return next((str(value) for value in found if value not in (None, "", [], {})), "")

    def telling(
        self, live_type: str, live_id: str, group: str, fields: Mapping[str, JSON], **details: Unpack[Details]
    ) -> Telling:
        """What follows for a thing that is live. It lasts as long as the switch is heard, or until `until`."""
        return Telling(
            account_id=self.account_id,
            type=live_type,
            id=live_id,
            at=self.at,
            group=group,
            fields=fields,
            switch=self.switch if details.get("until") is None else None,
            **details,
        )
