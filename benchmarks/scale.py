# SPDX-License-Identifier: MPL-2.0
"""Whether cost grows with what is stored, with the number of workers, or with the members of the replica set.

Fills one database for each number of documents (accounts of a hundred documents each and one of `--large` devices),
all on one `mongod`, or on a replica set of three on this machine. Then, for each number of workers, asks all of them in
turn: first for the median time of a request, then for what it costs with so many `--connections`. With one connection
one worker has all the work, and what the others cost the database by listening for changes shows by itself.

Usage: python -m benchmarks.scale [--documents 1000,1000000] [--workers 1,2,4] [--members 1,3]
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from pymongo import AsyncMongoClient
from rich.console import Console
from rich.progress import Progress

from benchmarks import latency, wrk
from benchmarks.crowd import Crowd, fill
from benchmarks.databases import Database, database
from benchmarks.frame import machine, scratch_folder, whole_numbers
from benchmarks.operations import Operation, operations
from benchmarks.servers import cancelled_by_sigterm, crossbar
from benchmarks.table import show

LOADS = ("GET one", "list of 50", "create", "update")
WARM_UP = ("GET one", "create")
WARM_UP_SECONDS = 1.0
LEAST_DOCUMENTS = 500
PAGES = 48
"""Places at which a list of 50 of an account's devices begins: few accounts ask for as many unlike ones as many do."""
Key = tuple[int, str, int, int]
"""Connections, operation, documents and workers."""
Results = dict[Key, list[wrk.Measured]]

NOTHING_REMEMBERED = {"CROSSBAR_DATABASE__MEMORY_MB": "0"}
"""What is asked again is to be asked of the database."""


@dataclass(frozen=True)
class Settings:
    """What the command line says."""

    documents: list[int]
    workers: list[int]
    rounds: int
    load_rounds: int
    seconds: float
    connections: list[int]
    large: int
    accounts: int


