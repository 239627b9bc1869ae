# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/queues`, `/agents` and `/acdc_call_stats`."""

from __future__ import annotations

import csv
from io import StringIO
from typing import Any

from crossbar import clock
from tests.call_records import given
from tests.harness import RunningServer, Tenant

DEFAULTS = {
    "agent_ring_timeout": 15,
    "agent_wrapup_time": 0,
    "caller_exit_key": "#",
    "connection_timeout": 3600,
    "enter_when_empty": True,
    "max_queue_size": 0,
    "record_caller": False,
    "ring_simultaneously": 1,
    "strategy": "round_robin",
}


async def new_user(tenant: Tenant, **fields: Any) -> str:
    return (await tenant.api.put("/users", {"first_name": "Ann", "last_name": "Agent", **fields})).id


async def new_queue(tenant: Tenant, name: str = "Support") -> str:
    return (await tenant.api.put("/queues", {"name": name})).id


async def test_create_read_list_change_delete(tenant: Tenant) -> None:
    created = await tenant.api.put("/queues", {"name": "Support"})
    document = {**DEFAULTS, "id": created.id, "name": "Support"}
    assert (created.status, created.data) == (201, document)
    read = await tenant.api.get(f"/queues/{created.id}")
    assert (read.status, read.data) == (200, {**document, "agents": []})
    listed = await tenant.api.get("/queues")
    assert listed.data == [{"id": created.id, "name": "Support", "strategy": "round_robin"}]
    patched = await tenant.api.patch(f"/queues/{created.id}", {"strategy": "most_idle"})
    assert patched.data == {**document, "strategy": "most_idle"}
    replaced = await tenant.api.post(f"/queues/{created.id}", {"name": "Sales"})
    assert replaced.data == {**document, "name": "Sales"}
    deleted = await tenant.api.delete(f"/queues/{created.id}")
    assert deleted.data["_read_only"] == {"deleted": True}
    assert (await tenant.api.get(f"/queues/{created.id}")).error()[:3] == (404, "404", "bad_identifier")
    nameless = await tenant.api.put("/queues", {})
    assert (nameless.status, list(nameless.data)) == (400, ["name"])


async def test_the_roster_is_replaced_whole(tenant: Tenant) -> None:
    queue = await new_queue(tenant)
    ann, ben, eve = [await new_user(tenant, last_name=name) for name in ("Ann", "Ben", "Eve")]
    first = await tenant.api.post(f"/queues/{queue}/roster", [ann, ben, "f" * 32])
    assert (first.status, first.data["agents"]) == (200, sorted([ann, ben]))
    assert (await tenant.api.get(f"/users/{ann}")).data["queues"] == [queue]
    assert (await tenant.api.get(f"/queues/{queue}/roster")).data == sorted([ann, ben])

    second = await tenant.api.post(f"/queues/{queue}/roster", [ben, eve])
    assert second.data["agents"] == sorted([ben, eve])
    assert (await tenant.api.get(f"/users/{ann}")).data["queues"] == []
    wrong = await tenant.api.post(f"/queues/{queue}/roster", [queue])
    assert wrong.error() == (404, "404", "bad_identifier", {"cause": queue, "message": "bad identifier"})

    emptied = await tenant.api.delete(f"/queues/{queue}/roster")
    assert (emptied.status, emptied.data["_read_only"], emptied.data["name"]) == (200, {"deleted": True}, "Support")
    assert (await tenant.api.get(f"/queues/{queue}")).data["agents"] == []
    for verb in ("GET", "POST", "DELETE"):
        missing = await tenant.api.request(verb, f"/queues/{'f' * 32}/roster", [])
        assert missing.error()[:3] == (404, "404", "bad_identifier")


