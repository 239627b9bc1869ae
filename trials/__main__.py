# SPDX-License-Identifier: MPL-2.0
"""`python -m trials`: run a trial and print its figures; the exit status is 1 if anything was wrong."""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import click
from rich.console import Console
from rich.progress import Progress

from crossbar.config import Config
from crossbar.documents.embedded import EmbeddedMongo
from tests.harness import RunningServer, new_tenant, running_server
from trials import described as describing
from trials import events as telling
from trials import kills as killing
from trials import load as loading
from trials.described import Outcome as DescribedOutcome
from trials.fuzz import Fuzzer, World
from trials.kills import Outcome
from trials.worlds import CALLERS, handed_in, made_in, new_world

OVERRIDES: Final = {"buckets.token_costs": "0", "log.level": "error"}
MOST_TOLD: Final = 50
Result = TypeVar("Result")
console = Console(highlight=False, markup=False)


@click.group()
def main() -> None:
    """The whole server under attack and among failures."""


@main.command()
@click.option("--kills", default=90, show_default=True, help="Of workers, the database and the whole server, in turn.")
def processes(kills: int) -> None:
    """Kill processes of a server with an embedded database while writers are at work."""
    sys.exit(not _kills("processes", kills, lambda told: killing.kill_processes(kills, told)))


@main.command()
@click.option("--kills", default=15, show_default=True, help="Primaries killed or stepped down.")
@click.option("--election-ms", default=10_000, show_default=True, help="How long a silent primary is waited for.")
def failover(kills: int, election_ms: int) -> None:
    """Kill the primary of a replica set of three while writers are at work."""
    trial = lambda told: killing.kill_primaries(kills, told, election_ms=election_ms)  # noqa: E731
    sys.exit(not _kills("failover", kills, trial))


@main.command()
@click.option("--kills", default=60, show_default=True, help="Of workers, the database and the whole server, in turn.")
def events(kills: int) -> None:
    """Kill processes while changes are told of by the feed and by a webhook."""
    sys.exit(not _kills("events", kills, lambda told: telling.kill_relays(kills, told, servers=True)))


@main.command()
@click.option("--requests", type=int, default=500_000, show_default=True, help="Requests to send at most.")
@click.option("--seconds", type=float, default=7200, show_default=True, help="How long at most.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed sends the same bodies.")
@click.option(
    "--caller", type=click.Choice([*CALLERS, "all"]), default="all", show_default=True, help="Who sends them."
)
@click.option("--log", is_flag=True, help="Show the server's own log, with a traceback for each fault.")
def fuzz(requests: int, seconds: float, seed: int, caller: str, log: bool) -> None:
    """Send wrong values in every body, then read everything that can be read."""
    if log:
        logging.basicConfig(level=logging.ERROR)
    sys.exit(not _fuzz(requests, seconds, seed, CALLERS if caller == "all" else (caller,)))


