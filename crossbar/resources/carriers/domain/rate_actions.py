# SPDX-License-Identifier: MPL-2.0
"""What tasks do with rates: a deck as a sheet, rates from a sheet, rates away.

Source: KAZOO `kt_rates.erl`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

import orjson

from crossbar.access.authorship import Author, stamps
from crossbar.documents.document import Document, private_fields, public_fields
from crossbar.documents.listing import Listing, Position
from crossbar.documents.store import Transaction
from crossbar.errors import JSON, Invalid
from crossbar.resources.carriers.domain import rate, rate_row, ratedeck
from crossbar.resources.tasks.domain.action import Cells, Dump, RowAction, RowFailed, Work

CATEGORY: Final = "rates"
PAGE: Final = 500
FORBIDDEN: Final = "task execution is forbidden"


async def check_allowed(work: Work) -> None:
    """Rates are for superduper admins, and for resellers' accounts. Raises RowFailed for anybody else."""
    directory = work.services.access.directory
    creator = await directory.account(work.auth_account_id)
    account = await directory.account(work.account_id)
    if creator is None or account is None:
        raise RowFailed(FORBIDDEN)
    if not (creator.superduper_admin or (account.is_reseller and account.within(creator.id))):
        raise RowFailed(FORBIDDEN)


def _deck(row: dict[str, str]) -> str:
    try:
        return ratedeck.checked_deck(row["ratedeck_id"])
    except Invalid as error:
        raise RowFailed("bad fields(s) ratedeck_id") from error


async def _columns(_: Work) -> Sequence[str]:
    return rate_row.COLUMNS


async def _page(work: Work, cursor: JSON) -> tuple[Sequence[Cells], JSON]:
    """The rates of the usual deck, in order of their ids."""
    await check_allowed(work)
    listing = Listing(
        ratedeck.partition_of(ratedeck.DECK),
        rate.TYPE,
        start=Position.exact(cursor) if cursor else None,
        descending=False,
        limit=PAGE,
        view="json",
    )
    page = await work.services.store.page(listing)
    return [rate_row.row_of(orjson.loads(body)) for body in page.bodies], page.next


async def _import(work: Work, row: dict[str, str]) -> Cells:
    """Lay a row over the rate of its id, or make one of it."""
    await check_allowed(work)
    store, deck, given = work.services.store, _deck(row), rate_row.fields_of(row)
    await ratedeck.note_deck(store, deck)

    async def lay_over(transaction: Transaction) -> None:
        key = (ratedeck.partition_of(deck), rate.TYPE, rate.default_id(given))
        stored = await transaction.get(*key)
        before = stored or Document(*key, {})
        public = {**public_fields(before.fields), **given}
        rate.route_by_prefix(public, public_fields(before.fields))
        public = rate_row.completed(public)
        if errors := work.services.schemas.errors("rates", public, strict=True)[1]:
            raise RowFailed(f"bad fields(s) {' '.join(sorted(errors))}")
        laid = replace(before, fields={**public, **private_fields(before.fields)})
        laid.fields |= {**stamps(Author(work.task.id, None), laid), "pvt_auth_account_id": work.auth_account_id}
        await ratedeck.put(transaction, laid, stored)

    await store.transact(lay_over)
    return {}


async def _delete(work: Work, row: dict[str, str]) -> Cells:
    """Remove the rates of a prefix that are as the row says; where there are none, that is as well."""
    await check_allowed(work)
    store, deck, given = work.services.store, _deck(row), rate_row.fields_of(row)
    given.pop("ratedeck_id", None)
    for rate_id in await ratedeck.ids_of_prefix(store, deck, given["prefix"]):
        take = partial(ratedeck.take, partition=ratedeck.partition_of(deck), rate_id=rate_id, **given)
        await store.transact(take)
    return {}


def _but(*mandatory: str) -> tuple[str, ...]:
    return tuple(column for column in rate_row.COLUMNS if column not in mandatory)


_rate_action = partial(RowAction, category=CATEGORY, checks=rate_row.CHECKS, for_administrators=True)

ACTIONS: Final = (
    Dump(
        category=CATEGORY,
        name="export",
        description="Export ratedeck",
        doc="Writes every rate of the usual ratedeck, in the columns that an import reads. Takes no input.",
        columns=_columns,
        page=_page,
        for_administrators=True,
    ),
    _rate_action(
        name="import",
        description="Bulk-import rates to a specified ratedeck",
        doc="Makes a rate of each row, or lays the row over the rate of its country, prefix and suffix.",
        mandatory=("prefix", "rate_cost"),
        optional=_but("prefix", "rate_cost"),
        row=_import,
    ),
    _rate_action(
        name="delete",
        description="Bulk-remove rates",
        doc="Removes the rates of each row's prefix that have everything else the row says, too.",
        mandatory=("prefix",),
        optional=_but("prefix"),
        row=_delete,
    ),
)