async def test_nobody_can_listen_without_a_switch(tenant: Tenant) -> None:
    queue = await new_queue(tenant)
    device = (await tenant.api.put("/devices", {"name": "Desk"})).id
    missing = {"message": "Field is required but missing"}
    for path, data, expected in (
        ("eavesdrop", {"id": "x"}, {"id": {"not_found": {"message": "Id was not found", "cause": "x"}}}),
        (
            "eavesdrop",
            {"id": queue},
            {"id": {"type": {"message": "Id did not represent a valid endpoint", "cause": "queue"}}},
        ),
        ("eavesdrop", {"id": device}, {"call_id": {"required": missing}}),
        (
            "eavesdrop",
            {"id": device, "call_id": "c"},
            {"call_id": {"not_found": {"message": "Call was not found", "cause": "c"}}},
        ),
        (
            "none/eavesdrop",
            {"id": device},
            {"queue_id": {"not_found": {"message": "Queue was not found", "cause": "none"}}},
        ),
        (
            f"{device}/eavesdrop",
            {"id": device},
            {"queue_id": {"type": {"message": "Id did not represent a queue", "cause": "device"}}},
        ),
        (
            f"{queue}/eavesdrop",
            {"id": device, "mode": "loud"},
            {"mode": {"enum": {"message": "Value not found in enumerated list of values", "cause": "loud"}}},
        ),
    ):
        refused = await tenant.api.put(f"/queues/{path}", data)
        assert refused.invalid() == expected
    timeout = await tenant.api.put(f"/queues/{queue}/eavesdrop", {"id": device})
    cause = {"message": "timeout", "cause": "eavesdrop failed to start"}
    assert timeout.error() == (500, "500", "timeout", cause)


async def test_call_statistics(server: RunningServer, tenant: Tenant) -> None:
    now = clock.now()
    common = {"account_id": tenant.id, "queue_id": "q1", "caller_id_number": "100"}
    waiting = {**common, "call_id": "one", "entered_timestamp": now - 300, "status": "waiting", "entered_position": 2}
    handled = {
        **waiting,
        "status": "handled",
        "agent_id": "ann",
        "handled_timestamp": now - 290,
        "misses": [{"agent_id": "ben", "miss_reason": "rejected", "miss_timestamp": now - 295}],
    }
    processed = {**handled, "status": "processed", "processed_timestamp": now - 200}
    left = {
        **common,
        "call_id": "two",
        "entered_timestamp": now - 100,
        "status": "abandoned",
        "abandoned_timestamp": now - 40,
    }
    await given(server, "call_stats", processed, left)
    for late in (handled, waiting):  # what comes too late changes nothing
        again = await server.master.root.post("/ingest/call_stats", late)
        assert again.data["new"] is False

    listed = await tenant.api.get("/acdc_call_stats")
    month = clock.year_month(now - 300)
    row = {
        "id": f"{month}-one::q1",
        "handled_timestamp": now - 290,
        "caller_id_number": "100",
        "caller_id_name": "",
        "entered_position": 2,
        "status": "processed",
        "agent_id": "ann",
        "wait_time": 10,
        "talk_time": 90,
        "queue_id": "q1",
    }
    assert [stat["status"] for stat in listed.data] == ["abandoned", "processed"]
    assert listed.data[1] == row
    sheet = await tenant.api.get("/acdc_call_stats", query={"accept": "csv", "filter_agent_id": "ann"})
    assert list(csv.DictReader(StringIO(sheet.raw.decode()))) == [{key: str(value) for key, value in row.items()}]

    stats = await tenant.api.get("/queues/stats")
    assert abs(stats.data["current_timestamp"] - now) < 60
    assert [(stat["call_id"], stat["status"], stat["wait_time"]) for stat in stats.data["stats"]] == [
        ("two", "abandoned", 60),
        ("one", "processed", 10),
    ]
    only = await tenant.api.get("/queues/stats", query={"agent_id": "ann", "start_range": now - 3600})
    assert [stat["call_id"] for stat in only.data["stats"]] == ["one"]
    none = await tenant.api.get("/queues/stats", query={"status": "waiting"})
    assert none.data["stats"] == []

    totals = await tenant.api.get("/agents/stats")
    assert totals.data == {
        "ann": {
            "total_calls": 1,
            "answered_calls": 1,
            "queues": {"q1": {"total_calls": 1, "answered_calls": 1}},
        },
        "ben": {"total_calls": 1, "missed_calls": 1, "queues": {"q1": {"total_calls": 1, "missed_calls": 1}}},
    }
    as_sheet = await tenant.api.get("/agents/stats", query={"accept": "csv", "agent_id": "ann"})
    assert as_sheet.raw == b'"agent_id","total_calls","answered_calls"\n"ann","1","1"\n'

    for path, cause in (("/queues/stats", str(now)), ("/agents/stats", now - 10)):
        refused = await tenant.api.get(path, query={"start_range": now, "end_range": now - 10})
        detail = {"maximum": {"message": "value is greater than start_range", "cause": cause}}
        assert refused.invalid() == {"end_range": detail}


