# SPDX-License-Identifier: MPL-2.0
"""Reading the bodies of requests within their limits."""

from __future__ import annotations

import asyncio
from typing import Final

from aiohttp import hdrs, web

from crossbar.endpoint.admission import overloaded
from crossbar.errors import CrossbarError, Empty, Invalid, Plain
from crossbar.wire import content_coding
from crossbar.wire.body import too_large

SLOWEST: Final = 1024
"""Bytes a second that a body brings at least, once the patience with it has been used up."""
LARGEST_AT_A_TIME: Final = 32
"""So many bodies of the largest size may be on their way in together; many more small ones."""
LARGEST_INLINE: Final = 2048
"""Larger bodies are decompressed off the event loop: they may become a thousand times as large."""


class Unreadable(Exception):
    """A body that cannot be read to its end, `answer` says why; nothing more is read from the connection."""

    def __init__(self, answer: CrossbarError) -> None:
        super().__init__(str(answer))
        self.answer = answer


class BodyReader:
    """All bodies that are on their way in, of which nobody knows yet who sends them."""

    def __init__(self) -> None:
        self._held = 0

    async def read(self, request: web.Request, limit: int, patience: float) -> bytes:
        """The whole body, decompressed.

        Raises 400 `file.maxSize` past `limit` bytes, 408 when nothing comes for `patience` s or too little in a longer
        time, 503 when all bodies together are too many bytes; Unreadable for one that cannot be decoded.
        """
        body = await self._received(request, limit, patience)
        coding = request.headers.get(hdrs.CONTENT_ENCODING)
        if coding is None or not content_coding.is_coded(coding) or not body:
            return body
        try:
            if len(body) > LARGEST_INLINE:
                return await asyncio.to_thread(content_coding.decoded, body, coding, limit)
            return content_coding.decoded(body, coding, limit)
        except content_coding.Overlong:
            raise too_large(limit) from None
        except content_coding.UnknownCoding:
            raise Unreadable(Empty(415, "unsupported media type")) from None
        except content_coding.Undecodable as error:
            text = "the request body cannot be decoded"
            raise Unreadable(Invalid.field("body", "invalid", text, target="body")) from error

    async def _received(self, request: web.Request, limit: int, patience: float) -> bytes:
        if request.content_length is not None and request.content_length > limit:
            raise too_large(limit)
        body = bytearray()
        try:
            if request.content.is_eof() or request.content.at_eof():
                return request.content.read_nowait() if request.content.total_bytes else b""
            await self._gather(request, body, limit, patience)
        except TimeoutError as error:
            raise Plain(408, "timeout", {"message": "the request body did not arrive in time"}) from error
        except web.RequestPayloadError as error:  # its chunks or its length are not what they say
            text = "the request body cannot be decoded"
            raise Unreadable(Invalid.field("body", "invalid", text, target="body")) from error
        finally:
            self._held -= len(body)
        return bytes(body)

    async def _gather(self, request: web.Request, body: bytearray, limit: int, patience: float) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        while True:
            async with asyncio.timeout_at(min(began + len(body) / SLOWEST, loop.time()) + patience):
                chunk = await request.content.readany()
            if not chunk:
                return
            body += chunk
            self._held += len(chunk)
            if len(body) > limit:
                raise too_large(limit)
            if self._held > limit * LARGEST_AT_A_TIME:
                raise overloaded()
