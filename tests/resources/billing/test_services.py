# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/services` and `/accounts/{A}/service_plans`: plans, and what they cost."""

from __future__ import annotations

import time
from typing import Any

import pytest_asyncio

from crossbar import clock
from crossbar.resources.billing.domain.service_summary import next_month
from tests.harness import RunningServer, Tenant, new_tenant

PLAN: dict[str, Any] = {
    "name": "Phones",
    "category": "basic",
    "plan": {"users": {"_all": {"rate": 2, "name": "Seat"}}, "devices": {"sip_device": {"rate": 5}}},
    "ratedeck": {"id": "deck", "name": "Deck"},
}


@pytest_asyncio.fixture(loop_scope="session")
async def plan_id(server: RunningServer, tenant: Tenant) -> str:
    """A plan that the master account sells."""
    created = await server.master.api.put("/service_plans", {**PLAN, "id": f"plan-{tenant.id}"})
    assert created.status == 201
    return created.id


async def assign(server: RunningServer, tenant: Tenant, plan_id: str) -> None:
    assigned = await server.master.root.post(f"/accounts/{tenant.id}/services/{plan_id}", {})
    assert (assigned.status, assigned.data) == (200, {plan_id: {"vendor_id": server.master.id}})


async def test_a_fresh_account(server: RunningServer, tenant: Tenant) -> None:
    assert (await tenant.api.get("/services")).data == {}
    with clock.frozen(1_703_980_800):  # 2023-12-31
        assert next_month() == clock.gregorian(1_704_067_200)
    told = await tenant.api.get("/services/summary")
    assert told.status == 200
    assert told.data.pop("billing_cycle") == {"next": next_month(), "period": 1, "unit": "month"}
    assert told.data == {
        "plans": {},
        "overrides": {},
        "invoices": [],
        "quantities": {"account": {"users": {"admin": 1}}, "cascade": {}, "manual": {}},
        "reseller": {"id": server.master.id, "is_reseller": False},
        "ratedeck": {},
        "applications": {},
        "limits": {},
        "im": {},
        "payment_tokens": {},
        "status": {"acceptable": True, "reason": "no service plans assigned"},
    }


async def test_what_plans_come_to(server: RunningServer, tenant: Tenant, plan_id: str) -> None:
    await assign(server, tenant, plan_id)
    await tenant.api.put("/devices", {"name": "Desk"}, accept_charges=True)
    await tenant.api.put("/devices", {"name": "Old", "enabled": False})
    told = (await tenant.api.get("/services/summary")).data
    (invoice,) = told["invoices"]
    lines = [(line["category"], line["name"], line["quantity"], line["total"]) for line in invoice["items"]]
    assert lines == [("devices", "devices/sip_device", 1, 5), ("users", "Seat", 1, 2)]
    assert invoice["summary"] == {"today": 0.0, "recurring": 7}
    assert invoice["bookkeeper"] == {"type": "default", "vendor_id": server.master.id}
    assert (told["ratedeck"], told["status"]["acceptable"]) == ({"id": "deck", "name": "Deck"}, True)

    sheet = await tenant.api.get("/services/summary", query={"depth": 4, "identifier": "items", "accept": "csv"})
    assert sheet.headers["Content-Type"] == "text/csv"
    assert len(sheet.raw.splitlines()) == 3

    current = (await tenant.api.get("/service_plans/current")).data
    assert current["items"]["devices"]["sip_device"] == {
        "category": "devices",
        "item": "sip_device",
        "quantity": 1,
        "rate": 5,
        "single_discount": False,
        "single_discount_rate": 0.0,
        "cumulative_discount": 0,
        "cumulative_discount_rate": 0.0,
    }
    assert (current["in_good_standing"], current["reseller_id"]) == (True, server.master.id)


