"""How many numbers an account has of each kind, with each carrier and with each feature.

Source: KAZOO `kz_services_quantities.erl`, view `numbers/reconcile_services`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from crossbar.dialing import NUMBER, NUMBERS
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

Items = list[tuple[str, str, float]]
"""Category, item, how many."""


async def counted_items(runtime: Runtime, account_id: str) -> Items:
    """As what an account's numbers count, from the database's count of their tags, which looks at no number.

    Where some were written before they had such tags, or by other classifiers than there are now, all are looked at.
    """
    rules, prefix = NumberSettings(runtime), items_of(account_id)
    words = {f"{prefix}{category}/{item}": (category, item) for category, item in _possible(rules)}
    counted = await runtime.store.count_each(NUMBERS, NUMBER, [owned(account_id), *words])
    all_told = counted.pop(owned(account_id), 0)
    by_item = {words[word]: number for word, number in counted.items()}
    carriers = sum(number for (category, _), number in by_item.items() if category == CARRIERS_COUNTED)
    kinds = sum(number for (category, _), number in by_item.items() if category == KINDS_COUNTED)
    if carriers != all_told or kinds != all_told - by_item.get((CARRIERS_COUNTED, LOCAL), 0):
        return await _looked_at(runtime, Listing(NUMBERS, NUMBER, tag=owned(account_id)), rules)
    return [(category, _name(category, item), number) for (category, item), number in by_item.items()]


def _possible(rules: NumberSettings) -> Iterator[tuple[str, str]]:
    """All there can be, as `items` has it."""
    yield from ((CARRIERS_COUNTED, name) for name in {*CARRIERS, *MODULES})
    yield from ((SERVICES_COUNTED, name) for name in number_features.NAMES)
    yield from ((KINDS_COUNTED, f"{rules.edition}/{name}") for name in rules.classifiers)


def _name(category: str, item: str) -> str:
    """The item as service plans have it: a kind without the edition of its classifier."""
    return item.partition("/")[2] if category == KINDS_COUNTED else item


async def _looked_at(runtime: Runtime, listing: Listing, rules: NumberSettings) -> Items:
    counted: Counter[tuple[str, str]] = Counter()
    async for _, number in runtime.store.stream_documents(listing):
        number.fields[KIND] = rules.kind(number.id)
        counted.update(items(number))
    return [(category, _name(category, item), number) for (category, item), number in counted.items()]
