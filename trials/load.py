# SPDX-License-Identifier: MPL-2.0
"""Bodies made to cost much: what they take of a worker's time and memory while others ask for `/healthz`."""

from __future__ import annotations

import asyncio
import io
import tempfile
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Final

import aiohttp
import orjson
from yarl import URL

from trials.installation import Installation, log_in, resident_mb

AT_A_TIME: Final = 8
ROUNDS: Final = 3
SLOWEST_MS: Final = 100.0
"""How long `/healthz` may take while the bodies are worked on."""
LARGEST_MB: Final = 300.0
"""How much memory a worker may take."""
ASKED_EVERY_S: Final = 0.005

Bodies = Mapping[str, tuple[str, bytes, int]]
"""By name: the collection it is put into, the body, and the status it gets."""


@dataclass
class Load:
    """What the requests with one body cost."""

    name: str
    statuses: Counter[int] = field(default_factory=Counter)
    health_ms: list[float] = field(default_factory=list)
    seconds: float = 0.0
    peak_mb: float = 0.0
    left_mb: float = 0.0
    expected: int = 200

    @property
    def is_fine(self) -> bool:
        """Whether the answers were those wanted, and nobody else was kept waiting."""
        answered = set(self.statuses) == {self.expected}
        return answered and max(self.health_ms) < SLOWEST_MS and self.peak_mb < LARGEST_MB


def bodies() -> Bodies:
    """Bodies beyond the limits and up to them."""
    good = {"name": "load", "mac": "aa:bb:cc:dd:ee:ff"}
    return {
        "7 MB of 900,000 small objects": ("skels", b'{"data":{"x":[' + b'{"a":1},' * 900_000 + b"1]}}", 400),
        "24,000 empty objects": ("skels", b'{"data":{"name":"a","x":[' + b"{}," * 24_000 + b"1]}}", 201),
        "24,000 small objects": ("skels", b'{"data":{"name":"a","x":[' + b'{"a":1},' * 24_000 + b"1]}}", 201),
        "49,000 members": ("skels", _json({"name": "a", **{f"m{i}": i for i in range(49_000)}}), 201),
        "49,000 wrong items": ("devices", _json({**good, "flags": list(range(49_000))}), 400),
        "24,000 wrong members": ("devices", _json({**good, "sip": {f"m{i}": {} for i in range(24_000)}}), 201),
        "49,000 unique items": ("devices", _json({**good, "media": {"audio": {"codecs": ["PCMU"] * 49_000}}}), 400),
        "16,000 unlike objects": ("lists", _json({"name": "a", "entries": [{"a": i} for i in range(16_000)]}), 201),
        "a form of 7 MB": ("skels", b"a=1&" * 1_750_000, 400),
        "a text of 7 MB": ("skels", _json({"name": "a", "x": '[{,"' * 1_750_000})[:7_900_000], 400),
    }


async def run() -> AsyncIterator[Load]:
    """Send each body several times at a time to a server with one worker."""
    async with _serving() as installation, aiohttp.ClientSession() as session:
        worker = installation.worker()
        token, account_id = await log_in(session, installation.url)
        for name, (noun, body, expected) in bodies().items():
            load = Load(name, expected=expected)
            url = f"{installation.url}/v2/accounts/{account_id}/{noun}"
            began = time.monotonic()
            ended = threading.Event()
            watch = asyncio.create_task(asyncio.to_thread(_watch, URL(installation.url), worker, load, ended))
            for _ in range(ROUNDS):
                await asyncio.gather(*(_send(session, url, token, body, load) for _ in range(AT_A_TIME)))
            load.seconds = time.monotonic() - began
            ended.set()
            await watch
            load.left_mb = resident_mb(worker)
            yield load


def _json(data: object) -> bytes:
    return orjson.dumps({"data": data})


@asynccontextmanager
async def _serving() -> AsyncIterator[Installation]:
    with tempfile.TemporaryDirectory(prefix="crossbar-trials-") as place:
        installation = Installation(Path(place) / "data", workers=1)
        try:
            await installation.start()
            yield installation
        finally:
            await installation.stop()


async def _send(session: aiohttp.ClientSession, url: str, token: str, body: bytes, load: Load) -> None:
    is_form = not body.startswith(b"{")
    content_type = "application/x-www-form-urlencoded" if is_form else "application/json"
    headers = {"X-Auth-Token": token, "Content-Type": content_type}
    async with session.put(url, data=io.BytesIO(body), headers=headers) as answer:
        await answer.read()
        load.statuses[answer.status] += 1


def _watch(url: URL, worker: int, load: Load, ended: threading.Event) -> None:
    """Ask for `/healthz` again and again, and look at the worker's memory; in a thread, apart from who sends."""
    connection = HTTPConnection(url.host or "", url.port)
    while not ended.wait(ASKED_EVERY_S):
        began = time.monotonic()
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        load.health_ms.append((time.monotonic() - began) * 1000)
        load.peak_mb = max(load.peak_mb, resident_mb(worker))
    connection.close()
