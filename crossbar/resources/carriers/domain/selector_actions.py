# SPDX-License-Identifier: MPL-2.0
"""What tasks do with resource selectors: they come from sheets, and go by them.

Source: KAZOO `kt_resource_selectors.erl`.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from crossbar.access.authorship import Author, stamps
from crossbar.documents.document import Document
from crossbar.documents.listing import Listing
from crossbar.errors import JSON
from crossbar.resources.carriers.domain.rate_row import is_whole
from crossbar.resources.carriers.domain.resource_selector import TYPE, exactly, id_of
from crossbar.resources.tasks.domain.action import Cells, RowAction, Work

CATEGORY: Final = "resource_selectors"
NAMING: Final = ("name", "selector", "resource")
FURTHER: Final = ("value", "start_time", "stop_time")


async def _import(work: Work, row: dict[str, str]) -> Cells:
    fields: dict[str, JSON] = {column: row[column] for column in (*NAMING, "value") if row[column]}
    fields |= {column: int(row[column]) for column in ("start_time", "stop_time") if row[column]}
    selector = Document(work.account_id, TYPE, id_of(fields), fields)
    selector.fields |= {
        **stamps(Author(work.task.id, None), selector),
        "pvt_auth_account_id": work.auth_account_id,
    }
    await work.services.store.upsert(selector)
    return {}


async def _delete(work: Work, row: dict[str, str]) -> Cells:
    tag = exactly(row["resource"], row["name"], row["selector"])
    await work.services.store.remove_listed(Listing(work.account_id, TYPE, tag=tag))
    return {}


_selector_action = partial(RowAction, category=CATEGORY, mandatory=NAMING, for_administrators=True)

ACTIONS: Final = (
    _selector_action(
        name="import",
        description="Import stepswitch resource selectors",
        doc="Makes a selector of each row; one that says the same is there once.",
        optional=FURTHER,
        checks={"start_time": is_whole, "stop_time": is_whole},
        row=_import,
    ),
    _selector_action(
        name="delete",
        description="Delete selectors from DB",
        doc="Removes the selectors that have each row's name, selector and resource.",
        row=_delete,
    ),
)
