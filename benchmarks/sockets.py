# SPDX-License-Identifier: MPL-2.0
"""Many sockets on one worker: how late events come, and what a socket costs.

`python -m benchmarks.sockets`: events of calls are raised in the database, as a switch's are, so that the worker does
nothing but relay them and tell its sockets. Of some sockets, in a process of their own, each frame is read and its
time compared; of the others the bytes are counted.
"""

from __future__ import annotations

import asyncio
import base64
import json
import multiprocessing
import os
import shutil
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any, Final, cast

import aiohttp
import click
import uvloop
from rich.console import Console

from benchmarks import table
from benchmarks.databases import database
from benchmarks.servers import Server, cpu_seconds, crossbar
from crossbar import app as application
from crossbar.config import Config
from trials.installation import log_in, resident_mb

READ_EACH: Final = 25
"""Of so many sockets one is read frame by frame."""
AT_ONCE: Final = 100
SETTLE_S: Final = 2.0
COLUMNS: Final = (
    "sockets", "accounts", "events/s each", "frames/s", "p50 ms", "p99 ms", "heard", "lost", "CPU of the worker",
    "s to open", "KB a socket", "MB in all",
)  # fmt: skip
UNLIMITED: Final = {
    "CROSSBAR_BLACKHOLE__PORT": "0",
    "CROSSBAR_BLACKHOLE__MAX_CONNECTIONS_PER_IP": "100000",
}


class Client(asyncio.Protocol):
    """A socket that subscribes to the calls of its account and counts what it is told."""

    def __init__(self, path: str, account_id: str, token: str, late: list[float] | None) -> None:
        self._path, self._account_id, self._token, self._late = path, account_id, token, late
        self._seen = b""
        self.subscribed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.bytes = 0
        self.lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        key = base64.b64encode(os.urandom(16)).decode()
        head = f"GET {self._path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        self._transport.write(f"{head}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        if self.subscribed.done() and self._late is None:
            self.bytes += len(data)
            return
        self._seen += data
        if not self.subscribed.done():
            self._begin()
        if self.subscribed.done() and self._late is not None:
            self._read(time.time())

    def _begin(self) -> None:
        head, end, rest = self._seen.partition(b"\r\n\r\n")
        if end and head.startswith(b"HTTP/1.1 101"):
            self._seen = rest
            wanted = {"account_id": self._account_id, "binding": "call.CHANNEL_CREATE.*"}
            frame = {"action": "subscribe", "auth_token": self._token, "data": wanted}
            text = json.dumps(frame).encode()
            self._transport.write(b"\x81" + bytes([0xFE]) + len(text).to_bytes(2, "big") + bytes(4) + text)
        elif b'"status":"success"' in self._seen:
            self._seen = b""
            self.subscribed.set_result(None)
        elif b'"status":"error"' in self._seen:
            self.subscribed.set_exception(RuntimeError(self._seen.decode(errors="replace")))

    def _read(self, now: float) -> None:
        assert self._late is not None
        while len(self._seen) >= 4:
            size, start = self._seen[1], 2
            if size == 126:
                size, start = int.from_bytes(self._seen[2:4], "big"), 4
            if len(self._seen) < start + size:
                return
            text, self._seen = self._seen[start : start + size], self._seen[start + size :]
            self._late.append(now - json.loads(text)["data"]["raised"])

    def connection_lost(self, _: Exception | None) -> None:
        self.lost = True


async def _listen(port: int, who: Sequence[tuple[str, str]], sockets: int, is_read: bool, pipe: Connection) -> None:
    """Open sockets, say so, and say at the end what they heard: times or bytes, and how many sockets were lost."""
    loop = asyncio.get_running_loop()
    late: list[float] = []
    clients: list[Client] = []
    for start in range(0, sockets, AT_ONCE):
        opened = []
        for number in range(start, min(start + AT_ONCE, sockets)):
            account_id, token = who[number % len(who)]
            client = Client("/v2/websocket", account_id, token, late if is_read else None)
            opened.append(loop.create_connection(lambda client=client: client, "127.0.0.1", port))  # type: ignore[misc]
            clients.append(client)
        await asyncio.gather(*opened)
        await asyncio.gather(*(client.subscribed for client in clients[start:]))
    pipe.send("open")
    ended = asyncio.Event()
    loop.add_reader(pipe.fileno(), ended.set)
    await ended.wait()
    pipe.send((late, sum(client.bytes for client in clients), sum(client.lost for client in clients)))


def listen(*arguments: Any) -> None:
    """A process of clients."""
    uvloop.run(_listen(*arguments))


