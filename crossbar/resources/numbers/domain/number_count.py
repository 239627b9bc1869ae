"""How many numbers an account has of each kind, with each carrier and with each feature.

Source: KAZOO `kz_services_quantities.erl`, view `numbers/reconcile_services`.
"""

from __future__ import annotations

import asyncio
from collections import Counter

from crossbar.dialing import NUMBER, NUMBERS
from crossbar.documents.listing import Listing
from crossbar.resources.numbers.domain.number import (
    CARRIERS_COUNTED,
    KIND,
    KINDS_COUNTED,
    LOCAL,
    items,
    items_of,
    owned,
)
from crossbar.resources.numbers.domain.number_settings import NumberSettings
from crossbar.runtime import Runtime

Items = list[tuple[str, str, float]]
"""Category, item, how many."""


async def counted_items(runtime: Runtime, account_id: str) -> Items:
    """As what an account's numbers count, from the database's own count of their tags.

    Numbers that were written before they had such tags, or by other classifiers than there are now, are looked at one
    by one.
    """
    rules, listing = NumberSettings(runtime), Listing(NUMBERS, NUMBER, tag=owned(account_id))
    prefix = items_of(account_id)
    tagged, all_told = await asyncio.gather(
        runtime.store.count_by_tag(listing, prefix=prefix),
        runtime.store.count_tagged(Listing(NUMBERS, NUMBER), [owned(account_id)]),
    )
    counted: dict[tuple[str, str], int] = {}
    for tag, number in tagged.items():
        category, _, item = tag.removeprefix(prefix).partition("/")
        counted[category, item] = number
    known = _known(counted, rules, all_told)
    return await _looked_at(runtime, listing, rules) if known is None else known


def _known(counted: dict[tuple[str, str], int], rules: NumberSettings, all_told: int) -> Items | None:
    """What is counted, by the names of classifiers; None where not all of it is by those that there are."""
    carriers = sum(number for (category, _), number in counted.items() if category == CARRIERS_COUNTED)
    kinds = sum(
        number
        for (category, item), number in counted.items()
        if category == KINDS_COUNTED and item.startswith(f"{rules.edition}/")
    )
    if carriers != all_told or kinds != all_told - counted.get((CARRIERS_COUNTED, LOCAL), 0):
        return None
    return [
        (category, item.removeprefix(f"{rules.edition}/") if category == KINDS_COUNTED else item, number)
        for (category, item), number in counted.items()
    ]


async def _looked_at(runtime: Runtime, listing: Listing, rules: NumberSettings) -> Items:
    counted: Counter[tuple[str, str]] = Counter()
    async for _, number in runtime.store.stream_documents(listing):
        number.fields[KIND] = rules.kind(number.id)
        counted.update(items(number))
    return [
        (category, item.partition("/")[2] if category == KINDS_COUNTED else item, number)
        for (category, item), number in counted.items()
    ]