async def test_only_the_reseller_sells(server: RunningServer, tenant: Tenant, plan_id: str) -> None:
    forbidden = (403, "403", "forbidden", {"message": "forbidden"})
    assert (await tenant.api.post(f"/services/{plan_id}", {})).error() == forbidden
    assert (await tenant.api.post("/services", {"add": [plan_id]})).error() == forbidden
    assert (await tenant.api.get("/services/manual")).error() == forbidden
    assert (await tenant.api.post("/services/overrides", {})).error() == forbidden
    assert (await tenant.api.post("/services/reconciliation", {})).error() == forbidden
    assert (await tenant.api.put("/service_plans", PLAN)).error() == forbidden
    assert (await tenant.api.delete(f"/service_plans/{plan_id}")).error() == forbidden
    seller = server.master.api.acting(server.master.token, f"/accounts/{tenant.id}")
    assert (await seller.post("/services/reconciliation", {})).data == {}
    assert (await seller.post("/service_plans/synchronization", {})).data == {}


async def test_several_plans_at_once(server: RunningServer, tenant: Tenant, plan_id: str) -> None:
    seller = server.master.api.acting(server.master.token, f"/accounts/{tenant.id}")
    missing = await seller.post("/services", {"add": ["none"]})
    assert missing.error() == (404, "404", "bad_identifier", {"cause": "none", "message": "bad identifier"})
    overrides = {"plan": {"users": {"_all": {"rate": 1}}}}
    added = await seller.post("/services", {"add": [{"id": plan_id, "overrides": overrides}]})
    assert added.data == {plan_id: {"vendor_id": server.master.id, "overrides": overrides}}
    (invoice,) = (await tenant.api.get("/services/summary")).data["invoices"]
    assert [line["total"] for line in invoice["items"]] == [0, 1]
    assert (await seller.post("/services", {"delete": [plan_id, "none"]})).data == {}
    assert (await seller.delete("/services/none")).status == 404


async def test_what_is_for_sale(server: RunningServer, tenant: Tenant, plan_id: str) -> None:
    row = {"id": plan_id, "name": "Phones", "category": "basic"}
    for path in ("/services/available", "/service_plans/available"):
        assert row in (await tenant.api.get(path)).data
    details = (await tenant.api.get("/services/available", query={"details": "true"})).data
    assert {**PLAN, "id": plan_id} in details
    assert (await tenant.api.get(f"/service_plans/available/{plan_id}")).data == {**PLAN, "id": plan_id}
    assert (await tenant.api.get(f"/service_plans/{plan_id}")).data["name"] == "Phones"
    assert (await tenant.api.get("/service_plans/none")).error()[3]["message"] == "bad identifier"
    assert (await tenant.api.get("/service_plans/available/none")).status == 404
    assert row in (await server.master.api.get("/service_plans")).data
    assert (await tenant.api.get("/service_plans")).data == []


async def test_a_quote_stores_nothing(tenant: Tenant, plan_id: str) -> None:
    for api in (tenant.api, tenant.root):
        quoted = await api.post("/services/quote", {"add": [plan_id]})
        assert quoted.status == 200
        assert quoted.data["invoices"][0]["summary"]["recurring"] == 2
        assert (await api.post("/services/quote", {"add": ["none"]})).status == 404
    assert (await tenant.api.get("/services")).data == {}


async def test_overrides_and_quantities_by_hand(server: RunningServer, tenant: Tenant, plan_id: str) -> None:
    await assign(server, tenant, plan_id)
    seller = server.master.api.acting(server.master.token, f"/accounts/{tenant.id}")
    assert (await seller.get("/services/manual")).data == {}
    assert (await seller.post("/services/manual", {"users": {"admin": 10}})).data == {"users": {"admin": 10}}
    merged = await seller.patch("/services/manual", {"users": {"user": 1}})
    assert merged.data == {"users": {"admin": 10, "user": 1}}
    overrides = {"plan": {"users": {"_all": {"rate": 3}}}}
    assert (await seller.post("/services/overrides", overrides)).data == overrides
    assert (await tenant.api.get("/services/overrides")).data == overrides
    (invoice,) = (await tenant.api.get("/services/summary")).data["invoices"]
    assert invoice["summary"]["recurring"] == 33


