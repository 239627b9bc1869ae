"""Listing documents: parameters in, a page of rows out.

Source: `crossbar_view.erl`, `crossbar_filter.erl`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson

from crossbar.documents.filters import TIME_RANGE, Filters
from crossbar.documents.listing import Listing, Page, Position
from crossbar.errors import JSON, Plain
from crossbar.resource.call import Call
from crossbar.resource.hooks import RowsHook
from crossbar.resource.reply import Reply
from crossbar.wire.listing import ListOptions, encode_start_key, fields, list_options, project
from crossbar.wire.listing import time_range as requested_range

REQUEST_BYTES: Final = 64 * 1024
"""What a request takes before it has read anything, in the reckoning of `request_memory_limit`."""


async def answer_listing(
    call: Call,
    document_type: str,
    database: str | None = None,
    *,
    tag: str | None = None,
    rows_hooks: Sequence[RowsHook] = (),
    match: dict[str, Any] | None = None,
    time_range: int | None = None,
    ascending: bool = False,
) -> Reply:
    """A page of the documents of a type, as the request asks for it.

    `tag` narrows it to one of the type's further listings, `match` to a store expression of the endpoint's own.
    `time_range` is the longest range in seconds of a listing sorted by time, which takes `created_from` and
    `created_to`. `ascending` is the endpoint's own order where it has one.
    """
    options = list_options(call.values, page_size=call.config.api.pagination_page_size, ascending=ascending)
    filters = Filters.parse(call.query.pairs, ignored=() if time_range is None else TIME_RANGE)
    conditions = [condition for condition in (filters.match, match) if condition]
    projection = fields(call.query)
    whole = projection is not None or call.values.is_true("full_docs")
    start, end = _bounds(call, options, time_range)
    page = await call.store.page(
        Listing(
            database or call.account_id,
            document_type,
            tag=tag,
            match={"$and": conditions} if len(conditions) > 1 else conditions[0] if conditions else {},
            start=start,
            end=end,
            descending=not options.ascending,
            limit=options.page_size,
            view="json" if whole else "row",
        )
    )
    _check_size(page.bodies, call.config.limits.request_memory_limit)
    reply = await _reply(call, page.bodies, rows_hooks)
    if projection is not None:
        reply = Reply([project(row, projection) for row in _decoded(page.bodies)])
    if options.page_size is not None:
        reply.envelope["page_size"] = len(page.stored)
        if (key := _start_key(options, page, time_range)) is not None:
            reply.envelope["start_key"] = key
        if page.next is not None:
            reply.envelope["next_start_key"] = encode_start_key([page.next])
    return reply


def _check_size(bodies: list[bytes], limit: int | None) -> None:
    """A listing must not gather more than the configured size, the request's own share included."""
    if limit is not None and REQUEST_BYTES + sum(map(len, bodies)) > limit:
        raise Plain(416, "range not satisfiable")


def _bounds(call: Call, options: ListOptions, maximum: int | None) -> tuple[Position | None, Position | None]:
    start = _position(options.start_key)
    end = _position(options.end_key)
    if maximum is None:
        return start, end
    first, last = requested_range(call.values, maximum=maximum)
    oldest, newest = Position.value(first), Position.value(last)
    return (start or oldest, newest) if options.ascending else (start or newest, oldest)


def _position(key: JSON) -> Position | None:
    """A key of ours names one place; any other is a plain sort key to begin at."""
    if key is None or key == "":
        return None
    if isinstance(key, list):
        return Position.exact(key[0]) if len(key) == 1 and isinstance(key[0], str) else None
    return Position.value(key)


def _start_key(options: ListOptions, page: Page, time_range: int | None) -> str | None:
    if options.start_key is None and time_range is not None and page.stored:
        return encode_start_key([page.rows[0].position])
    return options.start_key_text


def _decoded(bodies: list[bytes]) -> list[dict[str, JSON]]:
    return [orjson.loads(body) for body in bodies]


async def _reply(call: Call, bodies: list[bytes], hooks: Sequence[RowsHook]) -> Reply:
    """The rows as they lie in the store, or decoded where the endpoint decorates them."""
    if not hooks or not bodies:
        return Reply(json=b"[%s]" % b",".join(bodies))
    decoded = _decoded(bodies)
    for hook in hooks:
        await hook(call, decoded)
    return Reply(decoded)
