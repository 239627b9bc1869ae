# SPDX-License-Identifier: MPL-2.0
"""What the totals of ledgers cost: in an account with few entries and in one with a million.

    python -m benchmarks.ledgers --sizes 1000,1000000

Both are in one database of one server. The entries are of this month, about a hundred accounts. Each operation is one
request at a time over a kept connection, the accounts taking turns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click

from benchmarks import frame, servers
from benchmarks.cdrs import Client, Operation, login, measure, new_account
from benchmarks.pour import pour
from crossbar import app, clock
from crossbar.documents.document import Document
from crossbar.documents.store import Store
from crossbar.ids import monthly_id
from crossbar.resources.billing.domain import ledger_sum
from crossbar.resources.billing.domain.ledger_sum import LEDGER

DATABASE = "bench-ledgers"
COLUMNS = ("operation", "entries", "median ms", "slowest ms", "rows", "peak RSS MB")
SOURCE = "per-minute-voip"
ACCOUNTS = 100


class SumsInMemory:
    """As much of a transaction as the sums of entries need: what they come to is written when all are counted."""

    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}

    async def get(self, partition: str, document_type: str, document_id: str) -> Document | None:
        return self.documents.get(Document(partition, document_type, document_id, {}).key)

    async def insert(self, document: Document) -> Document:
        self.documents[document.key] = document
        return document

    async def replace(self, document: Document, _: Document) -> Document:
        return await self.insert(replace(document, revision=None))


def entries(account_id: str, count: int) -> Iterator[Document]:
    """Debits of this month, one after another."""
    now = clock.now()
    day = clock.moment(now).day
    for place in range(count):
        moment = now - place % max(day * 86_400 - 86_400, 3600)
        about = {"id": f"{place % ACCOUNTS:032x}", "name": f"Customer {place % ACCOUNTS}"}
        yield Document(
            account_id,
            LEDGER,
            monthly_id(moment),
            {
                "account": about,
                "amount": -(place % 900 + 1) / 10_000,
                "description": "A call",
                "source": {"service": SOURCE, "id": f"{place:032x}"},
                "usage": {"type": "voice", "quantity": 60, "unit": "sec"},
                "period": {"start": moment},
                "metadata": {},
                "audit": {},
                "pvt_type": LEDGER,
                "pvt_created": moment,
                "pvt_modified": moment,
            },
        )


async def fill(store: Store, account_id: str, count: int) -> None:
    """Entries, and what they come to."""
    sums = SumsInMemory()
    await pour(store, entries(account_id, count), count, f"{count:,} entries")
    for entry in entries(account_id, count):
        await ledger_sum.add(sums, entry)  # type: ignore[arg-type]
    for document in sums.documents.values():
        await store.upsert(document)


def operations() -> list[Operation]:
    """What is measured, in the order of the table."""
    month = clock.year_month()
    return [
        Operation("balance", lambda client: len(client.data("/ledgers/total"))),
        Operation("this month's totals", lambda client: len(client.data("/ledgers"))),
        Operation(
            "month's total by account", lambda client: len(client.data(f"/ledgers/summary/{month}")["breakdown"])
        ),
        Operation("page of 50 entries", lambda client: len(client.data(f"/ledgers/{SOURCE}"))),
    ]


@click.command()
@click.option(
    "--sizes", default="1000,1000000", callback=frame.whole_numbers, show_default=True, help="Entries of each account."
)
@click.option("--rounds", default=9, show_default=True, help="How often each request is repeated.")
def main(sizes: list[int], rounds: int) -> None:
    """Seed, measure, print."""
    frame.run(lambda folder, uri: _measured(folder, uri, sizes, rounds))


async def _measured(folder: Path, uri: str, sizes: list[int], rounds: int) -> None:
    store = Store.connect(uri, DATABASE, app.shapes())
    try:
        async with servers.crossbar(uri, DATABASE, folder / "data", 1) as server:
            master = await asyncio.to_thread(login, server.port, "Master")
            clients: dict[int, Client] = {size: await asyncio.to_thread(new_account, master, size) for size in sizes}
            await store.register()
            for size, client in clients.items():
                await fill(store, client.account_id, size)
            rows = await asyncio.to_thread(lambda: [*measure(clients, operations(), server.workers(), rounds)])
    finally:
        await store.close()
    frame.report(COLUMNS, rows, "1 worker")


if __name__ == "__main__":
    main()
