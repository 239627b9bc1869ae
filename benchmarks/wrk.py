# SPDX-License-Identifier: MPL-2.0
"""Load from `wrk`: requests that each name their own path, token and body, and what came of them."""

from __future__ import annotations

import asyncio
import random
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from benchmarks.servers import Server, cpu_seconds, descendants, ended_with_us

SCRIPT = Path(__file__).parent / "load.lua"


@dataclass(frozen=True)
class Request:
    """One line of the script's file; `path` is all that follows the port."""

    path: str
    token: str = ""
    body: str = ""


@dataclass(frozen=True)
class Load:
    """Requests of one method to repeat, in a file; `refused` says that each is to be answered with an error."""

    method: str
    file: Path
    count: int
    refused: bool = False

    @classmethod
    def of(cls, method: str, requests: Sequence[Request], file: Path, *, refused: bool = False) -> Load:
        """Write the requests to the file."""
        file.write_text("".join(f"{one.path}\t{one.token}\t{one.body}\n" for one in requests))
        return cls(method, file, len(requests), refused)


@dataclass(frozen=True)
class Measured:
    """One run: requests a second, milliseconds, CPU microseconds a request, and answers that are not as they should."""

    rate: float
    p50: float
    p99: float
    cpu: float
    database_cpu: float
    requests: int
    errors: int

    @property
    def all_cpu(self) -> float:
        return self.cpu + self.database_cpu


async def run(load: Load, server: Server, database: Iterable[int], seconds: float, connections: int) -> Measured:
    """Repeat the requests, beginning somewhere, and measure all sides. `database` are the processes of the `mongod`s.

    `seconds` are whole ones, one at least.
    """
    script = [str(SCRIPT), server.url, "--", load.method, str(load.file), str(random.randrange(load.count))]
    duration = f"-d{max(seconds, 1):.0f}s"
    command = ["wrk", "-t1", f"-c{connections}", duration, "--latency", "--timeout", "30s", "-s", *script]
    database = list(database)
    server_before, database_before = cpu_seconds(descendants(server.pid)), cpu_seconds(database)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    with ended_with_us(process):
        output = (await process.communicate())[0].decode()
    if process.returncode != 0:
        raise RuntimeError(f"wrk ended with {process.returncode}: {output}")
    used = cpu_seconds(descendants(server.pid)) - server_before
    used_there = cpu_seconds(database) - database_before
    figures = orjson.loads(output.rpartition("JSON ")[2])
    count = figures["requests"]
    wrong = count - figures["refused"] if load.refused else figures["refused"]
    micros = 1e6 / max(count, 1)
    return Measured(
        count / figures["seconds"],
        figures["p50"],
        figures["p99"],
        used * micros,
        used_there * micros,
        count,
        wrong + figures["failed"],
    )


def median(runs: Sequence[Measured]) -> Measured:
    """The median of each figure; of requests and errors the sum."""
    keys = ("rate", "p50", "p99", "cpu", "database_cpu")
    medians = (statistics.median(getattr(one, key) for one in runs) for key in keys)
    return Measured(*medians, sum(one.requests for one in runs), sum(one.errors for one in runs))
