# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/contact_list`."""

from __future__ import annotations

from typing import Any

from tests.harness import Tenant

RINGS = [{"id": "a" * 32, "endpoint_type": "user"}]


async def person(tenant: Tenant, first: str, **more: Any) -> str:
    return (await tenant.api.put("/users", {"first_name": first, "last_name": "Doe", **more})).id


async def flow(tenant: Tenant, numbers: list[str], module: str, data: dict[str, Any], **more: Any) -> None:
    children = more.pop("children", {})
    body = {"numbers": numbers, "flow": {"module": module, "data": data, "children": children}, **more}
    created = await tenant.api.put("/callflows", body)
    assert created.status == 201, created.envelope


async def names(tenant: Tenant) -> list[dict[str, str]]:
    listed = await tenant.api.get("/contact_list")
    assert listed.status == 200
    assert "page_size" not in listed.envelope
    return listed.data


async def test_nobody(tenant: Tenant) -> None:
    assert await names(tenant) == []


async def test_extensions_are_called_by_whom_they_ring(tenant: Tenant) -> None:
    user_id = await person(tenant, "Jane")
    device = await tenant.api.put("/devices", {"name": "Lobby"})
    voicemail = {"_": {"module": "voicemail", "data": {}, "children": {}}}
    await flow(tenant, ["101", "+14155550100", "102"], "user", {"id": user_id}, children=voicemail)
    await flow(tenant, ["201"], "device", {"id": device.id})
    listed = sorted(await names(tenant), key=lambda entry: entry["name"])
    assert listed == [
        {"name": "Jane Doe", "external_number": "+14155550100", "internal_number": "101"},
        {"name": "Lobby", "internal_number": "201"},
    ]


async def test_other_flows_are_called_by_their_name_target_or_action(tenant: Tenant) -> None:
    user_id = await person(tenant, "Jane")
    menu = await tenant.api.put("/menus", {"name": "Welcome"})
    elsewhere = {"_": {"module": "play", "data": {}, "children": {}}}
    await flow(tenant, ["1"], "user", {"id": user_id}, children=elsewhere)
    await flow(tenant, ["2"], "ring_group", {"name": "Shop", "endpoints": RINGS})
    await flow(tenant, ["3"], "menu", {"id": menu.id})
    await flow(tenant, ["*4"], "call_forward", {"action": "activate"}, featurecode={"name": "cf", "number": "4"})
    await flow(tenant, ["*5"], "intercom", {"action": "intercom"})
    await flow(tenant, ["6"], "menu", {"id": menu.id}, name="Named menu")
    await flow(tenant, ["7"], "disa", {})
    listed = await names(tenant)
    assert {entry["internal_number"]: entry["name"] for entry in listed} == {
        "2": "Shop (ring group)",
        "3": "Welcome (menu)",
        "*4": "call forward (activate)",
        "*5": "intercom",
        "6": "Named menu (menu)",
    }
    assert listed[-1]["name"] == "call forward (activate)"


async def test_who_does_not_want_to_be_listed(tenant: Tenant) -> None:
    hidden = await person(tenant, "Hidden", contact_list={"exclude": True})
    shown = await person(tenant, "Shown")
    gone = await person(tenant, "Gone")
    await tenant.api.delete(f"/users/{gone}")
    for number, user_id in (("1", hidden), ("2", shown), ("3", gone)):
        await flow(tenant, [number], "user", {"id": user_id})
    await flow(tenant, ["4"], "user", {"id": shown}, contact_list={"exclude": True})
    assert await names(tenant) == [{"name": "Shown Doe", "internal_number": "2"}]


async def test_an_account_chooses_the_kinds(tenant: Tenant, master: Tenant) -> None:
    user_id = await person(tenant, "Jane")
    await flow(tenant, ["1"], "user", {"id": user_id})
    await flow(tenant, ["2"], "ring_group", {"name": "Shop", "endpoints": RINGS})
    await tenant.api.patch("", {"contact_list": {"includes": ["extension"]}})
    assert [entry["name"] for entry in await names(tenant)] == ["Jane Doe"]
    await tenant.api.patch("", {"contact_list": {"includes": ["custom", "featurecode"]}})
    assert [entry["name"] for entry in await names(tenant)] == ["Shop (ring group)"]
