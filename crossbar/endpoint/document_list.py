# SPDX-License-Identifier: MPL-2.0
"""Listing documents: parameters in, a page of rows out.

Source: `crossbar_view.erl`, `crossbar_filter.erl`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Final

import orjson

from crossbar.documents.filters import TIME_RANGE, Filters, Parameter
from crossbar.documents.listing import Listing, Position, Row
from crossbar.documents.shape import Shape, filter_tag
from crossbar.endpoint.context import Context
from crossbar.endpoint.hooks import RowsHook
from crossbar.endpoint.paging import cut, page_info
from crossbar.endpoint.reply import Reply, Stream
from crossbar.errors import JSON, Plain
from crossbar.wire.list_options import ListOptions, fields, list_options, project
from crossbar.wire.list_options import time_range as requested_range

LARGEST_GATHERED: Final = 1000
"""Rows of a list without pages beyond which they are streamed."""
CHUNK: Final = 500
"""Rows that a streamed list decorates and writes at a time."""

REQUEST_BYTES: Final = 64 * 1024
"""What a request takes before it has read anything, in the reckoning of `request_memory_limit`."""

_POSITION = attrgetter("position")

Render = Callable[[list[bytes]], Awaitable[list[bytes]]]
"""Rows as the store has them → rows as the answer shows them, both as JSON; as many, in the same order."""


async def answer_document(context: Context, document_type: str, document_id: str) -> Reply:
    """A document of the account as it lies in the store. Raises NotFound."""
    return Reply.raw(await context.raw_document(document_type, document_id))


async def answer_listing(
    context: Context,
    document_type: str,
    partition: str | None = None,
    *,
    tag: str | None = None,
    rows_hooks: Sequence[RowsHook] = (),
    time_range: int | None = None,
    ascending: bool = False,
    parameters: Sequence[Parameter] | None = None,
    rename: Callable[[str], str] = str,
    columns: Sequence[str] | None = None,
    whole: bool = False,
) -> Reply:
    """A page of the documents of a type, as the request asks for it.

    `tag` narrows it to one of the type's further listings.
    `time_range` is the longest range in seconds of a listing sorted by time, which takes `created_from` and
    `created_to`. `ascending` is the endpoint's own order where it has one. `parameters` are the filters where they
    are not those of the query string as it is; `rename` maps the key of a filter to the field it stands for.
    `columns` are those of a CSV, which then has every row of the range unless the request limits it.
    With `whole` the rows are the public documents.
    """
    options = options_of(context, ascending=ascending, columns=columns)
    asked = context.query.pairs if parameters is None else parameters
    filters = Filters.parse(asked, ignored=() if time_range is None else TIME_RANGE, rename=rename)
    projection = fields(context.query)
    whole = whole or projection is not None or context.values.is_true("full_docs")
    start, end = bounds(context, options, time_range)
    listing = Listing(
        partition or context.account_id,
        document_type,
        tag=tag or _indexed(context.store.shapes[document_type], asked),
        filters=filters,
        start=start,
        end=end,
        descending=not options.ascending,
        limit=options.page_size,
        view="json" if whole else "row",
    )
    hooks = rows_hooks if projection is None else ()

    async def render(bodies: list[bytes]) -> list[bytes]:
        if projection is not None:
            return [orjson.dumps(project(orjson.loads(body), projection)) for body in bodies]
        return await decorated(context, bodies, hooks)

    if options.page_size is None or (columns and context.wants_csv):
        rows = context.store.stream(listing)
        return await answer_stream(rows, options, render, columns=columns, csv=context.wants_csv)
    page = await context.store.page(listing)
    bodies = page.bodies
    _check_size(bodies, context.config.limits.request_memory_limit)
    first = page.rows[0].position if time_range is not None and bodies else None
    return Reply(json=_array(await render(bodies)), page=page_info(options, len(bodies), page.next, first=first))


def _check_size(bodies: list[bytes], limit: int | None) -> None:
    """A listing must not gather more than the configured size, the request's own share included."""
    if limit is not None and REQUEST_BYTES + sum(map(len, bodies)) > limit:
        raise Plain(416, "range not satisfiable")


