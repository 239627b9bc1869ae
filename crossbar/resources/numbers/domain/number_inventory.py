"""The numbers of an account, in order: its own, those of its mobile devices, and those that port requests bring.

Source: KAZOO `cb_phone_numbers:summary`, view `numbers/crossbar_listing`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from operator import itemgetter
from typing import Any, Final

from crossbar.dialing import ASSIGNED_TO, NUMBER, NUMBERS
from crossbar.documents.document import ACCOUNTS, Document
from crossbar.documents.filters import Filters
from crossbar.documents.listing import Listing
from crossbar.documents.shape import SEPARATOR, collate
from crossbar.endpoint import Context, Reply
from crossbar.endpoint.document_list import CHUNK, bounds, options_of
from crossbar.endpoint.paging import cut
from crossbar.resources.numbers.domain import number_features, port_numbers
from crossbar.resources.numbers.domain.number import ALLOWED, DENIED, MODULE, counted, owned, owner_of, state_of
from crossbar.resources.numbers.domain.number_operations import FoundNumber, NumberOperations
from crossbar.resources.numbers.domain.number_usage import MOBILE_DEVICE, mobiles_of, users_of
from crossbar.wire.envelope import PageInfo
from crossbar.wire.request_values import is_false

LOCALITY: Final = "pvt_locality"
FILTERED: Final = {
    "state": "pvt_state",
    "assigned_to": ASSIGNED_TO,
    "locality": LOCALITY,
    "carrier_module": MODULE,
    "created": "pvt_created",
    "updated": "pvt_modified",
}
"""Key of a filter → the stored field it stands for."""

Entry = tuple[str, FoundNumber]
"""A number with its position in the list."""


async def answer_numbers(context: Context) -> Reply:
    """A page of the account's numbers, by number, as the request asks for it."""
    options = options_of(context)
    start, end = bounds(context, options, None)
    low, high = (start, end) if options.ascending else (end, start)
    others = [
        (position, found)
        for position, found in await _others(context)
        if (low is None or position >= low.lowest) and (high is None or position <= high.highest)
    ]
    others.sort(key=lambda entry: entry[0], reverse=not options.ascending)
    listing = Listing(
        NUMBERS, NUMBER, tag=owned(context.account_id), start=start, end=end, descending=not options.ascending
    )
    filters = Filters.parse(context.query.pairs, rename=lambda key: FILTERED.get(key, key))
    page: list[Entry] = []
    async for position, found in _merged(_kept(context, listing), others, ascending=options.ascending):
        if filters.matches(_filtered(found)):
            page.append((position, found))
        if options.page_size is not None and len(page) > options.page_size:
            break
    return await _answer(context, *cut(page, options, itemgetter(0)))


async def _answer(context: Context, page: Sequence[Entry], info: PageInfo | None) -> Reply:
    desk = NumberOperations(context)
    rows = {found.document.id: await _row(desk, found) for _, found in page}
    if context.wants_csv:
        return Reply([{"number": number, **row} for number, row in rows.items()], page=info)
    return Reply({"numbers": rows, "cascade_quantity": await _counted_below(context)}, page=info)


async def _kept(context: Context, listing: Listing) -> AsyncIterator[Entry]:
    """The numbers of a listing, some at a time, with what uses them."""
    waiting: list[tuple[str, Document]] = []
    async for position, number in context.store.stream_documents(listing):
        waiting.append((position, number))
        if len(waiting) == CHUNK:
            for entry in await _used(context, waiting):
                yield entry
            waiting = []
    for entry in await _used(context, waiting):
        yield entry


async def _used(context: Context, numbers: list[tuple[str, Document]]) -> list[Entry]:
    users = await users_of(context.store, context.account_id, [number.id for _, number in numbers])
    return [(position, FoundNumber(number, users.get(number.id))) for position, number in numbers]


async def _others(context: Context) -> list[Entry]:
    """What the account has besides the numbers kept for it."""
    found = {
        number.id: FoundNumber(number, MOBILE_DEVICE) for number in await mobiles_of(context.store, context.account_id)
    }
    if not is_false(context.values.get("include_ports")):
        requests = await port_numbers.requests_of(context.store, context.account_id)
        coming = {number: request for request in requests for number in request.fields.get("numbers", {})}
        users = await users_of(context.store, context.account_id, coming)
        for number in coming.keys() - (await context.store.get_many(NUMBERS, NUMBER, list(coming))).keys():
            found[number] = FoundNumber(port_numbers.ported(coming[number], number), users.get(number), coming[number])
    return [(f"{collate(number)}{SEPARATOR}{number}", entry) for number, entry in found.items()]


async def _merged(kept: AsyncIterator[Entry], others: Iterable[Entry], *, ascending: bool) -> AsyncIterator[Entry]:
    """Both in one order."""
    waiting = list(reversed(list(others)))
    async for entry in kept:
        while waiting and (waiting[-1][0] < entry[0]) is ascending:
            yield waiting.pop()
        yield entry
    while waiting:
        yield waiting.pop()


def _filtered(found: FoundNumber) -> dict[str, Any]:
    """What filters look at."""
    used_by = {"used_by": found.used_by} if found.used_by else {}
    return {**found.document.fields, "id": found.document.id, **used_by}


async def _row(desk: NumberOperations, found: FoundNumber) -> dict[str, Any]:
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
        row |= {"port_id": found.request.id, "port_state": found.request.fields[port_numbers.PORT_STATE]}
    else:
        row |= {
            "features_available": await desk.available_features(found),
            "features_allowed": number.fields.get(ALLOWED, []),
            "features_denied": number.fields.get(DENIED, []),
            "locality": number.fields.get(LOCALITY),
        }
    return {key: value for key, value in row.items() if value is not None}


async def _counted_below(context: Context) -> int:
    """How many numbers the accounts below have that service plans count."""
    below = Listing(ACCOUNTS, "account", tag=f"descendant/{context.account_id}")
    ids = [row.id async for row in context.store.stream(below)]
    if not ids:
        return 0
    found = await context.store.count_by_tag(Listing(NUMBERS, NUMBER), words=list(map(counted, ids)))
    return sum(found.values())
