# SPDX-License-Identifier: MPL-2.0
"""The API as the example office is built with it: real requests to a worker's application, on a socket of its own.

What the office consists of is as valid as what any client sends, since it goes the same way. Nothing runs in the
background of this worker: mail, tasks and deliveries are left to servers.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import orjson
from aiohttp import ClientSession, UnixConnector, web

from crossbar import app
from crossbar.config import Config
from crossbar.ids import new_id
from crossbar.process.serving import http_runner
from crossbar.resources.calls.media.domain.media_file import MEDIA_CONVERTER, media_converter
from crossbar.runtime import Runtime
from crossbar.shared import BucketTable, Shared, WriteMarks

LIFETIME_S: Final = 90 * 86_400
"""Of tokens: the office lives through a month in a few seconds."""


BOUNDARY: Final = b"----the-example-office"


class DemoRefused(Exception):
    """The API did not take something; the message says what and why."""


@dataclass(frozen=True, slots=True)
class DemoApi:
    """The API as one caller sees it, with paths from `/v2` on."""

    session: ClientSession
    token: str
    runtime: Runtime
    application: web.Application

    async def send(self, verb: str, path: str, data: Any = None, **query: str) -> Any:
        """Send `data`; the answer's. Raises DemoRefused."""
        body = orjson.dumps({"data": {} if data is None else data, "accept_charges": True})
        return await self._send(verb, path, query, data=body, headers={"Content-Type": "application/json"})

    async def send_raw(self, verb: str, path: str, body: bytes, content_type: str, **query: str) -> Any:
        """Send a body as it is; the answer's `data`."""
        return await self._send(verb, path, query, data=body, headers={"Content-Type": content_type})

    async def send_file(self, path: str, data: Any, contents: bytes, content_type: str) -> Any:
        """Send `data` together with a file; the answer's `data`."""
        name = f"file.{content_type.rpartition('/')[2]}"
        head = f'Content-Type: {content_type}\r\nContent-Disposition: form-data; name="file"; filename="{name}"'
        parts = (
            b"Content-Type: application/json\r\n\r\n" + orjson.dumps({"data": data}),
            head.encode() + b"\r\n\r\n" + contents,
        )
        body = b"".join(b"--%s\r\n%s\r\n" % (BOUNDARY, part) for part in parts) + b"--%s--\r\n" % BOUNDARY
        return await self.send_raw("POST", path, body, f"multipart/mixed; boundary={BOUNDARY.decode()}")

    async def get(self, path: str, **query: str) -> Any:
        """The `data` of a GET."""
        return await self._send("GET", path, query, headers={})

    def acting(self, token: str) -> DemoApi:
        """The same API as another caller."""
        return replace(self, token=token)

    async def token_of(self, account_id: str, user_id: str) -> str:
        """A token as a log-in would hand it out."""
        return await self.runtime.access.tokens.issue(account_id, user_id, "cb_user_auth", lifetime=LIFETIME_S)

    async def _send(self, verb: str, path: str, query: dict[str, str], *, headers: dict[str, str], **body: Any) -> Any:
        sent = {**headers, "X-Auth-Token": self.token}
        async with self.session.request(verb, f"http://demo/v2{path}", params=query, headers=sent, **body) as response:
            envelope = orjson.loads(await response.read())
            if response.status >= 400:
                raise DemoRefused(f"{verb} {path}: {response.status} {envelope.get('message')} {envelope.get('data')}")
            return envelope.get("data")


@asynccontextmanager
async def demo_api(config: Config, database_uri: str) -> AsyncIterator[DemoApi]:
    """The API as the master account's administrator, whose requests nothing limits."""
    unlimited = replace(config, buckets=replace(config.buckets, token_costs=0))
    shared = Shared(BucketTable(app.LEAST_SLOTS), WriteMarks(), new_id())
    application = await app.build_app(unlimited, database_uri=database_uri, shared=shared, lifespans=(media_converter,))
    runner = http_runner(application, unlimited)
    await runner.setup()
    try:
        with tempfile.TemporaryDirectory(prefix="crossbar-") as folder:
            socket = Path(folder) / "api"
            await web.UnixSite(runner, str(socket)).start()
            async with ClientSession(connector=UnixConnector(str(socket))) as session:
                yield DemoApi(session, "", application[app.RUNTIME], application)
    finally:
        await runner.cleanup()


def converter_of(api: DemoApi) -> Any:
    """What converts sounds in the application."""
    return api.application[MEDIA_CONVERTER]
