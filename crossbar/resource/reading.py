"""Reading a request's body within its limits."""

from __future__ import annotations

import asyncio

from aiohttp import web

from crossbar.errors import Plain
from crossbar.wire.body import too_large


async def read_body(request: web.Request, limit: int, patience: float) -> bytes:
    """The whole body. Raises 400 `file.maxSize` past `limit` bytes, and 408 when nothing comes for `patience` s."""
    if request.content_length is not None and request.content_length > limit:
        raise too_large(limit)
    if request.content.is_eof() or request.content.at_eof():
        return request.content.read_nowait() if request.content.total_bytes else b""
    body = bytearray()
    try:
        while True:
            async with asyncio.timeout(patience):
                chunk = await request.content.readany()
            if not chunk:
                return bytes(body)
            body += chunk
            if len(body) > limit:
                raise too_large(limit)
    except TimeoutError as error:
        raise Plain(408, "timeout", {"message": "the request body did not arrive in time"}) from error
