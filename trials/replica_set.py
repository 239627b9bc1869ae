# SPDX-License-Identifier: MPL-2.0
"""A replica set of three members on this machine, whose primary can be killed."""

from __future__ import annotations

import asyncio
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from crossbar.documents.mongod_binary import find_mongod
from trials.installation import PATIENCE_S, free_port

MEMBERS: Final = 3


@dataclass
class ReplicaSet:
    """Three `mongod` on ports of their own; `election_ms` is how long a silent primary is waited for (10 s usually).

    `cache_gb` is the WiredTiger cache of each.
    """

    folder: Path
    election_ms: int = 10_000
    cache_gb: float = 0.25
    ports: list[int] = field(default_factory=lambda: [free_port() for _ in range(MEMBERS)])
    _processes: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def uri(self) -> str:
        """Where the set is."""
        return f"mongodb://{','.join(f'127.0.0.1:{port}' for port in self.ports)}/?replicaSet=trial"

    @property
    def pids(self) -> list[int]:
        """The members' processes."""
        return [process.pid for process in self._processes.values()]

    async def start(self) -> None:
        """Start the members and wait until there is a primary."""
        for port in self.ports:
            self._launch(port)
        for port in self.ports:
            async with AsyncMongoClient[dict[str, Any]](f"mongodb://127.0.0.1:{port}/?directConnection=true") as member:
                await member.admin.command("ping")
        members = [{"_id": number, "host": f"127.0.0.1:{port}"} for number, port in enumerate(self.ports)]
        settings = {"electionTimeoutMillis": self.election_ms}
        async with AsyncMongoClient[dict[str, Any]](
            f"mongodb://127.0.0.1:{self.ports[0]}/?directConnection=true"
        ) as one:
            await one.admin.command("replSetInitiate", {"_id": "trial", "members": members, "settings": settings})
        await self.primary()

    async def primary(self, *, other_than: int | None = None) -> int:
        """The port of the primary, as soon as there is one."""
        async with asyncio.timeout(PATIENCE_S), AsyncMongoClient[dict[str, Any]](self.uri) as client:
            while True:
                with suppress(PyMongoError):
                    found = int((await client.admin.command("hello"))["primary"].rpartition(":")[2])
                    if found != other_than:
                        return found
                await asyncio.sleep(0.2)

    async def kill_primary(self) -> None:
        """Kill the primary, wait for another, and start the killed one again as a secondary."""
        port = await self.primary()
        self._processes[port].send_signal(signal.SIGKILL)
        self._processes[port].wait()
        await self.primary(other_than=port)
        self._launch(port)

    async def lose_majority(self) -> None:
        """Kill the primary and one more member for good, once all have the same; returns when both have ended."""
        async with AsyncMongoClient[dict[str, Any]](self.uri, w=MEMBERS) as client:  # the last one has seen all then
            await client.trial.marks.insert_one({})
        primary = await self.primary()
        for port in (primary, next(port for port in self.ports if port != primary)):
            self._processes[port].kill()
            self._processes[port].wait()

    async def step_down(self) -> None:
        """Let the primary hand over."""
        port = await self.primary()
        async with AsyncMongoClient[dict[str, Any]](f"mongodb://127.0.0.1:{port}/?directConnection=true") as client:
            with suppress(PyMongoError):
                await client.admin.command("replSetStepDown", 5)

    def stop(self) -> None:
        """End all members."""
        for process in self._processes.values():
            process.kill()
            process.wait()

    def _launch(self, port: int) -> None:
        data = self.folder / f"member-{port}"
        data.mkdir(parents=True, exist_ok=True)
        command = [str(find_mongod()), "--replSet=trial", f"--dbpath={data}", f"--port={port}", "--bind_ip=127.0.0.1"]
        more = ["--nounixsocket", "--quiet", f"--wiredTigerCacheSizeGB={self.cache_gb}", "--oplogSize=256"]
        with (self.folder / f"member-{port}.log").open("ab") as log:
            self._processes[port] = subprocess.Popen([*command, *more], stdout=log, stderr=log)
