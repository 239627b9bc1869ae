# SPDX-License-Identifier: MPL-2.0
"""402: what a service plan charges for is accepted before it is done."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from crossbar.documents.document import Document
from crossbar.resources.billing.domain.charge_quote import compared
from crossbar.resources.billing.domain.invoice import invoices
from tests.billing import COSTLY, PRICES, Costly, costly_body, told
from tests.harness import RunningServer, Tenant, new_tenant


@pytest_asyncio.fixture(loop_scope="session")
async def charged(server: RunningServer, tenant: Tenant) -> Tenant:
    """An account with a plan of the master account's that charges for everything."""
    plan_id = f"charges-{tenant.id}"
    assert (await server.master.api.put("/service_plans", {"id": plan_id, "name": "All", "plan": PRICES})).status == 201
    assert (await server.master.root.post(f"/accounts/{tenant.id}/services/{plan_id}", {})).status == 200
    return tenant


async def test_the_whole_exchange(charged: Tenant, server: RunningServer) -> None:
    refused = await charged.api.put("/devices", {"name": "Desk"})
    assert told(refused) == {
        ("devices", "sip_device"): {"type": "created", "difference": {"quantity": 1, "billable": 1}}
    }
    [invoice] = refused.data
    assert invoice["activation_charges"] == [
        {"category": "devices", "item": "sip_device", "name": "SIP Device", "rate": 3, "billable": 1, "total": 3}
    ]
    assert invoice["summary"] == {"today": 3.0, "recurring": 7.0}
    assert invoice["bookkeeper"] == {"type": "default", "vendor_id": server.master.id}
    assert [line for line in invoice["items"] if line["item"] == "sip_device"] == [
        {
            "category": "devices",
            "item": "sip_device",
            "name": "SIP Device",
            "quantity": 1,
            "maximum": 1,
            "billable": 1,
            "rate": 5,
            "discount": 0.0,
            "total": 5,
            "prorate": {"additions": True, "removals": False},
            "changes": {"type": "created", "difference": {"quantity": 1, "billable": 1}},
        }
    ]
    assert (await charged.api.get("/devices")).data == []
    accepted = await charged.api.put("/devices", {"name": "Desk"}, accept_charges=True)
    assert accepted.status == 201
    assert "accept_charges" not in accepted.data
    # What costs no more is saved, and so is what costs nothing at all.
    assert (await charged.api.patch(f"/devices/{accepted.id}", {"name": "Table"})).status == 200
    assert (await charged.api.put("/devices", {"name": "Soft", "device_type": "softphone"})).status == 402
    assert (await charged.api.patch(f"/devices/{accepted.id}", {"enabled": False})).status == 200
    again = await charged.api.patch(f"/devices/{accepted.id}", {"enabled": True})
    assert told(again)["devices", "sip_device"]["type"] == "created"
    assert (await charged.api.patch(f"/devices/{accepted.id}?accept_charges=true", {"enabled": True})).status == 200
    in_data = await charged.api.put("/devices", {"name": "Other", "accept_charges": "true"})
    assert (in_data.status, "accept_charges" in in_data.data) == (201, False)
    assert (await charged.api.delete(f"/devices/{accepted.id}")).status == 200


@pytest.mark.parametrize("costly", COSTLY)
async def test_everything_that_costs(costly: Costly, charged: Tenant) -> None:
    verb, path, body, item = costly
    sent = costly_body(path, body)
    assert item in told(await charged.api.request(verb, path, sent))
    accepted = await charged.api.request(verb, path, sent, accept_charges=True)
    assert accepted.status in (200, 201), accepted.envelope
    quantities = (await charged.api.get("/services/summary")).data["quantities"]["account"]
    assert quantities[item[0]]


async def test_numbers(server: RunningServer, charged: Tenant) -> None:
    number = f"+1212555{uuid4().int % 10**4:04d}"
    await server.runtime.store.update(
        "accounts", "account", charged.id, lambda stored: stored.fields.update(pvt_wnm_allow_additions=True)
    )
    path = f"/phone_numbers/{number}"
    refused = await charged.api.put(path, {})
    assert told(refused)["number_carriers", "local"]["difference"] == {"quantity": 1, "billable": 1}
    assert (await charged.api.get(path)).status == 404
    assert (await charged.api.put(path, {}, accept_charges=True)).status == 201
    assert (await charged.api.patch(path, {"name": "x"})).status == 200
    # A number that goes is told of, too.
    removed = await charged.api.delete(path)
    assert told(removed)["number_carriers", "local"]["type"] == "removed"
    assert (await charged.api.delete(f"{path}?accept_charges=true")).status == 200