@dataclass(frozen=True)
class Scale:
    """All measurements on one database."""

    console: Console
    folder: Path
    base: Database
    settings: Settings

    async def run(self) -> None:
        """Fill, measure and print."""
        settings = self.settings
        with Progress(console=self.console, transient=True) as progress:
            crowds = [
                await fill(
                    self.base.uri, _name(size), self._data(size),
                    size=size, large=settings.large, asked=settings.accounts, progress=progress,
                )
                for size in settings.documents
            ]  # fmt: skip
            for workers in settings.workers:
                await self._one_at_a_time(crowds, workers)
            if settings.load_rounds:
                await self._many_at_once(crowds, progress)

    async def _one_at_a_time(self, crowds: Sequence[Crowd], workers: int) -> None:
        async with AsyncExitStack() as stack:
            places = []
            for crowd in crowds:
                server = crossbar(self.base.uri, _name(crowd.size), self._data(crowd.size), workers, NOTHING_REMEMBERED)
                places.append((await stack.enter_async_context(server), crowd))
            medians = await latency.measure(places, self.settings.rounds)
        for crowd in crowds:
            await self._remove_created(crowd)
        self.console.print(f"\n{workers} worker(s), one request at a time, median ms\n")
        columns = ["request", *(f"{crowd.size:,} documents" for crowd in crowds), "ratio"]
        rows = [
            [name, *(f"{value:.2f}" for value in values), f"{values[-1] / values[0]:.2f}"]
            for name, values in medians.items()
        ]
        show(self.console, columns, rows)

    async def _many_at_once(self, crowds: Sequence[Crowd], progress: Progress) -> None:
        """Only one server runs at a time: what another's workers listen to would cost this one's writes."""
        settings = self.settings
        folders = {crowd.size: self.folder / f"requests{crowd.size}" for crowd in crowds}
        todo = {}
        for crowd in crowds:
            folders[crowd.size].mkdir()
            rows = operations(crowd.accounts, ["crossbar"], folders[crowd.size], pages=PAGES)
            todo[crowd.size] = {row.name: row for row in rows if row.name in LOADS}
        turns = settings.load_rounds * len(settings.workers) * len(crowds)
        task = progress.add_task("load", total=turns)
        results: Results = {}
        for number in range(settings.load_rounds):
            for workers in settings.workers:
                for crowd in reversed(crowds) if number % 2 else crowds:
                    for key, measured in (await self._turn(crowd, workers, todo[crowd.size])).items():
                        results.setdefault(key, []).append(measured)
                    progress.advance(task)
        progress.remove_task(task)
        medians = {key: wrk.median(runs) for key, runs in results.items()}
        for connections in settings.connections:
            self.console.print(f"\n{connections} connection(s)\n")
            self._show_loads(connections, medians)

    async def _turn(self, crowd: Crowd, workers: int, todo: dict[str, Operation]) -> dict[Key, wrk.Measured]:
        """One run of each operation at a server that is there for this turn."""
        settings = self.settings
        data = self._data(crowd.size)
        async with crossbar(self.base.uri, _name(crowd.size), data, workers, NOTHING_REMEMBERED) as server:
            for name in WARM_UP:
                await wrk.run(todo[name].loads["crossbar"], server, [], WARM_UP_SECONDS, max(settings.connections))
            measured = {
                (connections, name, crowd.size, workers): await wrk.run(
                    row.loads["crossbar"], server, self.base.pids, settings.seconds, connections
                )
                for connections in settings.connections
                for name, row in todo.items()
            }
        await self._remove_created(crowd)
        return measured

    def _show_loads(self, connections: int, medians: dict[Key, wrk.Measured]) -> None:
        settings = self.settings
        columns = [
            "request", "documents", "workers", "requests/s", "p50 ms", "p99 ms", "CPU µs server", "CPU µs mongod",
            f"CPU, of {settings.documents[0]:,}'s", f"CPU, of {settings.workers[0]} worker's", "errors",
        ]  # fmt: skip
        rows = []
        for name in LOADS:
            for size in settings.documents:
                for workers in settings.workers:
                    measured = medians[connections, name, size, workers]
                    smallest = medians[connections, name, settings.documents[0], workers]
                    fewest = medians[connections, name, size, settings.workers[0]]
                    rows.append([
                        name, f"{size:,}", str(workers), f"{measured.rate:,.0f}",
                        f"{measured.p50:.2f}", f"{measured.p99:.2f}",
                        f"{measured.cpu:,.0f}", f"{measured.database_cpu:,.0f}",
                        f"{measured.all_cpu / smallest.all_cpu:.2f}", f"{measured.all_cpu / fewest.all_cpu:.2f}",
                        str(measured.errors),
                    ])  # fmt: skip
        show(self.console, columns, rows)

    async def _remove_created(self, crowd: Crowd) -> None:
        """Have as many documents as before again."""
        async with AsyncMongoClient[dict[str, Any]](self.base.uri) as client:
            documents = client[_name(crowd.size)].documents
            for account in crowd.accounts:
                await documents.delete_many({"a": account.id, "doc.pvt_created": {"$gt": crowd.written}})

    def _data(self, size: int) -> Path:
        return self.folder / f"data{size}"


def _name(size: int) -> str:
    return f"scale{size}"


async def run(settings: Settings, members: Sequence[int]) -> None:
    """Measure on each kind of database, and print."""
    cancelled_by_sigterm()
    console = Console(width=160)
    console.print(machine(), highlight=False)
    for count in members:
        with scratch_folder() as folder:
            async with database(count, folder / "mongo") as base:
                console.print(f"\nReplica set of {count}")
                await Scale(console, folder, base, settings).run()


@click.command()
@click.option("--documents", default="1000,1000000", show_default=True, callback=whole_numbers)
@click.option("--workers", default="1,2,4", show_default=True, callback=whole_numbers)
@click.option("--members", default="1,3", show_default=True, callback=whole_numbers, help="Of the replica set.")
@click.option("--rounds", default=200, show_default=True, help="Requests of each kind, one at a time.")
@click.option("--load-rounds", default=3, show_default=True, help="Runs of each kind with many connections; may be 0.")
@click.option("--seconds", default=3.0, show_default=True, help="How long each of these takes.")
@click.option("--connections", default="1,32", show_default=True, callback=whole_numbers)
@click.option("--large", default=10_000, show_default=True, help="Devices in the one large account.")
@click.option("--accounts", default=100, show_default=True, help="How many of the other accounts ask.")
def main(members: list[int], **settings: Any) -> None:
    """Print tables for each kind of replica set."""
    if min(settings["documents"]) < LEAST_DOCUMENTS:
        raise click.UsageError(f"--documents: at least {LEAST_DOCUMENTS}")
    try:
        asyncio.run(run(Settings(**settings), members))
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise click.Abort from None


if __name__ == "__main__":
    main()
