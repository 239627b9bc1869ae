"""The description as the server hands it out: made when it is first asked for, and kept as bytes."""

from __future__ import annotations

import asyncio
import hashlib
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Final

import orjson
from aiohttp import hdrs, web

from crossbar.description.openapi import openapi
from crossbar.description.yaml_text import yaml_text

JSON_PATH: Final = "/openapi.json"
YAML_PATH: Final = "/openapi.yaml"


def json_text(description: dict[str, Any]) -> bytes:
    """A description as JSON, indented."""
    return orjson.dumps(description, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


FORMATS: Final[dict[str, Callable[[dict[str, Any]], bytes]]] = {"json": json_text, "yaml": yaml_text}
MEDIA_TYPES: Final = {"json": "application/json", "yaml": "application/yaml"}


def described(wings: Sequence[ModuleType], form: str) -> bytes:
    """The description of the wings' API in one of `FORMATS`."""
    return FORMATS[form](openapi(wings))


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
    """Answers with the description in both formats; one worker makes each of them once."""

    def __init__(self, wings: Sequence[ModuleType]) -> None:
        self._wings = wings
        self._making: dict[str, asyncio.Task[Text]] = {}

    def mount(self, app: web.Application) -> None:
        """Offer it under its paths, to whoever asks."""
        app.router.add_get(JSON_PATH, self._json)
        app.router.add_get(YAML_PATH, self._yaml)

    async def _json(self, request: web.Request) -> web.Response:
        return await self._answer(request, "json")

    async def _yaml(self, request: web.Request) -> web.Response:
        return await self._answer(request, "yaml")

    async def _answer(self, request: web.Request, form: str) -> web.Response:
        text = await self._text(form)
        headers = {
            hdrs.ETAG: f'"{text.etag}"',
            hdrs.CACHE_CONTROL: "no-cache",
            hdrs.VARY: hdrs.ACCEPT_ENCODING,
            hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: "*",
        }
        if text.etag in request.headers.get(hdrs.IF_NONE_MATCH, ""):
            return web.Response(status=304, headers=headers)
        body = text.plain
        if "gzip" in request.headers.get(hdrs.ACCEPT_ENCODING, ""):
            body = text.compressed
            headers[hdrs.CONTENT_ENCODING] = "gzip"
        return web.Response(body=body, headers=headers, content_type=MEDIA_TYPES[form])

    async def _text(self, form: str) -> Text:
        """The text; whoever asks while it is being made waits for the same one."""
        if form not in self._making:
            self._making[form] = asyncio.create_task(asyncio.to_thread(self._made, form))
        return await asyncio.shield(self._making[form])

    def _made(self, form: str) -> Text:
        return Text.of(described(self._wings, form))
