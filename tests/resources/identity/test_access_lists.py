# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/access_lists` and `/accounts/{A}/devices/{D}/access_lists`."""

from __future__ import annotations

from tests.harness import Tenant

LISTS = {"order": "allow,deny", "cidrs": ["10.0.0.0/8"], "user_agent": "^Yealink"}


async def test_of_an_account(tenant: Tenant) -> None:
    empty = await tenant.api.get("/access_lists")
    assert (empty.status, empty.data) == (200, {})

    saved = await tenant.api.post("/access_lists", LISTS)
    assert (saved.status, saved.data) == (200, LISTS)
    assert (await tenant.api.get("/access_lists")).data == LISTS
    account = await tenant.api.get("")
    assert (account.data["access_lists"], account.data["realm"]) == (LISTS, tenant.realm)

    removed = await tenant.api.delete("/access_lists")
    assert (removed.status, removed.data) == (200, {})
    assert (await tenant.api.get("/access_lists")).data == {}
    assert "access_lists" not in (await tenant.api.get("")).data


async def test_of_a_device(tenant: Tenant) -> None:
    device = await tenant.api.put("/devices", {"name": "Desk"})
    path = f"/devices/{device.id}/access_lists"
    assert (await tenant.api.get(path)).data == {}

    saved = await tenant.api.post(path, LISTS)
    assert (saved.status, saved.data, saved.envelope["revision"][:2]) == (200, LISTS, "2-")
    read = await tenant.api.get(f"/devices/{device.id}")
    assert read.data == {**device.data, "access_lists": LISTS}
    assert (await tenant.api.get("/access_lists")).data == {}

    assert (await tenant.api.delete(path)).data == {}
    assert (await tenant.api.get(f"/devices/{device.id}")).data == device.data


async def test_what_is_refused(tenant: Tenant) -> None:
    refused = await tenant.api.post("/access_lists", {"order": "deny"})
    assert refused.invalid() == {
        "cidrs": {"required": {"message": "Field is required but missing", "value": "cidrs"}},
        "order": {
            "enum": {
                "message": "Value not found in enumerated list of values",
                "target": ["allow,deny", "deny,allow"],
                "value": "deny",
            }
        },
    }
    unknown = await tenant.api.post(f"/devices/{'0' * 32}/access_lists", LISTS)
    assert unknown.error() == (404, "404", "bad_identifier", {"cause": "0" * 32, "message": "bad identifier"})
    elsewhere = await tenant.api.get(f"/users/{tenant.admin_id}/access_lists")
    assert elsewhere.error() == (404, "404", "faulty request", {})


async def test_a_change_of_a_version_that_is_gone(tenant: Tenant) -> None:
    device = await tenant.api.put("/devices", {"name": "Desk"})
    path = f"/devices/{device.id}/access_lists"
    stale = {"If-Match": f'"{device.envelope["revision"]}"'}
    assert (await tenant.api.post(path, LISTS, headers=stale)).status == 200
    refused = await tenant.api.post(path, {**LISTS, "cidrs": []}, headers=stale)
    assert refused.status == 412
    assert (await tenant.api.get(path)).data == LISTS
