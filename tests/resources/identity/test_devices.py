# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/devices`."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.harness import Tenant
from tests.samples import DEVICE_DEFAULTS

SIP_DEFAULTS = {"expire_seconds": 300, "invite_format": "contact", "method": "password"}


async def test_create_read_list_delete(tenant: Tenant) -> None:
    created = await tenant.api.put(
        "/devices", {"name": "Desk", "mac_address": "00:04:F2:AA:BB:CC", "sip": {"username": "dd"}}
    )
    expected = {
        **DEVICE_DEFAULTS,
        "id": created.id,
        "name": "Desk",
        "mac_address": "0004f2aabbcc",
        "sip": {**SIP_DEFAULTS, "username": "dd"},
    }
    assert (created.status, created.data) == (201, expected)
    assert created.headers["Location"] == f"/v2/accounts/{tenant.id}/devices/{created.id}"
    assert created.envelope["revision"].startswith("1-")

    read = await tenant.api.get(f"/devices/{created.id}")
    assert (read.status, read.data) == (200, expected)
    assert read.headers["Content-Type"] == "application/json"
    assert read.headers["ETag"] == f'"{created.envelope["revision"]}"'

    listed = await tenant.api.get("/devices")
    row = {
        "id": created.id,
        "name": "Desk",
        "username": "dd",
        "mac_address": "0004f2aabbcc",
        "enabled": True,
        "device_type": "sip_device",
        "flags": [],
    }
    assert (listed.data, listed.envelope["page_size"]) == ([row], 1)
    assert "next_start_key" not in listed.envelope

    deleted = await tenant.api.delete(f"/devices/{created.id}")
    assert (deleted.status, deleted.data) == (200, {**expected, "_read_only": {"deleted": True}})
    assert (await tenant.api.get(f"/devices/{created.id}")).error() == (
        404,
        "404",
        "bad_identifier",
        {"cause": created.id, "message": "bad identifier"},
    )
    assert (await tenant.api.get("/devices")).data == []


async def test_everything_that_is_taken_is_told_at_once(tenant: Tenant) -> None:
    desk = {"name": "Desk", "mac_address": "0004f2aabbcc", "sip": {"username": "Dd"}}
    first = await tenant.api.put("/devices", desk)
    assert first.status == 201
    expected = {
        "mac_address": {"unique": {"message": "MAC address already in use", "cause": "0004f2aabbcc"}},
        "sip.username": {"unique": {"message": "SIP credentials already in use", "cause": "dd"}},
    }
    second = await tenant.api.put("/devices", {**desk, "sip": {"username": "dd"}})
    assert second.invalid() == expected
    again = await tenant.api.post(f"/devices/{first.id}", desk)
    assert again.status == 200


async def test_change(tenant: Tenant) -> None:
    created = await tenant.api.put("/devices", {"name": "Desk", "sip": {"username": "dd"}, "extra": [1], "id": "mine"})
    assert created.id == "mine"
    merged = await tenant.api.patch("/devices/mine", {"sip": {"password": "secret"}, "extra": None, "sync": True})
    expected = {
        **DEVICE_DEFAULTS,
        "id": "mine",
        "name": "Desk",
        "sip": {**SIP_DEFAULTS, "username": "dd", "password": "secret"},
    }
    assert (merged.status, merged.data) == (200, expected)
    replaced = await tenant.api.post("/devices/mine", {"name": "Other", "call_forward": {}, "media": {}})
    assert (replaced.status, replaced.data["sip"], replaced.data["call_forward"]["enabled"]) == (
        200,
        SIP_DEFAULTS,
        False,
    )
    assert "audio" in replaced.data["media"]
    again = await tenant.api.put("/devices", {"name": "Third", "id": "mine"})
    assert again.error() == (409, "409", "datastore_conflict", {"message": "conflicting documents"})


