# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/call_inspector`."""

from __future__ import annotations

from typing import Any

from tests.call_records import RANGE, START, given, leg
from tests.harness import RunningServer, Tenant

PHONE, SERVER = "10.0.0.1:5060", "10.0.0.2:5060"


def seen(tenant: Tenant, call_id: str, number: int, raw: str, *, back: bool = False) -> dict[str, Any]:
    about = {"account_id": tenant.id, "call_id": call_id, "host": "proxy1", "timestamp": START + number}
    source, target = (SERVER, PHONE) if back else (PHONE, SERVER)
    return {**about, "src": source, "dst": target, "raw": raw}


async def test_the_messages_of_a_call(server: RunningServer, tenant: Tenant) -> None:
    ok = seen(tenant, "call-0", 1, "SIP/2.0 200 OK", back=True)
    invite = seen(tenant, "call-0", 0, "INVITE sip:1000@pbx.test SIP/2.0")
    await given(server, "sip_messages", ok, invite)
    again = await server.master.root.post("/ingest/sip_messages", ok)
    assert again.data["new"] is False

    inspected = await tenant.api.get("/call_inspector/call-0")
    assert inspected.status == 200
    assert [message["raw"] for message in inspected.data["messages"]] == [invite["raw"], ok["raw"]]
    assert {key: inspected.data[key] for key in ("call-id", "dialog_entities", "analysis")} == {
        "call-id": "call-0",
        "dialog_entities": [PHONE, SERVER],
        "analysis": [],
    }
    unknown = await tenant.api.get("/call_inspector/other")
    assert unknown.error() == (404, "404", "bad identifier", ["other"])


async def test_the_calls_that_were_watched(server: RunningServer, tenant: Tenant) -> None:
    assert (await tenant.api.get("/call_inspector")).data == []
    owner = {"owner_id": tenant.admin_id}
    await given(server, "cdrs", *(leg(tenant.id, n, custom_channel_vars=owner if n == 3 else {}) for n in range(5)))
    await given(server, "sip_messages", *(seen(tenant, f"call-{n}", n, "BYE") for n in (1, 3)))
    for path, query, expected in (
        ("/call_inspector", {}, ["call-3", "call-1"]),
        ("/call_inspector", {"page_size": 1}, ["call-3"]),
        ("/call_inspector", {"filter_caller_id_number": "+14155550001"}, ["call-1"]),
        (f"/users/{tenant.admin_id}/call_inspector", {}, ["call-3"]),
    ):
        answer = await tenant.api.get(path, query={**RANGE, **query})
        assert [row["call_id"] for row in answer.data] == expected
