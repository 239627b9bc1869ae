# SPDX-License-Identifier: MPL-2.0
"""Lists of numbers: those that an account has, and those that it can have.

Source: KAZOO `cb_phone_numbers.erl` (`summary`, `find_numbers`), view `numbers/crossbar_listing`.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import Any

from crossbar.documents.filters import Filters
from crossbar.endpoint import Context, Reply
from crossbar.endpoint.document_list import bounds, options_of
from crossbar.endpoint.paging import cut
from crossbar.resources.numbers.domain.carrier import Wanted
from crossbar.resources.numbers.domain.carriers import carriers_to_search
from crossbar.resources.numbers.domain.number_caller import NumberCaller
from crossbar.resources.numbers.domain.number_inventory import (
    FILTERED,
    Entry,
    NumberInventory,
    counted_below,
    filtered,
    stored_filters,
)
from crossbar.resources.numbers.domain.number_operations import NumberOperations
from crossbar.resources.numbers.domain.number_search import (
    NumberSearch,
    availability,
    international,
    reseller_of_visitor,
    reserves,
)
from crossbar.resources.numbers.domain.number_settings import NumberSettings


def caller_of(context: Context) -> NumberCaller:
    """Who sent a request, which may say that its charges are accepted."""
    return NumberCaller(
        context.runtime,
        context.identity,
        context.author,
        context.ready_to_write,
        context.values.is_true("accept_charges"),
    )


def operations_of(context: Context) -> NumberOperations:
    """Operations with the rights of whoever calls."""
    return NumberOperations(caller_of(context))


async def answer_numbers(context: Context) -> Reply:
    """A page of the account's numbers, by number, as the request asks for it."""
    options = options_of(context)
    start, end = bounds(context, options, None)
    inventory = NumberInventory(context.store, context.account_id, operations_of(context))
    with_ports = not context.values.is_false("include_ports")
    filters = Filters.parse(context.query.pairs, rename=lambda key: FILTERED.get(key, key))
    found: list[Entry] = []
    stored = stored_filters(context.query.pairs, filters)
    # What the database filters, or nobody, is read no further than the page and what tells that there is more.
    limit = options.page_size + 1 if options.page_size is not None and bool(stored) == bool(filters) else None
    numbers = inventory.between(
        start, end, ascending=options.ascending, with_ports=with_ports, filters=stored, limit=limit
    )
    async for entry in numbers:
        if filters.matches(filtered(entry[1])):
            found.append(entry)
        if options.page_size is not None and len(found) > options.page_size:
            break
    page, info = cut(found, options, itemgetter(0))
    rows = {number.document.id: await inventory.row(number) for _, number in page}
    if context.wants_csv:
        return Reply([{"number": number, **row} for number, row in rows.items()], page=info)
    below = await counted_below(context.store, context.account_id)
    return Reply({"numbers": rows, "cascade_quantity": below}, page=info)


async def answer_search(context: Context) -> Reply:
    """Numbers that begin as asked: those the account has reserved, those its reseller has, then those for sale.

    Raises 400 for what `find_numbers` refuses, and 404 for callers without a token whom the installation does not let.
    """
    settings, directory, runtime = NumberSettings(context.runtime), context.directory, context.runtime
    if context.caller:
        reseller_id = await reseller_of(context)
        tags = reserves(context.account_id, reseller_id)
    else:
        reseller_id, tags = await reseller_of_visitor(directory, settings, context.query.get("reseller_id")), []
    asked = context.valid("find_numbers", dict(_asked(context)))
    wanted = Wanted(
        international(asked["country"], asked["prefix"]),
        quantity=min(asked["quantity"], settings.largest_search),
        offset=_whole(asked.get("offset")) or 0,
        blocks=_whole(asked.get("blocks")),
    )
    carriers = await carriers_to_search(runtime, reseller_id)
    return Reply(await NumberSearch(runtime, tags, carriers).find(wanted))


async def answer_availability(context: Context, numbers: list[str]) -> Reply:
    """Which of some numbers can be had, by the carriers of the account."""
    carriers = await carriers_to_search(context.runtime, await reseller_of(context))
    return Reply(await availability(context.runtime, carriers, numbers))


async def reseller_of(context: Context) -> str | None:
    """The reseller of the account in the path."""
    account = await context.directory.account(context.account_id)
    return await context.directory.reseller_of(account) if account else None


def _asked(context: Context) -> Iterator[tuple[str, Any]]:
    """The query string, with its numbers as numbers."""
    for key, value in context.query.first.items():
        number = _whole(value) if key == "quantity" else None
        yield key, value if number is None else number


def _whole(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return None
