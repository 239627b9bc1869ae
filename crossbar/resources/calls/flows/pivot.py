# SPDX-License-Identifier: MPL-2.0
"""What pivot applications were asked and answered during calls, for those who write them.

A document for each request and each response, kept by `ingest` (`/ingest/pivot`) where a callflow wants it.

Source: KAZOO `cb_pivot`.
"""

from __future__ import annotations

import re
from typing import Final

from crossbar import clock
from crossbar.documents.document import Document
from crossbar.documents.listing import Listing, Position
from crossbar.documents.shape import SEPARATOR, Shape, Summary, collate
from crossbar.endpoint import Context, Endpoint, Lists, Reply, answer_computed
from crossbar.endpoint.computed_list import Entry
from crossbar.errors import JSON
from crossbar.resources.calls.flows.domain.pivot_request import DEBUG
from crossbar.wire.list_options import time_range

FIRST: Final = 1
_BY_MONTH: Final = re.compile(r"(\d{6})-(.+)", re.DOTALL)


def debug_id(debug: Document) -> str:
    """`YYYYMM-<call id>`."""
    return f"{clock.year_month(debug.fields['pvt_created'])}-{debug.at('call_id')}"


def tags(debug: Document) -> list[str]:
    """Listing by call, and of the first of each call."""
    call = f"call/{debug.at('call_id')}"
    return [call, "first"] if debug.at("iteration") == FIRST else [call]


DEBUG_SHAPE: Final = Shape(
    DEBUG,
    summary=Summary(
        "call_id",
        "uri",
        "iteration",
        created="pvt_created",
        status_code="resp_status_code",
        node="pvt_node",
        has_schema_errors=lambda debug: bool(debug.at("schema_errors")),
        has_json_errors=lambda debug: bool(debug.at("json_errors")),
        debug_id=debug_id,
    ),
    sort="pvt_created",
    tags=tags,
    stored_in="records",
)

pivot = Endpoint("pivot")


@pivot.get("/accounts/{account_id}/pivot/debug", lists=Lists.TIMES)
async def calls(context: Context) -> Reply:
    """The calls that ran through pivot, newest first: the first request of each with its response."""
    first, last = time_range(context.values, maximum=context.config.api.maximum_range)
    begun = Listing(context.account_id, DEBUG, tag="first", start=Position.value(last), end=Position.value(first))
    by_call: dict[str, Entry] = {}
    for debug in await context.store.all(begun):
        call_id, row = str(debug.at("call_id")), DEBUG_SHAPE.summary.of(debug)
        if call_id in by_call:
            by_call[call_id] = _joined(by_call[call_id], row)
        else:
            by_call[call_id] = (f"{collate(row['created'])}{SEPARATOR}{call_id}", debug, row)
    return answer_computed(context, by_call.values())


def _joined(newer: Entry, row: dict[str, JSON]) -> Entry:
    """One row of the request and the response of a call, in the place of the newer of them."""
    key, debug, known = newer
    errors = {name: known[name] or row[name] for name in ("has_schema_errors", "has_json_errors")}
    return key, debug, {**row, **known, **errors}


@pivot.get("/accounts/{account_id}/pivot/debug/{debug_id}")
async def read(context: Context) -> Reply:
    """Everything kept of one call, oldest first; nothing for an unknown one."""
    given = context.path["debug_id"]
    found = _BY_MONTH.fullmatch(given)
    call_id = found[2] if found else given
    listing = Listing(context.account_id, DEBUG, tag=f"call/{call_id}", descending=False)
    debugs = [debug for debug in await context.store.all(listing) if not found or debug_id(debug) == given]
    return Reply([_shown(debug) for debug in debugs])


def _shown(debug: Document) -> dict[str, JSON]:
    leaked = {"created": debug.at("pvt_created"), "node": debug.at("pvt_node"), "debug_id": debug_id(debug)}
    return debug.public | leaked
