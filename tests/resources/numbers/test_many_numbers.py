# SPDX-License-Identifier: MPL-2.0
"""Many numbers at once: in one request, and many writers at the same numbers."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import Counter
from typing import Any

import pytest
import pytest_asyncio

from crossbar.dialing import NUMBER, NUMBERS
from crossbar.documents.listing import Listing
from crossbar.documents.store import Store, Transaction
from crossbar.resources.billing.domain import charge_quote
from crossbar.resources.numbers.domain import number_operations
from crossbar.resources.numbers.domain.number import counted, owned, owner_of, reserved
from tests.harness import Answer, RunningServer, Tenant, new_tenant
from tests.numbers import FORBIDDEN, add, fresh, own, stock

ACTIVATE = "/phone_numbers/collection/activate"
WRITERS = 16


@pytest_asyncio.fixture(loop_scope="session")
async def charged(server: RunningServer, tenant: Tenant) -> Tenant:
    """An account whose plan charges for numbers."""
    plan_id = f"numbers-{tenant.id}"
    plan = {"phone_numbers": {"did_us": {"rate": 1, "activation_charge": 2}}, "number_carriers": {"_all": {"rate": 1}}}
    assert (await server.master.api.put("/service_plans", {"id": plan_id, "name": "N", "plan": plan})).status == 201
    assert (await server.master.root.post(f"/accounts/{tenant.id}/services/{plan_id}", {})).status == 200
    return tenant


def many(count: int) -> list[str]:
    return [fresh() for _ in range(count)]


async def test_a_thousand_in_chunks(
    tenant: Tenant, master: Tenant, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each chunk is one transaction, and other requests are answered in between."""
    numbers = many(1000)
    transactions, answered, work = 0, 0, Store.transact

    async def counted_work(store: Store, change: Any) -> Any:
        nonlocal transactions
        transactions += 1
        return await work(store, change)

    async def others(until: asyncio.Event) -> None:
        nonlocal answered
        while not until.is_set():
            assert (await tenant.api.get("/phone_numbers/carriers_info")).status == 200
            answered += 1

    monkeypatch.setattr(Store, "transact", counted_work)
    over = asyncio.Event()
    waiting = asyncio.create_task(others(over))
    body = {"numbers": numbers, "carrier_name": "inventory"}
    created = await master.root.put(f"/accounts/{tenant.id}/phone_numbers/collection", body)
    over.set()
    await waiting
    assert (len(created.data["success"]), created.data["error"]) == (1000, [])
    assert list(created.data["success"]) == numbers
    assert transactions == 1000 // number_operations.CHUNK
    assert answered > transactions
    assert await server.runtime.store.count_tagged(Listing(NUMBERS, NUMBER), [counted(tenant.id)]) == 1000
    released = await tenant.api.delete("/phone_numbers/collection", {"numbers": numbers})
    assert {shown["state"] for shown in released.data["success"].values()} == {"available"}
    assert (await tenant.api.get("/phone_numbers")).data["numbers"] == {}


