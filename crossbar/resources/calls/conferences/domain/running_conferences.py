# SPDX-License-Identifier: MPL-2.0
"""Running conferences as switches tell of them: who takes part, since when, and whether the door is locked.

Source: `ecallmgr_fs_conferences.erl`, `ecallmgr_fs_conference.erl`, `cb_conferences.erl` (`conference_realtime_data`,
`calc_duration`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any, Final

from crossbar import clock
from crossbar.documents.shape import Unique
from crossbar.documents.store import MICROSECONDS, Live, Store
from crossbar.errors import JSON
from crossbar.resources.system.domain.switch_event import SwitchEvent

CONFERENCE: Final = "conference"
"""The category of the events."""
RUNNING: Final = "running_conference"
PARTICIPANT: Final = "participant"
EMPTY_CONFERENCE: Final[dict[str, JSON]] = {"members": 0, "moderators": 0, "duration": 0, "is_locked": False}
"""What is seen of a conference that is not running."""
QUIET: Final = frozenset({"energy-level", "volume-level", "volume-in-member", "volume-out-member", "gain-level"})
"""What happens in a conference all the time, and is no event."""

_ID: Final = re.compile(r"[0-9a-f]{32}", re.ASCII)
_MEMBER: Final = (
    "call_id", "caller_id_name", "caller_id_number", "conference_channel_vars", "custom_application_vars",
    "custom_channel_vars", "participant_id", "switch_hostname",
)  # fmt: skip


def number_claim(number: str) -> Unique:
    """What a conference says with its number: it leads to one conference."""
    return Unique("conference.number", number, "numbers", "Numbers already in use", cause=number)


async def conference_id_of(store: Store, account_id: str, name: str, realm: str) -> str:
    """The id of the conference that a switch calls so: by its id, by a number, with or without the realm."""
    bare = name.partition("@")[0]
    bare = bare.removesuffix(f"-{realm}") if realm else bare
    if _ID.fullmatch(bare):
        return bare
    return await store.claims.holder(account_id, number_claim(bare).key) or bare


async def apply_conference_event(store: Store, event: SwitchEvent) -> list[SwitchEvent]:
    """Note what an event says of a conference and who takes part; returns the events to raise."""
    conference_id, call_id = event.text("conference_id"), event.text("call_id")
    action = event.text("event")
    if not conference_id:
        return [event]
    match action:
        case "conference-create":
            facts = {"uuid": event.text("instance_id"), "start_time": event.seconds}
            await store.live.note(event.telling(RUNNING, conference_id, "create", facts))
        case "conference-destroy":
            await store.live.note(event.telling(RUNNING, conference_id, "end", {}, shown=False, ended=event.at))
            await store.live.end_all_of(event.account_id, PARTICIPANT, conference_id, event.at)
        case "lock" | "unlock":
            await store.live.note(
                event.telling(RUNNING, conference_id, "lock", {"is_locked": action == "lock"}, shown=False)
            )
        case "add-member":
            instance = {"uuid": event.text("instance_id")}
            await store.live.note(event.telling(RUNNING, conference_id, "member", instance))
            await store.live.note(event.telling(PARTICIPANT, call_id, "join", _participant(event), of=conference_id))
        case "del-member":
            await store.live.note(event.telling(PARTICIPANT, call_id, "end", {}, shown=False, ended=event.at))
        case _ if call_id:
            facts = {name: event.fields[name] for name in _MEMBER if event.fields.get(name)}
            await store.live.note(event.telling(PARTICIPANT, call_id, "update", facts, shown=False))
    return [] if action in QUIET else [event]


async def participants(store: Store, account_id: str, conference_id: str, *, silence_s: float) -> list[dict[str, Any]]:
    """Who takes part in a conference, who came first before the rest."""
    found = await store.live.all(account_id, PARTICIPANT, silence_s=silence_s, of=conference_id)
    return [_shown(live) for live in found]


async def seen_of(store: Store, account_id: str, conference_id: str, *, silence_s: float) -> dict[str, JSON]:
    """What is seen of a conference, with who takes part."""
    running = await store.live.one(account_id, RUNNING, conference_id, silence_s=silence_s)
    present = await participants(store, account_id, conference_id, silence_s=silence_s)
    return {**_figures(running, present), "participants": present}


async def seen_of_all(store: Store, account_id: str, *, silence_s: float) -> dict[str, dict[str, JSON]]:
    """What is seen of each running conference of an account, by id."""
    present: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for live in await store.live.all(account_id, PARTICIPANT, silence_s=silence_s):
        present[live.of].append(_shown(live))
    running = await store.live.all(account_id, RUNNING, silence_s=silence_s)
    return {live.id: _figures(live, present[live.id]) for live in running}


def _participant(event: SwitchEvent) -> dict[str, JSON]:
    fields: dict[str, JSON] = {name: event.fields.get(name) for name in _MEMBER}
    fields |= {
        "conference_name": event.text("conference_id"),
        "conference_uuid": event.text("instance_id"),
        "join_time": event.seconds,
        "switch_hostname": event.text("switch_hostname") or event.switch.name,
    }
    return {name: value for name, value in fields.items() if value not in (None, "")}


def _shown(live: Live) -> dict[str, Any]:
    joined = int(live.fields.get("join_time") or clock.gregorian(live.began // MICROSECONDS))
    return {**live.fields, "duration": max(0, clock.now() - joined)}


def _figures(running: Live | None, present: list[dict[str, Any]]) -> dict[str, JSON]:
    if running is None:
        return dict(EMPTY_CONFERENCE)
    moderators = sum(_is_moderator(participant) for participant in present)
    started = int(running.fields.get("start_time") or clock.gregorian(running.began // MICROSECONDS))
    return {
        "members": len(present) - moderators,
        "moderators": moderators,
        "duration": max(0, clock.now() - started),
        "is_locked": running.fields.get("is_locked", False),
    }


def _is_moderator(participant: dict[str, Any]) -> bool:
    variables = participant.get("conference_channel_vars")
    return isinstance(variables, dict) and variables.get("is_moderator") is True