def options_of(context: Context, *, ascending: bool = False, columns: Sequence[str] | None = None) -> ListOptions:
    """How the request wants its list cut and ordered; a CSV with known columns has no pages unless it asks for them."""
    options = list_options(context.values, page_size=context.config.api.pagination_page_size, ascending=ascending)
    if columns and context.wants_csv and context.values.get("page_size") is None:
        return replace(options, page_size=None)
    return options


async def answer_stream(
    rows: AsyncIterator[Row],
    options: ListOptions,
    render: Render,
    *,
    columns: Sequence[str] | None = None,
    csv: bool = False,
    timed: bool = False,
) -> Reply:
    """The answer made of the first rows of an iterator, or of all where there are no pages.

    The row after a page tells where the next one begins. A long list without pages becomes a stream, and so does any
    that is wanted as `csv` with `columns`. In a `timed` listing the envelope always names its own start key.
    """
    size = options.page_size
    if size is None:
        gathered = await _take(rows, LARGEST_GATHERED + 1)
        if len(gathered) > LARGEST_GATHERED or (csv and columns):
            return Stream(chunks=_chunks(gathered, rows, render), columns=columns)
        return Reply(json=_array(await render(_bodies(gathered))))
    page, info = cut(await _take(rows, size + 1), options, _POSITION, timed=timed)
    if csv and columns:
        return Stream(chunks=_chunks(page, None, render), columns=columns)
    return Reply(json=_array(await render(_bodies(page))), page=info)


def _bodies(rows: Sequence[Row]) -> list[bytes]:
    return [row.body for row in rows]


async def decorated(context: Context, bodies: list[bytes], hooks: Sequence[RowsHook]) -> list[bytes]:
    """The rows as they lie in the store, or decoded where the endpoint decorates them."""
    if not hooks or not bodies:
        return bodies
    decoded = [orjson.loads(body) for body in bodies]
    for hook in hooks:
        await hook(context, decoded)
    return list(map(orjson.dumps, decoded))


def bounds(context: Context, options: ListOptions, maximum: int | None) -> tuple[Position | None, Position | None]:
    """Where a listing begins and ends in its direction; `maximum` is the longest range of one sorted by time."""
    start = _position(options.start_key)
    end = _position(options.end_key)
    if maximum is None:
        return start, end
    first, last = requested_range(context.values, maximum=maximum)
    oldest, newest = Position.value(first), Position.value(last)
    return (start or oldest, newest) if options.ascending else (start or newest, oldest)


def _indexed(shape: Shape, parameters: Iterable[Parameter]) -> str | None:
    """The tag of the most telling filter that has one. The filter itself is applied all the same."""
    wanted = {name.removeprefix("filter_"): value for name, value in parameters if name.startswith("filter_")}
    for path in shape.filters:
        value = wanted.get(path)
        # A list or a JSON string stands for other texts than its own.
        if isinstance(value, str) and not value.lstrip().startswith(("[", '"')) and (tag := filter_tag(path, value)):
            return tag
    return None


async def _take(rows: AsyncIterator[Row], count: int) -> list[Row]:
    """The next rows, at most `count`."""
    taken: list[Row] = []
    async for row in rows:
        taken.append(row)
        if len(taken) == count:
            break
    return taken


async def _chunks(first: Sequence[Row], rest: AsyncIterator[Row] | None, render: Render) -> AsyncIterator[list[bytes]]:
    for at in range(0, len(first), CHUNK):
        yield await render(_bodies(first[at : at + CHUNK]))
    while rest is not None and (rows := await _take(rest, CHUNK)):
        yield await render(_bodies(rows))


def _array(rows: list[bytes]) -> bytes:
    return b"[%s]" % b",".join(rows)


def _position(key: JSON) -> Position | None:
    """A key of ours names one place; any other is a plain sort key to begin at."""
    if key is None or key == "":
        return None
    if isinstance(key, list):
        return Position.exact(key[0]) if len(key) == 1 and isinstance(key[0], str) else None
    return Position.value(key)
