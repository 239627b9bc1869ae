# SPDX-License-Identifier: MPL-2.0
"""Operations on numbers: handing them out, taking them back, changing them, one or ten thousand at a time.

An operation is worked out from what is known of its number, and kept unless somebody else was faster; then it is worked
out again. Many are done a chunk at a time: what is known of all its numbers is read in a few queries, and what becomes
of them is kept in one transaction, so that a process that ends leaves no chunk half done.

Source: KAZOO `knm_ops.erl`, `knm_number_states.erl`, `knm_phone_number.erl`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from crossbar.access.authorship import stamps
from crossbar.dialing import NUMBER, NUMBERS, is_reconcilable
from crossbar.documents.document import Document
from crossbar.documents.store import Duplicate, Retries, Stale
from crossbar.errors import Conflict, CrossbarError
from crossbar.resources.numbers.domain import number_errors, port_numbers
from crossbar.resources.numbers.domain.charge_check import CostlyChange, check_charges, may_charge
from crossbar.resources.numbers.domain.feature_rules import FeatureRules
from crossbar.resources.numbers.domain.number import LONGEST, owner_of
from crossbar.resources.numbers.domain.number_caller import NumberCaller
from crossbar.resources.numbers.domain.number_change import Keeping, NumberChange
from crossbar.resources.numbers.domain.number_facts import NumberFacts, facts_of
from crossbar.resources.numbers.domain.number_ordering import Ordering
from crossbar.resources.numbers.domain.number_provisioning import provisioned
from crossbar.resources.numbers.domain.number_rights import NumberRights
from crossbar.resources.numbers.domain.number_usage import MOBILE_DEVICE, mobile_of, users_of

CHUNK: Final = 100
"""Numbers that are worked out and kept together."""
A_TURN: Final = 20
"""Numbers that are worked out before others have a turn."""


@dataclass(frozen=True, slots=True)
class FoundNumber:
    """A number as it is told of: what uses it, and the port request that brings it in, if one does."""

    document: Document
    used_by: str | None = None
    request: Document | None = None


Step = Callable[[str, NumberFacts], Awaitable[Document]]
"""What becomes of a number, by what is known of it. Raises CrossbarError."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A step, and the account for which it is taken.

    Who is `adding` a number that a mobile device has is told that it exists. Who is `ordering` has numbers
    that a search found, and that are not here yet, ordered from their carriers.
    """

    account_id: str
    step: Step
    adding: bool = False
    ordering: bool = False


Outcomes = dict[str, FoundNumber | CrossbarError]
"""Number → what has become of it, or what is wrong."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to be done with some numbers, and what is wrong with others."""

    changes: dict[str, NumberChange]
    failed: dict[str, CrossbarError]
    facts: NumberFacts

    def fail(self, faults: Mapping[str, CrossbarError]) -> None:
        """Leave numbers as they are."""
        self.failed.update(faults)
        for number in faults:
            del self.changes[number]


def check(number: str) -> str:
    """A normalized number that somebody may own. Raises 404 `not_reconcilable`."""
    digits = number.removeprefix("+")
    if is_reconcilable(number) and digits.isascii() and digits.isdigit() and len(digits) <= LONGEST:
        return number
    raise number_errors.not_reconcilable(number)