async def test_the_stored_form(tenant: Tenant) -> None:
    created = await tenant.api.put(
        "/devices",
        {
            "name": "Desk",
            "sip": {"realm": tenant.realm.upper()},
            "provision": {
                "combo_keys": {"0": {"type": "line"}, "1": None},
                "feature_keys": {"2": None},
                "id": "x",
            },
            "outbound_flags": [" fax ", "x"],
            "caller_id": {"emergency": {"number": "4155550100"}},
        },
    )
    assert created.status == 201, created.envelope
    data = created.data
    assert data["outbound_flags"] == ["fax", "x"]
    assert data["sip"] == SIP_DEFAULTS
    assert data["provision"] == {"combo_keys": {"0": {"type": "line"}}, "feature_keys": {}, "id": "x"}
    assert data["caller_id"]["emergency"]["number"] == "+14155550100"

    flags = {"static": ["a"], "dynamic": ["b"]}
    assert (await tenant.api.patch(f"/devices/{created.id}", {"outbound_flags": flags})).data["outbound_flags"] == flags
    cleared = await tenant.api.patch(f"/devices/{created.id}", {"outbound_flags": "fax"})
    assert cleared.data["outbound_flags"] == []


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"sip": {"method": "ip"}}, {"sip.ip": "type"}),
        ({"sip": {"method": "ip", "ip": "10.0.0.256"}}, {"sip.ip": "type"}),
        ({"sip": {"method": "sms"}}, {"sip.method": "enum"}),
        ({"device_type": "mobile"}, {"mobile.mdn": "required"}),
        ({"owner_id": "short"}, {"owner_id": "minLength"}),
        ({"name": ""}, {"name": "minLength"}),
        ({"sip": 5, "mac_address": 1}, {"sip": "type", "mac_address": "type"}),
        ({"sip": {"username": 5}}, {"sip.username": "type"}),
        ({"sip": {"method": {}}}, {"sip.method": "enum"}),
    ],
)
async def test_what_is_refused(body: dict[str, Any], error: dict[str, str], tenant: Tenant) -> None:
    refused = await tenant.api.put("/devices", {"name": "Desk", **body})
    assert refused.error()[:3] == (400, "400", "validation error")
    assert {field: next(iter(codes)) for field, codes in refused.data.items()} == error


async def test_each_identity_once(tenant: Tenant, stranger: Tenant) -> None:
    first = {
        "name": "First",
        "mac_address": "00:04:F2:AA:BB:CC",
        "sip": {"username": "Desk", "realm": "shared.test"},
    }
    assert (await tenant.api.put("/devices", first)).status == 201
    again = await tenant.api.put("/devices", {**first, "mac_address": "0004f2aabbcc", "sip": {"username": "dESK"}})
    mac = {"unique": {"message": "MAC address already in use", "cause": "0004f2aabbcc"}}
    sip = {"unique": {"message": "SIP credentials already in use", "cause": "dESK"}}
    assert again.invalid() == {"mac_address": mac, "sip.username": sip}

    elsewhere = await stranger.api.put("/devices", {**first, "sip": {"username": "desk", "realm": "SHARED.test"}})
    assert elsewhere.data == {"sip.username": {"unique": {"message": sip["unique"]["message"], "cause": "desk"}}}
    assert (await stranger.api.put("/devices", {**first, "sip": {"username": "desk"}})).status == 201


async def test_a_fixed_address_once_in_the_system(tenant: Tenant, stranger: Tenant, master: Tenant) -> None:
    number = int(tenant.id[:6], 16)
    address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    body = {"name": "Gateway", "sip": {"method": "ip", "ip": address}}
    first = await tenant.api.put("/devices", body)
    assert first.status == 201
    taken = {"sip.ip": {"unique": {"message": "SIP IP already in use", "cause": address}}}
    assert (await stranger.api.put("/devices", body)).invalid() == taken
    assert (await tenant.api.patch(f"/devices/{first.id}", {"name": "Same"})).status == 200

    networks = {"carrier": {"cidr": "192.0.2.0/24", "type": "allow", "network-list-name": "trusted"}}
    await master.root.post("/system_configs/ecallmgr/default", {"acls": networks})
    try:
        trusted = await tenant.api.patch(f"/devices/{first.id}", {"sip": {"ip": "192.0.2.7"}})
        assert trusted.data == {"sip.ip": {"unique": {"message": "SIP IP already in use", "cause": "192.0.2.7"}}}
        assert (await tenant.api.patch(f"/devices/{first.id}", {"sip": {"ip": "198.51.100.7"}})).status == 200
    finally:
        await master.root.delete("/system_configs/ecallmgr")


async def test_what_a_device_is_stays(tenant: Tenant, master: Tenant) -> None:
    phone = await tenant.api.put("/devices", {"name": "Desk", "device_type": "softphone"})
    path = f"/devices/{phone.id}"
    for change in ({"device_type": "fax"}, {"device_type": None}):
        refused = await tenant.api.patch(path, change)
        cause = change["device_type"]
        detail = {"message": "Not authorized to change type of device", "cause": cause}
        assert refused.invalid() == {"device_type": {"invalid": detail}}
    assert (await tenant.api.post(path, {"name": "Desk"})).status == 400
    assert (await tenant.api.patch(path, {"name": "Other"})).status == 200
    changed = await master.root.patch(f"/accounts/{tenant.id}{path}", {"device_type": "fax"})
    assert (changed.status, changed.data["device_type"]) == (200, "fax")

    bare = await tenant.api.put("/devices", {"name": "Bare"})
    assert (await tenant.api.patch(f"/devices/{bare.id}", {"device_type": "fax"})).status == 400


