"""Looking for numbers that can be had.

Source: KAZOO `knm_search.erl`, `knm_reserved.erl`, `knm_local.erl`. The carrier is the installation's own inventory:
numbers without an account, in state `available`.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

import orjson
from phonenumbers import country_code_for_region

from crossbar.access.directory import Directory
from crossbar.dialing import NUMBER, NUMBERS
from crossbar.documents.listing import Listing, Position
from crossbar.documents.store import Store
from crossbar.errors import JSON, Invalid, Plain
from crossbar.resources.numbers.domain.number import FOR_SALE, reserved
from crossbar.resources.numbers.domain.number_settings import NumberSettings

FURTHEST: Final = 10_000
"""How many numbers a search passes over at most."""


async def find_available(
    store: Store, tags: Iterable[str], prefix: str, *, offset: int, quantity: int
) -> list[dict[str, JSON]]:
    """Number and state of those that begin with `prefix` (E.164) and stand under one of the tags, in their order."""
    place = Position.value(prefix)
    offset = min(max(offset, 0), FURTHEST)
    found: dict[str, JSON] = {}
    for tag in tags:
        if missing := offset + quantity - len(found):
            listing = Listing(NUMBERS, NUMBER, tag=tag, start=place, end=place, descending=False, limit=missing)
            rows = map(orjson.loads, (await store.page(listing)).bodies)
            found |= {row["id"]: row["state"] for row in rows}
    return [{"number": number, "state": state} for number, state in islice(found.items(), offset, None)]


async def tags_of_account(directory: Directory, account_id: str) -> list[str]:
    """Where to look for an account: what it has reserved, what its reseller has, what is for sale."""
    account = await directory.account(account_id)
    reseller_id = await directory.reseller_of(account) if account else None
    return [reserved(account_id), *([reserved(reseller_id)] if reseller_id else []), FOR_SALE]


async def tags_of_visitor(directory: Directory, settings: NumberSettings, reseller_id: object) -> list[str]:
    """Where to look for a visitor of a reseller's shop. Raises 404 for who is not let in."""
    if not settings.open_search:
        raise Plain(404, "number search restricted")
    reseller = await directory.account(reseller_id) if isinstance(reseller_id, str) else None
    if reseller is None or not (reseller.is_reseller or reseller.id == await directory.master_id()):
        raise Plain(404, "nonexistent reseller_id")
    return [FOR_SALE]


def international(country: str, prefix: str) -> str:
    """A prefix in E.164 form. Raises 400 for an unknown country."""
    if prefix.startswith("+"):
        return prefix
    code = country_code_for_region(country.upper())
    if not code:
        raise Invalid.field("country", "invalid", "No country has this code", cause=country)
    return f"+{code}{prefix}"
