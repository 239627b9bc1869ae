# SPDX-License-Identifier: MPL-2.0
"""Worker processes on one port: real processes, real sockets."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pymongo import AsyncMongoClient

from crossbar.config import Config
from crossbar.process.serving import open_listeners
from crossbar.process.supervisor import Patience, WorkersFailed, database, serve
from crossbar.process.worker import Builder
from tests.stand_in_server import build_app, build_nothing, build_unless_broken

IMPATIENT = Patience(first_delay_s=0.01, longest_delay_s=0.01, steady_s=60.0, attempts=2, stand_in_s=0.01)


class Told(logging.Handler):
    """Hands out what the supervisor logs, as it happens."""

    def __init__(self) -> None:
        super().__init__()
        self._records: asyncio.Queue[logging.LogRecord] = asyncio.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        self._records.put_nowait(record)

    async def next(self, message: str) -> dict[str, Any]:
        """The fields of the next line with this text."""
        while True:
            record = await self._records.get()
            if record.getMessage() == message:
                return vars(record)["fields"]


@pytest.fixture
def told() -> Iterator[Told]:
    logger = logging.getLogger("crossbar.process.supervisor")
    handler = Told()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.removeHandler(handler)


@asynccontextmanager
async def supervised(tmp_path: Path, build: Builder) -> AsyncIterator[str]:
    """The address of a running server; afterwards it is stopped."""
    config = Config.load(
        overrides={"blackhole.port": "0", "server.port": "0", "server.workers": "2", "server.data": str(tmp_path)}
    )
    listeners = open_listeners(config)
    ready = asyncio.Event()
    task = asyncio.create_task(
        serve(build, config, database_uri="mongodb://unused", listeners=listeners, ready=ready.set, patience=IMPATIENT)
    )
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
    try:
        if task.done():
            task.result()
        yield listeners[0].url
    finally:
        task.cancel()
        waiting.cancel()
        with suppress(asyncio.CancelledError, WorkersFailed):
            await task
        listeners[0].socket.close()


@contextmanager
def paused(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    yield
    os.kill(pid, signal.SIGCONT)


async def ask(url: str) -> str:
    """One request on a connection of its own."""
    async with aiohttp.request("GET", url) as response:
        return await response.text()


async def ask_status(url: str) -> int:
    async with aiohttp.request("GET", url) as response:
        return response.status


async def test_workers_share_the_port_and_the_buckets(tmp_path: Path, told: Told) -> None:
    async with supervised(tmp_path, build_app) as url:
        first, second = [(await told.next("worker ready"))["pid"] for _ in range(2)]
        with paused(first):
            assert await ask(f"{url}/pid") == str(second)
            assert await ask(f"{url}/spend") == "99"
        with paused(second):
            assert await ask(f"{url}/pid") == str(first)
            assert await ask(f"{url}/spend") == "98"


async def test_a_worker_that_dies_is_replaced_while_the_other_serves_on(tmp_path: Path, told: Told) -> None:
    async with supervised(tmp_path, build_app) as url:
        first, second = [(await told.next("worker ready"))["pid"] for _ in range(2)]
        os.kill(first, signal.SIGKILL)
        died = await told.next("worker died")
        assert died["status"] == -signal.SIGKILL
        assert int(await ask(f"{url}/pid")) == second
        assert (await told.next("worker ready"))["pid"] not in (first, second)


async def test_stopping_the_server_ends_its_workers(tmp_path: Path, told: Told) -> None:
    async with supervised(tmp_path, build_app) as url:
        workers = [(await told.next("worker ready"))["pid"] for _ in range(2)]
        assert int(await ask(f"{url}/pid")) in workers
    for worker in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)


async def test_workers_that_never_come_up_end_the_server(tmp_path: Path, told: Told) -> None:
    why = r"^no worker comes up, 2 attempts in a row failed: RuntimeError: this application cannot be built$"
    with pytest.raises(WorkersFailed, match=why):
        async with supervised(tmp_path, build_nothing):
            pass


async def test_a_server_that_had_come_up_is_never_given_up(tmp_path: Path, told: Told) -> None:
    """Its workers die more often than a server may fail to start; meanwhile somebody answers, and says why."""
    broken = tmp_path / "broken"
    async with supervised(tmp_path, build_unless_broken) as url:
        workers = [(await told.next("worker ready"))["pid"] for _ in range(2)]
        broken.touch()
        for worker in workers:
            os.kill(worker, signal.SIGKILL)
        for _ in range(2 * IMPATIENT.attempts):
            died = await told.next("worker died")
        assert died["reason"] == "RuntimeError: this application is broken"
        async with aiohttp.ClientSession() as session:
            async with session.get(f"{url}/healthz") as answer:
                assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
                assert await answer.json() == {"status": "failing", "reason": died["reason"]}
            async with session.put(f"{url}/v2/user_auth", json={"data": {}}) as answer:
                assert (answer.status, answer.headers["Connection"]) == (503, "close")
                envelope = await answer.json()
                assert (envelope["status"], envelope["error"], envelope["message"]) == ("error", "503", "no_worker")
        broken.unlink()
        assert (await told.next("worker ready"))["pid"] not in workers
        async with asyncio.timeout(30):
            while (await ask_status(f"{url}/pid")) != 200:
                pass


async def test_the_embedded_database_runs_as_long_as_it_is_needed(tmp_path: Path) -> None:
    config = Config.load(overrides={"server.data": str(tmp_path), "database.embedded_cache_gb": "0.25"})
    async with database(config) as uri:
        async with AsyncMongoClient[dict[str, Any]](uri) as client:
            assert (await client.admin.command("hello"))["isWritablePrimary"]
        running = int((tmp_path / "mongo" / "mongod.pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(running, 0)


async def test_what_fails_above_the_embedded_database_is_told_as_it_is(tmp_path: Path) -> None:
    config = Config.load(overrides={"server.data": str(tmp_path), "database.embedded_cache_gb": "0.25"})
    with pytest.raises(WorkersFailed, match="none"):
        async with database(config):
            raise WorkersFailed("none")


async def test_a_configured_database_is_taken_as_it_is(tmp_path: Path) -> None:
    config = Config.load(overrides={"server.data": str(tmp_path), "database.uri": "mongodb://db.example.com"})
    async with database(config) as uri:
        assert uri == "mongodb://db.example.com"


@pytest.mark.parametrize(("failures", "delay"), [(0, 0.0), (1, 0.5), (2, 1.0), (4, 4.0), (20, 30.0)])
def test_restarts_come_later_and_later(failures: int, delay: float) -> None:
    assert Patience().delay(failures) == delay
