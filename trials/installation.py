# SPDX-License-Identifier: MPL-2.0
"""A server as an operator runs it, and the processes of it that can be killed."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import aiohttp

PASSWORD: Final = "the password of a trial"
PATIENCE_S: Final = 90.0
"""How long a server may take to serve again after a kill."""


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Installation:
    """`crossbar serve` on a folder and a port of its own, started again whenever one asks."""

    folder: Path
    workers: int = 2
    settings: Mapping[str, str] = field(default_factory=dict)
    """Further configuration, as environment variables without their prefix."""
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where its API is."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it and wait until it serves."""
        settings = {"BUCKETS__TOKEN_COSTS": "0", "LOG__LEVEL": "error", "DATABASE__EMBEDDED_CACHE_GB": "0.25"}
        variables = {f"CROSSBAR_{name}": value for name, value in {**settings, **self.settings}.items()}
        kept = {name: value for name, value in os.environ.items() if not name.startswith("CROSSBAR_")}
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "server.log").open("ab") as log:
            place = ["--port", str(self.port), "--workers", str(self.workers), "--data", str(self.folder)]
            self._process = subprocess.Popen(  # noqa: ASYNC220 - a moment
                [sys.executable, "-m", "crossbar", "serve", *place, "--create-admin"],
                env={**kept, "PYTHONPATH": os.pathsep.join(sys.path), "CROSSBAR_ADMIN_PASSWORD": PASSWORD, **variables},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        await self.ready()

    async def stop(self) -> None:
        """Stop it as an operator does."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            await asyncio.to_thread(self._process.wait)

    async def ready(self) -> None:
        """Wait until it is ready to serve; AssertionError if that takes too long, or it has ended."""
        async with asyncio.timeout(PATIENCE_S), aiohttp.ClientSession() as session:
            while True:
                assert self._process is not None
                if self._process.poll() is not None:
                    log = (self.folder / "server.log").read_text(errors="replace")
                    raise AssertionError(f"the server has ended with {self._process.returncode}: {log[-2000:]}")
                with suppress(aiohttp.ClientError):
                    async with session.get(f"{self.url}/readyz") as answer:
                        if answer.status == 200:
                            return
                await asyncio.sleep(0.05)

    # What can be killed

    def kill_worker(self) -> None:
        """Kill one worker, as the kernel does when memory runs out."""
        if workers := self.workers_running():
            with suppress(ProcessLookupError):
                os.kill(random.choice(workers), signal.SIGKILL)

    def kill_database(self) -> None:
        """Kill the embedded database."""
        pid = (self.folder / "mongo" / "mongod.pid").read_text().strip()
        if pid:  # else it is just being started
            with suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)

    async def kill_all(self) -> None:
        """Kill the whole server at once, as a power cut does, and start it again."""
        assert self._process is not None
        victims = [*self.workers_running(), self._process.pid]
        with suppress(FileNotFoundError, ValueError):
            victims.append(int((self.folder / "mongo" / "mongod.pid").read_text()))
        for pid in victims:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        await asyncio.to_thread(self._process.wait)
        await self.start()

    def workers_running(self) -> list[int]:
        """The process ids of the workers."""
        assert self._process is not None
        command = ["pgrep", "-P", str(self._process.pid), "-f", "crossbar.process.worker"]
        found = subprocess.run(command, capture_output=True, check=False)
        return [int(pid) for pid in found.stdout.split()]

    def worker(self) -> int:
        """The process id of a worker; a lone one may be the server itself."""
        assert self._process is not None
        return next(iter(self.workers_running()), self._process.pid)

    def memory_mb(self) -> dict[int, float]:
        """The resident memory of each worker, in MB."""
        return {pid: resident_mb(pid) for pid in self.workers_running()}


def resident_mb(pid: int) -> float:
    """The resident memory of a process, in MB; 0 where it has ended."""
    with suppress(FileNotFoundError, ProcessLookupError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    return 0.0


async def log_in(session: aiohttp.ClientSession, url: str) -> tuple[str, str]:
    """The administrator's token, and the id of the master account."""
    credentials = hashlib.md5(f"admin:{PASSWORD}".encode()).hexdigest()
    body = {"data": {"credentials": credentials, "account_name": "Master"}}
    async with session.put(f"{url}/v2/user_auth", json=body) as answer:
        envelope: dict[str, Any] = await answer.json()
        assert answer.status == 201, envelope
        return envelope["auth_token"], envelope["data"]["account_id"]