async def test_agents_and_their_queues(tenant: Tenant) -> None:
    queue = await new_queue(tenant)
    ann = await new_user(tenant)
    assert (await tenant.api.get("/agents")).data == []
    joined = await tenant.api.post(f"/agents/{ann}/queue_status", {"action": "login", "queue_id": queue})
    assert (joined.status, joined.data) == (200, [queue])
    assert (await tenant.api.get("/agents")).data == [
        {"id": ann, "first_name": "Ann", "last_name": "Agent", "queues": [queue]}
    ]
    assert (await tenant.api.get(f"/agents/{ann}")).data["queues"] == [queue]
    assert (await tenant.api.get(f"/agents/{ann}/queue_status")).data == [queue]
    left = await tenant.api.post(f"/agents/{ann}/queue_status", {"action": "logout", "queue_id": queue})
    assert left.data == []
    bad = await tenant.api.post(f"/agents/{ann}/queue_status", {"action": "dance"})
    assert (bad.status, sorted(bad.data)) == (400, ["action", "queue_id"])
    for path in ("", "/status", "/queue_status"):
        missing = await tenant.api.get(f"/agents/{'f' * 32}{path}")
        assert missing.error()[:3] == (404, "404", "bad_identifier")


async def test_what_agents_do(server: RunningServer, tenant: Tenant) -> None:
    ann = await new_user(tenant)
    now = clock.now()
    assert (await tenant.api.get("/agents/status")).data == {}
    assert (await tenant.api.get(f"/agents/{ann}/status")).data == "unknown"
    told = {"account_id": tenant.id, "agent_id": ann, "status": "connected", "timestamp": now - 60, "call_id": "c1"}
    await given(server, "agent_statuses", told)
    assert (await tenant.api.get(f"/agents/status/{ann}")).data == "connected"

    paused = await tenant.api.post(f"/agents/{ann}/status", {"status": "pause", "timeout": 600})
    assert (paused.status, paused.data) == (200, "status update sent")
    full = await tenant.api.get(f"/agents/{ann}/status", query={"full": "true"})
    assert (full.data["status"], full.data["pause_time"], full.data["agent_id"]) == ("paused", 600, ann)
    recent = await tenant.api.get(f"/agents/{ann}/status", query={"recent": "true"})
    assert recent.data == (await tenant.api.get("/agents/status")).data
    assert [status["status"] for status in recent.data[ann].values()] == ["paused", "connected"]
    assert recent.data[ann][str(now - 60)]["call_id"] == "c1"
    one = await tenant.api.get("/agents/status", query={"limit": 1, "status": "connected"})
    assert list(one.data[ann]) == [str(now - 60)]

    for data, field, code in (
        ({"status": "dance"}, "status", "enum"),
        ({}, "status", "enum"),
        ({"status": "pause"}, "timeout", "type"),
        ({"status": "pause", "timeout": -1}, "timeout", "minimum"),
    ):
        refused = await tenant.api.post(f"/agents/status/{ann}", data)
        assert (refused.status, list(refused.data), list(refused.data[field])) == (400, [field], [code])
    resumed = await tenant.api.post(f"/agents/status/{ann}", {"status": "resume"})
    assert resumed.data == "status update sent"
