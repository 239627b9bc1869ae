# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/presence`, `…/devices/{D}/presence`, `…/users/{U}/presence`."""

from __future__ import annotations

import hashlib

import pytest

from crossbar.documents.listing import Listing
from tests.harness import Api, RunningServer, Tenant
from tests.sockets import opened


async def manual(server: RunningServer, tenant: Tenant) -> dict[str, str]:
    document = await server.runtime.store.get(tenant.id, "manual_presence", "manual_presence")
    return {} if document is None else {key: document.fields[key] for key in document.public if key != "id"}


async def test_nobody_answers_a_search(tenant: Tenant) -> None:
    for path in ("/presence", "/presence?event=dialog", "/presence/101", f"/users/{tenant.admin_id}/presence"):
        found = await tenant.api.get(path)
        assert (found.status, found.data) == (200, {"timeout": True})
    everywhere = await tenant.api.post("/presence", {"action": "reset"})
    assert everywhere.error() == (404, "404", "faulty request", {})


async def test_a_reset_leaves_a_report(tenant: Tenant, server: RunningServer, anonymous: Api) -> None:
    reset = await tenant.api.post("/presence/101", {})
    assert (reset.status, reset.data) == (200, "reset command sent for extension 101")
    (report,) = await server.runtime.store.all(Listing(tenant.id, "presence_report"))

    read = await tenant.api.get(f"/presence/report-{report.id}")
    assert (read.status, read.raw) == (200, b'{"timeout":true}')
    assert read.headers["Content-Type"] == "application/json"
    assert read.headers["Content-Disposition"] == f'attachment; filename="{report.id}.json"'
    unknown = await tenant.api.get("/presence/report-x")
    assert unknown.error() == (404, "404", "bad_identifier", {"cause": "x", "message": "bad identifier"})

    path = f"/v2/accounts/{tenant.id}/presence/report-{report.id}"
    assert (await anonymous.get(server.url + path)).status == 401
    linked = await anonymous.get(server.url + reset.headers["Location"])
    assert (linked.status, linked.raw) == (200, read.raw)


async def test_set_is_remembered_by_presence_id(tenant: Tenant, server: RunningServer) -> None:
    device = await tenant.api.put("/devices", {"name": "Desk", "presence_id": "101"})
    bare = await tenant.api.put("/devices", {"name": "Bare"})
    for state in ("early", "confirmed"):
        answer = await tenant.api.post(f"/devices/{device.id}/presence", {"action": "set", "state": state})
        assert (answer.status, answer.data) == (200, "command sent")
        assert await manual(server, tenant) == {"101": state}
    answer = await tenant.api.post(f"/devices/{bare.id}/presence", {"action": "set", "state": "early"})
    assert answer.data == "command sent"
    assert await manual(server, tenant) == {"101": "confirmed"}


async def test_set_is_told_to_who_listens(tenant: Tenant, server: RunningServer) -> None:
    device = await tenant.api.put("/devices", {"name": "Desk", "presence_id": "101"})
    call_id = hashlib.md5(f"101@{tenant.realm}".encode()).hexdigest()
    async with opened(server.url, tenant) as socket:
        await socket.subscribe(f"presence.update.{call_id}")
        await tenant.api.post(f"/devices/{device.id}/presence", {"action": "set", "state": "confirmed"})
        event = await socket.event()
    told = {key: event["data"][key] for key in ("presence_id", "state", "call_id", "event_category", "event_name")}
    assert (event["name"], told) == (
        "update",
        {
            "presence_id": f"101@{tenant.realm}",
            "state": "confirmed",
            "call_id": call_id,
            "event_category": "presence",
            "event_name": "update",
        },
    )


async def test_of_a_user_or_the_users_devices(tenant: Tenant, server: RunningServer) -> None:
    user = await tenant.api.put("/users", {"first_name": "A", "last_name": "B"})
    path, order = f"/users/{user.id}/presence", {"action": "set", "state": "terminated"}
    nothing = await tenant.api.post(path, order)
    assert (nothing.status, nothing.data) == (200, "nothing to send command to")

    for name in ("201", "202"):
        await tenant.api.put("/devices", {"name": name, "presence_id": name, "owner_id": user.id})
    await tenant.api.put("/devices", {"name": "x", "presence_id": "203", "hotdesk": {"users": {user.id: {}}}})
    assert (await tenant.api.post(path, order)).data == "command sent"
    assert await manual(server, tenant) == {"201": "terminated", "202": "terminated"}

    await tenant.api.patch(f"/users/{user.id}", {"presence_id": "200"})
    await tenant.api.post(path, {**order, "state": "early"})
    assert await manual(server, tenant) == {"200": "early", "201": "terminated", "202": "terminated"}
    assert (await tenant.api.post(path, {"reset": True})).data == "command sent"


@pytest.mark.parametrize(
    ("order", "field", "what"),
    [
        ({}, "action", "action"),
        ({"action": "jump"}, "action", "action"),
        ({"action": "set"}, "state", "state"),
        ({"action": "set", "state": "busy"}, "state", "state"),
    ],
)
async def test_orders_nobody_understands(order: dict[str, str], field: str, what: str, tenant: Tenant) -> None:
    refused = await tenant.api.post(f"/users/{tenant.admin_id}/presence", order)
    detail = {"message": f"Field must be set to a valid {what}", "target": "invalid"}
    assert refused.invalid() == {field: {"invalid": detail}}


async def test_a_presence_id_is_no_private_field(tenant: Tenant, server: RunningServer) -> None:
    device = await tenant.api.put("/devices", {"name": "Desk", "presence_id": "pvt_deleted"})
    await tenant.api.post(f"/devices/{device.id}/presence", {"action": "set", "state": "early"})
    assert await manual(server, tenant) == {}
