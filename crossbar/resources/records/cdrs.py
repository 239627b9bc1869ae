# SPDX-License-Identifier: MPL-2.0
"""Call detail records: the legs of calls, their interactions, and what they add up to.

Source: KAZOO `cb_cdrs`.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any, Final

import orjson

from crossbar import clock
from crossbar.documents.filters import TIME_RANGE, Filters, Parameter
from crossbar.documents.layout import decode
from crossbar.documents.listing import Listing, Row
from crossbar.documents.shape import owner_tag
from crossbar.endpoint import Context, Endpoint, Lists, Reply, answer_listing
from crossbar.endpoint.document_list import answer_document, answer_stream, bounds, decorated, options_of
from crossbar.endpoint.hooks import RowsHook
from crossbar.errors import Invalid, Plain
from crossbar.resources.records.domain.cdr import (
    ANYBODY,
    CDR_SHAPE,
    COUNTED,
    INTERACTION_SHAPE,
    first_leg,
    in_order,
    interaction_tag,
    is_interaction_id,
    leg_owner_tag,
)
from crossbar.resources.records.domain.cdr_row import COLUMNS, RESELLER_COLUMNS, before_at, datetime_text, whole
from crossbar.wire.list_options import CHUNKS, PAGING, RANGE, chunk_size

MOST_LEGS: Final = 100
"""Interactions whose first legs are read at a time."""

_MONTHLY: Final = re.compile(r"\d{6}-.+", re.DOTALL)
_CLASSIFIERS: Final = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("tollfree_us", r"\+1(?:800|888|877|866|855)\d{7}"),
        ("toll_us", r"\+1900\d{7}"),
        ("emergency", r"911|933"),
        (
            "caribbean",
            r"\+?1(?:684|264|268|242|246|441|284|345|767|809|829|849|473|671|876|664|670|787|939|869|758|784|721|868"
            r"|649|340)\d{7}",
        ),
        ("did_us", r"\+?1?[2-9]\d{2}[2-9]\d{6}"),
        ("international", r"\+[2-9]\d{7,}"),
    )
)

cdrs = Endpoint("cdrs")

SUMMED: Final = {
    **RANGE,
    **PAGING,
    "page_size": "Taken and without effect",
    "paginate": "Taken and without effect",
}
PARAMETERS: Final = {"utc_offset": "Seconds by which `datetime` is shifted", **CHUNKS}


@cdrs.get(
    "/accounts/{account_id}/cdrs", "/accounts/{account_id}/users/{user_id}/cdrs", lists=Lists.TIMES, options=PARAMETERS
)
async def legs(context: Context) -> Reply:
    """The legs of a time range, newest first."""
    _check_parameters(context)
    user = context.parents.get("users")
    return await answer_listing(
        context,
        CDR_SHAPE.type,
        tag=leg_owner_tag(user.id) if user else None,
        rows_hooks=_decorations(context),
        time_range=context.config.cdrs.maximum_range,
        parameters=_parameters(context),
        columns=_columns(context),
    )


@cdrs.get(
    "/accounts/{account_id}/cdrs/interaction",
    "/accounts/{account_id}/users/{user_id}/cdrs/interaction",
    lists=Lists.TIMES,
    options=PARAMETERS,
)
async def interactions(context: Context) -> Reply:
    """One row for each interaction of a time range: the leg that began first."""
    _check_parameters(context)
    user = context.parents.get("users")
    columns, hooks = _columns(context), _decorations(context)
    options = options_of(context, columns=columns)
    start, end = bounds(context, options, context.config.cdrs.maximum_range)
    filters = Filters.parse(_parameters(context), ignored=TIME_RANGE)
    listing = Listing(
        context.account_id,
        INTERACTION_SHAPE.type,
        tag=owner_tag(user.id) if user else None,
        start=start,
        end=end,
        descending=not options.ascending,
        limit=None if options.page_size is None or filters else options.page_size + 1,
        view="doc",
    )

    async def render(rows: list[bytes]) -> list[bytes]:
        return await decorated(context, rows, hooks)

    rows = _first_legs(context, listing, user.id if user else ANYBODY, filters)
    return await answer_stream(rows, options, render, columns=columns, csv=context.wants_csv, timed=True)


@cdrs.get(
    "/accounts/{account_id}/cdrs/summary",
    options=SUMMED,
)
async def summary(context: Context) -> Reply:
    """Billing seconds of a time range by direction, realm and kind of number, in all and by rate."""
    options = options_of(context)
    start, end = bounds(context, options, context.config.cdrs.maximum_range)
    listing = Listing(
        context.account_id, CDR_SHAPE.type, tag=COUNTED, start=start, end=end, descending=not options.ascending
    )
    totals: dict[str, dict[str, dict[str, dict[str, int]]]] = {"inbound": {}, "outbound": {}}
    async for stored in context.store.stream(listing):
        row = orjson.loads(stored.body)
        if row["direction"] not in totals:
            continue
        _, _, realm = row["from" if row["direction"] == "inbound" else "to"].partition("@")
        number = totals[row["direction"]].setdefault(realm, {}).setdefault(classify(before_at(row["to"])), {"total": 0})
        number["total"] += row["billing_seconds"]
        if rate := row["rate_name"]:
            number[rate] = number.get(rate, 0) + row["billing_seconds"]
    return Reply(totals)


@cdrs.get("/accounts/{account_id}/cdrs/legs/{leg_id}")
async def interaction_legs(context: Context) -> Reply:
    """All legs of an interaction, named by its own id or by that of one of them, oldest first."""
    leg_id = context.path["leg_id"]
    if is_interaction_id(leg_id):
        interaction_id = leg_id
    elif _MONTHLY.fullmatch(leg_id):
        cdr = await context.store.get(context.account_id, CDR_SHAPE.type, leg_id)
        if cdr is None:
            raise Plain(404, "could not find legs for supplied id")
        interaction_id = cdr.fields["interaction_id"]
    else:
        raise Plain(404, "bad identifier", [leg_id])
    found = await context.store.all(Listing(context.account_id, CDR_SHAPE.type, tag=interaction_tag(interaction_id)))
    return Reply([leg.public for leg in in_order(found)])


@cdrs.get("/accounts/{account_id}/cdrs/{cdr_id}")
async def read(context: Context) -> Reply:
    """One leg, whole."""
    cdr_id = context.path["cdr_id"]
    if not _MONTHLY.fullmatch(cdr_id):
        raise Plain(404, "could not find cdr with supplied id")
    return await answer_document(context, CDR_SHAPE.type, cdr_id)


def classify(number: str) -> str:
    """The kind of number that a call went to."""
    return next((name for name, pattern in _CLASSIFIERS if pattern.fullmatch(number)), "unknown")


async def _first_legs(context: Context, listing: Listing, owner: str, filters: Filters) -> AsyncIterator[Row]:
    """The first legs of interactions, in the order of these, at their positions."""
    waiting: list[Row] = []
    async for row in context.store.stream(listing):
        waiting.append(row)
        if len(waiting) == MOST_LEGS:
            for found in await _with_legs(context, waiting, owner, filters):
                yield found
            waiting = []
    for found in await _with_legs(context, waiting, owner, filters):
        yield found


async def _with_legs(context: Context, rows: list[Row], owner: str, filters: Filters) -> list[Row]:
    wanted = {row.position: first_leg(decode(row.stored), owner) or "" for row in rows}
    found = await context.store.get_rows(context.account_id, CDR_SHAPE.type, list(wanted.values()))
    if filters:
        legs = await context.store.get_many(context.account_id, CDR_SHAPE.type, list(found))
        found = {cdr_id: found[cdr_id] for cdr_id, leg in legs.items() if filters.matches({"id": cdr_id, **leg.fields})}
    return [Row(cdr_id, at, found[cdr_id], {}) for at, cdr_id in wanted.items() if cdr_id in found]


def _check_parameters(context: Context) -> None:
    """Refuse a bad size of chunks, and an offset that is no number."""
    chunk_size(context.query, chunked=True)
    _utc_offset(context)


def _utc_offset(context: Context) -> int | None:
    offset = context.values.get("utc_offset")
    if offset is None:
        return None
    try:
        seconds = round(float(offset)) if not isinstance(offset, bool) else _refuse_offset()
    except (TypeError, ValueError, OverflowError):
        return _refuse_offset()
    if abs(seconds) > clock.DAY:
        code, bound = ("maximum", clock.DAY) if seconds > 0 else ("minimum", -clock.DAY)
        text = f"Value must be at {'most' if seconds > 0 else 'least'} {bound}"
        raise Invalid.field("utc_offset", code, text, target=bound, value=offset)
    return seconds


def _refuse_offset() -> int:
    raise Plain(404, "utc_offset must be a number")


def _parameters(context: Context) -> list[Parameter]:
    """The parameters of the query string; a call id may carry the month of its CDR, which is not part of it."""
    return [
        (name, value[7:] if isinstance(value, str) and name.endswith("call_id") and _MONTHLY.match(value) else value)
        for name, value in context.query.pairs
    ]


def _columns(context: Context) -> tuple[str, ...]:
    return (*COLUMNS, *RESELLER_COLUMNS) if context.identity.account.is_reseller else tuple(COLUMNS)


def _decorations(context: Context) -> list[RowsHook]:
    """What this caller's rows have beyond those in the store."""
    hooks: list[RowsHook] = []
    if _utc_offset(context):
        hooks.append(_shift_datetime)
    if context.identity.account.is_reseller:
        hooks.append(_add_reseller_columns)
    if context.config.cdrs.should_filter_empty_strings and not context.wants_csv:
        hooks.append(_drop_empty)
    return hooks


async def _shift_datetime(context: Context, rows: list[dict[str, Any]]) -> None:
    offset = _utc_offset(context) or 0
    for row in rows:
        row["datetime"] = datetime_text(whole(row.get("timestamp")) + offset)


async def _add_reseller_columns(context: Context, rows: list[dict[str, Any]]) -> None:
    found = await context.store.get_many(context.account_id, CDR_SHAPE.type, [row["id"] for row in rows])
    for row in rows:
        if cdr := found.get(row["id"]):
            row |= {name: column(cdr) for name, column in RESELLER_COLUMNS.items()}


async def _drop_empty(context: Context, rows: list[dict[str, Any]]) -> None:
    for row in rows:
        for name in [name for name, value in row.items() if value == ""]:
            del row[name]
