# SPDX-License-Identifier: MPL-2.0
"""Parked calls: who waits in which slot, as a switch tells.

Slots may also be documents `parking-slot-<n>` that a switch wrote. Source: KAZOO `cb_parked_calls`.
"""

from __future__ import annotations

from typing import Final

from crossbar.documents.document import Document, as_object
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Summary
from crossbar.endpoint import Context, Endpoint, Reply
from crossbar.errors import JSON
from crossbar.resources.calls.channels.domain import live_parking

TYPE: Final = "parked_call"
PREFIX: Final = "parking-slot-"
PARKED_CALL_SHAPE: Final = Shape(TYPE, summary=Summary("id"), announced=True, moves=False)

parked_calls = Endpoint("parked_calls")


@parked_calls.get("/accounts/{account_id}/parked_calls")
async def read(context: Context) -> Reply:
    """Each occupied slot's call, by slot."""
    kept = await context.store.all(Listing(context.account_id, TYPE))
    slots: dict[str, JSON] = {slot.id.removeprefix(PREFIX): _call_in(slot) for slot in kept}
    silence_s = context.config.live.silence_s
    return Reply(
        {"slots": slots | await live_parking.parked_calls(context.store, context.account_id, silence_s=silence_s)}
    )


def _call_in(slot: Document) -> dict[str, JSON]:
    """The parked call, its keys (`Call-ID`) as the API writes them (`call_id`)."""
    parked = as_object(slot.at("slot"))
    return {key.lower().replace("-", "_"): value for key, value in parked.items()}
