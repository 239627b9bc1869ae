# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/temporal_rules` and `/accounts/{A}/temporal_rules_sets`."""

from __future__ import annotations

from tests.harness import Tenant

DEFAULTS = {"interval": 1, "start_date": 62586115200}


async def test_life_of_a_rule(tenant: Tenant) -> None:
    rule = {"name": "Office", "cycle": "weekly", "wdays": ["monday", "wensday"], "type": "main_weekdays"}
    created = await tenant.api.put("/temporal_rules", {**rule, "time_window_start": 32400, "time_window_stop": 61200})
    expected = {
        **DEFAULTS,
        **rule,
        "id": created.id,
        "time_window_start": 32400,
        "time_window_stop": 61200,
    }
    assert (created.status, created.data) == (201, expected)
    assert (await tenant.api.get(f"/temporal_rules/{created.id}")).data == expected

    row = {"id": created.id, "name": "Office", "type": "main_weekdays", "flags": []}
    assert (await tenant.api.get("/temporal_rules?has_key=type")).data == [row]

    forced = await tenant.api.patch(f"/temporal_rules/{created.id}", {"enabled": True})
    assert (forced.status, forced.data) == (200, {**expected, "enabled": True})
    replaced = await tenant.api.post(f"/temporal_rules/{created.id}", {"name": "Daily", "cycle": "daily"})
    assert (replaced.status, replaced.data) == (
        200,
        {**DEFAULTS, "id": created.id, "name": "Daily", "cycle": "daily"},
    )
    deleted = await tenant.api.delete(f"/temporal_rules/{created.id}")
    assert (deleted.status, deleted.data["_read_only"]) == (200, {"deleted": True})
    assert (await tenant.api.get(f"/temporal_rules/{created.id}")).status == 404


async def test_a_rule_needs_a_cycle(tenant: Tenant) -> None:
    refused = await tenant.api.put("/temporal_rules", {"name": "Never", "month": 13})
    assert refused.invalid() == {
        "cycle": {"required": {"message": "Field is required but missing", "value": "cycle"}},
        "month": {"maximum": {"message": "Value must be at most 12", "target": 12, "value": 13}},
    }


async def test_life_of_a_set(tenant: Tenant) -> None:
    rules = {"name": "Holidays", "temporal_rules": ["christmas", "easter"]}
    created = await tenant.api.put("/temporal_rules_sets", {**rules, "type": "main_holidays"})
    expected = {**rules, "id": created.id, "type": "main_holidays"}
    assert (created.status, created.data) == (201, expected)
    assert (await tenant.api.get(f"/temporal_rules_sets/{created.id}")).data == expected

    row = {"id": created.id, "name": "Holidays", "rules": ["christmas", "easter"], "flags": []}
    listed = await tenant.api.get("/temporal_rules_sets?has_key=type&filter_type=main_holidays")
    assert listed.data == [row]

    merged = await tenant.api.patch(f"/temporal_rules_sets/{created.id}", {"temporal_rules": ["easter"]})
    assert (merged.status, merged.data) == (200, {**expected, "temporal_rules": ["easter"]})
    replaced = await tenant.api.post(f"/temporal_rules_sets/{created.id}", {"name": "None", "temporal_rules": []})
    assert replaced.invalid() == {
        "temporal_rules": {"minItems": {"message": "The list must have at least 1 items", "target": 1, "value": []}}
    }
    deleted = await tenant.api.delete(f"/temporal_rules_sets/{created.id}")
    assert (deleted.status, deleted.data["_read_only"]) == (200, {"deleted": True})
    assert (await tenant.api.get("/temporal_rules_sets")).data == []
