# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/groups` and `/accounts/{A}/users/{U}/groups`."""

from __future__ import annotations

from tests.harness import Tenant

USER, DEVICE = "a" * 32, "b" * 32


async def test_create_list_and_read(tenant: Tenant) -> None:
    endpoints = {USER: {"type": "user", "weight": 1}, DEVICE: {"type": "device"}}
    created = await tenant.api.put(
        "/groups",
        {
            "name": "Sales",
            "endpoints": endpoints,
            "music_on_hold": {"media_id": "silence"},
            "smartpbx": {"call_recording": {"enabled": True}, "forward": {"enabled": False}},
        },
    )
    whole = {
        "id": created.id,
        "name": "Sales",
        "endpoints": endpoints,
        "music_on_hold": {"media_id": "silence"},
        "smartpbx": {"call_recording": {"enabled": True}, "forward": {"enabled": False}},
    }
    assert (created.status, created.data) == (201, whole)
    assert (await tenant.api.get(f"/groups/{created.id}")).data == whole

    listed = await tenant.api.get("/groups")
    row = {
        "id": created.id,
        "name": "Sales",
        "features": ["call_recording", "music_on_hold"],
        "endpoints": 2,
        "flags": [],
    }
    assert (listed.status, listed.data, listed.envelope["page_size"]) == (200, [row], 1)


async def test_change_and_delete(tenant: Tenant) -> None:
    group = await tenant.api.put("/groups", {"name": "Sales", "flags": ["x"]})
    assert group.data == {"id": group.id, "name": "Sales", "flags": ["x"], "endpoints": {}, "music_on_hold": {}}
    merged = await tenant.api.patch(f"/groups/{group.id}", {"endpoints": {USER: {"type": "user"}}})
    assert (merged.status, merged.data["endpoints"], merged.data["flags"]) == (200, {USER: {"type": "user"}}, ["x"])
    replaced = await tenant.api.post(f"/groups/{group.id}", {"name": "Support", "endpoints": {}})
    assert replaced.data == {"id": group.id, "name": "Support", "endpoints": {}, "music_on_hold": {}}
    assert (await tenant.api.get("/groups")).data[0]["endpoints"] == 0
    assert (await tenant.api.delete(f"/groups/{group.id}")).status == 200
    assert (await tenant.api.get(f"/groups/{group.id}")).error()[0] == 404


async def test_a_group_needs_a_name(tenant: Tenant) -> None:
    refused = await tenant.api.put("/groups", {"endpoints": {}})
    detail = {"message": "Field is required but missing", "value": "name"}
    assert refused.invalid() == {"name": {"required": detail}}


async def test_the_groups_of_a_user(tenant: Tenant) -> None:
    api, user_id = tenant.api, tenant.admin_id
    mine = await api.put("/groups", {"name": "Mine", "endpoints": {user_id: {"type": "user"}}})
    await api.put("/groups", {"name": "Others", "endpoints": {DEVICE: {"type": "device"}}})
    await api.put("/groups", {"name": "As device", "endpoints": {user_id: {"type": "device"}}})

    listed = await api.get(f"/users/{user_id}/groups")
    row = {"id": mine.id, "name": "Mine", "features": [], "endpoints": 1, "flags": []}
    assert (listed.status, listed.data) == (200, [row])

    await api.patch(f"/groups/{mine.id}", {"endpoints": {user_id: None}})
    assert (await api.get(f"/users/{user_id}/groups")).data == []
    unknown = await api.get(f"/users/{DEVICE}/groups")
    assert unknown.error() == (404, "404", "bad_identifier", {"cause": DEVICE, "message": "bad identifier"})
