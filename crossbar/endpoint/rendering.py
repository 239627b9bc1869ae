# SPDX-License-Identifier: MPL-2.0
"""Answers as responses: envelope, CSV or file, with headers, compression and entity tag.

Source: `api_resource.erl` (`to_json`, `to_csv`, `to_binary`, `generate_etag`), `api_util.erl`.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator, Sequence
from http import HTTPStatus
from typing import Any, Final

import orjson
from aiohttp import hdrs, web
from multidict import CIMultiDict

from crossbar.endpoint.context import Context
from crossbar.endpoint.reply import ABSENT, Absent, Binary, Reply, Stream
from crossbar.endpoint.whole_response import WholeResponse
from crossbar.errors import CrossbarError, Empty
from crossbar.ids import new_id
from crossbar.metrics import Metrics
from crossbar.wire import spreadsheet
from crossbar.wire.conditions import check_preconditions, is_conditional
from crossbar.wire.content_coding import accepts_gzip
from crossbar.wire.disposition import content_disposition
from crossbar.wire.envelope import AUTOMATIC, Envelopes, Exchange, jsonp, pretty
from crossbar.wire.headers import LONG_AGO, answer_headers, cors_headers
from crossbar.wire.json_text import json_text
from crossbar.wire.negotiation import language
from crossbar.wire.ranges import byte_range
from crossbar.wire.request_values import line_end, pretty_print

SMALLEST_GZIP: Final = 300
LARGEST_INLINE_GZIP: Final = 64 * 1024
"""Larger bodies are compressed off the event loop."""
RETRY_AFTER_S: Final = "5"
"""When a client may ask again while the database is away or too much is asked for."""
NO_TOKENS_SPENT: Final = (0, 100)
"""What the envelope says of the caller's token bucket before it is known whose it is."""


class Rendering:
    """Turns what handlers answer, and errors, into responses."""

    def __init__(self, envelopes: Envelopes, metrics: Metrics) -> None:
        self.envelopes = envelopes
        self.metrics = metrics

    @staticmethod
    def preflight(context: Context) -> web.Response:
        """200 without a body: the browser may ask."""
        return web.Response(headers=answer_headers(context.request_id, content_type=None, cors=context.cors))

    def error(self, error: CrossbarError, context: Context) -> web.Response:
        """An error envelope. What KAZOO answers without a body gets one too: clients look at the status alone."""
        if isinstance(error, Empty):
            error = CrossbarError(error.status, error.message)
        body = self.envelopes.error(error, _exchange(context))
        if pretty_print(context.request.headers, context.values):
            body = pretty(body)
        body += line_end(context.request.headers)
        cors = context.cors or cors_headers(context.methods, context.requested_method)
        headers = answer_headers(context.request_id, cors=cors)
        if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers[hdrs.RETRY_AFTER] = RETRY_AFTER_S
        return WholeResponse(status=error.status, body=body, headers=headers)

    async def success(self, reply: Reply | Binary, context: Context) -> web.StreamResponse:
        """The response for what a handler answered."""
        response = _Response(context, self.envelopes)
        if isinstance(reply, Binary):
            return await response.binary(reply)
        if isinstance(reply, Stream):
            if context.wants_csv and reply.columns:
                return await response.sheet_stream(reply, reply.columns)
            if not context.wants_csv and response.may_stream:
                return await response.json_stream(reply)
            reply.json = b"[%s]" % b",".join([row async for rows in reply.chunks for row in rows])
        if context.wants_csv and (sheet := response.sheet(reply)) is not None:
            return sheet
        return await response.json(reply)


def _exchange(context: Context) -> Exchange:
    """What the envelope repeats about the request, and what the caller may still spend."""
    echo = context.presented.echo if context.presented else None
    tokens = NO_TOKENS_SPENT
    if context.client_ip:
        costs = context.runtime.access.costs
        tokens = (costs.cost(context), costs.remaining(context))
    return Exchange(context.request_id, echo, context.caller is not None, tokens)


