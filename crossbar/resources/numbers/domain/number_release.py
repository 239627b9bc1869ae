# SPDX-License-Identifier: MPL-2.0
"""Giving numbers back: to whoever reserved them before, to the inventory, to their carriers, or to nobody.

Source: KAZOO `knm_ops:release`, `knm_phone_number:unwind_reserve_history`, `knm_numbers:free`.
"""

from __future__ import annotations

from crossbar import clock
from crossbar.dialing import NUMBERS
from crossbar.documents.document import Document
from crossbar.documents.listing import Listing
from crossbar.documents.store import Retries, Stale
from crossbar.errors import Conflict
from crossbar.resources.identity.domain import account_removal
from crossbar.resources.numbers.domain import number_features
from crossbar.resources.numbers.domain.carriers import carrier_named
from crossbar.resources.numbers.domain.number import (
    HISTORY,
    NUMBER_SHAPE,
    State,
    carrier_of,
    history_of,
    moved,
    owned,
    owner_of,
)
from crossbar.resources.numbers.domain.number_change import Keeping, NumberChange
from crossbar.resources.numbers.domain.number_settings import NumberSettings
from crossbar.runtime import Runtime

AT_A_TIME = 100
"""Numbers of an account that is gone that are freed together."""


async def returned(runtime: Runtime, number: Document) -> Document:
    """The number as it is when its account has it no more; `deleted` where nothing of it is to stay."""
    owner, history = owner_of(number), history_of(number)
    while history and (history[-1] == owner or await runtime.access.directory.account(history[-1]) is None):
        history.pop()
    if history:
        left = moved(number, State.RESERVED, history[-1])
    else:
        left = moved(number, _state_of_nobodys(runtime, number), None)
    left.fields[HISTORY] = history
    return number_features.reset(left)


def _state_of_nobodys(runtime: Runtime, number: Document) -> State:
    """Where a number goes that nobody has any more; one that goes back to its carrier is gone, unless it has to age."""
    carrier, rules = carrier_named(runtime, carrier_of(number)), NumberSettings(runtime)
    if carrier.is_local or (carrier.takes_back and rules.released is not State.AGING):
        return State.DELETED
    return rules.released


@account_removal.also
async def free(runtime: Runtime, account_id: str) -> None:
    """Take its numbers from an account that is gone."""
    listing = Listing(NUMBERS, NUMBER_SHAPE.type, tag=owned(account_id), descending=False, limit=AT_A_TIME)
    async for _ in Retries():
        try:
            while numbers := await runtime.store.all(listing):
                changes = {number.id: await _freed(runtime, account_id, number) for number in numbers}
                await (await Keeping.of(runtime, changes)).keep(runtime)
        except Stale:
            continue
        return
    raise Conflict


async def _freed(runtime: Runtime, account_id: str, number: Document) -> NumberChange:
    left = await returned(runtime, number)
    left.fields["pvt_modified"] = clock.now()
    return NumberChange(account_id, number, left)
