# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/limits`."""

from __future__ import annotations

from tests.harness import RunningServer, Tenant, new_tenant

DEFAULTS = {
    "id": "limits",
    "allow_prepay": True,
    "authz_resource_types": [],
    "allow_postpay": False,
    "max_postpay_amount": 0,
}


async def test_defaults_until_somebody_sets_limits(tenant: Tenant) -> None:
    read = await tenant.api.get("/limits")
    assert (read.status, read.data) == (200, DEFAULTS)

    sent = {**DEFAULTS, "inbound_trunks": 5, "allow_postpay": True, "max_postpay_amount": 1000}
    saved = await tenant.api.post("/limits", sent)
    expected = {**DEFAULTS, "inbound_trunks": 5}
    assert (saved.status, saved.data, saved.envelope["revision"][:2]) == (200, expected, "1-")
    assert (await tenant.api.get("/limits")).data == expected

    replaced = await tenant.api.post("/limits", {"twoway_trunks": 2})
    assert (replaced.data, replaced.envelope["revision"][:2]) == ({**DEFAULTS, "twoway_trunks": 2}, "2-")


async def test_what_the_schema_says(tenant: Tenant) -> None:
    refused = await tenant.api.post("/limits", {"inbound_trunks": -1})
    detail = {"message": "Value must be at least 0", "target": 0, "value": -1}
    assert refused.invalid() == {"inbound_trunks": {"minimum": detail}}
    for verb in ("PUT", "PATCH", "DELETE"):
        assert (await tenant.api.request(verb, "/limits", {})).error()[0] == 405


async def test_below_a_reseller_only_the_reseller_sets_them(
    tenant: Tenant, master: Tenant, server: RunningServer
) -> None:
    promoted = await master.root.put(f"/accounts/{tenant.id}/reseller", {})
    assert promoted.status == 201
    customer = await new_tenant(server, tenant, f"customer{tenant.id[:8]}")
    branch = await new_tenant(server, customer, f"branch{tenant.id[:8]}")

    refused = await customer.api.post("/limits", {"calls": 1})
    assert refused.error() == (403, "403", "forbidden", {"message": "forbidden"})
    refused = await customer.root.post(f"/accounts/{branch.id}/limits", {"calls": 1})
    assert refused.error()[0] == 403
    assert (await customer.api.get("/limits")).data == DEFAULTS
    for seller in (tenant, master):
        saved = await seller.root.post(f"/accounts/{branch.id}/limits", {"calls": 2})
        assert (saved.status, saved.data["calls"]) == (200, 2)


async def test_postpay_is_shown_as_the_system_set_it(tenant: Tenant, server: RunningServer) -> None:
    await tenant.api.post("/limits", {})
    await server.runtime.store.update(
        tenant.id,
        "limits",
        "limits",
        lambda limits: limits.fields.update(pvt_allow_postpay=True, pvt_max_postpay_amount=5.5),
    )
    read = await tenant.api.get("/limits")
    assert (read.data["allow_postpay"], read.data["max_postpay_amount"]) == (True, 5.5)
    kept = await tenant.api.post("/limits", {"allow_postpay": False})
    assert (kept.data["allow_postpay"], kept.data["max_postpay_amount"]) == (True, 5.5)
