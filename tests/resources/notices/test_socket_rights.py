# SPDX-License-Identifier: MPL-2.0
"""Whose events a socket hears, for how long, and how it ends."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.harness import (
    Person,
    RunningServer,
    Tenant,
    issue_token,
    new_person,
    new_tenant,
    set_options,
)
from tests.sockets import opened

AT_ONCE_S = 1.0
"""So soon a socket is closed whose token has ended."""
NOT_ALLOWED = 1008


async def device(tenant: Tenant, name: str, **fields: Any) -> str:
    created = await tenant.api.put("/devices", {"name": name, **fields})
    assert created.status == 201, created.envelope
    return created.id


async def test_no_account_hears_of_another(
    server: RunningServer, master: Tenant, tenant: Tenant, stranger: Tenant
) -> None:
    child = await new_tenant(server, tenant, f"child{tenant.id[:12]}")
    async with (
        opened(server.url, tenant) as parent,
        opened(server.url, child) as below,
        opened(server.url, master) as all_,
    ):
        for account_id in (stranger.id, master.id, "0" * 32, "nobody", "a/b", ["x"]):
            wanted = {"account_id": account_id, "binding": "object.*.*"}
            assert await parent.errors("subscribe", wanted) == ["unauthorized account id"]
        for account_id in (tenant.id, stranger.id):
            wanted = {"account_id": account_id, "binding": "object.*.*"}
            assert await below.errors("subscribe", wanted) == ["unauthorized account id"]
        wildcard = {"account_id": "*", "binding": "object.doc_created.device"}
        assert await parent.errors("subscribe", wildcard) == ["unauthorized wildcard account id"]
        assert (await all_.ask("subscribe", wildcard))["status"] == "success"
        await parent.subscribe("object.doc_created.device")
        await below.subscribe("object.doc_created.device")
        others = [await device(stranger, "Stranger"), await device(child, "Child")]
        own = await device(tenant, "Parent")
        assert (await parent.event())["data"]["id"] == own
        heard = await all_.events(3)
        assert [event["data"]["id"] for event in heard] == [*others, own]
        assert {event["subscription_key"] for event in heard} == {"doc_created.*.device.*"}
        await parent.subscribe("object.doc_created.device", child.id)
        theirs = await device(child, "Another")
        assert (await parent.event())["data"]["id"] == theirs
        assert [event["data"]["id"] for event in await below.events(2)] == [others[1], theirs]


End = Callable[[RunningServer, Tenant, Person], Awaitable[Any]]


async def log_out(server: RunningServer, _: Tenant, person: Person) -> None:
    await person.api.request("DELETE", f"{server.url}/v2/token_auth")


async def disable(_: RunningServer, tenant: Tenant, person: Person) -> None:
    await tenant.api.patch(f"/users/{person.id}", {"enabled": False})


async def delete(_: RunningServer, tenant: Tenant, person: Person) -> None:
    await tenant.api.delete(f"/users/{person.id}")


async def reset_secret(server: RunningServer, tenant: Tenant, person: Person) -> None:
    await server.runtime.access.tokens.reset_secret(tenant.id, person.id)


async def disable_account(server: RunningServer, tenant: Tenant, _: Person) -> None:
    await server.master.root.patch(f"/accounts/{tenant.id}", {"enabled": False})


async def delete_account(server: RunningServer, tenant: Tenant, _: Person) -> None:
    deleted = await server.master.root.delete(f"/accounts/{tenant.id}")
    assert deleted.status == 200, deleted.envelope


@pytest.mark.parametrize("end", [log_out, disable, delete, reset_secret, disable_account, delete_account])
async def test_a_socket_ends_with_its_token(server: RunningServer, tenant: Tenant, stranger: Tenant, end: End) -> None:
    person = await new_person(server, tenant, "gone", priv_level="admin")
    async with opened(server.url, tenant, token=person.token) as socket, opened(server.url, stranger) as other:
        await socket.subscribe("object.*.*")
        await other.ask("ping")
        await end(server, tenant, person)
        code, reason, _ = await socket.closed(AT_ONCE_S)
        assert code == NOT_ALLOWED
        assert reason in ("the token is not valid any more", "unauthorized account id")
        assert (await other.ask("ping"))["status"] == "success"


async def test_a_socket_ends_when_its_token_expires(server: RunningServer, tenant: Tenant) -> None:
    short = await issue_token(server, tenant.id, tenant.admin_id, lifetime=1)
    async with opened(server.url, tenant, token=short) as socket, opened(server.url, tenant, token=short) as renewed:
        await socket.subscribe("object.*.*")
        await renewed.subscribe("object.*.*")
        assert (await renewed.ask("ping", auth_token=tenant.token))["status"] == "success"
        assert (await socket.closed(2 * AT_ONCE_S))[0] == NOT_ALLOWED
        # Another token takes the place of the one before; one that is no good changes nothing.
        assert await renewed.errors("ping", auth_token=short) == [f"failed to authenticate token {short}"]
        assert (await renewed.ask("ping", auth_token=""))["status"] == "success"


async def test_an_account_that_moves_takes_its_events_away(
    server: RunningServer, master: Tenant, tenant: Tenant, stranger: Tenant
) -> None:
    child = await new_tenant(server, tenant, f"moving{tenant.id[:12]}")
    async with opened(server.url, tenant) as above, opened(server.url, child) as own:
        await above.subscribe("object.*.*", child.id)
        await own.subscribe("object.doc_created.device")
        moved = await master.root.post(f"/accounts/{child.id}/move", {"to": stranger.id})
        assert moved.status == 200, moved.envelope
        elsewhere = await device(child, "elsewhere")
        code, reason, heard = await above.closed(AT_ONCE_S)
        assert (code, reason) == (NOT_ALLOWED, "unauthorized account id")
        assert elsewhere not in [frame["data"]["id"] for frame in heard]
        assert (await own.event())["data"]["id"] == elsewhere
        async with opened(server.url, stranger) as other:
            # What happened there before it came is not theirs.
            since = heard[-1]["token"] if heard and "token" in heard[-1] else "now"
            await other.subscribe("object.doc_created.device", child.id, since=since)
            later = await device(child, "later")
            assert (await other.event())["data"]["id"] == later


async def test_restrictions_of_tokens_hold(server: RunningServer, tenant: Tenant) -> None:
    only_devices = {"restrictions": {"_": {"_": {"devices": [{"rules": {"#": ["_"]}}]}}}}
    async with opened(server.url, tenant) as socket:
        await socket.subscribe("object.*.*")
        restricted = await tenant.api.post("/token_restrictions", only_devices)
        assert restricted.status in (200, 201), restricted.envelope
        assert (await socket.closed(AT_ONCE_S))[:2] == (NOT_ALLOWED, "unauthorized account id")
    async with opened(server.url, tenant) as socket:
        wanted = {"account_id": tenant.id, "binding": "object.*.*"}
        assert await socket.errors("subscribe", wanted) == ["unauthorized account id"]


async def test_who_does_not_read_is_dropped(
    server: RunningServer, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_options(monkeypatch, server, "blackhole", buffer_bytes=65_536)
    async with opened(server.url, tenant) as slow, opened(server.url, tenant) as quick:
        for socket in (slow, quick):
            await socket.subscribe("object.*.device")
        slow.stop_reading()
        made = 0
        while len((await tenant.api.get("/websockets")).data) > 1:
            await device(tenant, f"Phone {made}", notes="x" * 200_000)
            assert (await quick.event())["data"]["doc"]["name"] == f"Phone {made}"
            made += 1
        await device(tenant, "Last")
        assert (await quick.event())["data"]["doc"]["name"] == "Last"
        slow.go_on_reading()
        code, reason, heard = await slow.closed()
        assert 0 < len(heard) < made
        assert (code, reason) in ((1013, "reading too slowly"), (1006, ""))


async def test_what_is_caught_up_with_is_sent_as_it_is_read(
    server: RunningServer, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_options(monkeypatch, server, "blackhole", buffer_bytes=4_096)
    async with opened(server.url, tenant) as first:
        since = (await first.subscribe("object.*.device", since="now"))["token"]
        made = [await device(tenant, f"Phone {number}", notes="x" * 100_000) for number in range(8)]
        async with opened(server.url, tenant) as socket:
            await socket.subscribe("object.*.device", since=since)
            assert [event["data"]["id"] for event in await socket.events(8)] == made
