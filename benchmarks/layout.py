# SPDX-License-Identifier: MPL-2.0
"""How documents could lie in MongoDB: what each way costs at a thousand and at a million of them.

Ways of keeping them:

- `plain`: `_id` is `<account>/<type>/<id>`, a listing index on account and sort key (what the server does);
- `clustered`: the same, in a collection clustered on `_id`;
- `dicts`: as `plain`, but without the ready-made JSON: what is read is decoded and rendered.

Measured are the calls that requests are made of, from the client's side, single-threaded, in rotation.

Usage: python -m benchmarks.layout [--sizes 1000,1000000] [--rounds 200]
"""

from __future__ import annotations

import asyncio
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

import click
import orjson
from pymongo import DESCENDING, MongoClient
from pymongo.collection import Collection
from rich.console import Console
from rich.progress import Progress

from benchmarks import frame
from benchmarks.samples import device

PER_ACCOUNT = 1000
LAYOUTS = ("plain", "clustered", "dicts")
SUMMARY = ("id", "name", "owner_id", "enabled", "device_type", "mac_address")
Documents = Collection[dict[str, Any]]


def stored(account: str, number: int, chance: random.Random, layout: str) -> dict[str, Any]:
    """One device as a layout keeps it."""
    fields = device(number, chance)
    document_id = f"{chance.getrandbits(128):032x}"
    document: dict[str, Any] = {
        "_id": f"{account}/device/{document_id}",
        "a": account,
        "k": f"device\x01{number:06d}\x01{document_id}",
        "doc": fields,
    }
    if layout != "dicts":
        public = {"id": document_id, **fields}
        document["json"] = orjson.dumps(public)
        document["row"] = orjson.dumps({key: public[key] for key in SUMMARY if key in public})
    return document


def fill(documents: Documents, layout: str, size: int, progress: Progress) -> list[str]:
    """Write `size` devices and return the ids of some thousand of them."""
    database = documents.database
    database.drop_collection(documents.name)
    options = {"clusteredIndex": {"key": {"_id": 1}, "unique": True}} if layout == "clustered" else {}
    database.create_collection(documents.name, **options)  # type: ignore[arg-type]
    documents.create_index([("a", 1), ("k", 1)])
    chance, ids = random.Random(size), []
    task = progress.add_task(f"{layout}, {size:,}", total=size)
    for start in range(0, size, PER_ACCOUNT):
        account = f"{chance.getrandbits(128):032x}"
        batch = [stored(account, number, chance, layout) for number in range(min(PER_ACCOUNT, size - start))]
        documents.insert_many(batch, ordered=False)
        ids += [document["_id"] for document in batch[:: max(1, size // 5000)]]
        progress.advance(task, len(batch))
    chance.shuffle(ids)
    return ids


def operations(documents: Documents, layout: str, ids: list[str]) -> dict[str, Callable[[], object]]:
    """The calls to measure."""
    chance = random.Random(7)
    part = "doc" if layout == "dicts" else "json"
    row: dict[str, Any] = {f"doc.{key}": 1 for key in SUMMARY} if layout == "dicts" else {"row": 1}

    def render(found: list[dict[str, Any]], key: str) -> bytes:
        if layout == "dicts":
            return orjson.dumps([document["doc"] for document in found])
        return b"[%s]" % b",".join(document[key] for document in found)

    def one() -> bytes:
        return render([documents.find_one({"_id": chance.choice(ids)}, {part: 1}) or {}], "json")

    def many() -> bytes:
        return render(list(documents.find({"_id": {"$in": chance.sample(ids, 32)}}, {part: 1})), "json")

    def listing() -> bytes:
        query = {"a": chance.choice(ids).split("/", 1)[0], "k": {"$gte": "device\x01", "$lt": "device\x02"}}
        return render(list(documents.find(query, row).sort("k", DESCENDING).limit(51)), "row")

    def create() -> None:
        account = chance.choice(ids).split("/", 1)[0]
        documents.insert_many([stored(account, 999_999, chance, layout) for _ in range(16)], ordered=False)

    return {"one by id": one, "32 by id, one call": many, "list of 50": listing, "16 inserts, one call": create}


def measure(uri: str, size: int, rounds: int, progress: Progress) -> dict[str, dict[str, float]]:
    """Median microseconds by operation and layout."""
    times: dict[str, dict[str, list[float]]] = {}
    with MongoClient[dict[str, Any]](uri) as client:
        database = client.get_database("layout")
        todo = {
            layout: operations(database[layout], layout, fill(database[layout], layout, size, progress))
            for layout in LAYOUTS
        }
        for _ in range(rounds):
            for layout, calls in todo.items():
                for name, call in calls.items():
                    if (
                        name == "32 by id, one call"
                        and layout == "clustered"
                        and len(times.get(name, {}).get(layout, [])) > 5
                    ):
                        continue
                    before = time.perf_counter()
                    call()
                    times.setdefault(name, {}).setdefault(layout, []).append((time.perf_counter() - before) * 1e6)
        client.drop_database("layout")
    return {name: {layout: statistics.median(runs) for layout, runs in by.items()} for name, by in times.items()}


@click.command()
@click.option("--sizes", default="1000,1000000", callback=frame.whole_numbers)
@click.option("--rounds", default=200)
def main(sizes: list[int], rounds: int) -> None:
    """Print a table for each size."""
    frame.run(lambda _, uri: _main(uri, sizes, rounds))


async def _main(uri: str, sizes: list[int], rounds: int) -> None:
    console = Console(width=120)
    with Progress(transient=True, console=console) as progress:
        for size in sizes:
            table = await asyncio.to_thread(measure, uri, size, rounds, progress)
            console.print(f"\n{size:,} documents, median µs\n")
            console.print("| operation | " + " | ".join(LAYOUTS) + " |")
            console.print("| --- |" + " --- |" * len(LAYOUTS))
            for name, by in table.items():
                console.print(f"| {name} | " + " | ".join(f"{by[layout]:,.0f}" for layout in LAYOUTS) + " |")


if __name__ == "__main__":
    main()
