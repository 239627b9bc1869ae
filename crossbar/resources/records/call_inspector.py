# SPDX-License-Identifier: MPL-2.0
"""The call inspector: the SIP messages of calls, as far as somebody watched and handed them in.

Source: KAZOO `cb_call_inspector`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import orjson

from crossbar.documents.filters import TIME_RANGE, Filters
from crossbar.documents.listing import Listing, Row
from crossbar.endpoint import Context, Endpoint, Lists, Reply
from crossbar.endpoint.document_list import answer_stream, bounds, options_of
from crossbar.errors import Plain
from crossbar.resources.records.domain.cdr import CDR_SHAPE, leg_owner_tag
from crossbar.resources.records.domain.cdr_row import COLUMNS
from crossbar.resources.records.domain.sip_message import INSPECTION_SHAPE
from crossbar.wire.list_options import CHUNKS, chunk_size

AT_A_TIME = 100
"""CDRs whose calls are looked up together."""

call_inspector = Endpoint("call_inspector")


@call_inspector.get(
    "/accounts/{account_id}/call_inspector",
    "/accounts/{account_id}/users/{user_id}/call_inspector",
    lists=Lists.TIMES,
    options=CHUNKS,
)
async def calls(context: Context) -> Reply:
    """The CDRs of a time range whose calls were watched, newest first."""
    chunk_size(context.query, chunked=True)
    user = context.parents.get("users")
    options = options_of(context, columns=tuple(COLUMNS))
    start, end = bounds(context, options, context.config.api.maximum_range)
    listing = Listing(
        context.account_id,
        CDR_SHAPE.type,
        tag=leg_owner_tag(user.id) if user else None,
        filters=Filters.parse(context.query.pairs, ignored=TIME_RANGE),
        start=start,
        end=end,
        descending=not options.ascending,
    )

    async def as_they_are(bodies: list[bytes]) -> list[bytes]:
        return bodies

    return await answer_stream(
        _watched(context, listing), options, as_they_are, columns=tuple(COLUMNS), csv=context.wants_csv, timed=True
    )


@call_inspector.get("/accounts/{account_id}/call_inspector/{call_id}")
async def inspect(context: Context) -> Reply:
    """The messages of a call in the order in which they were seen, and between whom they went."""
    call_id = context.path["call_id"]
    entry = await context.store.get(context.account_id, INSPECTION_SHAPE.type, call_id)
    if entry is None:
        raise Plain(404, "bad identifier", [call_id])
    messages = entry.fields["messages"]
    entities = dict.fromkeys(place for message in messages for place in (message["src"], message["dst"]))
    return Reply({"call-id": call_id, "messages": messages, "dialog_entities": list(entities), "analysis": []})


async def _watched(context: Context, listing: Listing) -> AsyncIterator[Row]:
    """The rows of CDRs whose calls were watched."""
    waiting: list[Row] = []
    async for row in context.store.stream(listing):
        waiting.append(row)
        if len(waiting) == AT_A_TIME:
            for found in await _known(context, waiting):
                yield found
            waiting = []
    for found in await _known(context, waiting):
        yield found


async def _known(context: Context, rows: list[Row]) -> list[Row]:
    call_ids = [orjson.loads(row.body)["call_id"] for row in rows]
    known = await context.store.get_many(context.account_id, INSPECTION_SHAPE.type, call_ids)
    return [row for row, call_id in zip(rows, call_ids, strict=True) if call_id in known]
