"""`python -m trials`: long trials against a server that is started for them, with a database of its own."""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.progress import Progress

from crossbar.config import Config
from crossbar.documents.embedded import EmbeddedMongo
from tests.harness import RunningServer, running_server
from trials.fuzz import Fuzzer, World
from trials.worlds import CALLERS, new_world

OVERRIDES: Final = {"buckets.token_costs": "0", "log.level": "error"}
console = Console()


@click.group()
def main() -> None:
    """Long trials of the whole server."""


@main.command()
@click.option("--requests", type=int, default=20_000, show_default=True, help="Requests to send at most.")
@click.option("--seconds", type=float, default=600, show_default=True, help="How long at most.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed sends the same bodies.")
@click.option(
    "--caller", type=click.Choice([*CALLERS, "all"]), default="all", show_default=True, help="Who sends them."
)
@click.option("--log", is_flag=True, help="Show the server's own log, with a traceback for each fault.")
def fuzz(requests: int, seconds: float, seed: int, caller: str, log: bool) -> None:
    """Wrong values in every body, then everything that can be read. Fails when a request ends in a fault."""
    if log:
        logging.basicConfig(level=logging.ERROR)
    fuzzers = asyncio.run(_with_server(lambda server: _fuzz(server, requests, seconds, seed, caller)))
    for name, fuzzer in fuzzers.items():
        figures = fuzzer.figures
        console.print(f"{name}: {figures.requests} requests, {dict(sorted(figures.statuses.items()))}", highlight=False)
        for fault in figures.faults.values():
            console.print(f"  {fault.status} {fault.request}\n    {fault.answer}", markup=False, highlight=False)
            for before in fault.before:
                console.print(f"      after {before}", markup=False, highlight=False)
    sys.exit(any(fuzzer.figures.faults for fuzzer in fuzzers.values()))


async def _fuzz(server: RunningServer, requests: int, seconds: float, seed: int, caller: str) -> dict[str, Fuzzer]:
    names = CALLERS if caller == "all" else (caller,)

    def worlds(name: str) -> Callable[[], Awaitable[World]]:
        return lambda: new_world(server, name)

    fuzzers = {name: Fuzzer(worlds(name), seed) for name in names}
    ends = time.monotonic() + seconds
    with Progress(console=console) as progress:
        task = progress.add_task("requests", total=requests)
        while time.monotonic() < ends and not progress.finished:
            for fuzzer in fuzzers.values():
                await fuzzer.round()
                await fuzzer.stored_round(server.runtime.store, many=100)
            progress.update(task, completed=sum(fuzzer.figures.requests for fuzzer in fuzzers.values()))
    return fuzzers


async def _with_server(
    work: Callable[[RunningServer], Awaitable[dict[str, Fuzzer]]],
) -> dict[str, Fuzzer]:
    with tempfile.TemporaryDirectory(prefix="crossbar-trials-") as folder:
        mongo = EmbeddedMongo(Path(folder) / "mongo", cache_gb=0.5)
        try:
            config = Config.load(None, {}, {**OVERRIDES, "server.data": folder, "database.name": "trials"})
            async with running_server(config, await mongo.start()) as server:
                return await work(server)
        finally:
            await mongo.stop()


if __name__ == "__main__":
    main()
