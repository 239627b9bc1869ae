# SPDX-License-Identifier: MPL-2.0
"""A reseller from its first plan to its ledger: what it buys, is refused, pays, hands on and is told of."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from crossbar import clock
from tests.billing import REJECTED, balance, enforced, enter, sell, told
from tests.harness import RunningServer, Tenant, letters_to, new_tenant, until
from tests.numbers import fresh, stock

PLAN: dict[str, Any] = {
    "name": "Reseller",
    "bookkeeper": {"type": "local"},
    "limits": {"allow_postpay": True, "max_postpay_amount": 5},
    "plan": {
        "number_carriers": {"inventory": {"rate": 2, "activation_charge": 1}, "local": {"rate": 1, "cascade": True}},
        "port_request": {"first_unconfirmed": {"rate": 0.5}, "first_submitted": {"rate": 1.5}},
        "users": {"_all": {"rate": 3, "cascade": True}},
    },
}


async def categories(account: Tenant) -> set[str]:
    """The kinds of alerts that an account has."""
    return {alert["category"] for alert in (await account.api.get("/alerts")).data}


async def test_a_resellers_month(server: RunningServer, master: Tenant, tenant: Tenant) -> None:
    reseller = tenant
    assert (await master.root.put(f"/accounts/{reseller.id}/reseller")).status == 201
    customer = await new_tenant(server, reseller, f"customer{uuid4().hex[:12]}")
    plan_id = await sell(master, reseller, PLAN)
    first, second = fresh(), fresh()
    await stock(master, first, second)
    async with enforced(master):
        # It has a plan, and limits that come of it.
        assert set((await reseller.api.get("/services")).data) == {plan_id}
        limits = (await reseller.api.get("/limits")).data
        assert (limits["allow_postpay"], limits["max_postpay_amount"]) == (True, 5)
        assert (await reseller.api.get("/services/summary")).data["status"]["acceptable"] is True

        # It buys a number: first it hears the price.
        buy = {"numbers": [first]}
        offered = await reseller.api.put("/phone_numbers/collection/activate", buy)
        assert told(offered)["number_carriers", "inventory"]["difference"] == {"quantity": 1, "billable": 1}
        [invoice] = offered.data
        assert invoice["summary"]["today"] == 1
        bought = await reseller.api.put("/phone_numbers/collection/activate", buy, accept_charges=True)
        assert (bought.status, bought.data["state"]) == (201, "in_service")

        # It is charged, and then refused at its limit, whatever it wants to buy.
        await enter(master, reseller, -3, description="One number")
        assert await balance(reseller) == -3
        more = {"numbers": [second]}
        refused = await reseller.api.put("/phone_numbers/collection/activate", more, accept_charges=True)
        assert refused.error() == REJECTED
        seat = {"first_name": "A", "last_name": "B"}
        assert (await reseller.api.put("/users", seat, accept_charges=True)).error() == REJECTED
        hired = await reseller.root.put(f"/accounts/{customer.id}/users", seat, accept_charges=True)
        assert hired.error() == REJECTED
        assert set((await reseller.api.get("/phone_numbers")).data["numbers"]) == {first}

        # Nothing can be charged for a top-up; who sells to it gives it credit.
        topup = await reseller.api.post("/services/topup", {"amount": 20})
        assert topup.error()[:3] == (402, "402", "no_payment_token")
        await enter(master, reseller, 20, source={"service": "payments", "id": uuid4().hex})
        assert await balance(reseller) == 17
        again = await reseller.api.put("/phone_numbers/collection/activate", more, accept_charges=True)
        assert again.status == 201

        # It ports a number in.
        ported = fresh()
        request = {"name": "port", "numbers": {ported: {}}}
        assert ("port_request", "first_unconfirmed") in told(await reseller.api.put("/port_requests", request))
        port = await reseller.api.put("/port_requests", request, accept_charges=True)
        assert port.status == 201
        assert "port_suspended" in await categories(reseller)
        submitted = f"/port_requests/{port.id}/submitted"
        moves = told(await reseller.api.patch(submitted, {}))
        assert {item: change["type"] for (_, item), change in moves.items()} == {
            "first_unconfirmed": "removed",
            "first_submitted": "created",
        }
        assert (await reseller.api.patch(submitted, {}, accept_charges=True)).status == 200
        for state in ("pending", "completed"):
            moved = await master.root.patch(f"/accounts/{reseller.id}/port_requests/{port.id}/{state}", {})
            assert moved.status == 200, moved.envelope
        assert (await reseller.api.get(f"/phone_numbers/{ported}")).data["state"] == "in_service"
        assert "port_suspended" not in await categories(reseller)

        # It moves both numbers on to its customer, for whom it pays where its plan says so.
        path = f"/accounts/{customer.id}/phone_numbers/collection/activate"
        handed = await reseller.root.put(path, {"numbers": [first, ported]}, accept_charges=True)
        assert set(handed.data["success"]) == {first, ported}, handed.envelope
        assert set((await customer.api.get("/phone_numbers")).data["numbers"]) == {first, ported}

    # It reads its invoice, …
    [invoice] = (await reseller.api.get("/services/summary")).data["invoices"]
    lines = {(line["category"], line["item"]): line["quantity"] for line in invoice["items"]}
    assert lines == {
        ("number_carriers", "inventory"): 1,
        ("number_carriers", "local"): 1,
        ("port_request", "first_submitted"): 0,
        ("port_request", "first_unconfirmed"): 0,
        ("users", "_all"): 2,
    }
    assert invoice["summary"]["recurring"] == 2 + 1 + 6
    # … its ledger, …
    month = (await reseller.api.get(f"/ledgers/summary/{clock.year_month()}")).data["summary"]
    assert {service: total["amount"] for service, total in month.items()} == {"payments": 20.0, "services": -3.0}
    assert await balance(reseller) == 17
    # … and what it is alerted of: there is no means of payment, but enough credit.
    assert await categories(reseller) == {"no_payment_token"}

    async def balances_told() -> list[str]:
        found = [str(letter["Subject"]) for letter in await letters_to(server, f"admin@{reseller.realm}")]
        return [subject for subject in found if "balance" in subject]

    async def was_told() -> bool:
        return bool(await balances_told())

    # Beside what became of its services and port requests it was told by mail when its balance had fallen.
    await until(was_told)
    assert await balances_told() == [f"The balance of {reseller.realm.removesuffix('.test')} is low"]
