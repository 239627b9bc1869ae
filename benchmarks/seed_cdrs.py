# SPDX-License-Identifier: MPL-2.0
"""Fill an account with CDRs: a call of two legs every minute, back from now.

    python -m benchmarks.seed_cdrs --uri mongodb://… --account ACCOUNT_ID --count 1000000

They are kept by the server's own code, without its front door.
"""

from __future__ import annotations

import asyncio
import random

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from benchmarks import samples
from crossbar import app, clock
from crossbar.documents.store import Store
from crossbar.resources.records.domain.cdr import cdr_of, keep_cdrs

BETWEEN = 60
"""Seconds from call to call."""
CALLS_AT_A_TIME = 500


async def seed(uri: str, database: str, account_id: str, count: int) -> None:
    """Keep `count` CDRs, the newest first, and show how far it has come."""
    store = Store.connect(uri, database, app.shapes())
    chance, now = random.Random(count), clock.now()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    try:
        await store.prepare()
        with Progress(*columns) as progress:
            task = progress.add_task("CDRs", total=count)
            for first in range(0, count // 2, CALLS_AT_A_TIME):
                calls = range(first, min(first + CALLS_AT_A_TIME, count // 2))
                legs = [
                    leg
                    for number in calls
                    for leg in samples.call_legs(account_id, number, now - 700 - number * BETWEEN, chance)
                ]
                await keep_cdrs(store, [cdr_of(account_id, leg) for leg in legs])
                progress.advance(task, len(legs))
    finally:
        await store.close()


@click.command()
@click.option("--uri", required=True, help="The MongoDB of the server.")
@click.option("--database", default="crossbar", show_default=True, help="Its database.")
@click.option("--account", required=True, help="The id of the account.")
@click.option("--count", default=1_000_000, show_default=True, help="How many CDRs.")
def main(uri: str, database: str, account: str, count: int) -> None:
    """Fill an account with CDRs."""
    asyncio.run(seed(uri, database, account, count))


if __name__ == "__main__":
    main()
