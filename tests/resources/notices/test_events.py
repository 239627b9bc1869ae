# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/events`: what happened in an account, as pages and as a stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
import pytest
from aiohttp import ClientResponse

from crossbar.documents.event import token_of_second
from tests.harness import Api, RunningServer, Tenant, new_person, new_tenant, set_options

ALLOWED_S = 20


async def token_of(api: Api) -> str:
    answer = await api.get("/events")
    assert (answer.status, answer.data, answer.envelope["more"]) == (200, [], False), answer.envelope
    return str(answer.envelope["token"])


async def page(api: Api, since: str, many: int, **query: Any) -> list[dict[str, Any]]:
    """The events after a token, once there are so many."""
    async with asyncio.timeout(ALLOWED_S):
        while True:
            answer = await api.get("/events", query={"since": since, **query})
            assert answer.status == 200, answer.envelope
            if len(answer.data) >= many:
                return list(answer.data)


def about(event: dict[str, Any]) -> tuple[str, str, str]:
    return event["name"], event["data"]["type"], event["data"]["id"]


async def test_what_was_changed_after_a_token(tenant: Tenant) -> None:
    await tenant.api.put("/menus", {"name": "before"})
    since = await token_of(tenant.api)
    made = await tenant.api.put("/menus", {"name": "Main"})
    await tenant.api.patch(f"/menus/{made.id}", {"name": "Other"})
    await tenant.api.delete(f"/menus/{made.id}")
    found = await page(tenant.api, since, 3)
    assert [about(event) for event in found] == [
        (name, "menu", made.id) for name in ("doc_created", "doc_edited", "doc_deleted")
    ]
    assert found[0]["data"]["doc"] == made.data
    assert (found[0]["account_id"], found[0]["category"]) == (tenant.id, "configuration")
    assert found[0]["token"] < found[1]["token"] < found[2]["token"]
    assert [about(event) for event in await page(tenant.api, found[0]["token"], 2)] == [about(one) for one in found[1:]]


async def test_pages_follow_each_other(tenant: Tenant) -> None:
    since = await token_of(tenant.api)
    made = [(await tenant.api.put("/menus", {"name": f"Menu {number}"})).id for number in range(5)]
    await page(tenant.api, since, 5)
    found: list[str] = []
    more = True
    while more:
        answer = await tenant.api.get("/events", query={"since": since, "page_size": "2"})
        since, more = answer.envelope["token"], answer.envelope["more"]
        assert len(answer.data) <= 2
        found += [event["data"]["id"] for event in answer.data]
    assert found == made


async def test_tokens_that_lead_nowhere(tenant: Tenant) -> None:
    await token_of(tenant.api)
    malformed = await tenant.api.get("/events", query={"since": "yesterday"})
    assert malformed.error()[:3] == (400, "400", "validation error")
    assert list(malformed.data) == ["since"]
    old = await tenant.api.get("/events", query={"since": token_of_second(1_000_000)})
    assert old.error()[:3] == (410, "410", "token too old")
    stream = await tenant.api.get(
        "/events", headers={"Accept": "text/event-stream", "Last-Event-ID": token_of_second(1_000_000)}
    )
    assert stream.status == 410


@dataclass
class Stream:
    """An open stream, and the frames that came."""

    response: ClientResponse
    frames: list[dict[str, str]] = field(default_factory=list)

    async def frame(self) -> dict[str, str] | None:
        """The next frame; None at the end."""
        found: dict[str, str] = {}
        async with asyncio.timeout(ALLOWED_S):
            while line := (await self.response.content.readline()).decode():
                if line == "\n":
                    return found
                name, _, value = line.rstrip("\n").partition(": ")
                found[name] = value
        return None

    async def events(self, many: int) -> list[dict[str, Any]]:
        """So many events, whatever comes in between."""
        found: list[dict[str, Any]] = []
        while len(found) < many:
            frame = await self.frame()
            assert frame is not None
            if "data" in frame:
                found.append(orjson.loads(frame["data"]))
                assert (frame["id"], frame["event"]) == (found[-1]["token"], found[-1]["name"])
        return found

    async def ends(self) -> bool:
        """Whether it comes to its end without a further event."""
        while frame := await self.frame():
            if "data" in frame:
                return False
        return True


