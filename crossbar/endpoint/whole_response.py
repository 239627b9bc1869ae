# SPDX-License-Identifier: MPL-2.0
"""A response that is known whole, written in one piece."""

from __future__ import annotations

from typing import Final

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.helpers import rfc822_formatted_time

LARGEST: Final = 64 * 1024
"""Larger bodies take the way on which a slow client is waited for."""


_CONTROL: Final = bytes({*range(32), 127} - {9})


class WholeResponse(web.Response):
    """As `web.Response`, at a third of the cost for what most responses are.

    That is a body of a few kilobytes for a client of HTTP/1.1 that keeps its connection; aiohttp writes all others.
    """

    _written = False

    @property
    def prepared(self) -> bool:
        """Whether the head is on its way."""
        return self._written or super().prepared

    @property
    def keep_alive(self) -> bool | None:
        """Whether the connection stays open."""
        return self._written or super().keep_alive

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Write head and body; raises ConnectionResetError when the client has gone."""
        body = self.body
        if (
            not isinstance(body, bytes)
            or len(body) > LARGEST
            or self.status < 200
            or self.status in (204, 304)
            or request.version != HttpVersion11
            or request.method == hdrs.METH_HEAD
            or not request.keep_alive
            or super().keep_alive is False
            or super().prepared
        ):
            return await super().prepare(request)
        head = [f"HTTP/1.1 {self.status} {self.reason}"]
        head += [f"{name}: {value}" for name, value in self.headers.items()]
        head += [f"Content-Length: {len(body)}", f"Date: {rfc822_formatted_time()}"]
        text = "\r\n".join(head).encode()
        line_ends = 2 * (len(head) - 1)
        if len(text) - len(text.translate(None, _CONTROL)) != line_ends or hdrs.CONTENT_LENGTH in self.headers:
            return await super().prepare(request)  # which refuses a line end within a header
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the client has gone")
        self._written = True
        transport.write(b"%s\r\n\r\n%s" % (text, body))
        # Who asks and asks without reading the answers does not get them all into our memory.
        await request.writer.drain()
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Write the end, where that is still to be done."""
        if not self._written:
            await super().write_eof(data)
