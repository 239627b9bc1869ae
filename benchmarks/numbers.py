# SPDX-License-Identifier: MPL-2.0
"""What numbers cost: in an account that has few and in one that has a hundred thousand, with a million for sale.

    python -m benchmarks.numbers --sizes 1000,100000 --inventory 1000000

All are in one database of one server. Each operation is one request at a time over a kept connection, the accounts
taking turns. Ten thousand numbers at once are bought and given back in one request each, and by a task.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import orjson

from benchmarks import frame, servers
from benchmarks.cdrs import Client, Operation, login, measure, new_account
from benchmarks.pour import pour
from crossbar import app, clock
from crossbar.config import Config
from crossbar.dialing import ASSIGNED_TO, NUMBER, NUMBERS
from crossbar.documents.document import Document
from crossbar.resources.numbers.domain.area_codes import CITIES
from crossbar.resources.numbers.domain.number import FEATURES, KIND, MODULE, STATE, State
from crossbar.resources.numbers.domain.number_settings import NumberSettings
from crossbar.runtime import Runtime

DATABASE = "bench-numbers"
COLUMNS = ("operation", "numbers", "median ms", "slowest ms", "rows", "peak RSS MB")
AREA_CODES = [code for city in CITIES for code in city.prefixes if city.country == "US"]
RARE = 997
"""One number in so many is reserved."""


def for_sale(rules: NumberSettings, count: int) -> Iterator[Document]:
    """Numbers of the inventory, spread over the area codes of cities."""
    for place in range(count):
        yield _number(rules, _written(place), str(State.AVAILABLE), None)


def of_account(rules: NumberSettings, account_id: str, first: int, count: int) -> Iterator[Document]:
    """Numbers of an account, which nobody else has."""
    for place in range(count):
        state = State.RESERVED if place % RARE == 0 else State.IN_SERVICE
        yield _number(rules, f"+1900{first + place:07}", str(state), account_id)


def _written(place: int) -> str:
    return f"+1{AREA_CODES[place % len(AREA_CODES)]}{2_000_000 + place // len(AREA_CODES)}"


def _number(rules: NumberSettings, number: str, state: str, account_id: str | None) -> Document:
    now = clock.now()
    fields: dict[str, Any] = {
        STATE: state,
        MODULE: "knm_inventory",
        FEATURES: {},
        KIND: rules.kind(number),
        "pvt_type": NUMBER,
        "pvt_account_id": NUMBERS,
        "pvt_created": now,
        "pvt_modified": now,
        "pvt_vsn": "1",
    }
    return Document(NUMBERS, NUMBER, number, fields if account_id is None else {**fields, ASSIGNED_TO: account_id})


class Numbers:
    """The requests, each with other numbers than the ones before."""

    def __init__(self, firsts: dict[str, tuple[int, int]], inventory: int) -> None:
        self._firsts = firsts
        self._inventory = inventory
        self._chance = random.Random(inventory)
        self._next = 0

    def own(self, client: Client) -> str:
        """A number of the account."""
        first, size = self._firsts[client.account_id]
        return f"%2B1900{first + self._chance.randrange(size):07}"

    def free(self, count: int) -> list[str]:
        """Numbers for sale that were not bought before."""
        self._next += count
        return [_written(place) for place in range(self._next - count, self._next)]

    def operations(self) -> list[Operation]:
        """What is measured, in the order of the table."""

        def listed(data: Any) -> int:
            return len(data["numbers"])

        return [
            Operation("page of 50", lambda client: listed(client.data("/phone_numbers"))),
            Operation(
                "filtered page, one in 997",
                lambda client: listed(client.data("/phone_numbers", filter_state="reserved")),
            ),
            Operation(
                "filtered page, nothing fits",
                lambda client: listed(client.data("/phone_numbers", filter_carrier_module="knm_local")),
            ),
            Operation("one number", lambda client: len([client.data(f"/phone_numbers/{self.own(client)}")])),
            Operation(
                "kind of a number", lambda client: len([client.data(f"/phone_numbers/classifiers/{self.own(client)}")])
            ),
            Operation("PATCH of a number", self._patch),
            Operation(
                "search, area code", lambda client: len(client.data("/phone_numbers", prefix="212", quantity=50))
            ),
            Operation(
                "search, area code, 5,000 passed over",
                lambda client: len(client.data("/phone_numbers", prefix="212", quantity=50, offset=5000)),
            ),
            Operation("search, city", self._search_city),
            Operation("bought and given back", self._buy_one),
        ]

    def charged(self) -> list[Operation]:
        """What costs something by the account's plan."""
        return [Operation("bought and given back, by a plan that charges", self._buy_one)]

    def many(self) -> list[Operation]:
        """What is done to ten thousand numbers."""
        return [
            Operation("10,000 bought and given back", self._buy_many),
            Operation("10,000 reserved by a task, and released", self._buy_by_task),
        ]

    def _patch(self, client: Client) -> int:
        path = f"/accounts/{client.account_id}/phone_numbers/{self.own(client)}"
        client.send("PATCH", path, {"note": str(time.perf_counter())})
        return 1

    def _search_city(self, client: Client) -> int:
        cities = client.data("/phone_numbers/prefix", city="san fr")
        codes = [code for city in cities.values() for code in city["prefixes"]]
        return sum(len(client.data("/phone_numbers", prefix=code, quantity=50)) for code in codes)

    def _buy_one(self, client: Client) -> int:
        [number] = self.free(1)
        path = f"/accounts/{client.account_id}/phone_numbers/%2B{number[1:]}"
        client.send("PUT", f"{path}/activate?accept_charges=true", {})
        client.send("DELETE", f"{path}?accept_charges=true")
        return 1

    def _buy_many(self, client: Client) -> int:
        numbers = self.free(10_000)
        path = f"/accounts/{client.account_id}/phone_numbers/collection"
        bought = orjson.loads(client.send("PUT", f"{path}/activate", {"numbers": numbers}))["data"]
        given = orjson.loads(client.send("DELETE", path, {"numbers": numbers}))["data"]
        if bought["error"] or given["error"]:
            raise RuntimeError("not all were bought and given back")
        return len(given["success"])

    def _buy_by_task(self, client: Client) -> int:
        numbers = self.free(10_000)
        return sum(self._task(client, action, numbers) for action in ("reserve", "release")) // 2

    @staticmethod
    def _task(client: Client, action: str, numbers: list[str]) -> int:
        path = f"/accounts/{client.account_id}/tasks"
        records = {"records": [{"e164": number} for number in numbers]}
        query = f"{path}?category=number_management&action={action}"
        task_id = orjson.loads(client.send("PUT", query, records))["data"]["_read_only"]["id"]
        client.send("PATCH", f"{path}/{task_id}", {})
        while True:
            task = client.data(f"/tasks/{task_id}")["_read_only"]
            if task["status"] not in ("pending", "executing"):
                return int(task["success_count"])
            time.sleep(0.2)