class _Response:
    """The response to one request, in one of the forms that it can have."""

    __slots__ = ("_accepts_gzip", "_context", "_envelopes", "_sent")

    def __init__(self, context: Context, envelopes: Envelopes) -> None:
        self._context = context
        self._envelopes = envelopes
        self._sent = context.request.headers
        coding = self._sent.get(hdrs.ACCEPT_ENCODING)
        self._accepts_gzip = bool(coding and context.config.server.compress_response_body and accepts_gzip(coding))

    # JSON

    async def json(self, reply: Reply) -> web.Response:
        """The envelope, or 304 where the client has it already."""
        context = self._context
        reading = context.verb == "GET"
        data = reply.json if reply.json is not None else None if reply.data is ABSENT else json_text(reply.data)
        revision = reply.revision
        if revision is None and data is not None and data[:1] == b"[" and data != b"[]":
            # A listing's entity tag never matches a later one, as the envelope's time is part of it.
            revision = new_id() if reading else AUTOMATIC
        headers = self._headers(
            language=language(self._sent.get(hdrs.ACCEPT_LANGUAGE)),
            etag=revision if reading else self._written(reply),
            expires=LONG_AGO if reading else None,
            location=reply.location,
        )
        if reply.headers:
            headers.update(reply.headers)
        if self._is_unchanged(revision):
            return self._not_modified(headers)
        body = self._envelope(reply, data, revision)
        if pretty_print(self._sent, context.values):
            body = pretty(body)
        if callback := context.values.text("jsonp"):
            body = jsonp(body, callback)
        status = reply.status or (201 if context.request.method == "PUT" or reply.location else 200)
        return await self._whole(status, body + line_end(self._sent), headers)

    def _written(self, reply: Reply) -> str | None:
        """The entity tag of the document that a change leaves behind."""
        return None if self._context.verb == "DELETE" or reply.revision == AUTOMATIC else reply.revision

    @property
    def may_stream(self) -> bool:
        """Whether the envelope can be written before all rows are known: nothing is asked of it as a whole."""
        values = self._context.values
        return not (is_conditional(self._sent) or pretty_print(self._sent, values) or values.text("jsonp"))

    async def json_stream(self, reply: Stream) -> web.StreamResponse:
        """The envelope around the rows, as they come."""
        revision = new_id()
        headers = self._headers(
            language=language(self._sent.get(hdrs.ACCEPT_LANGUAGE)), etag=revision, expires=LONG_AGO
        )
        head, tail = self._envelope(reply, b"[]", revision).split(b"[]", 1)

        async def pieces() -> AsyncIterator[bytes]:
            yield head + b"["
            separator = b""
            async for rows in reply.chunks:
                yield separator + b",".join(rows)
                separator = b","
            yield b"]" + tail + line_end(self._sent)

        return await self._streamed(web.StreamResponse(headers=headers), pieces(), compressible=True)

    def _envelope(self, reply: Reply, data: bytes | None, revision: str | None) -> bytes:
        exchange = _exchange(self._context)
        if not isinstance(reply.auth_token, Absent):
            exchange = exchange._replace(auth_token=reply.auth_token)
        return self._envelopes.success(
            data, exchange, revision=revision, page=reply.page, metadata=reply.metadata, extra=reply.extra
        )

    # CSV

    def sheet(self, reply: Reply) -> web.Response | None:
        """The rows of a listing as CSV, without any row 204; None for an answer that has none."""
        rows = orjson.loads(reply.json) if reply.json is not None else reply.data
        if not isinstance(rows, list):
            return None
        if not rows:
            return self._no_rows()
        name = spreadsheet.file_name(self._sent, self._context.values)
        return web.Response(body=spreadsheet.render(rows), headers=self._sheet_headers(name))

    async def sheet_stream(self, reply: Stream, columns: Sequence[str]) -> web.StreamResponse:
        """The rows as CSV, as they come; without any row 204."""
        first = await anext(reply.chunks, None)
        if first is None:
            return self._no_rows()
        sheet = spreadsheet.Sheet(columns)

        async def pieces() -> AsyncIterator[bytes]:
            yield sheet.head + sheet.rows(map(orjson.loads, first))
            async for rows in reply.chunks:
                yield sheet.rows(map(orjson.loads, rows))

        name = spreadsheet.file_name(self._sent, self._context.values, "result.csv")
        response = web.StreamResponse(headers=self._sheet_headers(name))
        return await self._streamed(response, pieces(), compressible=True)

    def _no_rows(self) -> web.Response:
        return web.Response(status=204, headers=self._headers(content_type=None))

    def _sheet_headers(self, name: str) -> CIMultiDict[str]:
        headers = self._headers(content_type=spreadsheet.CSV_TYPE)
        headers[hdrs.CONTENT_DISPOSITION] = content_disposition(name, quoted=True)
        return headers

    # Files

    async def binary(self, reply: Binary) -> web.StreamResponse:
        """A file, a part of it, or 304 where the client has it already."""
        headers = self._headers(content_type=reply.content_type, etag=reply.revision, expires=LONG_AGO)
        if reply.disposition or reply.filename:
            named = reply.disposition or content_disposition(reply.filename or "", quoted=True)
            headers[hdrs.CONTENT_DISPOSITION] = named
        headers[hdrs.X_CONTENT_TYPE_OPTIONS] = "nosniff"  # what was uploaded as a sound is not looked at as a page
        headers.update(reply.headers)
        if self._is_unchanged(reply.revision):
            return self._not_modified(headers)
        if isinstance(reply.body, bytes):
            body, status = reply.body, reply.status
            if span := byte_range(self._sent.get(hdrs.RANGE), len(body)):
                body, status = body[span.first : span.last + 1], span.status
                headers.update(span.headers)
            return web.Response(status=status, body=body, headers=headers)
        response = web.StreamResponse(status=reply.status, headers=headers)
        response.content_length = reply.size
        return await self._streamed(response, reply.body, compressible=False)

    # What the forms share

    def _headers(self, **special: Any) -> CIMultiDict[str]:
        return answer_headers(self._context.request_id, cors=self._context.cors, **special)

    def _is_unchanged(self, revision: str | None) -> bool:
        """Whether a conditional GET has this revision; raises 412 where its conditions fail."""
        if self._context.verb != "GET" or not is_conditional(self._sent):
            return False
        return check_preconditions(self._sent, "GET", revision)

    @staticmethod
    def _not_modified(headers: CIMultiDict[str]) -> web.Response:
        headers.popall(hdrs.CONTENT_TYPE, None)
        return web.Response(status=304, headers=headers)

    async def _whole(self, status: int, body: bytes, headers: CIMultiDict[str]) -> web.Response:
        if self._accepts_gzip and len(body) > SMALLEST_GZIP:
            body = _gzip(body) if len(body) < LARGEST_INLINE_GZIP else await asyncio.to_thread(_gzip, body)
            headers[hdrs.CONTENT_ENCODING] = "gzip"
        return WholeResponse(status=status, body=body, headers=headers)

    async def _streamed(
        self, response: web.StreamResponse, pieces: AsyncIterator[bytes], *, compressible: bool
    ) -> web.StreamResponse:
        if compressible and self._accepts_gzip:
            response.enable_compression(web.ContentCoding.gzip)
        await response.prepare(self._context.request)
        async for piece in pieces:
            await response.write(piece)
        await response.write_eof()
        return response


def _gzip(body: bytes) -> bytes:
    return zlib.compress(body, level=1, wbits=31)
