# SPDX-License-Identifier: MPL-2.0
"""How long a server with data takes to its first answer, and whether a worker's memory grows while it serves.

Fills a data folder of a server with an embedded database, starts the server several times, then sends it requests of
all kinds and looks at its one worker's memory every so often.

Usage: python -m benchmarks.memory [--documents 100000] [--requests 1000000] [--every 100000] [--starts 5]
"""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from benchmarks import wrk
from benchmarks.crowd import Crowd, fill
from benchmarks.databases import database
from benchmarks.frame import scratch_folder
from benchmarks.latency import Caller, Client
from benchmarks.operations import operations
from benchmarks.servers import Server, cancelled_by_sigterm, crossbar
from benchmarks.table import show

ACCOUNTS = 100
LARGE = 10_000
SLICE_SECONDS = 3.0
DATABASE = "crossbar"


@dataclass(frozen=True)
class Sample:
    """A worker's memory in MB after so many requests: what is resident, and its share of that."""

    requests: int
    resident: float
    share: float


def memory(pid: int, requests: int) -> Sample:
    """The memory of a process now."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    sizes = {name: int(size.split()[0]) / 1024 for name, _, size in (line.partition(":") for line in lines)}
    return Sample(requests, sizes["Rss"], sizes["Pss"])


async def start_times(folder: Path, crowd: Crowd, count: int) -> list[float]:
    """Seconds from the start of the command to the first answer with a document; the token is one from before."""
    taken = []
    for _ in range(count):
        began = time.monotonic()
        async with crossbar(None, DATABASE, folder, 1) as server:
            with Client(server) as client:
                Caller(client, crowd).calls()["GET one"]()
            taken.append(time.monotonic() - began)
    return taken


async def growth(
    server: Server, loads: list[wrk.Load], *, requests: int, every: int, connections: int, progress: Progress
) -> list[Sample]:
    """The worker's memory before, every so many requests, and at the end."""
    task = progress.add_task("requests", total=requests)
    worker = server.workers()[0]
    samples, sent, errors = [memory(worker, 0)], 0, 0
    for load in cycle(loads):
        measured = await wrk.run(load, server, [], SLICE_SECONDS, connections)
        sent += measured.requests
        errors += measured.errors
        progress.update(task, completed=min(sent, requests))
        if sent >= requests or sent >= samples[-1].requests + every:
            samples.append(memory(worker, sent))
        if sent >= requests:
            break
    progress.remove_task(task)
    if server.workers()[0] != worker:
        raise RuntimeError("the worker has been replaced meanwhile")
    if errors:
        raise RuntimeError(f"{errors} requests failed")
    return samples


async def run(*, documents: int, requests: int, every: int, starts: int, connections: int) -> None:
    """Fill, measure and print."""
    cancelled_by_sigterm()
    console = Console(width=120)
    with scratch_folder() as folder, Progress(console=console, transient=True) as progress:
        async with database(1, folder / "mongo") as base:
            crowd = await fill(
                base.uri, DATABASE, folder, size=documents, large=LARGE, asked=ACCOUNTS, progress=progress
            )
        taken = await start_times(folder, crowd, starts + 1)  # the first one logs in
        async with crossbar(None, DATABASE, folder, 1) as server:
            rows = operations(crowd.accounts, ["crossbar"], folder)
            loads = [row.loads["crossbar"] for row in rows]
            samples = await growth(
                server, loads, requests=requests, every=every, connections=connections, progress=progress
            )
    console.print(f"{documents:,} documents, start to first answer with one, seconds (the database embedded): ", end="")
    console.print(f"median {statistics.median(taken[1:]):.2f}, most {max(taken[1:]):.2f}\n")
    first = samples[min(1, len(samples) - 1)]
    show(
        console,
        ["requests", "RSS MB", "PSS MB", f"PSS since {first.requests:,} MB"],
        [
            [f"{one.requests:,}", f"{one.resident:.1f}", f"{one.share:.1f}", f"{one.share - first.share:+.1f}"]
            for one in samples
        ],
        texts=0,
    )


@click.command()
@click.option("--documents", default=100_000, show_default=True)
@click.option("--requests", default=1_000_000, show_default=True)
@click.option("--every", default=100_000, show_default=True, help="Requests from one look at the memory to the next.")
@click.option("--starts", default=5, show_default=True, help="How often the server is started.")
@click.option("--connections", default=32, show_default=True)
def main(**settings: int) -> None:
    """Print the time to the first answer, and the memory of a worker while it serves."""
    try:
        asyncio.run(run(**settings))
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise click.Abort from None


if __name__ == "__main__":
    main()
