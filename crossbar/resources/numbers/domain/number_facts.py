# SPDX-License-Identifier: MPL-2.0
"""What is known of numbers before something is done to them: all that any step asks of the store, in a few queries.

Source: KAZOO `knm_ops.erl` (`get`, `fetch`), which reads whole collections, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from crossbar.dialing import NUMBER, NUMBERS, held_number
from crossbar.documents.document import Document
from crossbar.documents.store import Store
from crossbar.resources.numbers.domain import port_numbers
from crossbar.resources.numbers.domain.found_number import found_numbers
from crossbar.resources.numbers.domain.number import owner_of
from crossbar.resources.numbers.domain.number_usage import users_of


@dataclass(frozen=True, slots=True)
class NumberFacts:
    """`stored` numbers; `found` by a search and not stored; those of `mobile` devices; those that are `porting`; what
    uses them, by account and number."""

    stored: dict[str, Document]
    found: dict[str, Document]
    mobile: frozenset[str]
    porting: frozenset[str]
    users: dict[tuple[str, str], str]

    def known(self, number: str) -> Document | None:
        """A number as it is stored, else as it was found."""
        return self.stored.get(number) or self.found.get(number)

    def used_by(self, number: Document) -> str | None:
        """What of its account uses a number."""
        owner = owner_of(number)
        return self.users.get((owner, number.id)) if owner else None


async def facts_of(store: Store, numbers: list[str], account_ids: Iterable[str], *, adding: bool) -> NumberFacts:
    """What is known of numbers that are, or are to be, those accounts'; whether they are porting if one is `adding`."""
    stored = await store.get_many(NUMBERS, NUMBER, numbers)
    absent = [number for number in numbers if number not in stored]
    owners = {*account_ids, *filter(None, map(owner_of, stored.values()))}
    used = asyncio.gather(*(users_of(store, owner, numbers) for owner in owners))
    found, mobile, porting = await asyncio.gather(
        found_numbers(store, absent),
        _mobile(store, absent),
        port_numbers.coming_in(store, numbers if adding else ()),
    )
    users = {
        (owner, number): user
        for owner, by_number in zip(owners, await used, strict=True)
        for number, user in by_number.items()
    }
    return NumberFacts(stored, found, mobile, porting, users)


async def _mobile(store: Store, numbers: list[str]) -> frozenset[str]:
    """Those of the numbers that mobile devices have."""
    claims = {held_number(number, "number").key: number for number in numbers}
    holders = await store.claims.holders(NUMBERS, [held_number(number, "number") for number in numbers])
    return frozenset(claims[key] for key, holder in holders.items() if holder.partition != NUMBERS)