async def test_addresses(charged: Tenant, master: Tenant) -> None:
    ips = [f"2001:db8:77::{uuid4().int % 65536:x}" for _ in range(2)]
    for ip in ips:
        assert (await master.root.put("/ips", {"ip": ip, "zone": "charges", "host": "h"})).status == 201
    refused = await charged.api.post("/ips", {"ips": ips})
    assert told(refused)["ips", "dedicated"]["difference"] == {"quantity": 2, "billable": 2}
    assert (await charged.api.get("/ips/assigned")).data == []
    assert (await charged.api.post("/ips", {"ips": ips}, accept_charges=True)).status == 200
    assert (await charged.api.delete("/ips", {"ips": ips})).status == 200
    for ip in ips:
        await master.root.delete(f"/ips/{ip}")


async def test_what_customers_have_costs_their_reseller(server: RunningServer, charged: Tenant, master: Tenant) -> None:
    await master.root.put(f"/accounts/{charged.id}/reseller")
    customer = await new_tenant(server, charged, f"customer{uuid4().hex[:12]}")
    path = f"/accounts/{customer.id}"
    refused = await charged.root.post(f"{path}/limits", {"twoway_trunks": 2})
    assert told(refused)["limits", "twoway_trunks"]["difference"] == {"quantity": 2, "billable": 2}
    assert (await charged.root.post(f"{path}/limits", {"twoway_trunks": 2}, accept_charges=True)).status == 200
    # What does not cascade is the customer's own affair, and a customer without plans pays nothing.
    assert (await charged.root.put(f"{path}/devices", {"name": "d"})).status == 201
    assert (await customer.api.put("/devices", {"name": "e"})).status == 201


async def test_standing(server: RunningServer, charged: Tenant, master: Tenant) -> None:
    plan = {"name": "Elsewhere", "bookkeeper": {"type": "braintree"}, "plan": {"devices": {"sip_device": {"rate": 5}}}}
    made = await master.api.put("/service_plans", plan)
    await master.root.post(f"/accounts/{charged.id}/services", {"add": [made.id], "delete": [f"charges-{charged.id}"]})
    await master.root.post("/system_configs/services", {"default": {"enforce_good_standing": True}})
    try:
        assert (await charged.api.put("/devices", {"name": "d"})).error()[:3] == (402, "402", "accept charges")
        refused = await charged.api.put("/devices", {"name": "d"}, accept_charges=True)
        message = "Temporary billing error, please try again later."
        assert refused.error() == (402, "402", "billing_issue", {"reason": "bookkeeper_fault", "message": message})
    finally:
        await master.root.delete("/system_configs/services")
    assert (await charged.api.put("/devices", {"name": "d"}, accept_charges=True)).status == 201


async def test_overrides_count(charged: Tenant, master: Tenant) -> None:
    """A price of nothing laid over a plan still counts what there is: KAZOO asks for whatever is billable."""
    overrides = {"plan": {"devices": {"sip_device": {"rate": 11}}}}
    await master.root.post(f"/accounts/{charged.id}/services/overrides", overrides)
    [invoice] = (await charged.api.put("/devices", {"name": "d"})).data
    assert [line["rate"] for line in invoice["items"] if line["item"] == "sip_device"] == [11]


async def test_nothing_is_asked_without_plans(tenant: Tenant, server: RunningServer) -> None:
    assert (await tenant.api.put("/devices", {"name": "d"})).status == 201
    gone = {"plans": {"gone": {"vendor_id": server.master.id}}}
    await server.runtime.store.insert(Document(tenant.id, "services", "services", gone))
    assert (await tenant.api.put("/devices", {"name": "e"})).status == 201


async def test_sixteen_buyers_at_once(charged: Tenant) -> None:
    answers = await asyncio.gather(
        *(charged.api.put("/devices", {"name": f"d{n}"}, accept_charges=n % 2 == 0) for n in range(16))
    )
    assert sorted(answer.status for answer in answers) == [201] * 8 + [402] * 8
    assert len((await charged.api.get("/devices", query={"paginate": "false"})).data) == 8


def test_changes_of_an_invoice() -> None:
    plans = [{"id": "p", "plan": {"devices": {"a": {"rate": 2, "minimum": 2}, "b": {"flat_rate": 7}}}}]

    def at(a: int, b: int) -> list[dict[str, Any]]:
        return invoices(plans, {"devices": {"a": a, "b": b}}, {})

    below_the_minimum = compared(at(0, 0), at(1, 0))
    assert (below_the_minimum.changes, below_the_minimum.adds, below_the_minimum.amount) == (True, False, 0.0)
    above = compared(at(2, 1), at(4, 2))
    assert (above.adds, above.amount) == (True, 4.0)
    assert [line.get("changes") for line in above.invoices[0]["items"]] == [
        {"type": "modified", "difference": {"quantity": 2, "billable": 2}},
        {"type": "modified", "difference": {"quantity": 1}},
    ]
    less = compared(at(4, 1), at(3, 0))
    assert (less.changes, less.adds) == (True, False)
