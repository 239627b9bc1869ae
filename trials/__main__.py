"""`python -m trials`: run a trial and print its figures."""

from __future__ import annotations

import asyncio
import platform
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import click
from rich.console import Console
from rich.progress import Progress

from trials import kills as killing
from trials.kills import Outcome

console = Console(highlight=False)


@click.group()
def main() -> None:
    """The server under attack and among failures."""


@main.command()
@click.option("--kills", default=90, help="Kills of workers, of the database and of the whole server, in turn.")
def processes(kills: int) -> None:
    """Kill processes of a server with an embedded database while writers are at work."""
    _report("processes", kills, lambda told: killing.kill_processes(kills, told))


@main.command()
@click.option("--kills", default=15, help="Primaries killed or stepped down.")
@click.option("--election-ms", default=10_000, help="How long members wait for a silent primary.")
def failover(kills: int, election_ms: int) -> None:
    """Kill the primary of a replica set of three while writers are at work."""
    _report("failover", kills, lambda told: killing.kill_primaries(kills, told, election_ms=election_ms))


def _report(name: str, kills: int, trial: Callable[[Callable[[str], None]], Awaitable[Outcome]]) -> None:
    """Run a trial under a progress bar and print what came of it; exit status 1 if anything was wrong."""
    began = time.monotonic()
    with Progress(console=console) as progress:
        bar = progress.add_task(name, total=kills)

        async def run() -> Outcome:
            return await trial(lambda _: progress.advance(bar))

        outcome = asyncio.run(run())
    tally = outcome.tally
    console.print(f"{name}, {datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, {time.monotonic() - began:.0f} s")
    console.print(f"  kills: {_counts(outcome.kills)}")
    console.print(f"  answers by status (0: none): {_counts(tally.answers)}")
    console.print(f"  comparisons: {_counts(tally.checked)}")
    console.print(f"  5xx other than 503: {tally.forbidden}, wrong: {len(tally.wrong)}")
    for complaint in tally.wrong[:50]:
        console.print(f"    {complaint}", markup=False)
    if tally.wrong:
        sys.exit(1)


def _counts(counted: dict[int, int] | dict[str, int]) -> str:
    return ", ".join(f"{key} {count}" for key, count in sorted(counted.items(), key=str)) or "none"


if __name__ == "__main__":
    main()
