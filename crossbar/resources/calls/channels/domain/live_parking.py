# SPDX-License-Identifier: MPL-2.0
"""Parked calls as switches tell of them: which call waits in which slot.

Source: `cf_park.erl` (`create_slot`, `publish_event`), `mod_valet_parking.c`.
"""

from __future__ import annotations

from typing import Final

from crossbar.documents.store import Store
from crossbar.errors import JSON
from crossbar.resources.system.domain.switch_event import SwitchEvent

SLOT: Final = "parking_slot"
"""The type of what is live."""

_PARKED: Final = {
    "cid_name": ("caller_id_name",),
    "cid_number": ("caller_id_number",),
    "cid_uri": ("from", "from_uri"),
    "from_tag": ("from_tag",),
    "node": ("switch_nodename", "media_server", "switch_hostname"),
    "parker_call_id": ("parker_call_id",),
    "presence_id": ("slot_presence_id",),
    "ringback_id": ("ringback_id",),
    "switch_uri": ("switch_uri", "switch_url"),
    "to_tag": ("to_tag",),
}
"""What a slot says of its call → the fields of the event that it is taken from."""


async def park(store: Store, event: SwitchEvent, slot: str) -> None:
    """A call was put into a slot."""
    call_id = event.text("call_id")
    fields: dict[str, JSON] = {"attended": False, "call_id": call_id}
    fields |= {name: said for name, sources in _PARKED.items() if (said := event.text(*sources))}
    await store.live.note(event.telling(SLOT, slot, SLOT, fields, token=call_id))


async def unpark(store: Store, event: SwitchEvent, slot: str) -> None:
    """The call of the event is no longer in the slot; another one that is there stays."""
    await store.live.note(
        event.telling(SLOT, slot, "end", {}, shown=False, ended=event.at, token=event.text("call_id"))
    )


async def parked_calls(store: Store, account_id: str, *, silence_s: float) -> dict[str, dict[str, JSON]]:
    """The call in each occupied slot of an account, by slot."""
    return {slot.id: slot.fields for slot in await store.live.all(account_id, SLOT, silence_s=silence_s)}
