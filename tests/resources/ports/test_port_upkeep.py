# SPDX-License-Identifier: MPL-2.0
"""Requests that nobody submits."""

from __future__ import annotations

from crossbar import clock
from crossbar.documents.document import Document
from crossbar.ids import new_id
from crossbar.resources.numbers.domain.port_request import DATABASE, TYPE
from crossbar.resources.ports.domain.port_upkeep import look_after_unconfirmed
from tests.harness import RunningServer
from tests.numbers import fresh
from tests.ports import Porting
from tests.resources.ports.test_port_mails import admin, told

WAITS = "Port request * waits to be submitted"


async def look(server: RunningServer, *, days: float) -> None:
    """Have requests looked at some days from now."""
    with clock.frozen(clock.unix_now() + days * clock.DAY):
        await look_after_unconfirmed(server.runtime)


async def test_an_account_is_reminded_each_day(porting: Porting, server: RunningServer) -> None:
    name = f"waiting {porting.customer.id}"
    request = await porting.made(name=name, notifications={"email": {"send_to": f"ann@{porting.customer.realm}"}})
    usual = (WAITS, {admin(porting.reseller), f"ann@{porting.customer.realm}"})
    await look(server, days=0.9)
    assert await told(porting, name) == []
    await look(server, days=1.1)
    await look(server, days=1.2)
    assert await told(porting, name) == [usual]
    await look(server, days=2.2)
    assert await told(porting, name) == [usual] * 2
    shown = (await porting.customer.api.get(f"/port_requests/{request.id}")).data
    assert (shown["updated"], shown["created"]) == (request.data["updated"], request.data["created"])
    await porting.moved(request.id, "submitted")
    before = len(await told(porting, name))
    await look(server, days=5)
    assert len(await told(porting, name)) == before


async def test_what_is_never_submitted_goes(porting: Porting, server: RunningServer) -> None:
    number = fresh()
    waiting, submitted = (await porting.made(number)).id, (await porting.made()).id
    await porting.moved(submitted, "submitted", "rejected")
    await look(server, days=29)
    assert (await porting.customer.api.get(f"/port_requests/{waiting}")).status == 200
    await look(server, days=31)
    assert (await porting.customer.api.get(f"/port_requests/{waiting}")).status == 404
    assert (await porting.customer.api.get(f"/port_requests/{submitted}")).status == 200
    assert (await porting.made(number)).status == 201


async def test_an_installation_says_how_long_they_are_kept(porting: Porting, server: RunningServer) -> None:
    request_id = (await porting.made()).id
    setting = {"default": {"unfinished_port_request_lifetime_s": 3 * clock.DAY}}
    assert (await server.master.root.post("/system_configs/tasks", setting)).status == 200
    try:
        await look(server, days=2.9)
        assert (await porting.customer.api.get(f"/port_requests/{request_id}")).status == 200
        await look(server, days=3.1)
        assert (await porting.customer.api.get(f"/port_requests/{request_id}")).status == 404
    finally:
        await server.master.root.delete("/system_configs/tasks")


async def test_requests_of_older_installations_are_borne(porting: Porting, server: RunningServer) -> None:
    fields = {"name": "bare", "numbers": {fresh(): {}}, "pvt_account_id": porting.customer.id}
    bare = await server.runtime.store.insert(Document(DATABASE, TYPE, new_id(), fields))
    await look(server, days=2)
    shown = await porting.customer.api.get(f"/port_requests/{bare.id}")
    assert (shown.status, shown.data["port_state"], shown.data["comments"]) == (200, "unconfirmed", [])
    assert (await porting.customer.api.get(f"/port_requests/{bare.id}/timeline")).data == []
    assert [alert for alert in (await porting.customer.api.get("/alerts")).data if alert["id"] == bare.id] == []
    said = {"comments": [{"author": "a", "content": "c", "timestamp": 1}]}
    assert (await porting.customer.api.put(f"/port_requests/{bare.id}/comments", said)).status == 201
    moved = await porting.customer.api.patch(f"/port_requests/{bare.id}/submitted", {})
    assert (moved.status, moved.data["port_state"]) == (200, "submitted")