class NumberOperations:
    """Acts on numbers with the rights of whoever calls. All numbers are in E.164 form."""

    def __init__(self, caller: NumberCaller) -> None:
        self._caller = caller
        self._store = caller.runtime.store
        self._rights = NumberRights(caller.runtime.access.directory, caller.identity)
        self._features = FeatureRules(caller.runtime, caller.identity)

    # Looking

    async def find(self, number: str, *, with_ports: bool) -> FoundNumber:
        """A number that the caller may know of. Raises NumberUnknown."""
        store, rights = self._store, self._rights
        stored = await store.get(NUMBERS, NUMBER, number)
        if stored is not None and await rights.may_know(stored):
            return await self._used(stored)
        mobile = None if stored else await mobile_of(store, number)
        if mobile is not None and await rights.may_act_on(mobile):
            return FoundNumber(mobile, MOBILE_DEVICE)
        request = await port_numbers.request_for(store, number) if with_ports else None
        if request is not None and await rights.may_act_on(coming := port_numbers.ported(request, number)):
            return replace(await self._used(coming), request=request)
        raise number_errors.NumberUnknown

    async def available_features(self, found: FoundNumber) -> list[str]:
        """The features that the caller may switch on."""
        return await self._features.available(found.document, found.used_by)

    async def _used(self, number: Document) -> FoundNumber:
        owner = owner_of(number)
        users = await users_of(self._store, owner, [number.id]) if owner else {}
        return FoundNumber(number, users.get(number.id))

    # Acting

    async def do(self, number: str, operation: Operation) -> FoundNumber:
        """One operation. Raises what is wrong."""
        outcome = (await self.do_all({number: operation}))[number]
        if isinstance(outcome, CrossbarError):
            raise outcome
        return outcome

    async def do_all(self, operations: Mapping[str, Operation]) -> Outcomes:
        """Many operations, chunk by chunk, in their order.

        Raises 402, before anything is done, where all of them together have charges that are not accepted.
        """
        quoted: dict[str, str | None] | None = None
        if len(operations) > CHUNK and await may_charge(self._caller.runtime, self._caller.identity):
            quoted = await self._quote_all(operations)
        outcomes: Outcomes = {}
        for some in chunks(operations):
            outcomes |= await self._do_chunk(some, quoted)
        return outcomes

    async def prepare(self, operations: Mapping[str, Operation]) -> tuple[Planned, Keeping]:
        """At most a chunk of operations, worked out so that somebody else's transaction keeps them.

        Nothing is ordered: what only a carrier outside has is unknown here.
        """
        planned = await self._plan(operations, searched=False)
        await self._check_charges(planned.changes.values())
        planned.fail(await provisioned(self._caller.runtime, planned.changes))
        return planned, await Keeping.of(self._caller.runtime, planned.changes)

    async def _do_chunk(self, operations: Mapping[str, Operation], quoted: dict[str, str | None] | None) -> Outcomes:
        ordering = Ordering(self._caller.runtime)
        kept: dict[str, Document] = {}
        try:
            async for _ in Retries():
                planned = await self._plan(operations)
                try:
                    await self._check_quoted(planned, quoted)
                    planned.fail(await ordering.order(planned.changes))
                    planned.fail(await provisioned(self._caller.runtime, planned.changes))
                    if planned.changes:
                        kept = await (await Keeping.of(self._caller.runtime, planned.changes)).keep(
                            self._caller.runtime
                        )
                except (Stale, Duplicate):
                    continue
                return self._outcomes(operations, planned, kept)
            raise Conflict
        finally:
            await ordering.give_up(kept)

    @staticmethod
    def _outcomes(operations: Iterable[str], planned: Planned, kept: Mapping[str, Document]) -> Outcomes:
        found = {number: FoundNumber(document, planned.facts.used_by(document)) for number, document in kept.items()}
        everything: Outcomes = {**planned.failed, **found}
        return {number: everything[number] for number in operations}

    async def _plan(self, operations: Mapping[str, Operation], *, searched: bool = True) -> Planned:
        """What is to become of the numbers as they are now; those that a search found lately count where `searched`."""
        changes: dict[str, NumberChange] = {}
        failed: dict[str, CrossbarError] = {}
        owned = {number: operation for number, operation in operations.items() if _may_exist(number, failed)}
        accounts = {operation.account_id for operation in owned.values()}
        adding = any(operation.adding for operation in owned.values())
        facts = await facts_of(self._store, list(owned), accounts, adding=adding)
        if not searched:
            facts.found.clear()
        for place, (number, operation) in enumerate(owned.items(), 1):
            try:
                changes[number] = await self._change(number, operation, facts)
            except CrossbarError as fault:
                if fault.status >= 500:
                    raise
                failed[number] = fault
            if place % A_TURN == 0:
                await asyncio.sleep(0)
        return Planned(changes, failed, facts)

    async def _change(self, number: str, operation: Operation, facts: NumberFacts) -> NumberChange:
        before = facts.stored.get(number)
        if before is None and number in facts.mobile:
            raise number_errors.exists(number) if operation.adding else number_errors.unauthorized("number of a device")
        after = await operation.step(number, facts)
        after.fields.update(stamps(self._caller.author, after))
        found = operation.ordering and before is None and number in facts.found
        return NumberChange(operation.account_id, before, after, found=found)

    # What it costs

    async def _quote_all(self, operations: Mapping[str, Operation]) -> dict[str, str | None]:
        """Raise 402 for charges that are not accepted; else say at which revisions the numbers were looked at."""
        changes: dict[str, NumberChange] = {}
        for some in chunks(operations):
            changes |= (await self._plan(some)).changes
        await self._check_charges(changes.values())
        return {number: change.before.revision if change.before else None for number, change in changes.items()}

    async def _check_quoted(self, planned: Planned, quoted: dict[str, str | None] | None) -> None:
        """Ask about the charges of what was not asked about before, or has changed since; then about preconditions."""
        new = [
            change
            for number, change in planned.changes.items()
            if quoted is None or quoted.get(number, "") != (change.before.revision if change.before else None)
        ]
        await self._check_charges(new)
        for change in planned.changes.values():
            self._caller.ready(change.before.revision if change.before else None)

    async def _check_charges(self, changes: Iterable[NumberChange]) -> None:
        by_account: dict[str, list[NumberChange]] = {}
        for change in changes:
            by_account.setdefault(change.account_id, []).append(change)
        for account_id, those in by_account.items():
            before = tuple(change.before for change in those if change.before is not None)
            after = tuple(change.after for change in those)
            costly = CostlyChange(account_id, before, after, even_less=True)
            await check_charges(
                self._caller.runtime, self._caller.identity, costly, accepts=self._caller.accepts_charges
            )


def chunks(operations: Mapping[str, Operation]) -> Iterator[dict[str, Operation]]:
    """The operations, some at a time."""
    left = iter(operations.items())
    while some := dict(islice(left, CHUNK)):
        yield some


def _may_exist(number: str, failed: dict[str, CrossbarError]) -> bool:
    try:
        check(number)
    except CrossbarError as fault:
        failed[number] = fault
        return False
    return True
