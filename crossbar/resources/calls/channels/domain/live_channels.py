# SPDX-License-Identifier: MPL-2.0
"""Channels as switches tell of them: one leg of a call each, from when it is created until it is destroyed.

Source: `ecallmgr_fs_channel.erl` (`process_specific_event`, `props_to_record`, `to_props`, `to_api_props`),
`ecallmgr_fs_channel_hold.erl`, `cb_channels.erl` (`delete_keys`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from crossbar import clock
from crossbar.documents.document import as_object
from crossbar.documents.store import FOREVER, MICROSECONDS, Live, Store
from crossbar.errors import JSON
from crossbar.resources.calls.channels.domain.live_parking import park, unpark
from crossbar.resources.records.domain.call_event import event_id_of
from crossbar.resources.system.domain.switch_event import SwitchEvent

CHANNEL: Final = "channel"
"""The type of what is live."""
ENDS: Final = frozenset({"CHANNEL_HANGUP", "CHANNEL_HANGUP_COMPLETE", "CHANNEL_DESTROY"})
PARKED, RETRIEVED, ABANDONED, LEFT = "PARK_PARKED", "PARK_RETRIEVED", "PARK_ABANDONED", "PARK_LEFT"
TOLD_ONLY: Final = frozenset({"CHANNEL_HANGUP", "CHANNEL_UPDATE", LEFT})
"""What changes a channel and is no event of its own."""

_GROUPS: Final = {
    "CHANNEL_CREATE": "create",
    "CHANNEL_ANSWER": "answer",
    "CHANNEL_BRIDGE": "bridge",
    "CHANNEL_UNBRIDGE": "bridge",
    "CHANNEL_HOLD": "hold",
    "CHANNEL_UNHOLD": "hold",
}
_VARIABLES: Final = (
    "account_billing", "authorizing_id", "authorizing_type", "callflow_id", "owner_id", "reseller_billing",
    "reseller_id", "resource_id",
)  # fmt: skip
_PLAIN: Final[tuple[str, ...]] = (
    "callee_id_name", "callee_id_number", "caller_id_name", "caller_id_number", "custom_application_vars",
    "custom_channel_vars", "from_tag", "presence_id", "to_tag",
)  # fmt: skip
_SINGLE_ONLY: Final = ("custom_channel_vars",)


async def apply_channel_event(store: Store, event: SwitchEvent) -> list[SwitchEvent]:
    """Note what an event says of a channel; returns the events to raise."""
    call_id = event.text("call_id")
    raised = [] if event.name in TOLD_ONLY else [event]
    if not call_id:
        return raised
    if event.name in ENDS:
        ended = await store.live.tell(event.telling(CHANNEL, call_id, "end", {}, shown=False, ended=FOREVER))
        return [*await _abandoned(store, event, ended), *raised]
    if event.name in (PARKED, RETRIEVED, ABANDONED, LEFT):
        await _note_parking(store, event, call_id)
        return raised
    await store.live.note(event.telling(CHANNEL, call_id, _GROUPS.get(event.name, "update"), _fields(event)))
    other_leg = event.text("other_leg_call_id")
    if event.name in ("CHANNEL_BRIDGE", "CHANNEL_UNBRIDGE") and other_leg:
        # What else there is to know of the other leg, its own events say.
        facts = {"other_leg": call_id if event.name == "CHANNEL_BRIDGE" else None}
        await store.live.note(event.telling(CHANNEL, other_leg, "bridge", facts, shown=False))
    return raised


async def channels_of(store: Store, account_id: str | None, *, silence_s: float) -> list[Live]:
    """The channels of an account, or of all, in the order in which they began."""
    return await store.live.all(account_id, CHANNEL, silence_s=silence_s)


async def channel(store: Store, account_id: str, call_id: str, *, silence_s: float) -> Live | None:
    """A channel of an account, or None."""
    return await store.live.one(account_id, CHANNEL, call_id, silence_s=silence_s)


def listed(live: Live) -> dict[str, JSON]:
    """A channel as a list shows it."""
    known = {name: value for name, value in _known(live).items() if name not in _SINGLE_ONLY}
    return {
        **known,
        "direction": live.fields.get("direction", "inbound"),
        "elapsed_s": _elapsed(known),
        "is_onhold": live.fields.get("is_onhold", False),
        "uuid": live.id,
    }


def detailed(live: Live) -> dict[str, JSON]:
    """A channel by itself, as a switch answers who asks for one."""
    known = _known(live)
    renamed = {
        "call_interaction_id": known.pop("interaction_id", None),
        "other_leg_call_id": known.pop("other_leg", None),
    }
    known.pop("direction", None)
    return {
        **known,
        **{name: value for name, value in renamed.items() if value is not None},
        "call_direction": live.fields.get("direction", "inbound"),
        "call_id": live.id,
        "custom_channel_vars": as_object(live.fields.get("custom_channel_vars")),
        "elapsed_seconds": _elapsed(known),
        "is_on_hold": live.fields.get("is_onhold", False),
    }


def _known(live: Live) -> dict[str, Any]:
    hidden = ("is_onhold", "parking_slot", "realm")
    known = {name: value for name, value in live.fields.items() if name not in hidden}
    known.setdefault("answered", False)
    known.setdefault("bridge_id", live.id)
    known.setdefault("timestamp", clock.gregorian(live.began // MICROSECONDS))
    return known


def _elapsed(known: Mapping[str, Any]) -> int:
    return max(0, clock.now() - int(known["timestamp"]))


def _fields(event: SwitchEvent) -> dict[str, JSON]:
    """What an event says of the channel; what it does not say is left as it is known."""
    variables = event.variables
    fields: dict[str, JSON] = {name: event.fields.get(name) for name in _PLAIN}
    fields |= {name: variables.get(name) for name in _VARIABLES}
    fields |= {
        "answered": _answered(event),
        "bridge_id": variables.get("bridge_id") or event.about.get("bridge_id"),
        "destination": event.text("destination") or event.text("to").partition("@")[0],
        "direction": event.text("call_direction"),
        "interaction_id": variables.get("call_interaction_id"),
        "is_loopback": event.fields.get("channel_is_loopback"),
        "other_leg": event.text("other_leg_call_id"),
        "realm": (variables.get("realm") or event.text("realm")).lower(),
        "timestamp": _created(event),
        "username": (variables.get("username") or event.text("username")).lower(),
    }
    said = {name: value for name, value in fields.items() if value not in (None, "", {}, [])}
    match event.name:
        case "CHANNEL_UNBRIDGE":
            said["other_leg"] = None
        case "CHANNEL_HOLD" | "CHANNEL_UNHOLD":
            said["is_onhold"] = event.name == "CHANNEL_HOLD"
    return said


def _answered(event: SwitchEvent) -> bool | None:
    if event.name in ("CHANNEL_ANSWER", "CHANNEL_BRIDGE"):
        return True
    if state := event.text("answer_state"):
        return state == "answered"
    return None


def _created(event: SwitchEvent) -> int | None:
    created = event.text("channel_created_time")
    if created.isdecimal() and 12 < len(created) < 18:
        return clock.gregorian(int(created) // MICROSECONDS)
    return event.seconds if event.name == "CHANNEL_CREATE" else None


async def _note_parking(store: Store, event: SwitchEvent, call_id: str) -> None:
    """A call is in a slot, or no longer; its channel knows in which."""
    slot = event.text("parking_slot")
    if not slot:
        return
    if event.name == PARKED:
        await park(store, event, slot)
    else:
        await unpark(store, event, slot)
    if event.name != LEFT or event.text("answer_state") != "hangup":  # who hangs up in a slot abandons it
        facts = {"parking_slot": slot if event.name == PARKED else None}
        await store.live.note(event.telling(CHANNEL, call_id, "parked", facts, shown=False))


async def _abandoned(store: Store, event: SwitchEvent, ended: Live) -> list[SwitchEvent]:
    """What follows when a call ends that is in a slot."""
    slot = ended.fields.get("parking_slot")
    if not isinstance(slot, str):
        return []
    await unpark(store, event, slot)
    known = {name: ended.fields[name] for name in _PLAIN if name in ended.fields}
    kept = {name: value for name, value in event.fields.items() if name in (*_PLAIN, "call_id", "timestamp")}
    fields: dict[str, JSON] = {**known, **kept, "parking_slot": slot}
    event_id = event_id_of({**fields, "event_name": ABANDONED, "timestamp": event.seconds})
    return [replace(event, id=event_id, name=ABANDONED, fields=fields, about={})]
