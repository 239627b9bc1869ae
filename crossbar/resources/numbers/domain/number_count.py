# SPDX-License-Identifier: MPL-2.0
"""How many numbers an account has of each kind, with each carrier and with each feature.

Source: KAZOO `kz_services_quantities.erl`, view `numbers/reconcile_services`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from crossbar.dialing import NUMBER, NUMBERS
from crossbar.documents.document import Document
from crossbar.documents.listing import Listing
from crossbar.resources.numbers.domain import number_features
from crossbar.resources.numbers.domain.carriers import MODULES
from crossbar.resources.numbers.domain.number import (
    CARRIERS,
    CARRIERS_COUNTED,
    KIND,
    KINDS_COUNTED,
    LOCAL,
    SERVICES_COUNTED,
    items,
    items_of,
    owned,
)
from crossbar.resources.numbers.domain.number_settings import NumberSettings
from crossbar.runtime import Runtime

FEW: Final = 100
"""So many numbers are looked at sooner than their tags are counted."""

Items = list[tuple[str, str, float]]
"""Category, item, how many."""


async def counted_items(runtime: Runtime, account_id: str) -> Items:
    """As what an account's numbers count: a few are looked at, of many the database counts the tags.

    Where some were written before they had such tags, or by other classifiers than there are now, all are looked at.
    """
    rules = NumberSettings(runtime)
    few = await runtime.store.all(Listing(NUMBERS, NUMBER, tag=owned(account_id), limit=FEW + 1))
    if len(few) <= FEW:
        return _told(Counter(what for number in few for what in _as_what(number, rules)))
    counted = await _by_tags(runtime, account_id, rules)
    if counted is None:
        counted = Counter()
        async for _, number in runtime.store.stream_documents(Listing(NUMBERS, NUMBER, tag=owned(account_id))):
            counted.update(_as_what(number, rules))
    return _told(counted)


async def _by_tags(runtime: Runtime, account_id: str, rules: NumberSettings) -> Counter[tuple[str, str]] | None:
    """As what numbers count by their tags; None where not all of them have what the classifiers make of them now."""
    prefix = items_of(account_id)
    words = {f"{prefix}{category}/{item}": (category, item) for category, item in _possible(rules)}
    counted = await runtime.store.count_each(NUMBERS, NUMBER, [owned(account_id), *words])
    all_told = counted.pop(owned(account_id), 0)
    by_item = Counter({words[word]: number for word, number in counted.items()})
    sums: Counter[str] = Counter()
    for (category, _), number in by_item.items():
        sums[category] += number
    local = by_item[CARRIERS_COUNTED, LOCAL]
    is_whole = sums[CARRIERS_COUNTED] == all_told and sums[KINDS_COUNTED] == all_told - local
    return by_item if is_whole else None


def _possible(rules: NumberSettings) -> Iterator[tuple[str, str]]:
    """All there can be, as `items` has it."""
    yield from ((CARRIERS_COUNTED, name) for name in {*CARRIERS, *MODULES})
    yield from ((SERVICES_COUNTED, name) for name in number_features.NAMES)
    yield from ((KINDS_COUNTED, f"{rules.edition}/{name}") for name in rules.classifiers)


def _name(category: str, item: str) -> str:
    """The item as service plans have it: a kind without the edition of its classifier."""
    return item.partition("/")[2] if category == KINDS_COUNTED else item


def _as_what(number: Document, rules: NumberSettings) -> Iterator[tuple[str, str]]:
    """As what a number counts by the classifiers that there are now."""
    number.fields[KIND] = rules.kind(number.id)
    yield from items(number)


def _told(counted: Counter[tuple[str, str]]) -> Items:
    return [(category, _name(category, item), number) for (category, item), number in counted.items()]