async def test_the_older_words(server: RunningServer, tenant: Tenant, plan_id: str) -> None:
    seller = server.master.api.acting(server.master.token, f"/accounts/{tenant.id}")
    assert (await seller.delete(f"/service_plans/{plan_id}")).error()[:3] == (500, "500", "plan_is_not_assigned")
    assert (await seller.post(f"/service_plans/{plan_id}", {})).data["name"] == "Phones"
    overridden = await seller.post("/service_plans/override", {"overrides": {plan_id: {"name": "Cheaper"}}})
    assert overridden.data[plan_id]["overrides"] == {"name": "Cheaper"}
    assert (await seller.post("/service_plans/override", {"overrides": {"none": {}}})).status == 404
    assert (await seller.delete(f"/service_plans/{plan_id}")).data == {}
    assert (await seller.post("/service_plans", {"add": [plan_id]})).data["name"] == "Phones"
    assert (await seller.delete("/service_plans", {"plans": [plan_id]})).data == {}


async def test_what_can_be_priced(tenant: Tenant) -> None:
    for api in (tenant.api, tenant.root):
        known = (await api.get("/services/editable")).data
        assert {"as", "rate"} <= set(known["users"]["_all"])
        assert "as" not in known["users"]["admin"]
        older = (await api.get("/service_plans/editable")).data
        assert older["limits"]["twoway_trunks"] == {
            "activation_charge": {},
            "discounts": {"maximum": {}, "rate": {}},
            "minimum": {},
            "rate": {},
        }
        assert "ui_apps" in older


async def test_items_may_count_the_accounts_below(server: RunningServer, tenant: Tenant) -> None:
    await new_tenant(server, tenant, f"child-{tenant.id[:8]}")
    plan = {
        "name": "All",
        "plan": {"users": {"admin": {"rate": 1, "cascade": True}}, "accounts": {"_all": {"rate": 9}}},
    }
    created = await server.master.api.put("/service_plans", plan)
    await assign(server, tenant, created.id)
    told = (await tenant.api.get("/services/summary")).data
    assert told["quantities"]["cascade"] == {"users": {"admin": 1}}
    assert [(line["category"], line["quantity"]) for line in told["invoices"][0]["items"]] == [
        ("accounts", 1),
        ("users", 2),
    ]


async def test_changes_are_kept(server: RunningServer, tenant: Tenant, plan_id: str) -> None:
    with clock.frozen(time.time() - 10):
        await assign(server, tenant, plan_id)
    await tenant.api.put("/whitelabel", {})
    seller = server.master.api.acting(server.master.token, f"/accounts/{tenant.id}")
    await seller.delete(f"/services/{plan_id}")
    listed = await tenant.api.get("/services/audit")
    assert [row["summary"] for row in listed.data] == [
        {"before": [plan_id], "after": []},
        {"before": [], "after": [plan_id]},
    ]
    one = await tenant.api.get(f"/services/audit/{listed.data[0]['id']}")
    assert (one.data["status"], one.data["quantities"]) == (
        "success",
        {"users": {"admin": 1}, "branding": {"whitelabel": 1}},
    )
    assert (await tenant.api.get("/services/audit/202301-none")).status == 404
    for path in ("/services/audit/summary", "/services/audit_summary"):
        (days,) = (await tenant.api.get(path)).data
        (day,) = days["users"].values()
        day.pop("last_timestamp")
        assert day == {"addition": 1, "removal": 0, "quantity": 1, "sum_quantity": 2}
    (branding,) = (await tenant.api.get("/services/audit/summary/branding")).data
    assert [(day["addition"], day["sum_quantity"]) for day in branding.values()] == [(1, 1)]