async def test_a_mobile_number_stays_and_is_one_in_the_system(tenant: Tenant, stranger: Tenant, master: Tenant) -> None:
    mdn = f"+1415{int(tenant.id[:6], 16) % 10_000_000:07d}"
    body = {"name": "Mobile", "device_type": "mobile", "mobile": {"mdn": mdn}}
    device = await tenant.api.put("/devices", body)
    assert device.status == 201
    taken = {"message": "Mobile Device Number already exists in the system", "cause": mdn}
    assert (await stranger.api.put("/devices", body)).data == {"mobile.mdn": {"unique": taken}}
    refused = await tenant.api.patch(f"/devices/{device.id}", {"mobile": {"mdn": "+14155550000"}})
    assert {field: list(codes) for field, codes in refused.data.items()} == {"mobile.mdn": ["invalid"]}
    assert refused.data["mobile.mdn"]["invalid"]["message"] == "Mobile Device Number cannot be changed"
    changed = await master.root.patch(f"/accounts/{tenant.id}/devices/{device.id}", {"mobile": {"mdn": mdn + "9"}})
    assert changed.status == 200
    assert (await stranger.api.put("/devices", body)).status == 201
    assert (await tenant.api.get("/devices")).data[0]["mobile"] == {"mdn": mdn + "9"}


async def test_the_devices_of_a_user(tenant: Tenant) -> None:
    user = tenant.admin_id
    owned = await tenant.api.put("/devices", {"name": "A", "owner_id": user, "flags": ["f"], "sip": {"username": "aa"}})
    guest = await tenant.api.put(
        "/devices", {"name": "B", "hotdesk": {"users": {user: {}}}, "device_type": "cellphone"}
    )
    created = await tenant.api.put(f"/users/{user}/devices", {"name": "C"})
    assert (created.status, "owner_id" in created.data) == (201, False)

    listed = await tenant.api.get(f"/users/{user}/devices")
    rows = {row["id"]: row for row in listed.data}
    common = {"mac_address": "", "enabled": True}
    assert rows == {
        owned.id: {
            **common,
            "id": owned.id,
            "name": "A",
            "owner_id": user,
            "device_type": "sip_device",
            "hotdesked": False,
        },
        guest.id: {**common, "id": guest.id, "name": "B", "device_type": "cellphone", "hotdesked": True},
    }
    with_status = await tenant.api.get(f"/users/{user}/devices", query={"with_status": "true"})
    status = {row["id"]: {key: row.get(key) for key in ("registrable", "registered")} for row in with_status.data}
    assert status == {
        owned.id: {"registrable": True, "registered": False},
        guest.id: {"registrable": False, "registered": None},
    }
    assert (await tenant.api.get(f"/users/{'0' * 32}/devices")).error()[3]["cause"] == "0" * 32


async def test_status(tenant: Tenant) -> None:
    for kind in ("application", "cellphone", "sip_uri", "landline", "smartphone", "softphone"):
        await tenant.api.put("/devices", {"name": kind, "device_type": kind})
    rows = (await tenant.api.get("/devices", query={"with_status": "true", "paginate": "false"})).data
    assert {row["name"] for row in rows if row["registrable"]} == {"softphone"}
    assert [row["registered"] for row in rows if "registered" in row] == [False]
    assert all("registrable" not in row for row in (await tenant.api.get("/devices")).data)
    registered = await tenant.api.get("/devices/status")
    assert (registered.status, registered.data) == (200, [])


async def test_orders(tenant: Tenant) -> None:
    device = await tenant.api.put("/devices", {"name": "Desk"})
    path = f"/devices/{device.id}"
    synced = await tenant.api.post(f"{path}/sync", {})
    assert (synced.status, synced.data) == (200, "sync request sent")

    notify = {"data": {"event": "check-sync", "body": {"content_type": "text/plain", "data": "x"}}}
    for sent in (
        await tenant.api.put(path, notify, action="notify"),
        await tenant.api.put(path, {**notify, "action": "notify"}),
        await tenant.api.put(path, notify, query={"action": "notify"}),
    ):
        assert (sent.status, sent.data) == (201, "NOTIFY sent")
    assert (await tenant.api.put(path, notify)).error() == (400, "400", "action required", {})
    assert (await tenant.api.put(path, notify, action="jump")).error() == (400, "400", "invalid action", {})
    refused = await tenant.api.put(path, {"data": {}}, action="notify")
    detail = {"message": "Field is required but missing", "value": "event"}
    assert refused.invalid() == {"data.event": {"required": detail}}
    for unknown in (
        await tenant.api.post(f"/devices/{'0' * 32}/sync", {}),
        await tenant.api.put(f"/devices/{'0' * 32}", notify, action="notify"),
    ):
        assert unknown.error() == (404, "404", "bad_identifier", {"cause": "0" * 32, "message": "bad identifier"})
    assert (await tenant.api.get(path)).data == device.data


async def test_two_at_once_with_one_name(tenant: Tenant) -> None:
    body = {"name": "Desk", "sip": {"username": "desk"}}
    answers = await asyncio.gather(*(tenant.api.put("/devices", body) for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [201, *[400] * 7]
    assert len((await tenant.api.get("/devices")).data) == 1