class Clients:
    """Processes of clients: of those that are read, and of the others."""

    def __init__(self, port: int, who: Sequence[tuple[str, str]], sockets: int) -> None:
        self.read = max(sockets // READ_EACH, 1)
        self._processes: list[SpawnProcess] = []
        self._pipes: list[Connection] = []
        context = multiprocessing.get_context("spawn")
        for number, is_read in ((self.read, True), (sockets - self.read, False)):
            ours, theirs = context.Pipe()
            self._pipes.append(ours)
            self._processes.append(context.Process(target=listen, args=(port, who, number, is_read, theirs)))

    async def open(self) -> None:
        for process in self._processes:
            process.start()
        for pipe in self._pipes:
            await asyncio.to_thread(pipe.recv)

    async def heard(self) -> tuple[list[float], int, int]:
        """How late the frames were that were read, the bytes of the others, and how many sockets were lost."""
        for pipe in self._pipes:
            pipe.send("end")
        (late, _, lost), (_, size, more_lost) = [await asyncio.to_thread(pipe.recv) for pipe in self._pipes]
        return sorted(late), size, lost + more_lost

    def end(self) -> None:
        for process in self._processes:
            if process.pid is not None:
                process.kill()
                process.join()


async def _accounts(server: Server, number: int) -> list[str]:
    async with aiohttp.ClientSession() as session:
        token, master = await log_in(session, server.url)
        made = []
        for one in range(number):
            body = {"data": {"name": f"Account {one}", "realm": f"account{one}.test"}}
            url = f"{server.url}/v2/accounts/{master}"
            async with session.put(url, json=body, headers={"X-Auth-Token": token}) as answer:
                envelope = await answer.json()
                assert answer.status == 201, envelope
                made.append(envelope["data"]["id"])
        return made


async def _raise(config: Config, uri: str, accounts: Sequence[str], rate: float, seconds: float) -> int:
    """Raise events of each account at a steady rate; how many."""
    store = application.open_store(config, uri)
    raised: list[asyncio.Task[None]] = []
    try:
        began, step = time.monotonic(), 1 / (rate * len(accounts))
        for number in range(int(seconds / step)):
            delay = began + number * step - time.monotonic()
            if delay > 0:
                await asyncio.sleep(delay)
            body = {"event_name": "CHANNEL_CREATE", "call_id": f"call{number}", "raised": time.time()}
            account_id = accounts[number % len(accounts)]
            task = store.event_log.raise_event(account_id, "call_event", "CHANNEL_CREATE", body)
            raised.append(asyncio.create_task(task))
        await asyncio.gather(*raised)
    finally:
        await store.close()
    return len(raised)


async def measure(console: Console, folder: Path, *, sockets: int, accounts: int, rate: float, seconds: float) -> None:
    """One run, printed."""
    name = "sockets"
    async with database(1, folder / "mongod") as mongo:
        data = folder / "data"
        async with crossbar(mongo.uri, name, data, 1, UNLIMITED) as server:
            made = await _accounts(server, accounts)
            config = Config.load(None, {}, {"server.data": str(data), "database.name": name, "log.level": "warning"})
            async with application.open_runtime(config, mongo.uri) as runtime:
                issue = runtime.access.tokens.issue
                who = [(one, await issue(one, None, "cb_api_auth", lifetime=36_000)) for one in made]
            (worker,) = server.workers()
            before = resident_mb(worker)
            clients = Clients(server.port, who, sockets)
            try:
                began = time.monotonic()
                await clients.open()
                opening, open_mb = time.monotonic() - began, resident_mb(worker)
                cpu, began = cpu_seconds([worker]), time.monotonic()
                raised = await _raise(config, mongo.uri, made, rate, seconds)
                took = time.monotonic() - began
                await asyncio.sleep(SETTLE_S)
                busy = (cpu_seconds([worker]) - cpu) / took
                after = resident_mb(worker)
                late, size, lost = await clients.heard()
            finally:
                clients.end()
            expected = raised * clients.read / accounts
            row = [
                f"{sockets:,}", f"{accounts}", f"{rate:g}", f"{raised / took * sockets / accounts:,.0f}",
                f"{late[len(late) // 2] * 1000:,.0f}", f"{late[len(late) * 99 // 100] * 1000:,.0f}",
                f"{len(late) / expected:.0%}", f"{lost}", f"{busy:.0%}", f"{opening:.1f}",
                f"{(open_mb - before) * 1024 / sockets:.1f}", f"{after:,.0f}",
            ]  # fmt: skip
            assert size > 0
            table.show(console, COLUMNS, [row], texts=0)


@click.command()
@click.option("--sockets", default=5_000, show_default=True)
@click.option("--accounts", default=50, show_default=True)
@click.option("--rate", default=10.0, show_default=True, help="Events a second of each account.")
@click.option("--seconds", default=10.0, show_default=True)
def main(**options: Any) -> None:
    """Print how late events come, and what the worker needs for it."""
    folder = Path(tempfile.mkdtemp(prefix="crossbar-bench-"))
    try:
        asyncio.run(measure(Console(), folder, **options))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
