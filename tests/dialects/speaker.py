# SPDX-License-Identifier: MPL-2.0
"""A client of a dialect: plain JSON, no envelope."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import ClientSession
from yarl import URL

from tests.harness import ABSENT, RawAnswer, Verbs

UNKNOWN = 999_999_999
JSON = "application/json"
ACCEPT = {"Accept": JSON}


@dataclass(frozen=True)
class Told(RawAnswer):
    """An answer."""

    @property
    def json(self) -> Any:
        """The body."""
        assert self.headers["Content-Type"].startswith(JSON), self.headers
        return orjson.loads(self.raw)

    @property
    def is_empty(self) -> bool:
        return self.raw == b""

    @property
    def number(self) -> int:
        """The integer at the end of `Location`."""
        return int(self.headers["Location"].rpartition("/")[2])


@dataclass
class Speaker(Verbs[Told]):
    """One caller of a dialect at `base`."""

    session: ClientSession
    base: str
    token: str | None = None
    headers: dict[str, str] = field(default_factory=lambda: {"Accept": JSON})

    async def request(
        self,
        method: str,
        path: str,
        json: Any = ABSENT,
        *,
        headers: Mapping[str, str | None] | None = None,
        query: Mapping[str, Any] | None = None,
        body: bytes | None = None,
    ) -> Told:
        """Send a request; a header that is None is not sent."""
        sent: dict[str, str | None] = dict(self.headers)
        if self.token is not None:
            sent["X-Auth-Token"] = self.token
        if json is not ABSENT:
            body = orjson.dumps(json)
            sent["Content-Type"] = JSON
        sent |= headers or {}
        kept = {name: value for name, value in sent.items() if value is not None}
        skipped = [name for name in ("Accept", "Content-Type") if name not in kept]
        url = URL(self.base + path, encoded=True).update_query(dict(query or {}))
        async with self.session.request(
            method, url, data=body, headers=kept, skip_auto_headers=skipped, allow_redirects=False
        ) as response:
            return Told(response.status, response.headers, await response.read())

    async def made(self, path: str, json: Any) -> int:
        """The number of what is created."""
        created = await self.post(path, json)
        assert created.status == 201, created.raw
        return created.number

    async def read(self, path: str) -> Any:
        """What is there."""
        read = await self.get(path)
        assert read.status == 200, read.raw
        return read.json

    def acting(self, token: str | None) -> Speaker:
        """The same client with another token."""
        return Speaker(self.session, self.base, token, self.headers)


def basic(name: str, password: str) -> dict[str, str]:
    """The header of a name and a password."""
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}
