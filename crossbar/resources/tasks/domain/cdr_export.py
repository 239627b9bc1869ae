# SPDX-License-Identifier: MPL-2.0
"""Billing: the call detail records of a month, however many.

Source: `applications/tasks/src/modules/kt_cdrs.erl`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import orjson

from crossbar import clock
from crossbar.documents.listing import Listing, Position
from crossbar.errors import JSON
from crossbar.resources.records.domain.cdr import CDR_SHAPE
from crossbar.resources.records.domain.cdr_row import COLUMNS, RESELLER_COLUMNS
from crossbar.resources.tasks.domain.action import Cells, Dump, Work

PAGE: Final = 500


async def _columns(work: Work) -> Sequence[str]:
    return (*COLUMNS, *RESELLER_COLUMNS) if await _for_reseller(work) else tuple(COLUMNS)


async def _page(work: Work, cursor: JSON) -> tuple[Sequence[Cells], JSON]:
    """Legs of the month in which the task was started, newest first; those that come in later are not waited for."""
    until: int = work.task.fields["start_timestamp"]
    listing = Listing(
        work.account_id,
        CDR_SHAPE.type,
        start=Position.exact(cursor) if cursor else Position.value(until),
        end=Position.value(_month_of(until)),
        limit=PAGE,
    )
    page = await work.services.store.page(listing)
    rows = [orjson.loads(body) for body in page.bodies]
    if await _for_reseller(work):
        legs = await work.services.store.get_many(work.account_id, CDR_SHAPE.type, [row["id"] for row in rows])
        for row in rows:
            row |= {name: column(legs[row["id"]]) for name, column in RESELLER_COLUMNS.items() if row["id"] in legs}
    return rows, page.next


async def _for_reseller(work: Work) -> bool:
    creator = await work.services.access.directory.account(work.auth_account_id)
    return creator is not None and creator.is_reseller


def _month_of(gregorian_seconds: int) -> int:
    """When the month of a time began (UTC)."""
    moment = clock.moment(gregorian_seconds)
    return clock.gregorian(moment.replace(day=1, hour=0, minute=0, second=0).timestamp())


ACTIONS: Final = (
    Dump(
        category="billing",
        name="dump",
        description="The call detail records of the current month as CSV",
        doc="Writes every leg of the account's calls since the month began, with the columns of the CDR listing. "
        "Takes no input.",
        columns=_columns,
        page=_page,
    ),
)
