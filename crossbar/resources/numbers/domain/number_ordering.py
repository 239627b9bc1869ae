# SPDX-License-Identifier: MPL-2.0
"""Having numbers from carriers outside, for one piece of work that may be tried more than once.

Source: KAZOO `knm_carriers:acquire`, which asks only for numbers in state `discovery`.
"""

from __future__ import annotations

import logging
from collections.abc import Collection

from crossbar.dialing import NUMBER, NUMBERS
from crossbar.documents.document import as_object
from crossbar.documents.store import Stale
from crossbar.errors import CrossbarError
from crossbar.resources.numbers.domain import carrier_orders, number_errors
from crossbar.resources.numbers.domain.carrier import Acquired, Carrier, CarrierFault
from crossbar.resources.numbers.domain.carrier_orders import Notes
from crossbar.resources.numbers.domain.carriers import carrier_named
from crossbar.resources.numbers.domain.number import CARRIER_DATA, LOCALITY, State, carrier_of, state_of
from crossbar.resources.numbers.domain.number_change import Changes
from crossbar.runtime import Runtime

log = logging.getLogger(__name__)


class Ordering:
    """What was ordered so far, with the notes of it."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._acquired: dict[str, Acquired] = {}
        self._notes: Notes = {}

    async def order(self, changes: Changes) -> dict[str, CrossbarError]:
        """Order what is to come from outside and was not ordered before; returns what is wrong with those that do not.

        What a carrier says of a number is added to the change. Raises Stale where one is here by now.
        """
        wanted = {number: change for number, change in changes.items() if change.found}
        if not wanted:
            return {}
        failed = await self._check_earlier(wanted)
        for name in dict.fromkeys(carrier_of(change.after) for change in wanted.values()):
            carrier = carrier_named(self._runtime, name)
            for reserving in (False, True):
                numbers = [
                    number
                    for number, change in wanted.items()
                    if carrier_of(change.after) == name
                    and number not in self._acquired.keys() | failed.keys()
                    and (state_of(change.after) is State.RESERVED) is reserving
                ]
                failed |= await self._order_from(carrier, numbers, reserving=reserving) if numbers else {}
        for number in wanted.keys() - failed.keys():
            change, acquired = wanted[number], self._acquired[number]
            change.note = self._notes.get(number)
            change.after.fields |= {CARRIER_DATA: acquired.data} if acquired.data else {}
            change.after.fields |= {LOCALITY: acquired.locality} if as_object(acquired.locality) else {}
        return failed

    async def give_up(self, kept: Collection[str] = ()) -> None:
        """Have those given back that were ordered and are not kept."""
        lost = [note for number, note in self._notes.items() if number not in kept]
        await carrier_orders.hasten(self._runtime.store, lost)

    async def _check_earlier(self, wanted: Collection[str]) -> dict[str, CrossbarError]:
        """What is wrong with numbers ordered before: somebody has found that it took too long, and gives them back."""
        notes = {number: note for number, note in self._notes.items() if number in wanted}
        lost = notes.keys() - (await carrier_orders.are_current(self._runtime.store, notes) if notes else ())
        for number in lost:
            del self._notes[number]
        return {number: number_errors.by_carrier(number) for number in lost}

    async def _order_from(self, carrier: Carrier, numbers: list[str], *, reserving: bool) -> dict[str, CrossbarError]:
        runtime = self._runtime
        if carrier.is_local:  # what it was found with is not configured any more
            return {number: number_errors.by_carrier(number) for number in numbers}
        notes = await carrier_orders.begin(runtime, carrier, numbers) if carrier.takes_back else {}
        failed: dict[str, CrossbarError] = {}
        if carrier.takes_back:
            failed = {number: number_errors.exists(number) for number in numbers if number not in notes}
        asked = [number for number in numbers if number not in failed]
        if not asked:
            return failed
        if await runtime.store.get_many(NUMBERS, NUMBER, asked):
            # Somebody else has had one in the meantime, and the note of that order has gone.
            await carrier_orders.drop(runtime.store, notes.values())
            raise Stale
        self._notes |= notes
        outcomes = await (carrier.reserve if reserving else carrier.acquire)(asked)
        for number, outcome in outcomes.items():
            if isinstance(outcome, Acquired):
                self._acquired[number] = outcome
                continue
            log.warning("%s does not come from the carrier %s: %s", number, carrier.name, outcome)
            failed[number] = number_errors.by_carrier(number)
            await self._undo(number, outcome)
        return failed

    async def _undo(self, number: str, fault: CarrierFault) -> None:
        note = self._notes.pop(number, None)
        if note is not None:
            undo = carrier_orders.hasten if fault.may_be_done else carrier_orders.drop
            await undo(self._runtime.store, [note])
