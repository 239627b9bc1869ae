# SPDX-License-Identifier: MPL-2.0
"""The servers that are measured, as processes on ports of their own, and what they consume."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from rich.console import Console

from benchmarks.bare_driver import SCHEMA
from trials.installation import PASSWORD, free_port

FASTIFY = Path(__file__).parent / "fastify"
NAMES = ["hello", "bare", "bare-motor", "fastify", "crossbar"]
START_S = 60.0
STOP_S = 15.0


@dataclass(frozen=True)
class Server:
    """A server that answers on `port`; its processes are `pid` and what that has started."""

    name: str
    port: int
    pid: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def workers(self) -> list[int]:
        """The processes that answer; a lone one may be the server itself."""
        below = [pid for pid in descendants(self.pid) if "crossbar.process.worker" in _command(pid)]
        return below or [self.pid]


@asynccontextmanager
async def running(
    name: str, command: Iterable[str], port: int, variables: Mapping[str, str] | None = None, path: str = ""
) -> AsyncIterator[Server]:
    """A process, from its first answer on `port` (to a GET of `path`, if given) until it and its children are ended.

    What it logs is written as in service, to where it disturbs nobody. Ctrl-C does not reach it. RuntimeError, with
    what it said last, if it does not come up.
    """
    kept = {key: value for key, value in os.environ.items() if not key.startswith("CROSSBAR_")}
    with tempfile.TemporaryFile() as log:
        process = await asyncio.create_subprocess_exec(
            *command, env={**kept, **(variables or {})}, stdout=log, stderr=log, start_new_session=True
        )
        try:
            server = Server(name, port, process.pid)
            if not await _until_up(server, path, process):
                log.seek(0)
                raise RuntimeError(f"{name} does not come up: {log.read()[-2000:].decode(errors='replace')}")
            yield server
        finally:
            await _end(process)


async def _until_up(server: Server, path: str, process: asyncio.subprocess.Process) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(START_S), aiohttp.ClientSession() as session:
            while process.returncode is None:
                if await _answers(session, server, path):
                    return True
                await asyncio.sleep(0.02)
    return False


async def _answers(session: aiohttp.ClientSession, server: Server, path: str) -> bool:
    if not path:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", server.port)) == 0
    try:
        async with session.get(server.url + path) as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def _end(process: asyncio.subprocess.Process) -> None:
    """End a process and all that it started: those of its group are told so, and what is left then is killed."""
    started = descendants(process.pid)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        with suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), STOP_S)
    finally:
        for pid in reversed(started):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@asynccontextmanager
async def crossbar(
    uri: str | None, database: str, data: Path, workers: int, variables: Mapping[str, str] | None = None
) -> AsyncIterator[Server]:
    """The server with its whole protocol on, on a database of this name, which is made if it is not there.

    Without a URI it runs a database of its own in the data folder.
    """
    port = free_port()
    settings = {
        "CROSSBAR_DATABASE__NAME": database,
        "CROSSBAR_BUCKETS__TOKEN_COSTS": "0",
        "CROSSBAR_ADMIN_PASSWORD": PASSWORD,
        "CROSSBAR_LOG__LEVEL": "info",
        **({"CROSSBAR_DATABASE__URI": uri} if uri else {}),
        **(variables or {}),
    }
    command = [sys.executable, "-m", "crossbar", "serve", "--create-admin", "--data", str(data)]
    more = ["--workers", str(workers), "--port", str(port)]
    async with running("crossbar", [*command, *more], port, settings, "/readyz") as server:
        yield server


@asynccontextmanager
async def bare(name: str, uri: str, workers: int) -> AsyncIterator[Server]:
    """One of the servers to compare with; those with a database have one of their own name."""
    port = free_port()
    place = [str(port), str(workers)]
    command = {
        "hello": [sys.executable, "-m", "benchmarks.bare_hello", *place],
        "bare": [sys.executable, "-m", "benchmarks.bare_driver", *place, uri, name, "pymongo"],
        "bare-motor": [sys.executable, "-m", "benchmarks.bare_driver", *place, uri, name, "motor"],
        "fastify": ["node", str(FASTIFY / "server.js"), *place, uri, name, str(SCHEMA)],
    }[name]
    async with running(name, command, port, {"NODE_ENV": "production"}) as server:
        yield server


async def install_fastify(console: Console) -> bool:
    """Have Fastify beside us; False, with a line that says why, where that cannot be."""
    installed = FASTIFY / "node_modules" / ".package-lock.json"  # the last that npm writes
    if installed.is_file() and shutil.which("node"):
        return True
    if missing := [program for program in ("node", "npm") if shutil.which(program) is None]:
        console.print(f"Without Fastify: {' and '.join(missing)} not found.")
        return False
    command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"]
    command += ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=60000", "--loglevel=error"]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, cwd=FASTIFY, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
    with ended_with_us(process):
        said = (await process.communicate())[0].decode(errors="replace").strip()
    if process.returncode != 0:
        console.print(f"Without Fastify: npm install failed: {said.partition(chr(10))[0]}", markup=False)
    return process.returncode == 0


def cancelled_by_sigterm() -> None:
    """Let SIGTERM end the running task as Ctrl-C does, so that it ends what it has started."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


@contextmanager
def ended_with_us(process: asyncio.subprocess.Process) -> Iterator[None]:
    """Kill the process if we leave before it has ended."""
    try:
        yield
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()


def descendants(pid: int) -> list[int]:
    """A process and all below it; those that end meanwhile are left out."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in task.read_text().split():
                found += descendants(int(child))
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of processes so far, with that of their children that have ended."""
    ticks = 0
    for pid in pids:
        with suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def _command(pid: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    return ""
