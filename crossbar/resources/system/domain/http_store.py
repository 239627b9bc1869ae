# SPDX-License-Identifier: MPL-2.0
"""The storage handler `http`: any web server that takes uploads.

Source: KAZOO `core/kazoo_attachments/src/kz_att_http.erl`, `kz_att_util.erl`.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import urljoin

import orjson
from aiohttp import ClientError, ClientResponse, ClientSession, MultipartWriter, hdrs
from yarl import URL

from crossbar.documents.document import Document
from crossbar.documents.dry_run import refuse_dry
from crossbar.documents.schemas import ClientUrls
from crossbar.resources.system.domain.file_path import file_path, url_part
from crossbar.resources.system.domain.file_store import LONGEST_BODY, Gathered, OutgoingFile, StoreFailure
from crossbar.resources.system.domain.outgoing_connections import headers_of, readable
from crossbar.wire.form_pairs import form_text

REDIRECTS: Final = frozenset({301, 302, 307, 308})
MOST_REDIRECTS: Final = 10
PIECE_BYTES: Final = 64 * 1024


class HttpStore:
    """A store of kind `http`. `urls` says which URLs a redirect may lead to."""

    def __init__(self, settings: dict[str, Any], session: ClientSession, urls: ClientUrls) -> None:
        self._settings = settings
        self._session = session
        self._urls = urls

    def place(self, file: OutgoingFile, folder: str) -> str:
        """The URL of the file."""
        base = str(self._settings.get("url", "")).rstrip("/")
        return base + ("" if "?" in base else "/") + file_path(self._settings, file, folder, url_part)

    async def write(self, place: str, file: OutgoingFile) -> None:
        """Send it; any 2xx is success."""
        verb = str(self._settings.get("verb", "put")).upper()
        multipart = self._settings.get("send_multipart") is True
        contents = await file.whole() if multipart else b""

        def request() -> dict[str, Any]:
            if multipart:
                return {"data": self._parts(file, contents)}
            headers = {hdrs.CONTENT_TYPE: file.content_type, hdrs.CONTENT_LENGTH: str(file.size)}
            return {"data": file.contents() if file.size else b"", "headers": headers}

        async with self._asked(verb, place, request) as response:
            if not 200 <= response.status < 300:
                raise await _refusal(response)

    async def read(self, place: str, document: Document, largest: int) -> bytes:
        """Fetch it, with what is known of it as query string; only 200 is success."""
        query = form_text(document.at("metadata") or document.public)
        url = place + ("&" if "?" in place else "?") + query if query else place
        async with self._asked("GET", url, dict) as response:
            if response.status != 200:
                raise await _refusal(response)
            gathered = Gathered(largest)
            async for piece in response.content.iter_chunked(PIECE_BYTES):
                gathered.add(piece)
            return gathered.whole

    async def remove(self, place: str) -> None:
        """Nothing: the protocol has no word for it."""

    def _parts(self, file: OutgoingFile, contents: bytes) -> MultipartWriter:
        """The document, then the file."""
        if self._settings.get("base64_encode_data") is True:
            contents = base64.b64encode(contents)
        writer = MultipartWriter("form-data")
        about = writer.append(orjson.dumps(file.document.public), {hdrs.CONTENT_TYPE: "application/json"})
        about.set_content_disposition("form-data", name=file.document.id)
        part = writer.append(contents, {hdrs.CONTENT_TYPE: file.content_type})
        part.set_content_disposition("form-data", name=file.name, filename=file.name)
        return writer

    @asynccontextmanager
    async def _asked(self, verb: str, url: str, request: Any) -> AsyncIterator[ClientResponse]:
        """The answer to a request, redirects followed with the same verb and body."""
        refuse_dry("speaks to another store")
        try:
            for _ in range(MOST_REDIRECTS + 1):
                address = URL(url, encoded=True)
                async with self._session.request(verb, address, allow_redirects=False, **request()) as response:
                    location = response.headers.get(hdrs.LOCATION)
                    if response.status not in REDIRECTS or not location:
                        yield response
                        return
                    url = urljoin(url, location)
                    if not self._urls.allows(url):
                        raise StoreFailure("redirected to a URL that is not allowed", status=response.status, url=url)
            raise StoreFailure("too many redirects", url=url)
        except (ClientError, OSError, ValueError) as error:
            raise StoreFailure(str(error) or type(error).__name__, url=url) from error


async def _refusal(response: ClientResponse) -> StoreFailure:
    body = await response.content.read(LONGEST_BODY)
    return StoreFailure(
        readable(response.reason or str(response.status)),
        status=response.status,
        body=body.decode("utf-8", "replace"),
        url=str(response.url),
        headers=headers_of(response),
    )
