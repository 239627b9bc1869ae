# SPDX-License-Identifier: MPL-2.0
"""Numbers that a search found with carriers outside, remembered so that they can be ordered.

Source: KAZOO `knm_search.erl` (the discovery cache).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from crossbar import clock
from crossbar.dialing import NUMBERS
from crossbar.documents.document import Document, as_object
from crossbar.documents.listing import Listing, Position
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Store
from crossbar.resources.numbers.domain.carrier import Offer
from crossbar.resources.numbers.domain.number import CARRIER_DATA, FEATURES, MODULE, STATE, State, module, new

TYPE: Final = "found_number"
EXPIRES: Final = "pvt_expires"
FOUND_SHAPE: Final = Shape(TYPE, summary=Summary("id"), sort=EXPIRES, stored_in="records", moves=False)
REMEMBERED_S: Final = 3600
FORGOTTEN_AT_ONCE: Final = 1000


async def remember(store: Store, carrier: str, offers: Iterable[Offer]) -> None:
    """Remember what was found for an hour, and forget what was found long ago."""
    expires = clock.now() + REMEMBERED_S
    found = (
        Document(
            NUMBERS,
            TYPE,
            offer.number,
            {"pvt_type": TYPE, "carrier": carrier, "data": dict(offer.data), EXPIRES: expires},
        )
        for offer in offers
    )
    await asyncio.gather(*map(store.upsert, found))
    past = Listing(NUMBERS, TYPE, end=Position.value(clock.now()), descending=False, limit=FORGOTTEN_AT_ONCE)
    await store.remove_listed(past)


async def found_numbers(store: Store, numbers: list[str]) -> dict[str, Document]:
    """Those of the numbers that a search found lately, as numbers in state `discovery`."""
    known = await store.get_many(NUMBERS, TYPE, numbers)
    return {number: _discovered(found) for number, found in known.items() if found.fields[EXPIRES] > clock.now()}


def _discovered(found: Document) -> Document:
    number = new(found.id)
    number.fields |= {STATE: str(State.DISCOVERY), MODULE: module(found.text("carrier")), FEATURES: {}}
    if data := as_object(found.at("data")):
        number.fields[CARRIER_DATA] = data
    return number
