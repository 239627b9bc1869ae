"""Whether cost grows with what is stored: the same requests at a thousand and at a million documents.

Seeds accounts of a hundred documents each (a user, 99 devices) and one account of `--large` devices, directly into
the database, in the form in which the server stores them; then measures requests over HTTP in the large account and
in the crowd, in rotation.

Usage: python -m benchmarks.scale [--sizes 1000,1000000] [--rounds 100] [--large 10000]
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from aiohttp import ClientSession, web
from rich.console import Console
from rich.progress import Progress

from benchmarks.samples import device
from crossbar import app as application
from crossbar import clock
from crossbar.access.passwords import password_fields
from crossbar.access.pepper import Pepper
from crossbar.config import Config
from crossbar.documents.document import ACCOUNTS, Document
from crossbar.documents.embedded import EmbeddedMongo
from crossbar.documents.layout import encode
from crossbar.documents.shape import alphanumeric
from crossbar.ids import next_revision
from crossbar.runtime import Runtime
from crossbar.shared import BucketTable

PER_ACCOUNT = 100
BATCH = 2000
PASSWORD = "benchmark password"


def documents(runtime: Runtime, master: str, size: int, large: int) -> Iterator[tuple[str, Document]]:
    """Account id and document, one after another, `size` in all (and no fewer than one account's)."""
    chance, pepper, made = random.Random(size), runtime.access.pepper, 0
    while made < size:
        devices = min(large, size // 2) if made == 0 else PER_ACCOUNT - 2
        account_id, number = f"{chance.getrandbits(128):032x}", made
        name = f"Large {size}" if made == 0 else f"Account {size} {number}"
        yield account_id, _account(account_id, master, name)
        yield account_id, _user(account_id, pepper)
        for index in range(devices):
            fields = device(index, chance)
            fields |= _private("device", account_id, fields["name"])
            yield account_id, Document(account_id, "device", f"{chance.getrandbits(128):032x}", fields)
        made += devices + 2


def _account(account_id: str, master: str, name: str) -> Document:
    realm = f"{account_id}.test"
    fields = {"name": name, "realm": realm, "timezone": "UTC", **_private("account", account_id, name)}
    tree = {"pvt_tree": [master], "pvt_enabled": True, "pvt_signature_secret": account_id}
    return Document(ACCOUNTS, "account", account_id, {**fields, **tree})


def _user(account_id: str, pepper: Pepper) -> Document:
    fields = {"first_name": "Ada", "last_name": "Admin", "username": "admin", "priv_level": "admin", "enabled": True}
    private = {**_private("user", account_id, "AdaAdmin"), "pvt_signature_secret": account_id}
    return Document(account_id, "user", account_id, {**fields, **private, **password_fields(pepper, "admin", PASSWORD)})


def _private(document_type: str, account_id: str, name: str) -> dict[str, Any]:
    now = clock.now()
    return {
        "pvt_type": document_type,
        "pvt_account_id": account_id,
        "pvt_created": now,
        "pvt_modified": now,
        "pvt_alphanum_name": alphanumeric(name),
    }


async def seed(runtime: Runtime, master: str, size: int, large: int, progress: Progress) -> list[Document]:
    """Write the documents; returns some devices of the crowd after the large account's own first devices."""
    task = progress.add_task(f"seeding {size:,} documents", total=size)
    shapes, collection = runtime.store.shapes, runtime.store.database["documents"]
    batch: list[dict[str, Any]] = []
    kept: list[Document] = []
    for _, document in documents(runtime, master, size, large):
        saved = replace(document, revision=next_revision(None))
        batch.append(encode(saved, shapes[saved.type]))
        if saved.type == "device" and (len(kept) < 100 or random.random() < 1000 / size):
            kept.append(saved)
        if len(batch) == BATCH:
            await collection.insert_many(batch, ordered=False)
            progress.advance(task, len(batch))
            batch = []
    if batch:
        await collection.insert_many(batch, ordered=False)
        progress.advance(task, len(batch))
    return kept


class Caller:
    """Sends the requests to be timed: by a hundred accounts of all, each of which has called once before."""

    def __init__(self, session: ClientSession, url: str, runtime: Runtime, devices: list[Document]) -> None:
        self.session = session
        self.url = url
        self.services = runtime
        self.crowd = random.sample(devices[100:] or devices, 100)
        self.large = devices[0].partition
        self.tokens: dict[str, str] = {}

    async def _get(self, account_id: str, path: str, **query: str) -> None:
        if account_id not in self.tokens:
            issue = self.services.access.tokens.issue
            self.tokens[account_id] = await issue(account_id, account_id, "cb_user_auth", lifetime=3600)
        headers = {"X-Auth-Token": self.tokens[account_id]}
        url = f"{self.url}/accounts/{account_id}{path}"
        async with self.session.get(url, headers=headers, params=query) as response:
            await response.read()
            response.raise_for_status()

    async def warm_up(self) -> None:
        """Let every account of the crowd log in and call."""
        for chosen in self.crowd:
            await self._get(chosen.partition, f"/devices/{chosen.id}")

    async def one(self) -> None:
        chosen = random.choice(self.crowd)
        await self._get(chosen.partition, f"/devices/{chosen.id}")

    async def listing(self) -> None:
        await self._get(random.choice(self.crowd).partition, "/devices")

    async def large_listing(self) -> None:
        await self._get(self.large, "/devices")

    async def filtered(self) -> None:
        await self._get(random.choice(self.crowd).partition, "/devices", **{"filter_provision.endpoint_model": "t54w"})

    async def search(self) -> None:
        chosen = random.choice(self.crowd)
        await self._get(chosen.partition, "/search", t="device", q="name", v="desk phone 1")

    async def log_in(self) -> None:
        credentials = hashlib.md5(f"admin:{PASSWORD}".encode(), usedforsecurity=False).hexdigest()
        realm = f"{random.choice(self.crowd).partition}.test"
        body = {"data": {"credentials": credentials, "account_realm": realm}}
        async with self.session.put(f"{self.url}/user_auth", json=body) as response:
            await response.read()
            response.raise_for_status()


async def measure(caller: Caller, rounds: int) -> dict[str, float]:
    """Median milliseconds of each request, one at a time, in rotation."""
    calls: dict[str, Callable[[], Awaitable[None]]] = {
        "GET one": caller.one,
        "list of 50": caller.listing,
        "list of 50 in a large account": caller.large_listing,
        "filtered list": caller.filtered,
        "search": caller.search,
        "log-in": caller.log_in,
    }
    await caller.warm_up()
    times: dict[str, list[float]] = {name: [] for name in calls}
    for round_ in range(rounds + 5):
        for name, call in calls.items():
            before = time.perf_counter()
            await call()
            if round_ >= 5:
                times[name].append((time.perf_counter() - before) * 1000)
    return {name: statistics.median(values) for name, values in times.items()}


async def run(folder: Path, sizes: list[int], rounds: int, large: int) -> None:
    """Seed and measure one size after another, each in a database of its own."""
    console = Console(width=120)
    mongo = EmbeddedMongo(folder / "mongo", cache_gb=1.0)
    uri = await mongo.start()
    results: dict[int, dict[str, float]] = {}
    try:
        with Progress(transient=True, console=console) as progress:
            for size in sizes:
                overrides = {
                    "server.data": str(folder / "data"),
                    "database.name": f"scale{size}",
                    "buckets.token_costs": "0",
                    "log.level": "warning",
                }
                config = Config.load(None, {}, overrides)
                made = await application.bootstrap(
                    config, database_uri=uri, account="Master", realm="master.test", user="root", password=PASSWORD
                )
                app = await application.build_app(config, database_uri=uri, buckets=BucketTable(1024))
                async with AsyncExitStack() as stack:
                    runner = web.AppRunner(app, access_log=None)
                    await runner.setup()
                    stack.push_async_callback(runner.cleanup)
                    await web.TCPSite(runner, "127.0.0.1", 0).start()
                    services = app[application.RUNTIME]
                    devices = await seed(services, made.account_id, size, large, progress)
                    session = await stack.enter_async_context(ClientSession())
                    url = f"http://127.0.0.1:{runner.addresses[0][1]}/v2"
                    results[size] = await measure(Caller(session, url, services, devices), rounds)
    finally:
        await mongo.stop()
    console.print("median ms, one request at a time\n")
    console.print("| request | " + " | ".join(f"{size:,} documents" for size in sizes) + " |")
    console.print("| --- |" + " --- |" * len(sizes))
    for name in results[sizes[0]]:
        console.print(f"| {name} | " + " | ".join(f"{results[size][name]:.2f}" for size in sizes) + " |")


@click.command()
@click.option("--sizes", default="1000,1000000")
@click.option("--rounds", default=100)
@click.option("--large", default=10_000, help="Devices in the one large account.")
def main(sizes: str, rounds: int, large: int) -> None:
    """Print the table."""
    folder = Path(tempfile.mkdtemp(prefix="crossbar-scale-"))
    try:
        asyncio.run(run(folder, [int(size) for size in sizes.split(",")], rounds, large))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
