# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/menus`."""

from __future__ import annotations

from tests.harness import RunningServer, Tenant
from tests.samples import MENU_DEFAULTS


async def test_life_of_a_menu(tenant: Tenant, server: RunningServer) -> None:
    created = await tenant.api.put("/menus", {"name": "Main", "media": {"exit_media": True}, "type": "main"})
    expected = {**MENU_DEFAULTS, "id": created.id, "name": "Main", "media": {"exit_media": True}, "type": "main"}
    assert (created.status, created.data) == (201, expected)
    stored = await server.runtime.store.get(tenant.id, "menu", created.id)
    assert stored is not None
    assert stored.fields["pvt_vsn"] == "2"

    listed = await tenant.api.get("/menus")
    assert listed.data == [{"id": created.id, "name": "Main", "flags": []}]

    merged = await tenant.api.patch(f"/menus/{created.id}", {"retries": "5", "hunt_deny": "^1$", "type": None})
    expected |= {"retries": 5, "hunt_deny": "^1$"}
    del expected["type"]
    assert (merged.status, merged.data) == (200, expected)
    assert (await tenant.api.get(f"/menus/{created.id}")).data == expected

    replaced = await tenant.api.post(f"/menus/{created.id}", {"name": "New", "flags": ["a"]})
    expected = {**MENU_DEFAULTS, "id": created.id, "name": "New", "flags": ["a"]}
    assert (replaced.status, replaced.data) == (200, expected)

    deleted = await tenant.api.delete(f"/menus/{created.id}")
    assert (deleted.status, deleted.data) == (200, {**expected, "_read_only": {"deleted": True}})
    assert (await tenant.api.get("/menus")).data == []


async def test_refused(tenant: Tenant) -> None:
    refused = await tenant.api.put("/menus", {"name": "", "retries": 11})
    too_short = {"message": "String must be at least 1 characters", "target": 1, "cause": "", "value": ""}
    assert refused.invalid() == {
        "name": {"minLength": too_short},
        "retries": {"maximum": {"message": "Value must be at most 10", "target": 10, "value": 11}},
    }
