# SPDX-License-Identifier: MPL-2.0
"""What a switch with queues tells of their calls and agents, kept as a queue service's statistics are.

Source: `kapi_acdc_stats.erl`, `acdc_agent_stats.erl`; `mod_callcenter.c` for what FreeSWITCH says.
"""

from __future__ import annotations

from typing import Any, Final

from crossbar.documents.document import Document
from crossbar.documents.document_types import QUEUE, USER
from crossbar.documents.store import Store
from crossbar.resources.calls.queues.domain import acdc
from crossbar.resources.identity.domain.sip_username import device_of_username
from crossbar.resources.system.domain.switch_event import SwitchEvent

QUEUE_CALL: Final = "acdc_call_stat"
"""The category of what happens to a queue's call: waiting, missed, abandoned, handled, processed."""
AGENT_STATUS: Final = "acdc_status_stat"
"""The category of what an agent does from then on."""
SWITCH: Final = "pvt_switch"
"""In an agent's status: the switch that told it."""

_STAT: Final = (
    "abandoned_reason", "abandoned_timestamp", "agent_id", "call_id", "caller_id_name", "caller_id_number",
    "entered_position", "entered_timestamp", "handled_timestamp", "hung_up_by", "processed_timestamp", "queue_id",
)  # fmt: skip
_STATUS: Final = ("agent_id", "call_id", "caller_id_name", "caller_id_number", "pause_time", "queue_id", "wait_time")


async def apply_queue_call(store: Store, event: SwitchEvent) -> list[SwitchEvent]:
    """Note what became of a queue's call; returns the event to raise."""
    data: dict[str, Any] = {name: event.fields[name] for name in _STAT if event.fields.get(name) is not None}
    if event.text("call_id") and event.text("queue_id"):
        data.setdefault("entered_timestamp", event.seconds)
        if event.name == "missed":
            miss = {"agent_id": data.pop("agent_id", ""), "miss_reason": event.text("miss_reason")}
            data |= {"misses": [miss | {"miss_timestamp": event.seconds}], "status": "waiting"}
        else:
            data["status"] = event.name
        await acdc.keep_call_stats(store, [acdc.call_stat_of(event.account_id, data)])
    return [event]


async def apply_agent_status(store: Store, event: SwitchEvent) -> list[SwitchEvent]:
    """Note what an agent does from now on; returns the event to raise."""
    data = {name: event.fields[name] for name in _STATUS if event.fields.get(name) is not None}
    if event.text("agent_id"):
        told = {**data, "status": event.name, "timestamp": event.seconds}
        status = acdc.agent_status_of(event.account_id, told)
        status.fields[SWITCH] = event.switch.key
        await acdc.keep_agent_statuses(store, [status])
    return [event]


async def is_current(store: Store, status: Document, *, silence_s: float) -> bool:
    """Whether a status still holds: one that a switch told does not when that switch is heard no more."""
    switch = status.fields.get(SWITCH)
    return switch is None or await store.live.is_heard(str(switch), silence_s)


async def queue_id_of(store: Store, account_id: str, name: str) -> str:
    """The id of the queue that a switch calls so: by its id or its name, with or without the realm."""
    bare = name.partition("@")[0]
    if await store.get(account_id, QUEUE, bare) is not None:
        return bare
    found = await store.find_by_name(account_id, QUEUE, bare)
    return found[0].id if len(found) == 1 else bare


async def agent_id_of(store: Store, account_id: str, name: str) -> str:
    """The id of the user whom a switch calls so: by the user's id, or by a SIP user name of the user's devices."""
    bare = name.partition("@")[0]
    if await store.get(account_id, USER, bare) is not None:
        return bare
    device = await device_of_username(store, account_id, bare)
    return device.text("owner_id") or bare if device else bare
