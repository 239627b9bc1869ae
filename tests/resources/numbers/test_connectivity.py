# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/connectivity`: trunks to telephone systems of the account's own."""

from __future__ import annotations

from typing import Any

from tests.harness import Tenant
from tests.numbers import add, fresh


def trunk(username: str, *dids: str, **server: Any) -> dict[str, Any]:
    auth = {"auth_method": "Password", "auth_user": username, "auth_password": "secret"}
    return {"auth": auth, "DIDs": {did: {} for did in dids}, **server}


async def test_create_read_list_change_and_delete(tenant: Tenant) -> None:
    created = await tenant.api.put(
        "/connectivity", {"account": {"trunks": 2, "auth_realm": "elsewhere.test"}, "servers": [trunk("pbx")], "x": 1}
    )
    expected = {
        "id": created.id,
        "account": {"trunks": 2, "auth_realm": tenant.realm},
        "servers": [trunk("pbx")],
        "x": 1,
    }
    assert (created.status, created.data) == (201, expected)
    listed = await tenant.api.get("/connectivity")
    assert (listed.data, listed.envelope["page_size"]) == ([created.id], 1)
    path = f"/connectivity/{created.id}"
    assert (await tenant.api.get(path)).data == expected
    merged = await tenant.api.patch(path, {"name": "Main site", "account": {"auth_realm": None}})
    assert (merged.status, merged.data) == (200, {**expected, "name": "Main site"})
    options = {"options": {"enabled": False}}
    replaced = await tenant.api.post(path, {"servers": [trunk("pbx", **options)]})
    assert replaced.data["servers"][0]["options"] == {
        "delay": 0,
        "enabled": False,
        "force_outbound": False,
        "hunt_non_reconcilable": False,
        "inbound_format": "npan",
        "media_handling": "bypass",
    }
    assert replaced.data["account"] == {"auth_realm": tenant.realm}
    deleted = await tenant.api.delete(path)
    assert (deleted.status, deleted.data["_read_only"]) == (200, {"deleted": True})
    assert (await tenant.api.get("/connectivity")).data == []
    assert (await tenant.api.get(path)).status == 404


async def test_what_does_not_fit_the_schema(tenant: Tenant) -> None:
    refused = await tenant.api.put("/connectivity", {"servers": [{"auth": {"auth_method": "guess"}}, {}]})
    assert refused.error()[:3] == (400, "400", "validation error")
    assert set(refused.data) == {"servers.0.auth.auth_method", "servers.1.auth"}


async def test_a_user_name_belongs_to_one_trunk_or_device(tenant: Tenant) -> None:
    await tenant.api.put("/devices", {"name": "Desk", "sip": {"username": "Desk"}})
    taken = {"message": "SIP credentials already in use"}
    with_device = await tenant.api.put("/connectivity", {"servers": [trunk("pbx"), trunk("desk")]})
    assert with_device.data == {"servers.1.auth.auth_user": {"unique": {**taken, "cause": "desk"}}}
    twice = await tenant.api.put("/connectivity", {"servers": [trunk("pbx"), trunk("PBX")]})
    assert twice.data == {"servers.1.auth.auth_user": {"unique": {**taken, "cause": "PBX"}}}
    assert (await tenant.api.put("/connectivity", {"servers": [trunk("pbx")]})).status == 201
    device = await tenant.api.put("/devices", {"name": "Late", "sip": {"username": "pbx"}})
    assert device.data == {"sip.username": {"unique": {**taken, "cause": "pbx"}}}
    by_address = {"auth": {"auth_method": "IP", "auth_user": "desk", "ip": "192.0.2.7"}}
    assert (await tenant.api.put("/connectivity", {"servers": [by_address]})).status == 201


async def test_only_own_numbers_are_delivered(tenant: Tenant, stranger: Tenant, master: Tenant) -> None:
    others, more = fresh(), fresh()
    await add(master, stranger, others)
    await add(master, stranger, more)
    refused = await tenant.api.put("/connectivity", {"servers": [trunk("pbx", others[1:], more, fresh())]})
    assert refused.error() == (403, "403", "forbidden", {"message": f"unauthorized to use {others}, {more}"})
    assert (await tenant.api.get("/connectivity")).data == []
    assert (await stranger.api.put("/connectivity", {"servers": [trunk("pbx", others, more)]})).status == 201


async def test_delivered_numbers_are_used_by_the_trunk_store(tenant: Tenant, master: Tenant) -> None:
    number, other = fresh(), fresh()
    for each in (number, other):
        await add(master, tenant, each)
    failover = {"failover": {"e164": "+14155550100"}}
    assert (await tenant.api.patch(f"/phone_numbers/{number}", failover)).status == 403
    trunks = await tenant.api.put("/connectivity", {"servers": [trunk("pbx", number[1:])]})
    read = await tenant.api.get(f"/phone_numbers/{number}")
    assert (read.data["used_by"], "failover" in read.data["_read_only"]["features"]["available"]) == (
        "trunkstore",
        True,
    )
    assert (await tenant.api.patch(f"/phone_numbers/{number}", failover)).data["features"] == ["failover", "local"]
    listed = (await tenant.api.get("/phone_numbers")).data["numbers"]
    assert {each: row.get("used_by") for each, row in listed.items()} == {number: "trunkstore", other: None}
    await tenant.api.patch(f"/connectivity/{trunks.id}", {"servers": [trunk("pbx", other)]})
    listed = (await tenant.api.get("/phone_numbers")).data["numbers"]
    assert {each: row.get("used_by") for each, row in listed.items()} == {number: None, other: "trunkstore"}
    await tenant.api.delete(f"/connectivity/{trunks.id}")
    assert "used_by" not in (await tenant.api.get(f"/phone_numbers/{other}")).data
