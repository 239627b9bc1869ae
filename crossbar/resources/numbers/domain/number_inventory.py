# SPDX-License-Identifier: MPL-2.0
"""The numbers of an account, in order: its own, those of its mobile devices, and those that port requests bring.

Source: KAZOO `cb_phone_numbers:summary`, view `numbers/crossbar_listing`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

from crossbar.dialing import ASSIGNED_TO, NUMBER, NUMBERS
from crossbar.documents.document import ACCOUNTS, Document
from crossbar.documents.document_types import ACCOUNT
from crossbar.documents.filters import NO_FILTERS, Filters, Parameter
from crossbar.documents.listing import Listing, Position
from crossbar.documents.shape import SEPARATOR, collate
from crossbar.documents.store import Store
from crossbar.resources.numbers.domain import number_features, port_numbers, port_request
from crossbar.resources.numbers.domain.number import (
    ALLOWED,
    DENIED,
    LOCALITY,
    MODULE,
    counted,
    owned,
    owner_of,
    state_of,
)
from crossbar.resources.numbers.domain.number_operations import FoundNumber, NumberOperations
from crossbar.resources.numbers.domain.number_usage import MOBILE_DEVICE, mobiles_of, users_of

FILTERED: Final = {
    "state": "pvt_state",
    "assigned_to": ASSIGNED_TO,
    "locality": LOCALITY,
    "carrier_module": MODULE,
    "created": "pvt_created",
    "updated": "pvt_modified",
}
"""Key of a filter → the stored field it stands for."""

AT_A_TIME: Final = 500
"""Numbers whose users are looked up together."""

Entry = tuple[str, FoundNumber]
"""A number with its position in the list."""


@dataclass(frozen=True, slots=True)
class NumberInventory:
    """The numbers of one account, as `operations` tell of them."""

    store: Store
    account_id: str
    operations: NumberOperations

    async def between(
        self,
        start: Position | None,
        end: Position | None,
        *,
        ascending: bool,
        with_ports: bool,
        filters: Filters = NO_FILTERS,
        limit: int | None = None,
    ) -> AsyncIterator[Entry]:
        """All numbers between two positions, in order; of those that are kept only what passes the filters, and no more
        than `limit`."""
        low, high = (start, end) if ascending else (end, start)
        others = [
            (position, found)
            for position, found in await self._others(with_ports=with_ports)
            if (low is None or position >= low.lowest) and (high is None or position <= high.highest)
        ]
        others.sort(key=itemgetter(0), reverse=not ascending)
        listing = Listing(
            NUMBERS,
            NUMBER,
            tag=owned(self.account_id),
            filters=filters,
            start=start,
            end=end,
            descending=not ascending,
            limit=limit,
        )
        async for entry in merged(self._kept(listing), others, ascending=ascending):
            yield entry

    async def _kept(self, listing: Listing) -> AsyncIterator[Entry]:
        """The numbers of a listing, some at a time, with what uses them."""
        waiting: list[tuple[str, Document]] = []
        async for position, number in self.store.stream_documents(listing):
            waiting.append((position, number))
            if len(waiting) == AT_A_TIME:
                for entry in await self._used(waiting):
                    yield entry
                waiting = []
        for entry in await self._used(waiting):
            yield entry

    async def _used(self, numbers: list[tuple[str, Document]]) -> list[Entry]:
        users = await users_of(self.store, self.account_id, [number.id for _, number in numbers])
        return [(position, FoundNumber(number, users.get(number.id))) for position, number in numbers]

    async def _others(self, *, with_ports: bool) -> list[Entry]:
        """What the account has besides the numbers kept for it."""
        store, account_id = self.store, self.account_id
        found = {number.id: FoundNumber(number, MOBILE_DEVICE) for number in await mobiles_of(store, account_id)}
        if with_ports:
            requests = await port_numbers.requests_of(store, account_id)
            coming = {number: request for request in requests for number in request.fields.get("numbers", {})}
            users = await users_of(store, account_id, coming)
            for number in coming.keys() - (await store.get_many(NUMBERS, NUMBER, list(coming))).keys():
                ported = port_numbers.ported(coming[number], number)
                found[number] = FoundNumber(ported, users.get(number), coming[number])
        return [(f"{collate(number)}{SEPARATOR}{number}", entry) for number, entry in found.items()]

    async def row(self, found: FoundNumber) -> dict[str, Any]:
        """What a list tells of a number."""
        number = found.document
        row: dict[str, Any] = {
            "state": str(state_of(number)),
            "features": number_features.names(number),
            "assigned_to": owner_of(number),
            "used_by": found.used_by,
            "created": number.fields.get("pvt_created"),
            "updated": number.fields.get("pvt_modified"),
        }
        if found.request is not None:
            row |= {"port_id": found.request.id, "port_state": found.request.fields[port_request.PORT_STATE]}
        else:
            row |= {
                "features_available": await self.operations.available_features(found),
                "features_allowed": number.fields.get(ALLOWED, []),
                "features_denied": number.fields.get(DENIED, []),
                "locality": number.fields.get(LOCALITY),
            }
        return {key: value for key, value in row.items() if value is not None}


async def merged(kept: AsyncIterator[Entry], others: Iterable[Entry], *, ascending: bool) -> AsyncIterator[Entry]:
    """Both in one order."""
    waiting = list(reversed(list(others)))
    async for entry in kept:
        while waiting and (waiting[-1][0] < entry[0]) is ascending:
            yield waiting.pop()
        yield entry
    while waiting:
        yield waiting.pop()


def stored_filters(parameters: Iterable[Parameter], filters: Filters) -> Filters:
    """The filters, where all of them look at stored fields; none where one looks at what only is worked out."""
    worked_out = ("id", "used_by")
    ends = tuple(f"_{field}" for field in worked_out)
    if any(value in worked_out or name.endswith(ends) for name, value in parameters):
        return NO_FILTERS
    return filters


def filtered(found: FoundNumber) -> dict[str, Any]:
    """What filters look at."""
    used_by = {"used_by": found.used_by} if found.used_by else {}
    return {**found.document.fields, "id": found.document.id, **used_by}


async def counted_below(store: Store, account_id: str) -> int:
    """How many numbers the accounts below have that service plans count."""
    below = Listing(ACCOUNTS, ACCOUNT, tag=f"descendant/{account_id}")
    ids = [row.id async for row in store.stream(below)]
    return await store.count_tagged(Listing(NUMBERS, NUMBER), list(map(counted, ids))) if ids else 0
