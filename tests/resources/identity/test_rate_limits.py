# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/rate_limits` and `/accounts/{A}/devices/{D}/rate_limits`."""

from __future__ import annotations

from tests.harness import RunningServer, Tenant, new_tenant

DEVICE = {"per_minute": {"total_packets": 100, "invites": 10}, "per_second": {"total_packets": 5}}
ACCOUNT = {"account": DEVICE, "device": DEVICE}


async def test_of_an_account(tenant: Tenant, master: Tenant, server: RunningServer) -> None:
    path = f"/accounts/{tenant.id}/rate_limits"
    empty = await master.root.get(path)
    assert (empty.status, empty.data) == (200, {})
    nothing = await master.root.delete(path)
    assert (nothing.status, nothing.data) == (200, {})

    saved = await master.root.post(path, ACCOUNT)
    expected = {"id": saved.id, **ACCOUNT}
    assert (saved.status, saved.data) == (200, expected)
    assert (await master.root.get(path)).data == expected
    stored = await server.runtime.store.get(tenant.id, "rate_limits", saved.id)
    assert stored is not None
    owner = {key: stored.fields[key] for key in ("pvt_owner_id", "pvt_owner_type", "pvt_queryname")}
    assert owner == {"pvt_owner_id": tenant.id, "pvt_owner_type": "account", "pvt_queryname": tenant.realm}

    deleted = await master.root.delete(path)
    assert (deleted.status, deleted.data) == (200, {**expected, "_read_only": {"deleted": True}})
    assert (await master.root.get(path)).data == {}


async def test_of_a_device(tenant: Tenant, master: Tenant) -> None:
    device = await tenant.api.put("/devices", {"name": "Desk", "sip": {"username": "desk"}})
    path = f"/accounts/{tenant.id}/devices/{device.id}/rate_limits"
    saved = await master.root.post(path, DEVICE)
    assert (saved.status, saved.data) == (200, {"id": saved.id, **DEVICE})
    assert (await master.root.get(f"/accounts/{tenant.id}/rate_limits")).data == {}
    replaced = await master.root.post(path, {**DEVICE, "per_second": {"total_packets": 7}})
    assert (replaced.id, replaced.data["per_second"], replaced.envelope["revision"][:2]) == (
        saved.id,
        {"total_packets": 7},
        "2-",
    )


async def test_each_has_its_own_form(tenant: Tenant, master: Tenant) -> None:
    device = await tenant.api.put("/devices", {"name": "Desk"})
    required = {"message": "Field is required but missing"}
    refused = await master.root.post(f"/accounts/{tenant.id}/rate_limits", DEVICE)
    assert refused.error()[3] == {name: {"required": {**required, "value": name}} for name in ("account", "device")}
    refused = await master.root.post(f"/accounts/{tenant.id}/devices/{device.id}/rate_limits", {"per_minute": {}})
    assert refused.error()[3] == {
        "per_minute.total_packets": {"required": {**required, "value": "total_packets"}},
        "per_second": {"required": {**required, "value": "per_second"}},
    }
    elsewhere = await master.root.get(f"/accounts/{tenant.id}/users/{tenant.admin_id}/rate_limits")
    assert elsewhere.error() == (404, "404", "faulty request", {})


async def test_only_who_sells_sees_them(tenant: Tenant, master: Tenant, server: RunningServer) -> None:
    customer = await new_tenant(server, tenant, f"customer{tenant.id[:8]}")
    for path in (f"/accounts/{tenant.id}/rate_limits", f"/accounts/{customer.id}/rate_limits"):
        for verb in ("GET", "POST", "DELETE"):
            refused = await tenant.root.request(verb, path, ACCOUNT)
            assert refused.error() == (403, "403", "forbidden", {"message": "forbidden"})
    await master.root.put(f"/accounts/{tenant.id}/reseller", {})
    assert (await tenant.root.post(f"/accounts/{customer.id}/rate_limits", ACCOUNT)).status == 200
    assert (await customer.api.get("/rate_limits")).error()[0] == 403
