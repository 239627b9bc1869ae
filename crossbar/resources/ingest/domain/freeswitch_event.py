# SPDX-License-Identifier: MPL-2.0
"""An event of FreeSWITCH in its JSON form, as its event socket and the modules around it send it.

Names are in lower case with `_` for `-`, as bodies are read. Source: `switch_event_serialize_json`,
`switch_channel_event_set_extended_data` (FreeSWITCH); `kzd_freeswitch.erl`, `ecallmgr_util.erl`
(`custom_channel_vars`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from crossbar.resources.ingest.domain.freeswitch_realms import REALMS
from crossbar.resources.system.domain.switch_event import believed

KAZOO_PREFIX: Final = "variable_ecallmgr_"
APPLICATION_PREFIX: Final = "variable_cav_"
_REALMS: Final = (*(f"variable_{name}" for name in REALMS), "realm", "from_host", "to_host", "host")
_ADDRESSES: Final = (
    "variable_presence_id", "channel_presence_id", "from", "to", "mwi_message_account", "conference_name", "cc_agent",
    "cc_queue", "valet_lot_name",
)  # fmt: skip
"""What may end in `@<realm>`."""


class FreeswitchEvent:
    """What FreeSWITCH says happened."""

    def __init__(self, said: Mapping[str, Any]) -> None:
        self._said = {str(name).lower().replace("-", "_"): value for name, value in said.items()}

    def get(self, *names: str) -> str:
        """The first of the named headers that says something, as text; of several values the first."""
        for name in names:
            value = self._said.get(name)
            value = value[0] if isinstance(value, list) and value else value
            if value not in (None, "", []) and not isinstance(value, dict):
                return str(value)
        return ""

    def number(self, *names: str) -> int | None:
        """The whole number that a header is, or None."""
        text = self.get(*names)
        return int(text) if text.isascii() and text.removeprefix("-").isdigit() and len(text) < 19 else None

    def is_true(self, name: str) -> bool:
        """Whether a header says yes."""
        return self.get(name).lower() in ("true", "yes", "on", "1")

    @property
    def name(self) -> str:
        """What kind of event it is; of a custom one its subclass."""
        return self.get("event_subclass") or self.get("event_name")

    @property
    def at(self) -> int:
        """When it happened, in microseconds since the Unix epoch."""
        return believed(self.number("event_date_timestamp") or 0)

    @property
    def unique(self) -> str:
        """What tells the event from all others; empty where it does not say."""
        if own := self.get("event_uuid"):
            return own
        core, sequence = self.get("core_uuid"), self.get("event_sequence")
        return f"{core}/{sequence}/{self.at}" if core and sequence else ""

    @property
    def host(self) -> str:
        """The name of the switch."""
        return self.get("freeswitch_hostname", "freeswitch_switchname", "hostname") or "-"

    @property
    def core(self) -> str:
        """What tells this run of the switch from others."""
        return self.get("core_uuid")

    @property
    def channel_variables(self) -> dict[str, Any]:
        """The channel variables that KAZOO set."""
        return self._after(KAZOO_PREFIX)

    @property
    def application_variables(self) -> dict[str, Any]:
        """The variables that applications set."""
        return self._after(APPLICATION_PREFIX)

    @property
    def realms(self) -> Iterator[str]:
        """What may be the realm of the account, the surest first."""
        for name in _REALMS:
            if realm := self.get(name):
                yield realm
        for name in _ADDRESSES:
            _, at, realm = self.get(name).rpartition("@")
            if at:
                yield realm

    @property
    def as_said(self) -> Mapping[str, Any]:
        """All headers."""
        return self._said

    def _after(self, prefix: str) -> dict[str, Any]:
        return {
            name.removeprefix(prefix): self.get(name)
            for name in self._said
            if name.startswith(prefix) and self.get(name)
        }