async def _fill(runtime: Runtime, clients: dict[int, Client], inventory: int) -> dict[str, tuple[int, int]]:
    """Numbers for sale, and those of the accounts: the first one, and how many, by account."""
    rules, store = NumberSettings(runtime), runtime.store
    await pour(store, for_sale(rules, inventory), inventory, "for sale")
    firsts: dict[str, tuple[int, int]] = {}
    for size, client in clients.items():
        first = sum(known for _, known in firsts.values())
        firsts[client.account_id] = (first, size)
        await pour(store, of_account(rules, client.account_id, first, size), size, f"account of {size}")
    return firsts


def _charge(master: Client, clients: dict[int, Client]) -> None:
    """Give the accounts a plan."""
    plan = {"id": "numbers", "name": "Numbers", "plan": {"phone_numbers": {"_all": {"rate": 1}}}}
    master.send("PUT", f"/accounts/{master.account_id}/service_plans", plan)
    for client in clients.values():
        master.send("POST", f"/accounts/{client.account_id}/services/numbers", {})


@click.command()
@click.option(
    "--sizes", default="1000,100000", callback=frame.whole_numbers, show_default=True, help="Numbers of each account."
)
@click.option("--inventory", default=1_000_000, show_default=True, help="Numbers for sale.")
@click.option("--rounds", default=9, show_default=True, help="How often each request is repeated.")
def main(sizes: list[int], inventory: int, rounds: int) -> None:
    """Seed, measure, print."""
    frame.run(lambda folder, uri: _measured(folder, uri, sizes, inventory, rounds))


async def _measured(folder: Path, uri: str, sizes: list[int], inventory: int, rounds: int) -> None:
    async with servers.crossbar(uri, DATABASE, folder / "data", 1) as server:
        master = await asyncio.to_thread(login, server.port, "Master")
        clients = {size: await asyncio.to_thread(new_account, master, size) for size in sizes}
        config = Config.load(None, {}, {"database.name": DATABASE, "server.data": str(folder / "data")})
        async with app.open_runtime(config, uri) as runtime:
            numbers = Numbers(await _fill(runtime, clients, inventory), inventory)
        workers = server.workers()
        rows = await asyncio.to_thread(lambda: [*measure(clients, numbers.operations(), workers, rounds)])
        rows += await asyncio.to_thread(lambda: [*measure(clients, numbers.many(), workers, 1)])
        await asyncio.to_thread(_charge, master, clients)
        rows += await asyncio.to_thread(lambda: [*measure(clients, numbers.charged(), workers, rounds)])
    frame.report(COLUMNS, rows, "1 worker", f"{inventory:,} numbers for sale")


if __name__ == "__main__":
    main()
