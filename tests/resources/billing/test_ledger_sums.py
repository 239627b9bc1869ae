# SPDX-License-Identifier: MPL-2.0
"""Sums of ledgers under sixteen writers: by month, day and account they are those of the entries."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any
from uuid import uuid4

from crossbar import clock
from crossbar.resources.billing.domain.ledger_sum import BALANCE, LEDGER, MONTH
from crossbar.resources.billing.domain.money import units_of
from tests.call_records import hand_in, leg
from tests.harness import Answer, RunningServer, Tenant, new_tenant

RATED = {"account_billing": "per_minute", "reseller_billing": "per_minute", "rate": 300}


async def documents(server: RunningServer, account_id: str, collection: str, kind: str) -> list[dict[str, Any]]:
    """What is stored of a type, private fields and all."""
    found = await server.runtime.store.database[collection].find({"a": account_id}).to_list(None)
    return [one["doc"] for one in found if one["_id"].split("/")[1] == kind]


async def compare(server: RunningServer, account: Tenant) -> int:
    """Compare an account's sums with its entries; how many entries there are."""
    entries = await documents(server, account.id, "records", LEDGER)
    by_month: Counter[str] = Counter()
    by_line: Counter[tuple[str, str, int, str]] = Counter()
    used: Counter[tuple[str, str, int, str]] = Counter()
    for entry in entries:
        month, units = clock.year_month(entry["pvt_created"]), units_of(entry["amount"])
        day = clock.moment(entry["pvt_created"]).day
        line = (month, entry["account"]["id"], day, entry["source"]["service"])
        by_month[month] += units
        by_line[line] += units
        used[line] += entry["usage"]["quantity"]
    [balance] = await documents(server, account.id, "documents", BALANCE)
    assert balance["pvt_months"] == by_month
    months = await documents(server, account.id, "documents", MONTH)
    lines = [
        ((month["pvt_month"], month["pvt_account"]["id"], line["day"], line["service"]), line)
        for month in months
        for line in month["pvt_lines"]
    ]
    assert {key: line["amount"] for key, line in lines} == by_line
    assert {key: line["quantity"] for key, line in lines} == used
    assert len(lines) == len(by_line)
    total = (await account.api.get("/ledgers/total")).data["amount"]
    assert units_of(total) == by_month.total()
    # Each entry says what there was before it: in some order they follow from each other.
    steps = sorted((entry["audit"]["available_units"], units_of(entry["amount"])) for entry in entries)
    before = Counter(available for available, _ in steps)
    after = Counter(available + units for available, units in steps)
    assert before + Counter([by_month.total()]) == after + Counter([0])
    return len(entries)


async def test_sixteen_writers(server: RunningServer, tenant: Tenant, master: Tenant) -> None:
    """A reseller and its customers are credited, debited, topped up and charged for calls, all at once."""
    assert (await master.root.put(f"/accounts/{tenant.id}/reseller")).status == 201
    customers = [await new_tenant(server, tenant, f"customer{uuid4().hex[:12]}") for _ in range(2)]

    async def write(number: int) -> list[Answer]:
        customer = customers[number % 2]
        entry = {
            "amount": 1 + number / 100,
            "source": {"service": f"s{number % 3}", "id": uuid4().hex},
            "usage": {"type": "voice", "quantity": number, "unit": "sec"},
        }
        call = {**leg(customer.id, number, custom_channel_vars=RATED), "call_id": uuid4().hex}
        path = f"/accounts/{customer.id}/ledgers/{'debit' if number % 4 else 'credit'}"
        return [
            await tenant.root.put(path, entry, impact_reseller=number % 3 == 0),
            await customer.api.post("/services/topup", {"amount": 2.5}),
            await hand_in(master.root, "cdrs", call, call),
            await master.root.put(f"/accounts/{tenant.id}/ledgers/credit", {**entry, "amount": 3.0001}),
        ]

    answers = await asyncio.gather(*(write(number) for number in range(16)))
    assert {tuple(answer.status for answer in mine) for mine in answers} == {(201, 200, 200, 201)}
    assert [await compare(server, customer) for customer in customers] == [3 * 8, 3 * 8]
    assert await compare(server, tenant) == 16 + 6 + 16
