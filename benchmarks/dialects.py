# SPDX-License-Identifier: MPL-2.0
"""What dialects cost requests of Crossbar's own: CPU of a worker, with and without them, for reads, lists and writes.

Both are in this process, with a client of theirs, and take turns round by round; the client's CPU is the same for both.

Usage: python -m benchmarks.dialects
"""

from __future__ import annotations

import statistics
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import orjson
from aiohttp import ClientSession, web

from benchmarks import frame
from crossbar import administration
from crossbar import app as application
from crossbar.config import Config
from crossbar.ids import new_id
from crossbar.shared import BucketTable, Shared, WriteMarks

ROUNDS = 30
REQUESTS = 150
COLUMNS = ["request", "CPU µs without", "CPU µs with", "difference"]
PASSWORD = "a word of the benchmark"


class Side:
    """One server, and what it is asked."""

    def __init__(self, session: ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self._headers: dict[str, str] = {}
        self._root = ""
        self._made = 0
        self.user = self.box = ""

    async def log_in(self, api_key: str) -> None:
        """Get a token by the key of the first account, and make what is read and changed."""
        answer = await self._ask("PUT", "/api_auth", {"api_key": api_key})
        self._headers = {"X-Auth-Token": answer["auth_token"]}
        self._root = f"/accounts/{answer['data']['account_id']}"
        self.user = (await self.create())["data"]["id"]

    async def create(self) -> Any:
        """A new user."""
        self._made += 1
        return await self._ask("PUT", f"{self._root}/users", self._fields())

    async def read(self) -> Any:
        """A user."""
        return await self._ask("GET", f"{self._root}/users/{self.user}")

    async def list(self) -> Any:
        """The first page of users."""
        return await self._ask("GET", f"{self._root}/users")

    async def update(self) -> Any:
        """Another name for a user."""
        self._made += 1
        return await self._ask("POST", f"{self._root}/users/{self.user}", self._fields())

    def _fields(self) -> dict[str, Any]:
        return {"first_name": f"A{self._made}", "last_name": "B", "caller_id": {"internal": {"name": "A"}}}

    async def _ask(self, method: str, path: str, data: Any = None) -> Any:
        body = None if data is None else orjson.dumps({"data": data})
        headers = self._headers | ({"Content-Type": "application/json"} if body else {})
        async with self._session.request(method, self._url + path, data=body, headers=headers) as response:
            answer = orjson.loads(await response.read())
        if response.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer}")
        return answer


@contextmanager
def no_dialects() -> Iterator[None]:
    """Servers that are made meanwhile know of no dialect."""
    nothing = SimpleNamespace(
        SHAPES=(), extended=lambda shape: shape, mount=lambda app: None, open_dispatchers=lambda *parts: None
    )
    with patch.object(application, "dialects", nothing):
        yield


@asynccontextmanager
async def server(folder: Path, uri: str, name: str) -> AsyncIterator[Side]:
    """A server in a database of its own."""
    options = {"server.data": str(folder), "database.name": name, "buckets.token_costs": "0", "log.level": "error"}
    config = Config.load(None, {}, options)
    made = await administration.bootstrap(
        config, database_uri=uri, account="Bench", realm="bench.test", user="root", password=PASSWORD
    )
    shared = Shared(BucketTable(1024), WriteMarks(), new_id())
    runner = web.AppRunner(await application.build_app(config, database_uri=uri, shared=shared), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with ClientSession() as session:
        side = Side(session, f"http://127.0.0.1:{runner.addresses[0][1]}/v2")
        await side.log_in(made.api_key)
        yield side
    await runner.cleanup()


async def measure(folder: Path, uri: str) -> None:
    """Print what each request costs both."""
    async with AsyncExitStack() as stack:
        with no_dialects():
            bare = await stack.enter_async_context(server(folder, uri, "bare"))
        full = await stack.enter_async_context(server(folder, uri, "full"))
        rows = []
        for name in ("read", "list", "create", "update"):
            costs: dict[Side, list[float]] = {bare: [], full: []}
            for number in range(ROUNDS):
                for side in (bare, full) if number % 2 else (full, bare):
                    ask = getattr(side, name)
                    before = time.process_time()
                    for _ in range(REQUESTS):
                        await ask()
                    costs[side].append((time.process_time() - before) / REQUESTS * 1e6)
            one, other = (statistics.median(costs[side]) for side in (bare, full))
            rows.append([f"{name} a user" if name != "list" else "list 50 users", f"{one:,.0f}", f"{other:,.0f}",
                         f"{other - one:+,.0f}"])  # fmt: skip
        frame.report(COLUMNS, rows, "one process, client included")


if __name__ == "__main__":
    frame.run(measure)
