# SPDX-License-Identifier: MPL-2.0
"""What events cost, and how soon they come: `python -m benchmarks.events`.

On one server with two workers, everything on one machine:

1. *Latency*: menus are created at a steady rate while a stream of the account's events is read; told is the time from
   a request's answer to its event, and the CPU time of workers and database for a request, with and without listeners.
2. *Deliveries*: forty webhooks of ten accounts have a backlog, then their server begins to answer; told is how many
   requests a second it gets until the last, and the CPU time of the workers for one.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
import click
import orjson
from rich.console import Console

from benchmarks.frame import machine, mongod, scratch_folder
from benchmarks.servers import Server, cancelled_by_sigterm, cpu_seconds, crossbar
from benchmarks.table import show
from trials.installation import free_port, log_in

ACCOUNTS: Final = 10
HOOKS: Final = 4
CONNECTIONS: Final = 32
PATIENCE_S: Final = 60.0


class Receiver(asyncio.Protocol):
    """A server that counts requests with a body and answers 200, as cheaply as can be, once it is open."""

    opened = False
    waiting: Final[list[asyncio.Transport]] = []
    times: Final[list[float]] = []

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A connection is there."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Bytes of a request came."""
        self._data += data
        head, found, body = self._data.partition(b"\r\n\r\n")
        if not found or len(body) < int(head.lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0]):
            return
        self._data = b""
        assert self._transport is not None
        if self.opened:
            self.answer(self._transport)
        else:
            self.waiting.append(self._transport)

    @classmethod
    def answer(cls, transport: asyncio.Transport) -> None:
        """Answer one request."""
        cls.times.append(time.monotonic())
        transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    @classmethod
    def open(cls) -> None:
        """Answer from now on."""
        cls.opened = True
        for transport in cls.waiting:
            cls.answer(transport)


class Load:
    """Requests of one user of the master account."""

    def __init__(self, session: aiohttp.ClientSession, url: str, token: str, account_id: str) -> None:
        self.account_id = account_id
        self._session = session
        self._url = f"{url}/v2/accounts"
        self._headers = {"X-Auth-Token": token}

    async def put(self, path: str, data: dict[str, Any]) -> str:
        """The id of what was created below `accounts`."""
        body = orjson.dumps({"data": data})
        headers = {**self._headers, "Content-Type": "application/json"}
        async with self._session.put(f"{self._url}/{path}", data=body, headers=headers) as answer:
            raw = await answer.read()
            if answer.status != 201:
                raise RuntimeError(f"{path}: {answer.status} {raw[:300]!r}")
            return str(orjson.loads(raw)["data"]["id"])

    async def steady(self, rate: int, seconds: float) -> dict[str, float]:
        """Create menus at a rate; when each was answered, by id."""
        answered: dict[str, float] = {}

        async def create(at: float, number: int) -> None:
            await asyncio.sleep(at - time.monotonic())
            menu_id = await self.put(f"{self.account_id}/menus", {"name": f"Menu {number}"})
            answered[menu_id] = time.monotonic()

        began = time.monotonic() + 0.1
        await asyncio.gather(*(create(began + number / rate, number) for number in range(int(rate * seconds))))
        return answered

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[dict[str, float]]:
        """When the event of each document came, while the block runs."""
        heard: dict[str, float] = {}
        headers = {**self._headers, "Accept": "text/event-stream"}
        url = f"{self._url}/{self.account_id}/events"
        async with self._session.get(url, headers=headers, timeout=aiohttp.ClientTimeout(total=None)) as answer:
            await answer.content.readline()

            async def read() -> None:
                async for line in answer.content:
                    if line.startswith(b"data: "):
                        heard[orjson.loads(line[6:])["data"]["id"]] = time.monotonic()

            reading = asyncio.create_task(read())
            yield heard
            reading.cancel()


