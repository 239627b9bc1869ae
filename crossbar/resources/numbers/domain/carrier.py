# SPDX-License-Identifier: MPL-2.0
"""What a carrier is: who brings the calls of numbers, hands numbers out and takes them back.

A carrier is asked for numbers that are not known here yet, told of those that go, and says which features its numbers
may have. Those that come with the server ask nobody outside; `other_carrier` asks over HTTP. A further one is a class
of this protocol that is put into `carriers.MODULES`.

Source: KAZOO `knm_gen_carrier.erl`, `knm_carriers.erl`, `knm_local.erl`, `knm_inventory.erl`, `knm_gen_provider.erl`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

import orjson

from crossbar.dialing import NUMBER, NUMBERS
from crossbar.documents.listing import Listing, Position
from crossbar.documents.store import Store
from crossbar.errors import JSON
from crossbar.resources.numbers.domain.number import FOR_SALE, INVENTORY, LOCAL, State, state_of

LONGEST_PREFIX: Final = 10
"""Digits by which numbers can be searched."""
PROVISIONED: Final = "PROVISIONED"
"""The `status` by which clients know that an emergency address is in force."""
SUCCESS: Final = "success"
"""What a check says of a number that can be had."""
OUTSIDE: Final = frozenset({"cnam", "e911", "mms", "port", "sms"})
"""Features that a carrier has to do something for."""


class CarrierFault(Exception):
    """A carrier refused, or did not answer. `may_be_done`: whether what it was asked for may be done all the same."""

    def __init__(self, reason: str, *, may_be_done: bool = False) -> None:
        super().__init__(reason)
        self.may_be_done = may_be_done


class FeatureRefused(Exception):
    """A carrier does not take a caller name or an address; the text says why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Numbers that are looked for: how they begin (E.164), how many, and how many to pass over.

    With `blocks` so many ranges of numbers are looked for, each of `quantity` numbers.
    """

    prefix: str
    quantity: int
    offset: int = 0
    blocks: int | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """A number that can be had, where it stands, and what its carrier says of it."""

    number: str
    state: str = State.DISCOVERY
    data: Mapping[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Acquired:
    """What a carrier says of a number that it has handed out."""

    data: Mapping[str, JSON] | None = None
    locality: JSON = None


Outcomes = dict[str, Acquired | CarrierFault]
"""Number → what became of it."""


class Carrier(Protocol):
    """What is asked of a carrier. Whatever goes over a network raises CarrierFault within a time of its own."""

    @property
    def name(self) -> str:
        """Its name, without the prefix that modules have."""

    @property
    def longest_prefix(self) -> int:
        """By how many digits its numbers can be searched."""

    @property
    def is_local(self) -> bool:
        """Whether its numbers exist only while an account has them."""

    @property
    def takes_back(self) -> bool:
        """Whether it is told of numbers that nobody here has any more, which it has then."""

    async def search(self, wanted: Wanted) -> list[Offer]:
        """Numbers that it has, in their order."""

    async def check(self, numbers: Sequence[str]) -> dict[str, str]:
        """Number → `success` where it can be had; what it says nothing of is left out."""

    async def reserve(self, numbers: Sequence[str]) -> Outcomes:
        """Keep numbers for an account here."""

    async def acquire(self, numbers: Sequence[str]) -> Outcomes:
        """Have numbers brought here."""

    async def release(self, numbers: Sequence[str]) -> None:
        """Give numbers back. May be done twice."""

    def features(self) -> frozenset[str]:
        """Which of the features `OUTSIDE` its numbers may have."""

    async def cnam(self, number: str, name: dict[str, Any]) -> dict[str, Any]:
        """Publish a caller name; returns it as it is in force. Raises FeatureRefused."""

    async def e911(self, number: str, address: dict[str, Any]) -> dict[str, Any]:
        """Tell emergency services an address; returns it as it is in force. Raises FeatureRefused."""


class BuiltInCarrier:
    """A carrier that asks nobody: what is sent for it is kept as it is, and counts."""

    longest_prefix = LONGEST_PREFIX
    is_local = False
    takes_back = False

    def __init__(self, name: str) -> None:
        self.name = name

    async def search(self, _: Wanted) -> list[Offer]:
        """Nothing."""
        return []

    async def check(self, _: Sequence[str]) -> dict[str, str]:
        """Nothing is known."""
        return {}

    async def reserve(self, numbers: Sequence[str]) -> Outcomes:
        """As acquiring."""
        return await self.acquire(numbers)

    async def acquire(self, numbers: Sequence[str]) -> Outcomes:
        """They are there."""
        return {number: Acquired() for number in numbers}

    async def release(self, numbers: Sequence[str]) -> None:
        """Nobody has to know."""

    def features(self) -> frozenset[str]:
        """All there are."""
        return OUTSIDE

    async def cnam(self, _: str, name: dict[str, Any]) -> dict[str, Any]:
        """As sent."""
        return name

    async def e911(self, _: str, address: dict[str, Any]) -> dict[str, Any]:
        """As sent, and in force."""
        return {"status": PROVISIONED, **address}


class Local(BuiltInCarrier):
    """Numbers that are nobody's outside: `local`, and every carrier whose module is not configured here."""

    is_local = True

    def __init__(self, name: str = LOCAL) -> None:
        super().__init__(name)

    def features(self) -> frozenset[str]:
        """None that needs a carrier."""
        return frozenset()


class Inventory(BuiltInCarrier):
    """The installation's own numbers for sale: those without an account, in state `available`."""

    def __init__(self, store: Store) -> None:
        super().__init__(INVENTORY)
        self._store = store

    async def search(self, wanted: Wanted) -> list[Offer]:
        """Those that begin as asked."""
        offers = await listed(self._store, FOR_SALE, wanted.prefix, wanted.offset + wanted.quantity)
        return offers[wanted.offset :]

    async def check(self, numbers: Sequence[str]) -> dict[str, str]:
        """Which of them are for sale."""
        known = await self._store.get_many(NUMBERS, NUMBER, list(numbers))
        return {number: SUCCESS for number, document in known.items() if state_of(document) is State.AVAILABLE}


async def listed(store: Store, tag: str, prefix: str, limit: int) -> list[Offer]:
    """The first numbers under a tag that begin with a prefix (E.164)."""
    place = Position.value(prefix)
    listing = Listing(NUMBERS, NUMBER, tag=tag, start=place, end=place, descending=False, limit=limit)
    rows = map(orjson.loads, (await store.page(listing)).bodies)
    return [Offer(row["id"], row["state"]) for row in rows]


def faults(numbers: Iterable[str], fault: CarrierFault) -> Outcomes:
    """The same fault for all of them."""
    return dict.fromkeys(numbers, fault)
