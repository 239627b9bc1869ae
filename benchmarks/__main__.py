# SPDX-License-Identifier: MPL-2.0
"""`make bench`: the server beside bare applications that do the same work, in one run on one machine.

All share one `mongod`: a bare aiohttp `hello`, a bare page of aiohttp over PyMongo's asynchronous API (`bare`), the
same over Motor (`bare-motor`), the same with Fastify on Node (where Node is installed), and this server with its whole
protocol on. Requests are spread over a hundred accounts with two users and a hundred devices each; none is sent again
before all others of its kind were. Rounds are interleaved, so that a noisy neighbour disturbs all alike. Printed are
the medians of the rounds: requests a second, p50, p99, CPU microseconds a request of the server and of the database,
and the ratio of requests a second to `bare`. A second table tells the same of one connection, one request at a time.

Needs `wrk` (Debian's package of that name).
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from benchmarks import wrk
from benchmarks.frame import machine, mongod, scratch_folder
from benchmarks.operations import Operation, hello, operations
from benchmarks.profiling import find_py_spy, profile
from benchmarks.seed import seed
from benchmarks.servers import NAMES, Server, bare, cancelled_by_sigterm, crossbar, install_fastify
from benchmarks.table import show

COLUMNS = [
    "operation", "server", "requests/s", "p50 ms", "p99 ms",
    "CPU µs server", "CPU µs mongod", "ratio to bare", "errors",
]  # fmt: skip
SINGLE = ("crossbar", "bare")
SINGLE_SECONDS = 2.0
WARM_UP_SECONDS = 1.0
Results = dict[tuple[str, str], list[wrk.Measured]]


@dataclass(frozen=True)
class Settings:
    """What the command line says."""

    seconds: float
    rounds: int
    connections: int
    only: str
    names: list[str]
    single: bool
    profiles: Path | None


class Bench:
    """All servers on one `mongod`, with `workers` processes each."""

    def __init__(self, console: Console, folder: Path, settings: Settings) -> None:
        self._console = console
        self._folder = folder
        self._settings = settings

    async def run(self, counts: Iterable[int]) -> None:
        """Print the tables for each number of workers."""
        async with mongod(self._folder) as uri:
            for number, workers in enumerate(counts):
                await self._measure(uri, workers, single=self._settings.single and number == 0)

    async def _measure(self, uri: str, workers: int, *, single: bool) -> None:
        settings = self._settings
        files = self._folder / f"requests{workers}"
        files.mkdir()
        with Progress(console=self._console, transient=True) as progress:
            async with AsyncExitStack() as stack:
                servers = await self._start(stack, uri, workers)
                compared = [name for name in settings.names if name != "hello"]
                others = [name for name in compared if name != "crossbar"]
                accounts = await seed(servers["crossbar"], uri, others, progress)
                rows = [hello(files), *operations(accounts, compared, files)]
                todo = [row for row in rows if settings.only in row.name and set(row.loads) & set(settings.names)]
                await self._warm_up(todo, servers)
                results = await self._rounds(
                    todo, servers, progress,
                    names=settings.names, seconds=settings.seconds, connections=settings.connections,
                )  # fmt: skip
                self._console.print(f"\n{workers} worker(s), {settings.connections} connections\n")
                show(self._console, COLUMNS, _rows(todo, results), texts=2)
                if single:
                    names = [name for name in SINGLE if name in settings.names]
                    seconds = min(settings.seconds, SINGLE_SECONDS)
                    results = await self._rounds(todo, servers, progress, names=names, seconds=seconds, connections=1)
                    self._console.print(f"\n{workers} worker(s), one connection\n")
                    show(self._console, COLUMNS, _rows(todo, results), texts=2)
                if settings.profiles is not None:
                    made = await profile(
                        todo, servers["crossbar"], settings.profiles,
                        workers=workers, seconds=settings.seconds, connections=settings.connections,
                    )  # fmt: skip
                    self._console.print(f"\nFlame graphs: {', '.join(map(str, made))}", soft_wrap=True)

    async def _start(self, stack: AsyncExitStack, uri: str, workers: int) -> dict[str, Server]:
        """Start the servers that are asked for; this one in any case, because it makes the accounts."""
        servers = {}
        for name in self._settings.names:
            if name != "crossbar":
                servers[name] = await stack.enter_async_context(bare(name, uri, workers))
        data = self._folder / f"data{workers}"
        servers["crossbar"] = await stack.enter_async_context(crossbar(uri, f"bench{workers}", data, workers))
        return servers

    async def _warm_up(self, todo: Sequence[Operation], servers: dict[str, Server]) -> None:
        """Let each server open its connections and compile its schemas, unmeasured."""
        for row in todo:
            for name, load in row.loads.items():
                if name in self._settings.names and row.name in ("hello", "GET one", "create"):
                    await wrk.run(load, servers[name], [], WARM_UP_SECONDS, self._settings.connections)

    async def _rounds(
        self,
        todo: Sequence[Operation],
        servers: dict[str, Server],
        progress: Progress,
        *,
        names: Sequence[str],
        seconds: float,
        connections: int,
    ) -> Results:
        """Measure each operation at each server in turn, and all that as often as there are rounds."""
        runs = [(row, name) for row in todo for name in names if name in row.loads]
        task = progress.add_task(f"{connections} connection(s)", total=self._settings.rounds * len(runs))
        database = [int((self._folder / "mongo" / "mongod.pid").read_text())]
        results: Results = {}
        for _ in range(self._settings.rounds):
            for row, name in runs:
                measured = await wrk.run(row.loads[name], servers[name], database, seconds, connections)
                results.setdefault((row.name, name), []).append(measured)
                progress.advance(task)
        progress.remove_task(task)
        return results


def _rows(todo: Sequence[Operation], results: Results) -> list[list[str]]:
    medians = {key: wrk.median(runs) for key, runs in results.items()}
    rows = []
    for row in todo:
        base = medians.get((row.name, "bare"))
        for name in row.loads:
            if (measured := medians.get((row.name, name))) is None:
                continue
            compared = base is not None and name != "bare"
            rows.append([
                row.name, name, f"{measured.rate:,.0f}", f"{measured.p50:.2f}", f"{measured.p99:.2f}",
                f"{measured.cpu:,.0f}", f"{measured.database_cpu:,.0f}" if name != "hello" else "",
                f"{measured.rate / base.rate:.2f}" if compared and base else "", str(measured.errors),
            ])  # fmt: skip
    return rows


async def measure(settings: Settings, counts: Sequence[int]) -> None:
    """Measure and print; whatever was started is ended, also on Ctrl-C and SIGTERM."""
    cancelled_by_sigterm()
    console = Console(width=140)
    if "fastify" in settings.names and not await install_fastify(console):
        settings.names.remove("fastify")
    console.print(machine("single-node replica set"), highlight=False)
    with scratch_folder() as folder:
        await Bench(console, folder, settings).run(counts)


@click.command()
@click.option("--seconds", default=4.0, show_default=True, help="How long each run takes.")
@click.option("--rounds", default=3, show_default=True, help="How often each is repeated.")
@click.option("--connections", default=32, show_default=True)
@click.option("--only", default="", help="Measure only operations whose name contains this.")
@click.option("--workers", "counts", default="1,2", show_default=True, help="Worker counts to measure.")
@click.option("--servers", default=",".join(NAMES), show_default=True, help="Servers to measure.")
@click.option("--single/--no-single", default=True, show_default=True, help="The table with one connection.")
@click.option("--profile", type=click.Path(path_type=Path), help="Write flame graphs of one worker to this folder.")
def main(
    *,
    seconds: float,
    rounds: int,
    connections: int,
    only: str,
    counts: str,
    servers: str,
    single: bool,
    profile: Path | None,
) -> None:
    """Print one table for each number of workers, and one for a single connection."""
    if shutil.which("wrk") is None:
        raise click.ClickException("wrk is needed: apt-get install wrk")
    names = servers.split(",")
    if unknown := set(names) - set(NAMES):
        raise click.UsageError(f"no such server: {', '.join(sorted(unknown))}")
    if profile is not None:
        find_py_spy()
    ordered = [name for name in NAMES if name in names]
    settings = Settings(seconds, rounds, connections, only, ordered, single, profile)
    try:
        asyncio.run(measure(settings, [int(count) for count in counts.split(",")]))
    except (KeyboardInterrupt, asyncio.CancelledError):
        raise click.Abort from None


if __name__ == "__main__":
    main()