@asynccontextmanager
async def streaming(api: Api, since: str | None = None, path: str = "/events") -> AsyncIterator[Stream]:
    headers = {"Accept": "text/event-stream", "X-Auth-Token": api.token or ""}
    if since is not None:
        headers["Last-Event-ID"] = since
    async with api.session.get(f"{api.base}{api.prefix}{path}", headers=headers) as response:
        assert (response.status, response.content_type) == (200, "text/event-stream")
        stream = Stream(response)
        assert await stream.frame() == {"retry": "1000"}
        yield stream


async def test_a_stream_is_taken_up_without_a_gap(tenant: Tenant) -> None:
    made: list[str] = []

    async def make() -> None:
        made.append((await tenant.api.put("/menus", {"name": f"Menu {len(made)}"})).id)

    async with streaming(tenant.api) as stream:
        await make()
        found = await stream.events(1)
    await make()
    await make()
    async with streaming(tenant.api, found[-1]["token"]) as stream:
        await make()
        found += await stream.events(3)
    assert [event["data"]["id"] for event in found] == made


async def test_a_quiet_stream_shows_where_it_is(
    server: RunningServer, tenant: Tenant, stranger: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_options(monkeypatch, server, "events", heartbeat_s=0.0)
    await token_of(stranger.api)
    async with streaming(tenant.api) as stream:
        first = await stream.frame()
        await stranger.api.put("/menus", {"name": "elsewhere"})
        async with asyncio.timeout(ALLOWED_S):
            while (frame := await stream.frame()) == first:
                pass
    assert first is not None
    assert frame is not None
    assert list(first) == list(frame) == ["id"]
    assert first["id"] < frame["id"]


async def test_a_stream_ends_with_the_right_to_read_it(server: RunningServer, tenant: Tenant) -> None:
    gone = await new_person(server, tenant, "gone", priv_level="admin")
    async with streaming(gone.api) as stream:
        await gone.api.request("DELETE", f"{server.url}/v2/token_auth")
        assert await stream.ends()
    child = await new_tenant(server, tenant, f"child{tenant.id[:12]}")
    async with streaming(child.api) as own, streaming(tenant.root, path=f"/accounts/{child.id}/events") as above:
        await tenant.root.patch(f"/accounts/{child.id}", {"enabled": False})
        await tenant.root.post(f"/accounts/{child.id}", {"enabled": False})

        def disable(account: Any) -> None:
            account.fields["pvt_enabled"] = False

        await server.runtime.store.update("accounts", "account", child.id, disable)
        await asyncio.gather(own.response.content.read(), above.response.content.read())


async def test_an_account_that_moves_takes_its_stream_away(
    server: RunningServer, master: Tenant, tenant: Tenant, stranger: Tenant
) -> None:
    child = await new_tenant(server, tenant, f"moving{tenant.id[:12]}")
    async with streaming(tenant.root, path=f"/accounts/{child.id}/events") as above:
        moved = await master.root.post(f"/accounts/{child.id}/move", {"to": stranger.id})
        assert moved.status == 200, moved.envelope
        await child.api.put("/menus", {"name": "elsewhere"})
        while frame := await above.frame():
            assert "elsewhere" not in frame.get("data", "")


async def test_who_may_not_read_it(server: RunningServer, tenant: Tenant, stranger: Tenant) -> None:
    plain = await new_person(server, tenant)
    for api in (plain.api, stranger.root.acting(stranger.token, f"/accounts/{tenant.id}")):
        for headers in ({}, {"Accept": "text/event-stream"}):
            assert (await api.get("/events", headers=headers)).status == 403


async def test_streams_have_an_end_of_their_number(
    server: RunningServer, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_options(monkeypatch, server, "events", streams=1)
    async with streaming(tenant.api):
        refused = await tenant.api.get("/events", headers={"Accept": "text/event-stream"})
        assert refused.status == 503
    set_options(monkeypatch, server, "limits", max_concurrent_requests=1)
    async with streaming(tenant.api):
        assert (await tenant.api.get("/menus")).status == 200
