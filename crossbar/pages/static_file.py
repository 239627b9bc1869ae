# SPDX-License-Identifier: MPL-2.0
"""A file that is served as it is: its type, entity tag and compressed form."""

from __future__ import annotations

import asyncio
import hashlib
import mimetypes
import zlib
from collections.abc import Mapping
from typing import Final

from aiohttp import hdrs, web

from crossbar.wire.conditions import check_preconditions
from crossbar.wire.content_coding import accepts_gzip

SMALLEST_GZIP: Final = 300
UNKNOWN_TYPE: Final = "application/octet-stream"
FOR_EVER: Final = "public, max-age=31536000, immutable"
"""For an address under which there will never be anything else."""
ASK_AGAIN: Final = "no-cache"
"""Kept, but asked for each time whether it is still the same."""
_TEXTS: Final = frozenset(
    {
        "application/javascript",
        "application/json",
        "application/manifest+json",
        "application/xml",
        "image/svg+xml",
        "application/wasm",
    }
)
_TYPES: Final = {".js": "text/javascript", ".mjs": "text/javascript", ".map": "application/json", ".hbs": "text/plain"}


def content_type_of(name: str) -> str:
    """The media type of a file by the ending of its name; texts are in UTF-8."""
    ending = name[name.rfind(".") :].lower() if "." in name else ""
    found = _TYPES.get(ending) or mimetypes.guess_type(name)[0] or UNKNOWN_TYPE
    return f"{found}; charset=utf-8" if found.startswith("text/") else found


def is_compressible(content_type: str) -> bool:
    """Whether a file of this type becomes smaller by compressing it."""
    return content_type.startswith("text/") or content_type in _TEXTS


class StaticFile:
    """The contents of a file."""

    __slots__ = ("_gzipped", "body", "content_type", "etag")

    def __init__(self, body: bytes, content_type: str) -> None:
        self.body = body
        self.content_type = content_type
        self.etag = hashlib.sha256(body).hexdigest()[:20]
        self._gzipped: bytes | None = None

    @property
    def size(self) -> int:
        """Bytes that it keeps in memory."""
        return len(self.body) + len(self._gzipped or b"")

    async def answer(
        self, request: web.Request, *, keep: str, headers: Mapping[str, str] | None = None, compress: bool = True
    ) -> web.Response:
        """The response, or 304 where the client has it already; `keep` is the `Cache-Control`.

        `compress` says whether it may be compressed for a client that accepts that.
        """
        compressible = compress and len(self.body) > SMALLEST_GZIP and is_compressible(self.content_type)
        gzip = compressible and accepts_gzip(request.headers.get(hdrs.ACCEPT_ENCODING, ""))
        etag = f"{self.etag}-gzip" if gzip else self.etag
        whole: dict[str, str] = {
            hdrs.ETAG: f'"{etag}"',
            hdrs.CACHE_CONTROL: keep,
            hdrs.X_CONTENT_TYPE_OPTIONS: "nosniff",
        }
        whole[hdrs.VARY] = f"{hdrs.ACCEPT_ENCODING}, {hdrs.ACCEPT}"
        whole |= headers or {}
        if hdrs.IF_NONE_MATCH in request.headers and check_preconditions(
            {hdrs.IF_NONE_MATCH: request.headers[hdrs.IF_NONE_MATCH]}, "GET", etag
        ):
            return web.Response(status=304, headers=whole)
        whole[hdrs.CONTENT_TYPE] = self.content_type
        if gzip:
            whole[hdrs.CONTENT_ENCODING] = "gzip"
            return web.Response(body=await self._compressed(), headers=whole)
        return web.Response(body=self.body, headers=whole)

    async def _compressed(self) -> bytes:
        if self._gzipped is None:
            self._gzipped = await asyncio.to_thread(zlib.compress, self.body, 6, 31)
        return self._gzipped
