# SPDX-License-Identifier: MPL-2.0
"""What is to become of numbers, and how it is kept: all of it or nothing, and only from where it was worked out.

Source: KAZOO `knm_pipe.erl`, `knm_phone_number:save`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from crossbar.documents.document import Document
from crossbar.documents.store import Transaction, Write
from crossbar.events.notices import replace_telling
from crossbar.resources.numbers.domain import carrier_orders
from crossbar.resources.numbers.domain.carriers import carrier_named
from crossbar.resources.numbers.domain.number import State, carrier_of, state_of
from crossbar.resources.numbers.domain.number_notice import number_notices
from crossbar.runtime import Runtime


@dataclass(slots=True)
class NumberChange:
    """A number as it is stored (None: not at all) and as it is to be; in state `deleted` it is taken away.

    `account_id` is the account for which it is done, `found` whether the number has to be had from its carrier first,
    `note` the note of its order.
    """

    account_id: str
    before: Document | None
    after: Document
    found: bool = False
    note: Document | None = None

    @property
    def notices(self) -> list[Document]:
        """What it gives rise to."""
        return [] if state_of(self.after) is State.DELETED else number_notices(self.after, self.before)


Changes = Mapping[str, NumberChange]
"""By number."""


class Keeping:
    """Some changes on their way into the store; `to_return` are the notes of numbers that their carriers get back."""

    def __init__(self, changes: Changes, to_return: list[Write]) -> None:
        self._changes = dict(sorted(changes.items()))
        self.to_return = to_return

    @classmethod
    async def of(cls, runtime: Runtime, changes: Changes) -> Keeping:
        """Looks which carriers get numbers back."""
        gone = {
            number: carrier_of(change.before)
            for number, change in changes.items()
            if change.before is not None and state_of(change.after) is State.DELETED
        }
        back = {number: name for number, name in gone.items() if carrier_named(runtime, name).takes_back}
        return cls(changes, await carrier_orders.returning(runtime.store, back) if back else [])

    async def write(self, transaction: Transaction) -> dict[str, Document]:
        """Write them, with what they give rise to; returns the numbers as they are kept. Raises Stale and Duplicate."""
        writes = [
            Write(change.before, None if state_of(change.after) is State.DELETED else change.after)
            for change in self._changes.values()
        ]
        notes = [Write(change.note, None) for change in self._changes.values() if change.note is not None]
        notices = [Write(None, notice) for change in self._changes.values() for notice in change.notices]
        saved = await transaction.write_all([*writes, *notes, *self.to_return, *notices])
        return {
            number: kept if write.after else replace(change.after, revision=kept.revision)
            for (number, change), write, kept in zip(self._changes.items(), writes, saved, strict=False)
        }

    async def keep(self, runtime: Runtime) -> dict[str, Document]:
        """Write them in a transaction of their own, and give back what is to be given back."""
        if (alone := self._alone()) is not None:
            before, change = alone
            kept = await replace_telling(runtime.store, change.after, before, change.notices)
            return {change.after.id: kept}
        saved = await runtime.store.transact(self.write)
        if self.to_return:
            notes = await carrier_orders.current(
                runtime.store, [write.after.id for write in self.to_return if write.after]
            )
            await carrier_orders.settle(runtime, notes)
        return saved

    def _alone(self) -> tuple[Document, NumberChange] | None:
        """The one change, of a number that is there: as a single write it can travel together with those of others."""
        if len(self._changes) != 1 or self.to_return:
            return None
        (change,) = self._changes.values()
        if change.before is None or change.note is not None or state_of(change.after) is State.DELETED:
            return None
        return change.before, change
