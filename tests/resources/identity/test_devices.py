"""`/accounts/{A}/devices`."""

from __future__ import annotations

from tests.harness import Tenant

DEFAULTS = {
    "call_restriction": {},
    "contact_list": {},
    "enabled": True,
    "exclude_from_queues": False,
    "music_on_hold": {},
    "mwi_unsolicited_updates": True,
    "register_overwrite_notify": False,
    "ringtones": {},
    "suppress_unregister_notifications": False,
}
SIP_DEFAULTS = {"expire_seconds": 300, "invite_format": "contact", "method": "password"}


async def test_create_read_list_delete(tenant: Tenant) -> None:
    created = await tenant.api.put(
        "/devices", {"name": "Desk", "mac_address": "00:04:F2:AA:BB:CC", "sip": {"username": "dd"}}
    )
    expected = {
        **DEFAULTS,
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
    assert second.error() == (400, "400", "validation error", expected)
    again = await tenant.api.post(f"/devices/{first.id}", desk)
    assert again.status == 200