@main.command("schemathesis")
@click.option(
    "--examples", default=20, show_default=True, help="Requests to each operation, valid ones and others each."
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed sends the same requests.")
@click.option("--only", metavar="WORD", default="", help="Only operations whose path has this in it.")
def described(examples: int, seed: int, only: str) -> None:
    """Send what the server's description allows and what it does not; no answer may be one that it does not have."""
    sys.exit(not _described(examples, seed, only))


@main.command()
def load() -> None:
    """Send bodies made to cost much, eight at a time, to one worker."""
    sys.exit(not asyncio.run(_load()))


@main.command("all")
def everything() -> None:
    """Run all trials with their usual amounts, one after the other."""
    passed = [
        _kills("processes", 90, lambda told: killing.kill_processes(90, told)),
        _kills("events", 60, lambda told: telling.kill_relays(60, told, servers=True)),
        _kills("failover", 15, lambda told: killing.kill_primaries(15, told)),
        _fuzz(500_000, 7200, 1, CALLERS),
        _described(10, 1, ""),
        asyncio.run(_load()),
    ]
    sys.exit(not all(passed))


def _kills(name: str, kills: int, trial: Callable[[Callable[[str], None]], Awaitable[Outcome]]) -> bool:
    """Run a trial of kills and print what came of it; whether nothing was wrong."""
    began = time.monotonic()
    with Progress(console=console) as progress:
        bar = progress.add_task(name, total=kills)

        async def run() -> Outcome:
            return await trial(lambda _: progress.advance(bar))

        outcome = asyncio.run(run())
    tally = outcome.tally
    _head(name, began)
    console.print(f"  kills: {_counts(outcome.kills)}")
    console.print(f"  answers by status (0: none): {_counts(tally.answers)}")
    console.print(f"  comparisons: {_counts(tally.checked)}")
    console.print(f"  5xx other than 503: {tally.forbidden}, wrong: {len(tally.wrong)}")
    for complaint in tally.wrong[:MOST_TOLD]:
        console.print(f"    {complaint}")
    return not tally.wrong


async def _load() -> bool:
    """Run the trial of costly bodies and print what each cost; whether nothing was wrong."""
    began, fine = time.monotonic(), True
    _head("load", began)
    async for one in loading.run():
        console.print(
            f"  {one.name}: {_counts(one.statuses)}, {one.seconds:.1f} s, "
            f"/healthz at most {max(one.health_ms):.0f} ms, "
            f"worker at most {one.peak_mb:.0f} MB, then {one.left_mb:.0f} MB{'' if one.is_fine else ' (!)'}"
        )
        fine = fine and one.is_fine
    return fine


def _fuzz(requests: int, seconds: float, seed: int, callers: tuple[str, ...]) -> bool:
    """Run the fuzz trial and print what came of it; whether nothing was wrong."""
    began = time.monotonic()
    fuzzers = asyncio.run(_with_server(lambda server: _send(server, requests, seconds, seed, callers)))
    _head("fuzz", began)
    for name, fuzzer in fuzzers.items():
        figures = fuzzer.figures
        console.print(f"  {name}: {figures.requests} requests, {_counts(figures.statuses)}")
        for fault in figures.faults.values():
            console.print(f"    {fault.status} {fault.request}\n      {fault.answer}")
            for before in fault.before:
                console.print(f"      after {before}")
    return not any(fuzzer.figures.faults for fuzzer in fuzzers.values())


async def _send(
    server: RunningServer, requests: int, seconds: float, seed: int, callers: tuple[str, ...]
) -> dict[str, Fuzzer]:
    def worlds(name: str) -> Callable[[], Awaitable[World]]:
        return lambda: new_world(server, name)

    fuzzers = {name: Fuzzer(worlds(name), seed) for name in callers}
    ends = time.monotonic() + seconds
    with Progress(console=console) as progress:
        task = progress.add_task("fuzz", total=requests)
        while time.monotonic() < ends and not progress.finished:
            for fuzzer in fuzzers.values():
                await fuzzer.round()
                await fuzzer.stored_round(server.runtime.store, many=100)
            progress.update(task, completed=sum(fuzzer.figures.requests for fuzzer in fuzzers.values()))
    return fuzzers


def _described(examples: int, seed: int, only: str) -> bool:
    """Run schemathesis and print what came of it; whether nothing was wrong."""
    began = time.monotonic()
    outcome, mistakes = asyncio.run(_with_server(lambda server: _try_all(server, examples, seed, only)))
    _head("schemathesis", began)
    console.print(f"  answers by status: {_counts(outcome.statuses)}")
    console.print(
        f"  mistakes in the description: {len(mistakes)}, answers that it does not have: {len(outcome.wrong)}"
    )
    for complaint in mistakes:
        console.print(f"    {complaint}")
    return not mistakes and not outcome.wrong


async def _try_all(server: RunningServer, examples: int, seed: int, only: str) -> tuple[DescribedOutcome, list[str]]:
    tenant = await new_tenant(server, server.master, "described")
    ids = await made_in(tenant)
    await handed_in(server, ids)
    caller, outcome = describing.Caller(server.url, server.master.token, ids), DescribedOutcome()
    description = await asyncio.to_thread(describing.served, server.url)
    mistakes = [] if only else await asyncio.to_thread(describing.mistakes, description)
    wanted = [one for one in describing.operations_of(description) if only in one.path]
    with Progress(console=console) as progress:
        bar = progress.add_task("schemathesis", total=len(wanted))
        for operation in wanted:
            await asyncio.to_thread(describing.try_operation, operation, caller, outcome, examples=examples, start=seed)
            if complaint := outcome.wrong.get(operation.label):
                progress.console.print(complaint)
            progress.advance(bar)
    return outcome, mistakes


async def _with_server(work: Callable[[RunningServer], Awaitable[Result]]) -> Result:
    with tempfile.TemporaryDirectory(prefix="crossbar-trials-") as folder:
        mongo = EmbeddedMongo(Path(folder) / "mongo", cache_gb=0.5)
        try:
            config = Config.load(None, {}, {**OVERRIDES, "server.data": folder, "database.name": "trials"})
            async with running_server(config, await mongo.start()) as server:
                return await work(server)
        finally:
            await mongo.stop()


def _head(name: str, began: float) -> None:
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    console.print(f"{name}: {datetime.now(UTC):%Y-%m-%d}, {time.monotonic() - began:.0f} s, {machine}")


def _counts(counted: Mapping[Any, int]) -> str:
    return ", ".join(f"{key} {count}" for key, count in sorted(counted.items(), key=str)) or "none"


if __name__ == "__main__":
    main()
