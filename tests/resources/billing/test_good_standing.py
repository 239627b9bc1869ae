# SPDX-License-Identifier: MPL-2.0
"""Good standing: who may buy more, by the ledgers, where the bookkeeper is this server."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from crossbar import clock
from tests.billing import COSTLY, PRICES, REJECTED, Costly, costly_body, enforced, enter, sell
from tests.harness import RunningServer, Tenant, new_tenant
from tests.numbers import allow_additions, fresh
from tests.ports import made

LOCAL = {"type": "local"}
Case = tuple[dict[str, Any], float, float, bool]
"""Limits of a plan, a balance, a price, and whether it may be paid."""


@pytest_asyncio.fixture(loop_scope="session")
async def buyer(master: Tenant, tenant: Tenant) -> Tenant:
    """An account whose plan charges for everything, and whose ledger pays."""
    await sell(master, tenant, {"name": "All", "bookkeeper": LOCAL, "plan": PRICES})
    return tenant


@pytest.mark.parametrize("costly", COSTLY)
async def test_nothing_is_bought_without_credit(costly: Costly, buyer: Tenant, master: Tenant) -> None:
    verb, path, body, item = costly
    sent = costly_body(path, body)
    async with enforced(master):
        assert (await buyer.api.request(verb, path, sent)).error()[:3] == (402, "402", "accept charges")
        assert (await buyer.api.request(verb, path, sent, accept_charges=True)).error() == REJECTED
        quantities = (await buyer.api.get("/services/summary")).data["quantities"]["account"]
        assert quantities.get(item[0], {}) == ({"admin": 1} if item[0] == "users" else {})
        await enter(master, buyer, 100)
        bought = await buyer.api.request(verb, path, sent, accept_charges=True)
        assert bought.status in (200, 201), bought.envelope


async def test_numbers_and_addresses_are_not_bought_without_credit(
    server: RunningServer, buyer: Tenant, master: Tenant
) -> None:
    await allow_additions(server, buyer)
    number, ip = f"/phone_numbers/{fresh()}", f"2001:db8:78::{uuid4().int % 65536:x}"
    assert (await master.root.put("/ips", {"ip": ip, "zone": "standing", "host": "h"})).status == 201
    async with enforced(master):
        assert (await buyer.api.put(number, {}, accept_charges=True)).error() == REJECTED
        assert (await buyer.api.post("/ips", {"ips": [ip]}, accept_charges=True)).error() == REJECTED
        assert (await buyer.api.get(number)).status == 404
        assert (await buyer.api.get("/ips/assigned")).data == []
        await enter(master, buyer, 100)
        assert (await buyer.api.put(number, {}, accept_charges=True)).status == 201
        assert (await buyer.api.post("/ips", {"ips": [ip]}, accept_charges=True)).status == 200
        # What costs less is nobody's to refuse.
        await enter(master, buyer, -200)
        assert (await buyer.api.delete(f"{number}?accept_charges=true")).status == 200
    assert (await buyer.api.delete("/ips", {"ips": [ip]})).status == 200
    await master.root.delete(f"/ips/{ip}")


@pytest.mark.parametrize(
    "case",
    [
        ({}, 0, 1, False),
        ({}, 5, 5, True),
        ({}, 5, 5.0001, False),
        ({}, 0.0001, 0.0001, True),
        ({"allow_postpay": True, "max_postpay_amount": 10}, 0, 10, True),
        ({"allow_postpay": True, "max_postpay_amount": -10}, 0, 10, True),
        ({"allow_postpay": True, "max_postpay_amount": 10}, 0, 10.0001, False),
        ({"allow_postpay": True, "max_postpay_amount": 10}, -9.5, 0.5, True),
        ({"allow_postpay": True, "max_postpay_amount": 10}, -10, 0.5, False),
        ({"allow_postpay": False, "max_postpay_amount": 10}, 0, 1, False),
        ({"max_postpay_amount": 10}, 0, 1, False),
        ({"allow_postpay": True}, 0, 1, False),
        ({"allow_prepay": False}, 100, 1, False),
        ({"allow_prepay": False, "allow_postpay": True, "max_postpay_amount": 1}, 100, 1, True),
    ],
)
async def test_how_far_limits_go(case: Case, tenant: Tenant, master: Tenant) -> None:
    """To the unit."""
    limits, balance, price, good = case
    plan = {"devices": {"sip_device": {"rate": price}}}
    await sell(master, tenant, {"name": "p", "bookkeeper": LOCAL, "limits": limits, "plan": plan})
    if balance:
        # An entry is of a dollar at least: what is less is the difference of two.
        await enter(master, tenant, balance + 50 if balance > 0 else balance - 50)
        await enter(master, tenant, -50 if balance > 0 else 50)
    async with enforced(master):
        answer = await tenant.api.put("/devices", {"name": "d"}, accept_charges=True)
    assert answer.status == 201 if good else answer.error() == REJECTED


async def test_an_accounts_own_limits_go_before_its_plans(
    server: RunningServer, tenant: Tenant, master: Tenant
) -> None:
    planned = {"allow_postpay": True, "max_postpay_amount": 10}
    plan = {"devices": {"sip_device": {"rate": 5}}}
    await sell(master, tenant, {"name": "p", "bookkeeper": LOCAL, "limits": planned, "plan": plan})

    async def shown() -> tuple[bool, float]:
        limits = (await tenant.api.get("/limits")).data
        return limits["allow_postpay"], limits["max_postpay_amount"]

    assert await shown() == (True, 10)
    assert (await tenant.api.post("/limits", {"allow_prepay": False})).data["max_postpay_amount"] == 10
    store = server.runtime.store
    await store.update(tenant.id, "limits", "limits", lambda kept: kept.fields.update(pvt_max_postpay_amount=4))
    assert await shown() == (True, 4)
    async with enforced(master):
        assert (await tenant.api.put("/devices", {"name": "d"}, accept_charges=True)).error() == REJECTED
        status = (await tenant.api.get("/services/summary")).data["status"]
        assert status == {"acceptable": True, "reason": "good_standing", "message": status["message"]}
        await enter(master, tenant, -4)
        status = (await tenant.api.get("/services/summary")).data["status"]
        assert status == {"acceptable": False, **REJECTED[3]}
        assert (await tenant.api.get("/service_plans/current")).data["in_good_standing"] is False


async def test_overrides_change_prices_and_limits(buyer: Tenant, master: Tenant) -> None:
    path = f"/accounts/{buyer.id}/services/overrides"

    async def bought() -> int:
        return (await buyer.api.put("/devices", {"name": "d"}, accept_charges=True)).status

    async with enforced(master):
        assert await bought() == 402
        # What costs nothing is nobody's to refuse, though it is still asked about.
        free = {"plan": {"devices": {"sip_device": {"rate": 0, "activation_charge": 0}}}}
        assert (await master.root.post(path, free)).status == 200
        assert (await buyer.api.put("/devices", {"name": "d"})).error()[:3] == (402, "402", "accept charges")
        assert await bought() == 201
        limits = {"allow_postpay": True, "max_postpay_amount": 8}
        assert (await master.root.post(path, {"limits": limits})).status == 200
        assert (await buyer.api.get("/limits")).data["max_postpay_amount"] == 8
        assert await bought() == 201
        assert (await master.root.patch(path, {"limits": {"max_postpay_amount": 7}})).status == 200
        assert await bought() == 402
    wrong = await master.root.post(path, {"limits": {"max_postpay_amount": "much"}})
    assert set(wrong.data) == {"overrides.limits.max_postpay_amount"}


async def test_a_means_of_payment_is_good_until_it_expires(
    server: RunningServer, buyer: Tenant, master: Tenant
) -> None:
    async def answer(**token: Any) -> int:
        def keep(services: Any) -> None:
            services.fields["payment_tokens"] = {"cards": {"one": {"default": True, **token}}}

        assert await server.runtime.store.update(buyer.id, "services", "services", keep)
        return (await buyer.api.put("/devices", {"name": "d"}, accept_charges=True)).status

    async with enforced(master):
        assert await answer(expiration=clock.now() - 1) == 402
        assert await answer(default=False) == 402
        assert await answer(expiration=clock.now() + 1000) == 201
        assert await answer() == 201


async def test_it_counts_only_where_it_is_asked_for(buyer: Tenant, master: Tenant) -> None:
    assert (await buyer.api.put("/devices", {"name": "d"}, accept_charges=True)).status == 201
    assert (await buyer.api.get("/services/summary")).data["status"]["acceptable"] is True
    # With a second plan of somebody else's, that one has to answer, too.
    elsewhere = {"name": "e", "bookkeeper": {"type": "braintree"}, "plan": {"devices": {"ata": {"rate": 1}}}}
    await sell(master, buyer, elsewhere)
    await enter(master, buyer, 100)
    async with enforced(master):
        refused = await buyer.api.put("/devices", {"name": "d"}, accept_charges=True)
        assert refused.error()[:3] == (402, "402", "billing_issue")
        assert refused.data["reason"] == "bookkeeper_fault"


async def test_the_payer_is_judged(server: RunningServer, buyer: Tenant, master: Tenant) -> None:
    """Who buys for an account below pays where the plan counts what is below; the customer's balance is its own."""
    assert (await master.root.put(f"/accounts/{buyer.id}/reseller")).status == 201
    customer = await new_tenant(server, buyer, f"customer{uuid4().hex[:12]}")
    path = f"/accounts/{customer.id}/limits"
    async with enforced(master):
        await enter(buyer, customer, 1000)
        trunks = {"twoway_trunks": 2}
        assert (await buyer.root.post(path, trunks, accept_charges=True)).error() == REJECTED
        await enter(master, buyer, 50)
        assert (await buyer.root.post(path, trunks, accept_charges=True)).status == 200


