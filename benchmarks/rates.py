# SPDX-License-Identifier: MPL-2.0
"""What the rate of a number costs, in a deck with few rates and in one with a hundred thousand.

    python -m benchmarks.rates --sizes 1000,100000

Both decks are in one database of one server. `looked up` is the domain's own work in this process, database included;
`request` is `GET /v2/rates/number/{number}` over a kept connection, with the whole protocol on. One at a time, the
decks taking turns, a different number each time.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import click
from yarl import URL

from benchmarks import frame, servers
from crossbar import app
from crossbar.config import Config
from crossbar.documents.document import Document
from crossbar.documents.store import Store
from crossbar.resources.carriers.domain import rate, ratedeck, rating
from crossbar.resources.carriers.domain.rating import RatedCall
from crossbar.settings import Settings
from trials.installation import log_in

DATABASE = "bench-rates"
AT_A_TIME = 500
COLUMNS = ("operation", "rates", "median ms", "99 % ms", "slowest ms")


def prefixes(size: int) -> Iterator[int]:
    """A deck as operators have it: North America by area code and exchange, the rest of the world by country and area.

    A number of North America has up to three of them.
    """
    codes = [
        1,
        *range(20, 100),
        *range(1201, 1990),
        *(area * 1000 + exchange for exchange in range(200, 1000) for area in range(1201, 1990, 7)),
        *range(30_000, 99_999),
    ]
    yield from codes[:size]


def numbers(count: int) -> list[str]:
    """Numbers to be rated, most of them of North America."""
    chance = random.Random(count)
    return [
        f"+1{1201 + 7 * chance.randrange(112) - 1000}{chance.randrange(200, 1000)}{chance.randrange(10**4):04}"
        if chance.random() < 0.7
        else f"+{chance.randrange(30_000, 99_999)}{chance.randrange(10**6):06}"
        for _ in range(count)
    ]


async def seed(store: Store, deck: str, size: int) -> None:
    """Fill a deck."""
    await ratedeck.note_deck(store, deck)
    known = list(prefixes(size))
    for first in range(0, len(known), AT_A_TIME):
        await asyncio.gather(*(_keep(store, _rate(deck, prefix)) for prefix in known[first : first + AT_A_TIME]))


async def _keep(store: Store, rate: Document) -> None:
    """Save a rate, and that it is the one of its prefix."""
    of_prefix = Document(rate.partition, ratedeck.PREFIX, str(rate.at("prefix")), {"rates": [rate.public]})
    await asyncio.gather(store.insert(rate), store.insert(of_prefix))


def _rate(deck: str, prefix: int) -> Document:
    fields: dict[str, Any] = {
        "prefix": prefix,
        "rate_cost": prefix % 1000 / 10_000,
        "rate_surcharge": 0.0,
        "rate_increment": 60,
        "rate_minimum": 60,
        "rate_name": f"outbound_{prefix}",
        "description": f"Calls to {prefix}",
        "direction": ["inbound", "outbound"],
        "routes": rate.default_routes(prefix),
        "weight": 40,
        "pvt_type": rate.TYPE,
    }
    return Document(ratedeck.partition_of(deck), rate.TYPE, rate.default_id(fields), fields)


def _row(operation: str, size: int, took: list[float]) -> list[str]:
    ordered = sorted(took)
    figures = (statistics.median(took), ordered[int(len(ordered) * 0.99)], ordered[-1])
    return [operation, f"{size:,}", *(f"{figure * 1000:.2f}" for figure in figures)]


async def looked_up(store: Store, settings: Settings, sizes: list[int], asked: list[str]) -> list[list[str]]:
    """Find rates in this process."""
    took: dict[int, list[float]] = {size: [] for size in sizes}
    for number in asked:
        for size in sizes:
            begun = time.perf_counter()
            if await rating.rate_of(store, settings, f"of-{size}", RatedCall(number)) is None:
                raise RuntimeError(f"{number} has no rate")
            took[size].append(time.perf_counter() - begun)
    return [_row("looked up", size, took[size]) for size in sizes]


async def requested(url: str, sizes: list[int], asked: list[str]) -> list[list[str]]:
    """Ask the server."""
    took: dict[int, list[float]] = {size: [] for size in sizes}
    async with aiohttp.ClientSession() as session:
        token, _ = await log_in(session, url)
        for number in asked:
            for size in sizes:
                begun = time.perf_counter()
                where = f"{url}/v2/rates/number/{number.replace('+', '%2B')}?ratedeck_id=of-{size}"
                async with session.get(URL(where, encoded=True), headers={"X-Auth-Token": token}) as answer:
                    answer.raise_for_status()
                    await answer.read()
                took[size].append(time.perf_counter() - begun)
    return [_row("request", size, took[size]) for size in sizes]


@click.command()
@click.option(
    "--sizes", default="1000,100000", callback=frame.whole_numbers, show_default=True, help="Rates of each deck."
)
@click.option("--count", default=500, show_default=True, help="How many numbers are rated.")
def main(sizes: list[int], count: int) -> None:
    """Seed, measure, print."""
    frame.run(lambda folder, uri: _measured(folder, uri, sizes, numbers(count)))


async def _measured(folder: Path, uri: str, sizes: list[int], asked: list[str]) -> None:
    async with servers.crossbar(uri, DATABASE, folder / "data", 1) as server:
        config = Config.load(None, {}, {"database.name": DATABASE, "server.data": str(folder / "data")})
        async with app.open_runtime(config, uri) as runtime:
            for size in sizes:
                await seed(runtime.store, f"of-{size}", size)
            rows = await looked_up(runtime.store, runtime.settings, sizes, asked)
        rows += await requested(server.url, sizes, asked)
    frame.report(COLUMNS, rows, "1 worker")


if __name__ == "__main__":
    main()
