# SPDX-License-Identifier: MPL-2.0
"""Looking for numbers that can be had.

Source: KAZOO `knm_search.erl`, `knm_reserved.erl`, `knm_local.erl`, `knm_carriers:check`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice
from typing import Final

from phonenumbers import country_code_for_region

from crossbar.access.directory import Directory
from crossbar.dialing import NUMBER, NUMBERS
from crossbar.errors import JSON, Invalid, Plain
from crossbar.resources.numbers.domain.carrier import SUCCESS, Carrier, CarrierFault, Offer, Wanted, listed
from crossbar.resources.numbers.domain.found_number import remember
from crossbar.resources.numbers.domain.number import reserved
from crossbar.resources.numbers.domain.number_settings import NumberSettings
from crossbar.runtime import Runtime

log = logging.getLogger(__name__)

FURTHEST: Final = 10_000
"""How many numbers a search passes over at most."""


class NumberSearch:
    """A search for one caller: in the reserves under `tags`, then with carriers, in their order.

    What carriers outside have is asked for only where there is not enough here, and is remembered, so that it
    can be ordered. A carrier that does not answer in time has nothing.
    """

    def __init__(self, runtime: Runtime, tags: Sequence[str], carriers: Sequence[Carrier]) -> None:
        self._runtime = runtime
        self._tags = tags
        self._own = [carrier for carrier in carriers if not carrier.takes_back]
        self._outside = [carrier for carrier in carriers if carrier.takes_back]

    async def find(self, wanted: Wanted) -> list[dict[str, JSON]]:
        """Number and state of those that begin as asked."""
        wanted = replace(wanted, offset=min(max(wanted.offset, 0), FURTHEST))
        last = wanted.offset + wanted.quantity
        found: dict[str, str] = {}
        for tag in self._tags:
            if len(found) < last:
                found |= _states(await listed(self._runtime.store, tag, wanted.prefix, last - len(found)))
        for carrier in self._own:
            if len(found) < last:
                found |= _states(await self._ask(carrier, replace(wanted, offset=0, quantity=last - len(found))))
        skipped = max(wanted.offset - len(found), 0)
        here = dict(islice(found.items(), wanted.offset, last))
        if missing := wanted.quantity - len(here):
            here |= await self._find_outside(replace(wanted, offset=skipped, quantity=missing))
        return [{"number": number, "state": state} for number, state in here.items()]

    async def _find_outside(self, wanted: Wanted) -> dict[str, str]:
        offered = await asyncio.gather(*(self._ask(carrier, wanted) for carrier in self._outside))
        numbers = [offer.number for offers in offered for offer in offers]
        known = await self._runtime.store.get_many(NUMBERS, NUMBER, numbers)
        found: dict[str, str] = {}
        most = wanted.quantity if wanted.blocks is None else len(numbers)
        for carrier, offers in zip(self._outside, offered, strict=True):
            new = [offer for offer in offers if offer.number not in known and offer.number not in found]
            new = new[: most - len(found)]
            found |= _states(new)
            if new:
                await remember(self._runtime.store, carrier.name, new)
        return found

    async def _ask(self, carrier: Carrier, wanted: Wanted) -> list[Offer]:
        try:
            return await carrier.search(wanted)
        except CarrierFault as fault:
            log.warning("the carrier %s could not be searched: %s", carrier.name, fault)
            return []


def _states(offers: Iterable[Offer]) -> dict[str, str]:
    return {offer.number: str(offer.state) for offer in offers}


async def availability(runtime: Runtime, carriers: Sequence[Carrier], numbers: Sequence[str]) -> dict[str, str]:
    """Number → `success` where it can be had, else what the carrier says of it that knows it, else `error`."""
    said: dict[str, str] = {}
    for carrier in carriers:
        unsaid = [number for number in numbers if said.get(number) != SUCCESS]
        if carrier.takes_back:
            here = await runtime.store.get_many(NUMBERS, NUMBER, unsaid)
            unsaid = [number for number in unsaid if number not in here]
        try:
            said |= await carrier.check(unsaid) if unsaid else {}
        except CarrierFault as fault:
            log.warning("the carrier %s could not be asked for numbers: %s", carrier.name, fault)
    return {number: said.get(number, "error") for number in numbers}


def reserves(account_id: str, reseller_id: str | None) -> list[str]:
    """Where to look first for an account: in what it has reserved, then in what its reseller has."""
    return [reserved(account_id), *([reserved(reseller_id)] if reseller_id else [])]


async def reseller_of_visitor(directory: Directory, settings: NumberSettings, reseller_id: object) -> str:
    """The reseller whose shop is visited. Raises 404 for who is not let in."""
    if not settings.open_search:
        raise Plain(404, "number search restricted")
    reseller = await directory.account(reseller_id) if isinstance(reseller_id, str) else None
    if reseller is None or not (reseller.is_reseller or reseller.id == await directory.master_id()):
        raise Plain(404, "nonexistent reseller_id")
    return reseller.id


def international(country: str, prefix: str) -> str:
    """A prefix in E.164 form. Raises 400 for an unknown country."""
    if prefix.startswith("+"):
        return prefix
    code = country_code_for_region(country.upper())
    if not code:
        raise Invalid.field("country", "invalid", "No country has this code", cause=country)
    return f"+{code}{prefix}"
