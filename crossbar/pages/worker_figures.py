# SPDX-License-Identifier: MPL-2.0
"""What each worker is busy with at the moment, told to the metrics, and what the system knows of its process."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aiohttp import web

from crossbar.background import in_background
from crossbar.endpoint.dispatcher import Dispatcher
from crossbar.metrics import CONNECTIONS_OPEN, DATABASE_CALLS_UNDER_WAY, METRICS, REQUESTS_UNDER_WAY
from crossbar.runtime import HTTP_RUNNER, Runtime

SECONDS: Final = 1.0
"""How often it is told."""
PROCESSES: Final = Path("/proc")
RESIDENT_PAGES: Final = 1
STARTED_AT: Final = 19
"""Where the start stands in `/proc/<pid>/stat` behind the name, in clock ticks after the system's own."""


@dataclass(frozen=True, slots=True)
class ProcessFacts:
    """A process: bytes of memory, and when it was started (Unix seconds); None where the system does not tell."""

    memory: int | None = None
    started: float | None = None


def process_facts(pid: int) -> ProcessFacts:
    """What the system knows of a process."""
    try:
        pages = int((PROCESSES / str(pid) / "statm").read_text().split()[RESIDENT_PAGES])
        ticks = int((PROCESSES / str(pid) / "stat").read_text().rpartition(")")[2].split()[STARTED_AT])
        booted = next(line for line in (PROCESSES / "stat").read_text().splitlines() if line.startswith("btime "))
    except (OSError, ValueError, IndexError, StopIteration):
        return ProcessFacts()
    started = int(booted.split()[1]) + ticks / os.sysconf("SC_CLK_TCK")
    return ProcessFacts(pages * os.sysconf("SC_PAGE_SIZE"), started)


@asynccontextmanager
async def telling(app: web.Application, runtime: Runtime, dispatcher: Dispatcher) -> AsyncIterator[None]:
    """Tell the metrics as long as this is open."""
    connection, metrics = runtime.store.connection, app[METRICS]
    connection.measured = metrics.database_call

    async def tell() -> None:
        while True:
            metrics.set(CONNECTIONS_OPEN, _connections(app))
            metrics.set(REQUESTS_UNDER_WAY, dispatcher.admission.under_way)
            metrics.set(DATABASE_CALLS_UNDER_WAY, connection.under_way)
            await asyncio.sleep(SECONDS)

    async with in_background(tell(), name="worker figures"):
        yield


def _connections(app: web.Application) -> int:
    runner = app.get(HTTP_RUNNER)
    return len(runner.server.connections) if runner is not None and runner.server is not None else 0