async def _latency(server: Server, load: Load, database: list[int], rate: int, seconds: float) -> list[list[str]]:
    rows = []
    for listens in (False, True):
        before = cpu_seconds(server.workers()), cpu_seconds(database)
        if listens:
            async with load.listening() as heard:
                answered = await load.steady(rate, seconds)
                async with asyncio.timeout(PATIENCE_S):
                    while answered.keys() - heard.keys():  # noqa: ASYNC110 - nothing announces it
                        await asyncio.sleep(0.05)
            late = sorted(1000 * max(heard[one] - answered[one], 0.0) for one in answered)
            told = [f"{statistics.median(late):.1f}", f"{late[int(len(late) * 0.99)]:.1f}", f"{late[-1]:.1f}"]
        else:
            answered, told = await load.steady(rate, seconds), ["", "", ""]
        after = cpu_seconds(server.workers()), cpu_seconds(database)
        costs = [f"{(end - begin) * 1e6 / len(answered):,.0f}" for begin, end in zip(before, after, strict=True)]
        rows.append(["a stream" if listens else "nobody", str(len(answered)), *told, *costs])
    return rows


async def _deliveries(server: Server, load: Load, port: int, writes: int) -> list[str]:
    hook = {"name": "Bench", "uri": f"http://127.0.0.1:{port}/", "hook": "object", "format": "json"}
    hook |= {"custom_data": {"type": "all", "action": "all"}}
    accounts = []
    for number in range(ACCOUNTS):
        name = {"name": f"Bench {number}", "realm": f"bench{number}.test"}
        accounts.append(await load.put(load.account_id, name))
        for _ in range(HOOKS):
            await load.put(f"{accounts[-1]}/webhooks", hook)
    limit = asyncio.Semaphore(CONNECTIONS)

    async def create(number: int) -> None:
        async with limit:
            await load.put(f"{accounts[number % ACCOUNTS]}/menus", {"name": f"Menu {number}"})

    await asyncio.gather(*(create(number) for number in range(writes)))
    expected = writes * HOOKS
    await asyncio.sleep(3)
    before, began = cpu_seconds(server.workers()), time.monotonic()
    Receiver.open()
    async with asyncio.timeout(PATIENCE_S):
        while len(Receiver.times) < expected:  # noqa: ASYNC110 - nothing announces it
            await asyncio.sleep(0.05)
    took = Receiver.times[-1] - began
    cost = (cpu_seconds(server.workers()) - before) * 1e6 / expected
    return [f"{len(Receiver.times):,}", f"{took:.1f}", f"{expected / took:,.0f}", f"{cost:,.0f}"]


async def measure(rate: int, seconds: float, writes: int) -> None:
    """Measure and print; whatever was started is ended, also on Ctrl-C and SIGTERM."""
    cancelled_by_sigterm()
    console = Console(width=140)
    console.print(machine("2 workers"))
    with scratch_folder() as folder:
        async with mongod(folder) as uri:
            await _both(console, folder, uri, rate=rate, seconds=seconds, writes=writes)


async def _both(console: Console, folder: Path, uri: str, *, rate: int, seconds: float, writes: int) -> None:
    database = [int((folder / "mongo" / "mongod.pid").read_text())]
    variables = {"CROSSBAR_SECURITY__BLOCKED_HOSTS": "blocked.test"}
    connector = aiohttp.TCPConnector(limit=CONNECTIONS + 1)
    async with (
        crossbar(uri, "bench-events", folder / "data", 2, variables) as server,
        aiohttp.ClientSession(connector=connector) as session,
    ):
        load = Load(session, server.url, *await log_in(session, server.url))
        await load.steady(rate, 2)
        rows = await _latency(server, load, database, rate, seconds)
        columns = ["listens", "creates", "p50 ms", "p99 ms", "most ms", "CPU µs workers", "CPU µs mongod"]
        show(console, columns, rows, texts=1)
        port = free_port()
        listening = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", port)
        row = await _deliveries(server, load, port, writes)
        show(console, ["deliveries", "seconds", "a second", "CPU µs workers"], [row], texts=0)
        listening.close()


@click.command()
@click.option("--rate", default=500, show_default=True, help="Creates a second.")
@click.option("--seconds", default=10.0, show_default=True, help="How long.")
@click.option("--writes", default=2_500, show_default=True, help="Changes, of each of which four webhooks are told.")
def main(*, rate: int, seconds: float, writes: int) -> None:
    """Print how soon events come, and how many deliveries a second there are."""
    asyncio.run(measure(rate, seconds, writes))


if __name__ == "__main__":
    main()