async def test_sixteen_buyers_at_once_are_judged_alike(buyer: Tenant, master: Tenant) -> None:
    async with enforced(master):
        buys = [buyer.api.put("/devices", {"name": f"d{n}"}, accept_charges=True) for n in range(16)]
        assert [answer.error() for answer in await asyncio.gather(*buys)] == [REJECTED] * 16
        assert (await buyer.api.get("/devices")).data == []


async def test_port_requests_count_where_they_stand(buyer: Tenant, stranger: Tenant) -> None:
    async def counted() -> dict[str, float]:
        quantities = (await buyer.api.get("/services/summary")).data["quantities"]["account"]
        return dict(quantities.get("port_request", {}))

    assert await counted() == {}
    accepting = {"accept_charges": "true"}
    body = {"name": "p", "numbers": {fresh(): {}, fresh(): {}}}
    port = await buyer.api.put("/port_requests", body, query=accepting)
    assert await counted() == {"first_unconfirmed": 2}
    # A move within `_all` changes the price of nothing.
    assert (await buyer.api.patch(f"/port_requests/{port.id}/submitted", {})).status == 200
    assert await counted() == {"first_submitted": 2}
    more = {"numbers": {**body["numbers"], fresh(): {}}}  # type: ignore[dict-item]
    assert (await buyer.api.patch(f"/port_requests/{port.id}", more)).status == 402
    assert (await buyer.api.patch(f"/port_requests/{port.id}", more, query=accepting)).status == 200
    assert await counted() == {"first_submitted": 3}
    await made(stranger)
    assert await counted() == {"first_submitted": 3}