async def test_a_chunk_is_kept_whole_or_not_at_all(
    tenant: Tenant, master: Tenant, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(number_operations, "CHUNK", 5)
    numbers, made, write_all = many(15), 0, Transaction.write_all

    async def broken(transaction: Transaction, writes: Any) -> Any:
        nonlocal made
        made += 1
        saved = await write_all(transaction, writes)
        if made == 2:
            raise RuntimeError("killed")
        return saved

    monkeypatch.setattr(Transaction, "write_all", broken)
    path = f"/accounts/{tenant.id}/phone_numbers/collection"
    assert (await master.root.put(path, {"numbers": numbers})).status == 500
    monkeypatch.setattr(Transaction, "write_all", write_all)
    assert set((await tenant.api.get("/phone_numbers")).data["numbers"]) == set(numbers[:5])
    # Sent again, it does what is left.
    again = await master.root.put(path, {"numbers": numbers})
    assert (set(again.data["success"]), set(again.data["error"])) == ({*numbers[5:]}, {*numbers[:5]})


async def test_all_of_them_are_asked_about_before_anything_is_done(
    charged: Tenant, master: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One quote for all, by what they come to together; nothing is done until it is accepted."""
    monkeypatch.setattr(number_operations, "CHUNK", 4)
    numbers, quotes, quote = many(10), 0, charge_quote.quote
    await stock(master, *numbers)

    async def counted_quote(*arguments: Any) -> Any:
        nonlocal quotes
        quotes += 1
        return await quote(*arguments)

    monkeypatch.setattr(charge_quote, "quote", counted_quote)
    refused = await charged.api.put(ACTIVATE, {"numbers": numbers})
    assert refused.error()[:3] == (402, "402", "accept charges")
    [invoice] = refused.data
    changed = {line["item"]: line["changes"]["difference"]["quantity"] for line in invoice["items"]}
    assert changed == {"did_us": 10, "_all": 10}
    assert invoice["activation_charges"][0]["total"] == 20
    assert (quotes, (await charged.api.get("/phone_numbers")).data["numbers"]) == (1, {})
    bought = await charged.api.put(ACTIVATE, {"numbers": numbers}, accept_charges=True)
    assert (len(bought.data["success"]), quotes) == (10, 2)
    # What changes nothing of the invoice is not asked about.
    assert (await charged.api.patch("/phone_numbers/collection", {"numbers": numbers, "note": "x"})).data["error"] == []
    refused = await charged.api.delete("/phone_numbers/collection", {"numbers": numbers})
    assert refused.error()[:3] == (402, "402", "accept charges")
    gone = await charged.api.delete("/phone_numbers/collection?accept_charges=true", {"numbers": numbers})
    assert len(gone.data["success"]) == 10


async def test_what_has_changed_since_it_was_asked_about_is_asked_about_again(
    charged: Tenant, master: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers that were the account's own cost nothing to activate; given up in between, they do."""
    monkeypatch.setattr(number_operations, "CHUNK", 2)
    numbers = many(4)
    for number in numbers:
        await add(master, charged, number, carrier_name="inventory")
    quoted = number_operations.NumberOperations._quote_all

    async def then_released(self: Any, operations: Any) -> Any:
        monkeypatch.undo()
        monkeypatch.setattr(number_operations, "CHUNK", 2)
        asked = await quoted(self, operations)
        gone = await charged.api.delete(f"/phone_numbers/{numbers[3]}?accept_charges=true")
        assert gone.data["state"] == "available"
        return asked

    monkeypatch.setattr(number_operations.NumberOperations, "_quote_all", then_released)
    answer = await charged.api.put(ACTIVATE, {"numbers": numbers})
    assert answer.error()[:3] == (402, "402", "accept charges")
    assert (await master.api.get(f"/phone_numbers/{numbers[3]}")).data["state"] == "available"


# Sixteen writers


async def act(who: Tenant, numbers: list[str], chance: random.Random) -> Answer:
    one, some = chance.choice(numbers), chance.sample(numbers, 4)
    verb, path, data = chance.choice(
        [
            ("PUT", f"/phone_numbers/{one}/activate", {}),
            ("PUT", f"/phone_numbers/{one}/reserve", {}),
            ("DELETE", f"/phone_numbers/{one}", {}),
            ("PATCH", f"/phone_numbers/{one}", {"note": who.id}),
            ("PUT", ACTIVATE, {"numbers": some}),
            ("DELETE", "/phone_numbers/collection", {"numbers": some}),
        ]
    )
    return await who.api.request(verb, f"{path}?accept_charges=true", data)


async def test_sixteen_writers_at_the_same_numbers(server: RunningServer, charged: Tenant, master: Tenant) -> None:
    """Whatever they do, a number has one owner, is listed and counted where it is, and nowhere else."""
    numbers = many(12)
    await stock(master, *numbers)
    child = await new_tenant(server, charged, f"child{uuid.uuid4().hex[:12]}")
    others = [await new_tenant(server, master, f"w{uuid.uuid4().hex[:12]}") for _ in range(2)]
    accounts = [charged, child, *others]

    async def write(place: int) -> list[int]:
        chance = random.Random(place)
        who = accounts[place % len(accounts)]
        return [(await act(who, numbers, chance)).status for _ in range(6)]

    statuses = Counter(status for some in await asyncio.gather(*map(write, range(WRITERS))) for status in some)
    assert not {status for status in statuses if status >= 500 or status == 402}, statuses
    assert statuses[201] and statuses[200], statuses
    store = server.runtime.store
    known = await store.get_many(NUMBERS, NUMBER, numbers)
    assert set(known) == set(numbers), "numbers of the inventory do not vanish"
    owners = {number: owner_of(document) for number, document in known.items()}
    for account in accounts:
        mine = {number for number, owner in owners.items() if owner == account.id}
        assert set((await account.api.get("/phone_numbers")).data["numbers"]) == mine
        assert {number.id for number in await store.all(Listing(NUMBERS, NUMBER, tag=owned(account.id)))} == mine
        in_reserve = {number.id for number in await store.all(Listing(NUMBERS, NUMBER, tag=reserved(account.id)))}
        assert in_reserve <= mine
        summary = (await account.api.get("/services/summary")).data["quantities"]["account"]
        assert summary.get("phone_numbers", {}).get("did_us", 0) == len(mine)


async def test_sixteen_buyers_are_all_asked(server: RunningServer, charged: Tenant, master: Tenant) -> None:
    """Of buyers at the same time nobody gets a number whose charge is not accepted, and each charge is counted."""
    numbers = many(WRITERS)
    await stock(master, *numbers)

    async def buy(place: int) -> int:
        path = f"/phone_numbers/{numbers[place]}/activate"
        return (await charged.api.put(path, {}, accept_charges=place % 2 == 0)).status

    statuses = await asyncio.gather(*map(buy, range(WRITERS)))
    assert statuses == [201, 402] * (WRITERS // 2)
    [line] = [
        line
        for line in (await charged.api.get("/services/summary")).data["invoices"][0]["items"]
        if line["item"] == "did_us"
    ]
    assert (line["quantity"], line["billable"]) == (WRITERS // 2, WRITERS // 2)


async def test_sixteen_move_one_number(server: RunningServer, tenant: Tenant, stranger: Tenant, master: Tenant) -> None:
    """Whoever moves it: it ends with one of those to whom it was moved; strangers are refused throughout."""
    (number,) = await own(master, tenant, 1)
    children = [await new_tenant(server, tenant, f"m{uuid.uuid4().hex[:12]}") for _ in range(3)]
    targets = [tenant, *children]

    async def move(place: int) -> Answer:
        if place % 5 == 4:
            return await stranger.api.put(f"/phone_numbers/{number}/activate", {})
        target = targets[place % len(targets)]
        return await tenant.root.put(f"/accounts/{target.id}/phone_numbers/{number}/activate", {})

    answers = await asyncio.gather(*map(move, range(WRITERS)))
    for place, answer in enumerate(answers):
        if place % 5 == 4:
            assert answer.error() == FORBIDDEN
        else:
            assert answer.status == 201
    holders = [who.id for who in targets if number in (await who.api.get("/phone_numbers")).data["numbers"]]
    assert holders == [(await master.api.get(f"/phone_numbers/{number}/identify")).data["account_id"]]
