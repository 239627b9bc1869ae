"""Answers as responses: envelope, CSV, file, redirect of none; headers, gzip, ETag.

Source: `api_resource.erl` (`to_json`, `to_csv`, `to_binary`, `generate_etag`), `api_util.erl`.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson
from aiohttp import hdrs, web
from multidict import CIMultiDict

from crossbar.endpoint.context import Context
from crossbar.endpoint.reply import ABSENT, Binary, Reply, Stream
from crossbar.errors import CrossbarError, Empty
from crossbar.ids import new_id
from crossbar.metrics import Metrics
from crossbar.wire import spreadsheet
from crossbar.wire.conditions import check_preconditions, is_conditional
from crossbar.wire.envelope import AUTOMATIC, Envelopes, Exchange, PageInfo, jsonp, pretty
from crossbar.wire.headers import LONG_AGO, answer_headers
from crossbar.wire.negotiation import language, media_type, overriding_media_type
from crossbar.wire.ranges import byte_range
from crossbar.wire.request_values import Values, pretty_print

SMALLEST_GZIP: Final = 300
LARGEST_INLINE_GZIP: Final = 64 * 1024
"""Larger bodies are compressed off the event loop."""


class Rendering:
    """Turns what handlers answer into responses; `compress` is asked for at each of them."""

    def __init__(self, envelopes: Envelopes, metrics: Metrics, *, compress: Callable[[], bool]) -> None:
        self._envelopes = envelopes
        self.metrics = metrics
        self._compress = compress

    @staticmethod
    def negotiate(headers: Mapping[str, str], values: Values, provided: tuple[str, ...]) -> str:
        """The media type of the answer: the option `accept`, else the `Accept` header (406 if none suits)."""
        asked = values.get("accept")
        override = overriding_media_type(asked, provided) if isinstance(asked, str) else None
        return override or media_type(headers.get(hdrs.ACCEPT), provided)

    @staticmethod
    def preflight(request_id: str, cors: Mapping[str, str]) -> web.Response:
        """200 without a body: the browser may ask."""
        return web.Response(headers=answer_headers(request_id, content_type=None, cors=cors))

    def error(
        self,
        error: CrossbarError,
        exchange: Exchange,
        cors: Mapping[str, str],
        values: Values,
        request: web.Request,
    ) -> web.Response:
        """An error envelope. What KAZOO answers without a body gets one too: clients look at the status alone."""
        if isinstance(error, Empty):
            error = CrossbarError(error.status, error.message)
        body = self._envelopes.error(error, exchange)
        if pretty_print(request.headers, values):
            body = pretty(body)
        return web.Response(status=error.status, body=body, headers=answer_headers(exchange.request_id, cors=cors))

    async def success(
        self,
        reply: Reply | Binary,
        context: Context,
        exchange: Exchange,
        cors: Mapping[str, str] | None,
    ) -> web.StreamResponse:
        """The response for what a handler answered."""
        if isinstance(reply, Binary):
            return await self._binary(reply, context, exchange, cors)
        if isinstance(reply, Stream):
            if context.wants_csv and reply.columns:
                return await self._sheet_stream(reply, reply.columns, context, exchange, cors)
            if not context.wants_csv and _may_stream(context):
                return await self._json_stream(reply, context, exchange, cors)
            reply.json = b"[%s]" % b",".join([row async for rows in reply.chunks for row in rows])
        if context.wants_csv and (sheet := self._sheet(reply, context, exchange, cors)):
            return sheet
        return await self._json(reply, context, exchange, cors)

    async def _json_stream(
        self, reply: Stream, context: Context, exchange: Exchange, cors: Mapping[str, str] | None
    ) -> web.StreamResponse:
        """The envelope around the rows, as they come."""
        revision = new_id()
        headers = answer_headers(
            exchange.request_id,
            language=language(context.request.headers.get(hdrs.ACCEPT_LANGUAGE)),
            cors=cors,
            etag=revision,
            expires=LONG_AGO,
        )
        head, tail = self._envelope(reply, b"[]", revision, exchange).split(b"[]", 1)
        response = self._streamed(context, headers)
        await response.prepare(context.request)
        await response.write(head + b"[")
        separator = b""
        async for rows in reply.chunks:
            await response.write(separator + b",".join(rows))
            separator = b","
        await response.write_eof(b"]" + tail)
        return response

    async def _sheet_stream(
        self,
        reply: Stream,
        columns: Sequence[str],
        context: Context,
        exchange: Exchange,
        cors: Mapping[str, str] | None,
    ) -> web.StreamResponse:
        """The rows as CSV, as they come; without any row 204."""
        chunks = reply.chunks
        first = await anext(chunks, None)
        if first is None:
            return web.Response(status=204, headers=answer_headers(exchange.request_id, content_type=None, cors=cors))
        name = spreadsheet.file_name(context.request.headers, context.values, "result.csv")
        headers = answer_headers(exchange.request_id, content_type="text/csv", cors=cors)
        headers[hdrs.CONTENT_DISPOSITION] = spreadsheet.attachment(name)
        sheet = spreadsheet.Sheet(columns)
        response = self._streamed(context, headers)
        await response.prepare(context.request)
        await response.write(sheet.head + sheet.rows(map(orjson.loads, first)))
        async for rows in chunks:
            await response.write(sheet.rows(map(orjson.loads, rows)))
        await response.write_eof()
        return response

    def _streamed(self, context: Context, headers: CIMultiDict[str]) -> web.StreamResponse:
        """A response whose body comes in pieces, compressed if the client likes that."""
        response = web.StreamResponse(headers=headers)
        if self._compress() and "gzip" in context.request.headers.get(hdrs.ACCEPT_ENCODING, ""):
            response.enable_compression(web.ContentCoding.gzip)
        return response

    async def _json(
        self, reply: Reply, context: Context, exchange: Exchange, cors: Mapping[str, str] | None
    ) -> web.StreamResponse:
        data = reply.json if reply.json is not None else None if reply.data is ABSENT else orjson.dumps(reply.data)
        revision = reply.revision
        if revision is None and data is not None and data[:1] == b"[" and data != b"[]":
            # A listing's entity tag never matches a later one, as the envelope's time is part of it.
            revision = new_id() if context.verb == "GET" else AUTOMATIC
        reading = context.verb == "GET"
        headers = answer_headers(
            exchange.request_id,
            language=language(context.request.headers.get(hdrs.ACCEPT_LANGUAGE)),
            cors=cors,
            etag=revision if reading else None,
            expires=LONG_AGO if reading else None,
            location=reply.location,
        )
        headers.update(reply.headers)
        conditional = reading and is_conditional(context.request.headers)
        if conditional and check_preconditions(context.request.headers, "GET", revision):
            headers.popall(hdrs.CONTENT_TYPE, None)
            return web.Response(status=304, headers=headers)
        body = self._envelope(reply, data, revision, exchange)
        if pretty_print(context.request.headers, context.values):
            body = pretty(body)
        if callback := context.values.text("jsonp"):
            body = jsonp(body, callback)
        status = reply.status or (201 if context.request.method == "PUT" or reply.location else 200)
        return await self._send(status, body, headers, context)

    def _envelope(self, reply: Reply, data: bytes | None, revision: str | None, exchange: Exchange) -> bytes:
        if not reply.envelope:
            return self._envelopes.success(data, exchange, revision=revision)
        extra = dict(reply.envelope)
        page_size = extra.pop("page_size", None)
        page = None
        if page_size is not None:
            page = PageInfo(page_size, extra.pop("start_key", None), extra.pop("next_start_key", None))
        if "auth_token" in extra:
            exchange = exchange._replace(auth_token=extra.pop("auth_token"))
        metadata = extra.pop("metadata", None)
        return self._envelopes.success(data, exchange, revision=revision, page=page, metadata=metadata, extra=extra)

    async def _send(self, status: int, body: bytes, headers: Any, context: Context) -> web.StreamResponse:
        if (
            self._compress()
            and len(body) > SMALLEST_GZIP
            and "gzip" in context.request.headers.get(hdrs.ACCEPT_ENCODING, "")
        ):
            body = _gzip(body) if len(body) < LARGEST_INLINE_GZIP else await asyncio.to_thread(_gzip, body)
            headers[hdrs.CONTENT_ENCODING] = "gzip"
        return web.Response(status=status, body=body, headers=headers)

    def _sheet(
        self, reply: Reply, context: Context, exchange: Exchange, cors: Mapping[str, str] | None
    ) -> web.Response | None:
        """The rows of a listing as CSV; None for an answer that has none."""
        rows = orjson.loads(reply.json) if reply.json is not None else reply.data
        if not isinstance(rows, list):
            return None
        headers = answer_headers(exchange.request_id, content_type="text/csv", cors=cors)
        if not rows:
            headers.popall(hdrs.CONTENT_TYPE)
            return web.Response(status=204, headers=headers)
        name = spreadsheet.file_name(context.request.headers, context.values)
        headers[hdrs.CONTENT_DISPOSITION] = spreadsheet.attachment(name)
        return web.Response(body=spreadsheet.render(rows), headers=headers)

    @staticmethod
    async def _binary(
        reply: Binary, context: Context, exchange: Exchange, cors: Mapping[str, str] | None
    ) -> web.StreamResponse:
        headers = answer_headers(
            exchange.request_id, content_type=reply.content_type, cors=cors, etag=reply.revision, expires=LONG_AGO
        )
        if reply.disposition or reply.filename:
            headers[hdrs.CONTENT_DISPOSITION] = reply.disposition or spreadsheet.attachment(reply.filename or "")
        headers[hdrs.X_CONTENT_TYPE_OPTIONS] = "nosniff"  # what was uploaded as a sound is not looked at as a page
        headers.update(reply.headers)
        conditional = context.verb == "GET" and is_conditional(context.request.headers)
        if conditional and check_preconditions(context.request.headers, "GET", reply.revision):
            headers.popall(hdrs.CONTENT_TYPE, None)
            return web.Response(status=304, headers=headers)
        if isinstance(reply.body, bytes):
            body, status = reply.body, reply.status
            if span := byte_range(context.request.headers.get(hdrs.RANGE), len(body)):
                body, status = body[span.first : span.last + 1], span.status
                headers.update(span.headers)
            return web.Response(status=status, body=body, headers=headers)
        response = web.StreamResponse(status=reply.status, headers=headers)
        response.content_length = reply.size
        await response.prepare(context.request)
        async for chunk in reply.body:
            await response.write(chunk)
        await response.write_eof()
        return response


def _may_stream(context: Context) -> bool:
    """Whether the envelope can be written before all rows are known: nothing is asked of it as a whole."""
    headers = context.request.headers
    return not (is_conditional(headers) or pretty_print(headers, context.values) or context.values.text("jsonp"))


def _gzip(body: bytes) -> bytes:
    return zlib.compress(body, level=1, wbits=31)
