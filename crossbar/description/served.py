# SPDX-License-Identifier: MPL-2.0
"""The description as the server hands it out: made when it is first asked for, and kept as bytes."""

from __future__ import annotations

import asyncio
import hashlib
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any, Final

import orjson
from aiohttp import hdrs, web

from crossbar.description.openapi import openapi
from crossbar.description.postman_collection import collection, environment
from crossbar.description.yaml_text import yaml_text
from crossbar.wire.content_coding import accepts_gzip

Wings = Sequence[ModuleType]


def json_text(description: dict[str, Any]) -> bytes:
    """A description as JSON, indented."""
    return orjson.dumps(description, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


FORMATS: Final[dict[str, Callable[[dict[str, Any]], bytes]]] = {"json": json_text, "yaml": yaml_text}
MEDIA_TYPES: Final = {"json": "application/json", "yaml": "application/yaml"}


def described(wings: Wings, form: str) -> bytes:
    """The description of the wings' API in one of `FORMATS`."""
    return FORMATS[form](openapi(wings))


def collected(wings: Wings) -> bytes:
    """The API as a Postman collection."""
    return json_text(collection(wings))


def environment_text(_: Wings | None = None) -> bytes:
    """The environment of the Postman collection."""
    return json_text(environment())


PATHS: Final[dict[str, tuple[str, Callable[[Wings], bytes]]]] = {
    **{f"/openapi.{form}": (MEDIA_TYPES[form], partial(described, form=form)) for form in FORMATS},
    "/postman.json": (MEDIA_TYPES["json"], collected),
    "/postman_environment.json": (MEDIA_TYPES["json"], environment_text),
}
"""Path → media type, and what makes the text."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text ready to be sent, plain and compressed, with its entity tag."""

    plain: bytes
    compressed: bytes
    etag: str

    @classmethod
    def of(cls, plain: bytes) -> Text:
        """A text, compressed well since that is done once."""
        return cls(plain, zlib.compress(plain, level=9, wbits=31), hashlib.sha256(plain).hexdigest()[:32])


class Descriptions:
    """Answers with the description in all its forms; one worker makes each of them once."""

    def __init__(self, wings: Wings) -> None:
        self._wings = wings
        self._making: dict[str, asyncio.Task[Text]] = {}

    def mount(self, app: web.Application) -> None:
        """Offer it under its paths, to whoever asks."""
        for path in PATHS:
            app.router.add_get(path, self._answer)

    async def _answer(self, request: web.Request) -> web.Response:
        text = await self._text(request.path)
        headers = {
            hdrs.ETAG: f'"{text.etag}"',
            hdrs.CACHE_CONTROL: "no-cache",
            hdrs.VARY: hdrs.ACCEPT_ENCODING,
            hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*",
        }
        if text.etag in request.headers.get(hdrs.IF_NONE_MATCH, ""):
            return web.Response(status=304, headers=headers)
        body = text.plain
        if accepts_gzip(request.headers.get(hdrs.ACCEPT_ENCODING, "")):
            body = text.compressed
            headers[hdrs.CONTENT_ENCODING] = "gzip"
        return web.Response(body=body, headers=headers, content_type=PATHS[request.path][0])

    async def _text(self, path: str) -> Text:
        """The text; whoever asks while it is being made waits for the same one."""
        if path not in self._making:
            self._making[path] = asyncio.create_task(asyncio.to_thread(self._made, path))
        return await asyncio.shield(self._making[path])

    def _made(self, path: str) -> Text:
        return Text.of(PATHS[path][1](self._wings))
