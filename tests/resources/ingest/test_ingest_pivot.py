# SPDX-License-Identifier: MPL-2.0
"""`/ingest/pivot`: what a web server is asked about a call, and what is kept of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.harness import RunningServer, ServerWith, Tenant, new_tenant, set_options

CALL = {
    "call_id": "c1@x",
    "from": "1001",
    "from_realm": "a.test",
    "to": "2030",
    "to_realm": "b.test",
    "caller_id_name": "Ada & Co",
    "caller_id_number": "+14155550100",
    "direction": "inbound",
    "user_id": "u1",
    "unknown": "x",
}
FLOW = {"module": "hangup", "data": {}, "children": {}}


class Application:
    """A pivot application that keeps what it is asked."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[tuple[str, dict[str, str], str, Any]] = []

    async def answer(self, request: web.Request) -> web.Response:
        is_json = request.content_type == "application/json"
        body = await request.json() if is_json else dict(await request.post())
        self.asked.append((request.method, dict(request.query), request.content_type, body))
        match request.path:
            case "/slow":
                with suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.Event().wait(), 2)
            case "/moved":
                return web.Response(status=302, headers={"Location": "/flow"})
            case "/away":
                return web.Response(status=302, headers={"Location": f"http://0.0.0.0:{request.url.port}/flow"})
            case "/long":
                return web.Response(body=b"x" * 300_000)
            case "/broken":
                return web.Response(text="{", content_type="application/json")
            case "/twiml":
                return web.Response(text="<Response/>", content_type="text/xml")
        return web.json_response(FLOW)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def here(server_with: ServerWith) -> AsyncIterator[RunningServer]:
    """A server that may reach this machine, but for one of its addresses."""
    blocked = {"security__blocked_hosts": "blocked.test", "storage__blocked_networks": "0.0.0.0/32"}
    async with server_with(log__level="error", **blocked) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def application() -> AsyncIterator[Application]:
    application, app = Application(), web.Application()
    app.router.add_route("*", "/{path:.*}", application.answer)
    async with TestServer(app, shutdown_timeout=0) as running:
        application.url = str(running.make_url("")).rstrip("/")
        yield application


@pytest_asyncio.fixture(loop_scope="session")
async def office(here: RunningServer, application: Application) -> Tenant:
    return await new_tenant(here, here.master, f"pivot{application.url.rpartition(':')[2]}")


async def ask(server: RunningServer, tenant: Tenant, url: str, call: Any = CALL, **data: Any) -> Any:
    asked = {"account_id": tenant.id, "call": call, "data": {"voice_url": url, **data}}
    answer = await server.master.root.post("/ingest/pivot", asked)
    assert answer.status == 200, answer.envelope
    return answer.data


async def test_what_an_application_is_asked(here: RunningServer, application: Application, office: Tenant) -> None:
    told = {
        "Call-ID": "c1@x",
        "Account-ID": office.id,
        "From": "1001",
        "From-Realm": "a.test",
        "To": "2030",
        "To-Realm": "b.test",
        "Caller-ID-Name": "Ada & Co",
        "Caller-ID-Number": "+14155550100",
        "Direction": "inbound",
        "User-ID": "u1",
        "Api-Version": "2015-03-01",
    }
    form = "application/x-www-form-urlencoded"
    for data, wanted in (
        ({}, ("GET", {"k": "v", **told}, "application/octet-stream", {})),
        ({"method": "POST"}, ("POST", {"k": "v"}, form, told)),
        ({"method": "post", "req_body_format": "json"}, ("POST", {"k": "v"}, "application/json", told)),
    ):
        answer = await ask(here, office, f"{application.url}/flow?k=v", **data)
        assert application.asked.pop() == wanted
        assert (answer["status_code"], answer["content_type"]) == (200, "application/json; charset=utf-8")
        assert answer["body"] == '{"module": "hangup", "data": {}, "children": {}}'
    answer = await ask(here, office, f"{application.url}/twiml", req_format="twiml", call={**CALL, "digits": "12"})
    assert answer == {"status_code": 200, "content_type": "text/xml; charset=utf-8", "body": "<Response/>"}
    asked = application.asked.pop()[1]
    assert asked.items() >= {"CallSid": "c1@x", "AccountSid": office.id, "CallerNumber": "+14155550100"}.items()
    assert asked["Digits"] == "12"


