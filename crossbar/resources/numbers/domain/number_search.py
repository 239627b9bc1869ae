"""Looking for numbers that can be had.

Source: KAZOO `knm_search.erl`, `knm_reserved.erl`, `knm_local.erl`. The carrier is the installation's own inventory:
numbers without an account, in state `available`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import orjson
from phonenumbers import country_code_for_region

from crossbar.dialing import NUMBER, NUMBERS
from crossbar.documents.listing import Listing, Position
from crossbar.endpoint import Context, Reply
from crossbar.errors import Invalid, Plain
from crossbar.resources.numbers.domain.number import FOR_SALE, reserved
from crossbar.resources.numbers.domain.number_settings import NumberSettings

FURTHEST: Final = 10_000
"""How many numbers a search passes over at most."""


async def answer_search(context: Context) -> Reply:
    """Numbers that begin as asked: those the account has reserved, those its reseller has, then those for sale.

    Raises 400 for what `find_numbers` refuses, and 404 for callers without a token whom the installation does not let.
    """
    tags = await _tags_of(context) if context.caller else await _public_tags(context)
    wanted = context.valid("find_numbers", dict(_asked(context)))
    place = Position.value(_dialled(wanted["country"], wanted["prefix"]))
    offset = min(max(_whole(wanted.get("offset")) or 0, 0), FURTHEST)
    quantity = min(wanted["quantity"], NumberSettings(context.runtime).largest_search)
    found: dict[str, str] = {}
    for tag in tags:
        if missing := offset + quantity - len(found):
            listing = Listing(NUMBERS, NUMBER, tag=tag, start=place, end=place, descending=False, limit=missing)
            rows = map(orjson.loads, (await context.store.page(listing)).bodies)
            found |= {row["id"]: row["state"] for row in rows}
    return Reply([{"number": number, "state": state} for number, state in islice(found.items(), offset, None)])


async def _tags_of(context: Context) -> list[str]:
    """Where to look for a caller's account (the one in the path), in this order."""
    account = await context.directory.account(context.account_id)
    reseller_id = await context.directory.reseller_of(account) if account else None
    return [reserved(context.account_id), *([reserved(reseller_id)] if reseller_id else []), FOR_SALE]


async def _public_tags(context: Context) -> list[str]:
    """Where to look for a visitor of a reseller's shop."""
    if not NumberSettings(context.runtime).open_search:
        raise Plain(404, "number search restricted")
    reseller_id = context.query.get("reseller_id")
    reseller = await context.directory.account(reseller_id) if isinstance(reseller_id, str) else None
    if reseller is None or not (reseller.is_reseller or reseller.id == await context.directory.master_id()):
        raise Plain(404, "nonexistent reseller_id")
    return [FOR_SALE]


def _asked(context: Context) -> Iterator[tuple[str, Any]]:
    """The query string, with its numbers as numbers."""
    for key, value in context.query.first.items():
        number = _whole(value) if key == "quantity" else None
        yield key, value if number is None else number


def _whole(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return None


def _dialled(country: str, prefix: str) -> str:
    """A prefix in E.164 form."""
    if prefix.startswith("+"):
        return prefix
    code = country_code_for_region(country.upper())
    if not code:
        raise Invalid.field("country", "invalid", "No country has this code", cause=country)
    return f"+{code}{prefix}"
