# SPDX-License-Identifier: MPL-2.0
"""What speaks of calls and registrations, on a server that has no switch: channels, registrations, parked calls."""

from __future__ import annotations

from crossbar.documents.document import Document
from tests.harness import RunningServer, Tenant

SAMPLE = "0" * 32


async def test_no_calls(tenant: Tenant, master: Tenant) -> None:
    device = await tenant.api.put("/devices", {"name": "Desk"})
    group = await tenant.api.put("/groups", {"name": "Sales"})
    below = ("", f"/users/{tenant.admin_id}", f"/devices/{device.id}", f"/groups/{group.id}")
    for path in below:
        listed = await tenant.api.get(f"{path}/channels")
        assert (listed.status, listed.data) == (200, [])
        assert "page_size" not in listed.envelope
    assert (await master.root.get("/channels")).data == []
    assert (await tenant.root.get("/channels")).error()[0] == 403
    empty = await tenant.api.get("/channels", headers={"Accept": "text/csv"})
    assert (empty.status, empty.raw) == (204, b"")


async def test_a_call_that_is_not_there(tenant: Tenant) -> None:
    for verb, data in (("GET", None), ("POST", {"action": "hangup"}), ("PUT", {"action": "metaflow"})):
        answer = await tenant.api.request(verb, "/channels/abc@host", data or {})
        assert answer.error() == (404, "404", "bad identifier", ["abc@host"])
    assert (await tenant.api.get("/devices/" + SAMPLE + "/channels")).error()[2] == "bad_identifier"
    assert (await tenant.api.get(f"/users/{tenant.admin_id}/channels/x")).error() == (404, "404", "faulty request", {})


async def test_no_registrations(server: RunningServer, tenant: Tenant, master: Tenant) -> None:
    listed = await tenant.api.get("/registrations")
    assert (listed.status, listed.data) == (200, [])
    assert (await tenant.api.get("/registrations/count")).data == {"count": 0}
    elsewhere = await server.runtime.store.live.all(None, "registration", silence_s=1)
    assert (await master.root.get("/registrations/count")).data == {"count": len(elsewhere)}
    assert (await tenant.root.get("/registrations/count")).error()[0] == 403
    forgotten = await tenant.api.delete("/registrations")
    assert (forgotten.status, forgotten.data) == (200, "ok")


async def test_only_a_known_sip_user_is_made_to_register_anew(tenant: Tenant) -> None:
    await tenant.api.put("/devices", {"name": "Desk", "sip": {"username": "Desk_1"}})
    forgotten = await tenant.api.delete("/registrations/desk_1")
    assert (forgotten.status, forgotten.data) == (200, "ok")
    unknown = await tenant.api.delete("/registrations/desk_2")
    assert unknown.error() == (404, "404", "bad identifier", ["desk_2"])


async def test_parked_calls_by_slot(tenant: Tenant, server: RunningServer) -> None:
    empty = await tenant.api.get("/parked_calls")
    assert (empty.status, empty.data) == (200, {"slots": {}})
    slot = {"Call-ID": "x", "Presence-ID": "*3101@x.test", "Node": "fs"}
    for number in ("101", "102"):
        fields = {"slot": slot, "pvt_type": "parked_call", "pvt_account_id": tenant.id}
        await server.runtime.store.insert(Document(tenant.id, "parked_call", f"parking-slot-{number}", fields))
    shown = {"call_id": "x", "presence_id": "*3101@x.test", "node": "fs"}
    assert (await tenant.api.get("/parked_calls")).data == {"slots": {"101": shown, "102": shown}}