async def test_what_is_kept_of_it(here: RunningServer, application: Application, office: Tenant) -> None:
    await ask(here, office, f"{application.url}/flow")
    assert (await office.api.get("/pivot/debug")).data == []
    await ask(here, office, f"{application.url}/flow", method="post", debug=True)
    await ask(here, office, f"{application.url}/broken", call={**CALL, "iteration": 2}, debug=True)
    (row,) = (await office.api.get("/pivot/debug")).data
    expected = {"call_id": "c1@x", "uri": f"{application.url}/flow", "status_code": "200", "iteration": 1}
    assert row.items() >= expected.items()
    assert (row["has_json_errors"], row["has_schema_errors"]) == (False, False)
    kept = (await office.api.get(f"/pivot/debug/{row['debug_id'].replace('@', '%40')}")).data
    assert len(kept) == 4
    first = [entry for entry in kept if entry["iteration"] == 1]
    assert {entry.get("method") for entry in first} == {"post", None}
    assert any(entry.get("json_errors") for entry in kept if entry["iteration"] == 2)


async def test_what_cannot_be_asked(here: RunningServer, application: Application, office: Tenant) -> None:
    assert (await ask(here, office, f"{application.url}/moved"))["status_code"] == 200
    assert "too long" in (await ask(here, office, f"{application.url}/long"))["error"]
    assert await ask(here, office, f"{application.url}/slow", req_timeout_ms=50) == {"error": "timeout"}
    before = len(application.asked)
    inside = f"http://0.0.0.0:{application.url.rpartition(':')[2]}/flow"
    assert (await ask(here, office, inside))["error"]
    assert len(application.asked) == before
    assert (await ask(here, office, f"{application.url}/away"))["error"]
    assert len(application.asked) == before + 1


async def test_an_operator_opens_a_network_to_what_is_asked(
    here: RunningServer, application: Application, office: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The networks of webhooks' servers are those of pivot applications; those of stores are not."""
    url = application.url.replace("127.0.0.1", "0.0.0.0") + "/flow"

    async def is_reached() -> bool:
        await here.master.root.post(
            "/ingest/pivot", {"account_id": office.id, "call": CALL, "data": {"voice_url": url}}
        )
        reached = bool(application.asked)
        application.asked.clear()
        return reached

    set_options(monkeypatch, here, "storage", allowed_networks=("0.0.0.0/32",))
    assert not await is_reached()
    set_options(monkeypatch, here, "events", allowed_networks=("0.0.0.0/32",))
    assert await is_reached()


async def test_who_may_ask_and_how(here: RunningServer, office: Tenant) -> None:
    stranger = await new_tenant(here, here.master, f"x{office.id[:10]}")
    created = await office.api.put("/ingest_tokens", {"name": "switch"})
    switch = office.root.acting(str(created.data["token"]))
    data = {"voice_url": "https://app.test/"}
    foreign = await switch.post("/ingest/pivot", {"account_id": stranger.id, "call": CALL, "data": data})
    assert foreign.status == 403
    for call in (None, {}, {"call_id": 7}, []):
        refused = await switch.post("/ingest/pivot", {"call": call, "data": data})
        assert list(refused.data["call.call_id"]) == ["required"]
    for wrong in (None, {}, {"voice_url": "ftp://x"}, {"voice_url": "https://blocked.test/"}):
        refused = await switch.post("/ingest/pivot", {"call": CALL, "data": wrong})
        assert (refused.status, list(refused.data)) == (400, ["voice_url"])
