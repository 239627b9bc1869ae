# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/functions`, and what is known of functions without an account."""

from __future__ import annotations

from tests.harness import Api, Tenant


async def test_life_of_a_function(tenant: Tenant) -> None:
    created = await tenant.api.put("/functions", {"name": "Route", "function_js": "return {};"})
    expected = {
        "id": created.id,
        "name": "Route",
        "function_js": "return {};",
        "enabled": True,
        "language_pack": "javascript",
    }
    assert (created.status, created.data) == (201, expected)
    row = {"id": created.id, "name": "Route", "function_js": "return {};", "enabled": True}
    assert (await tenant.api.get("/functions")).data == [row]

    replaced = await tenant.api.post(f"/functions/{created.id}", {"name": "New", "function_js": "1", "enabled": False})
    expected |= {"name": "New", "function_js": "1", "enabled": False}
    assert (replaced.status, replaced.data) == (200, expected)
    assert (await tenant.api.get(f"/functions/{created.id}")).data == expected
    merged = await tenant.api.patch(f"/functions/{created.id}", {"enabled": None})
    expected["enabled"] = True
    assert (merged.status, merged.data) == (200, expected)
    deleted = await tenant.api.delete(f"/functions/{created.id}")
    assert (deleted.status, deleted.data) == (200, {**expected, "_read_only": {"deleted": True}})
    assert (await tenant.api.get("/functions")).data == []

    refused = await tenant.api.put("/functions", {"name": "No script"})
    missing = {"message": "Field is required but missing", "value": "function_js"}
    assert refused.invalid() == {"function_js": {"required": missing}}


async def test_without_an_account(master: Tenant, anonymous: Api) -> None:
    known = await master.root.get("/functions")
    assert (known.status, known.data) == (200, [])
    refused = await anonymous.get("/functions")
    assert refused.error() == (401, "401", "invalid_credentials", {"message": "invalid credentials"})


async def test_samples(tenant: Tenant, anonymous: Api) -> None:
    for found in (await tenant.api.get("/functions/samples"), await anonymous.get("/functions/samples")):
        (sample,) = found.data
        assert (found.status, set(sample), sample["eanbled"]) == (200, {"eanbled", "function_js", "name"}, True)
    assert (await anonymous.get("/functions/samples?filter_name=Other")).data == []
    assert len((await anonymous.get("/functions/samples?filter_name=Test%20Function")).data) == 1
