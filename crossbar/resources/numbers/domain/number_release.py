"""Giving numbers back: to whoever reserved them before, to the inventory, or to nobody.

Source: KAZOO `knm_ops:release`, `knm_phone_number:unwind_reserve_history`, `knm_numbers:free`.
"""

from __future__ import annotations

from dataclasses import replace

from crossbar import clock
from crossbar.dialing import NUMBERS
from crossbar.documents.document import Document
from crossbar.documents.listing import Listing
from crossbar.documents.store import Retries, Stale, Store, Transaction
from crossbar.errors import Conflict
from crossbar.events.notices import insert_telling, replace_telling
from crossbar.resources.identity.domain import account_removal
from crossbar.resources.numbers.domain import number_features
from crossbar.resources.numbers.domain.number import (
    HISTORY,
    NUMBER_SHAPE,
    VANISHING,
    State,
    carrier_of,
    history_of,
    moved,
    owned,
    owner_of,
    state_of,
)
from crossbar.resources.numbers.domain.number_notice import number_notices
from crossbar.resources.numbers.domain.number_settings import NumberSettings
from crossbar.runtime import Runtime


async def returned(runtime: Runtime, number: Document) -> Document:
    """The number as it is when its account has it no more; `deleted` where nothing of it is to stay."""
    owner, history = owner_of(number), history_of(number)
    while history and (history[-1] == owner or await runtime.access.directory.account(history[-1]) is None):
        history.pop()
    if history:
        left = moved(number, State.RESERVED, history[-1])
    elif carrier_of(number) in VANISHING:
        left = moved(number, State.DELETED, None)
    else:
        left = moved(number, NumberSettings(runtime).released, None)
    left.fields[HISTORY] = history
    return number_features.reset(left)


async def save(store: Store, number: Document, before: Document | None) -> Document:
    """Keep a number, with what that gives rise to, or take it away where it is `deleted`.

    Raises Stale when outrun, Duplicate when it is taken.
    """
    if before is None:
        return await insert_telling(store, number, number_notices(number, before))
    if state_of(number) is not State.DELETED:
        return await replace_telling(store, number, before, number_notices(number, before))

    async def remove(transaction: Transaction) -> None:
        current = await transaction.get(before.partition, before.type, before.id)
        if current is None or current.revision != before.revision:
            raise Stale
        await transaction.remove(current)

    await store.transact(remove)
    return replace(number, revision=before.revision)


@account_removal.also
async def free(runtime: Runtime, account_id: str) -> None:
    """Take its numbers from an account that is gone."""
    for number in await runtime.store.all(Listing(NUMBERS, NUMBER_SHAPE.type, tag=owned(account_id))):
        await _free(runtime, account_id, number.id)


async def _free(runtime: Runtime, account_id: str, number: str) -> None:
    async for _ in Retries():
        stored = await runtime.store.get(NUMBERS, NUMBER_SHAPE.type, number)
        if stored is None or owner_of(stored) != account_id:
            return
        left = await returned(runtime, stored)
        left.fields["pvt_modified"] = clock.now()
        try:
            await save(runtime.store, left, stored)
        except Stale:
            continue
        return
    raise Conflict
