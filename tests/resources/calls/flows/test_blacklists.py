# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/blacklists`."""

from __future__ import annotations

from tests.harness import Tenant


async def test_life_of_a_blacklist(tenant: Tenant) -> None:
    created = await tenant.api.put(
        "/blacklists", {"name": "Spam", "numbers": {"4155550100": {}, "+442079460000": {"note": "x"}, "666": {}}}
    )
    numbers = {"+14155550100": {}, "+442079460000": {"note": "x"}, "666": {}}
    expected = {"id": created.id, "name": "Spam", "numbers": numbers}
    assert (created.status, created.data) == (201, expected)
    assert (await tenant.api.get(f"/blacklists/{created.id}")).data == expected
    assert (await tenant.api.get("/blacklists")).data == [{"id": created.id, "name": "Spam", "flags": []}]

    merged = await tenant.api.patch(
        f"/blacklists/{created.id}", {"numbers": {"4155550101": {}, "666": None}, "should_block_anonymous": "true"}
    )
    del numbers["666"]
    numbers["+14155550101"] = {}
    expected["should_block_anonymous"] = True
    assert (merged.status, merged.data) == (200, expected)

    replaced = await tenant.api.post(f"/blacklists/{created.id}", {"name": "Empty"})
    assert (replaced.status, replaced.data) == (200, {"id": created.id, "name": "Empty", "numbers": {}})
    deleted = await tenant.api.delete(f"/blacklists/{created.id}")
    assert (deleted.status, deleted.data["_read_only"]) == (200, {"deleted": True})
    assert (await tenant.api.get("/blacklists")).data == []


async def test_refused(tenant: Tenant) -> None:
    refused = await tenant.api.put("/blacklists", {"numbers": ["4155550100"]})
    assert refused.invalid() == {
        "name": {"required": {"message": "Field is required but missing", "value": "name"}},
        "numbers": {
            "type": {
                "message": "Value did not match type(s): object",
                "target": "object",
                "value": ["4155550100"],
            }
        },
    }
