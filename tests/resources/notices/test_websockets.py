# SPDX-License-Identifier: MPL-2.0
"""Sockets: every frame of the exchange, what is heard, what is refused, and what is told of them."""

from __future__ import annotations

import socket as system_socket
from typing import Any

import orjson
import pytest
from aiohttp import WSServerHandshakeError

from crossbar import clock
from crossbar.documents.event import token_of_second
from tests.harness import Api, RunningServer, Tenant, new_person, new_tenant, send_parts, set_options
from tests.samples import pages
from tests.sockets import about, database_of, opened

CALLS = (
    "CHANNEL_CREATE", "CHANNEL_ANSWER", "CHANNEL_DESTROY", "CHANNEL_HOLD", "CHANNEL_UNHOLD", "CHANNEL_BRIDGE",
    "PARK_PARKED", "PARK_RETRIEVED", "PARK_ABANDONED",
)  # fmt: skip


async def test_everybody_may_see_what_can_be_heard(anonymous: Api) -> None:
    told = await anonymous.get("/websockets")
    assert (told.status, sorted(told.data)) == (200, ["call", "conference", "fax", "object", "presence"])
    assert "object.doc_edited.user" in told.data["object"]
    assert len(told.data["call"]) == 9


async def test_the_exchange(server: RunningServer, tenant: Tenant) -> None:
    async with opened(server.url, tenant) as socket:
        assert (await socket.ask("ping"))["data"] == {"response": "pong"}
        wanted = {"account_id": tenant.id, "binding": "object.doc_edited.user"}
        assert await socket.ask("subscribe", wanted) == {
            "action": "reply",
            "request_id": "r2",
            "status": "success",
            "data": {"subscribed": ["object.doc_edited.user"]},
        }
        assert (await socket.subscribe("call.*.*"))["subscribed"] == ["object.doc_edited.user"] + ["call.*.*"] * 9
        assert (await socket.subscribe("object.*.*"))["subscribed"][-2:] == ["object.*.*"] * 2
        assert (await socket.subscribe("call.*.*"))["subscribed"].count("call.*.*") == 9
        assert (await socket.ask("unsubscribe", {**wanted, "binding": "call.*.*"}))["data"] == {
            "unsubscribed": ["call.*.*"],
            "subscribed": ["object.doc_edited.user", "object.*.*", "object.*.*"],
        }
        # The token need not come again; an unknown action, and none, do nothing.
        for action in ("dance", None):
            await socket.socket.send_json({"action": action} if action else {})
            answer = await socket.frame()
            assert len(answer.pop("request_id")) == 32
            assert answer == {"action": "reply", "status": "success", "data": {}}
        both = {"account_id": tenant.id, "bindings": ["presence.dialog.*", "fax.status.*"]}
        assert (await socket.ask("subscribe", both))["data"]["subscribed"][-2:] == ["dialog.*", "fax.status.*"]


MISSING = "missing required keys"


@pytest.mark.parametrize(
    ("binding", "error"),
    [
        ("unicorn.*", "no available subscriptions to requested binding"),
        ("call.CHANNEL_DANCE.*", "event CHANNEL_DANCE not supported"),
        ("call.*", "invalid format for call subscription : *"),
        ("call.CHANNEL_CREATE.a.b", "invalid format for call subscription : CHANNEL_CREATE, a, b"),
        ("object.doc_eaten.user", "event doc_eaten.user not supported"),
        ("object.doc_eaten.*", "event doc_eaten.* not supported"),
        ("object.*.unicorn", "event *.unicorn not supported"),
        ("object.*", "invalid format for object subscription : *"),
        ("conference.event.*.*", "ConferenceId required"),
        ("conference.command.*", "ConferenceId required"),
        ("conference.event.c", "invalid format for conference subscription : event, c"),
        ("fax.status", "invalid format for fax subscription : status"),
        ("fax.paper.x", "invalid format for fax subscription : paper, x"),
        ("presence.mood.x", "event mood not supported"),
        ("presence.dialog.a.b", "invalid format for presence subscription : dialog, a, b"),
        ("presence", "invalid format for presence subscription : "),
    ],
)
async def test_bindings_that_are_none(server: RunningServer, tenant: Tenant, binding: str, error: str) -> None:
    async with opened(server.url, tenant) as socket:
        for action in ("subscribe", "unsubscribe"):
            assert await socket.errors(action, {"account_id": tenant.id, "binding": binding}) == [error]


async def test_frames_that_lack_something(server: RunningServer, tenant: Tenant) -> None:
    whole = {"account_id": tenant.id, "binding": "call.*.*"}
    async with opened(server.url, tenant) as socket:
        assert await socket.errors("ping", auth_token="") == ["authentication token required"]
        assert await socket.errors("ping", auth_token="nonsense") == ["failed to authenticate token nonsense"]
        nobody = await server.runtime.access.tokens.vouch({"sub": "x"}, lifetime=60)
        assert await socket.errors("ping", auth_token=nobody) == ["auth_account_id not set"]
        for data in (None, {}, "text", []):
            assert await socket.errors("subscribe", data) == [f"{MISSING} in data object"]
        assert await socket.errors("subscribe", {"account_id": tenant.id}) == [f"{MISSING} : binding"]
        assert await socket.errors("subscribe", {"x": 1}) == [f"{MISSING} : account_id, binding"]
        for text in ("no JSON", "[]"):
            await socket.socket.send_str(text)
            assert (await socket.frame())["data"] == {}
        await socket.socket.send_bytes(b"{}")
        assert (await socket.ask("subscribe", whole))["status"] == "success"


async def test_changes_of_documents(server: RunningServer, tenant: Tenant) -> None:
    async with opened(server.url, tenant) as socket:
        await socket.subscribe("object.*.*")
        await socket.subscribe("object.doc_deleted.callflow")
        flow = await tenant.api.put("/callflows", {"numbers": ["100"], "flow": {"module": "hangup", "data": {}}})
        await tenant.api.patch(f"/callflows/{flow.id}", {"name": "Main"})
        await tenant.api.delete(f"/callflows/{flow.id}")
        created, edited, *deleted = await socket.events(4)
    database = database_of(tenant.id)
    body = created.pop("data")
    assert created == {
        "action": "event",
        "subscribed_key": "object.*.*",
        "subscription_key": f"*.{database}.*.*",
        "name": "doc_created",
        "routing_key": f"doc_created.{database}.callflow.{flow.id}",
    }
    assert {key: body[key] for key in ("id", "account_id", "type", "database", "event_category", "event_name")} == {
        "id": flow.id,
        "account_id": tenant.id,
        "type": "callflow",
        "database": database,
        "event_category": "configuration",
        "event_name": "doc_created",
    }
    assert body["doc"] == flow.data
    assert (edited["name"], edited["data"]["doc"]["name"]) == ("doc_edited", "Main")
    assert [event["subscribed_key"] for event in deleted] == ["object.*.*", "object.doc_deleted.callflow"]
    assert {event["subscription_key"] for event in deleted} == {
        f"*.{database}.*.*",
        f"doc_deleted.{database}.callflow.*",
    }


async def test_documents_of_a_month(server: RunningServer, tenant: Tenant) -> None:
    database = f"{database_of(tenant.id)}-{clock.year_month()}"
    async with opened(server.url, tenant) as socket:
        for binding in ("object.doc_created.fax", "fax.object.doc_created", "object.*.*"):
            await socket.subscribe(binding)
        master = server.master.root
        fax = {"account_id": tenant.id, "from_number": "1", "to_number": "2", "timestamp": clock.now()}
        kept = await send_parts(master, "POST", "/ingest/faxes", fax, (pages(1), "image/tiff"))
        assert kept.status in (200, 201), kept.envelope
        frames = [await socket.event() for _ in range(3)]
    assert {frame["subscribed_key"]: frame["subscription_key"] for frame in frames} == {
        "object.doc_created.fax": f"doc_created.{database}.fax.*",
        "fax.object.doc_created": f"doc_created.{database}.fax.*",
        "object.*.*": f"*.{database}.*.*",
    }
    assert {frame["routing_key"] for frame in frames} == {f"doc_created.{database}.fax.{frames[0]['data']['id']}"}


async def raise_event(server: RunningServer, account_id: str, category: str, name: str, **body: Any) -> None:
    """As whatever follows a switch does it."""
    whole = {**body, "event_category": category, "event_name": name, "msg_id": "m", "server_id": "s", "node": "n"}
    await server.runtime.store.event_log.raise_event(account_id, category, name, whole)


async def test_events_of_calls(server: RunningServer, master: Tenant, tenant: Tenant) -> None:
    async with opened(server.url, tenant) as socket:
        await socket.subscribe("call.*.*")
        await socket.subscribe("call.CHANNEL_ANSWER.c1")
        for name in CALLS:
            event = {"account_id": tenant.id, "call_id": "c1", "event_name": name, "msg_id": "m", "node": "n"}
            kept = await master.root.post("/ingest/call_events", event)
            assert kept.status in (200, 201), kept.envelope
        frames = await socket.events(len(CALLS) + 1)
    heard = [frame for frame in frames if frame["subscribed_key"] == "call.*.*"]
    assert [frame["name"] for frame in heard] == list(CALLS)
    created = heard[0]
    assert created["subscription_key"] == f"call.{tenant.id}.CHANNEL_CREATE.*"
    assert created["routing_key"] == f"call.{tenant.id}.CHANNEL_CREATE.c1"
    assert created["data"].items() >= {"call_id": "c1", "account_id": tenant.id, "event_name": "CHANNEL_CREATE"}.items()
    assert created["data"]["event_category"] == "call_event"
    assert not created["data"].keys() & {"msg_id", "node"}
    (answered,) = (frame for frame in frames if frame["subscribed_key"] == "call.CHANNEL_ANSWER.c1")
    assert answered["subscription_key"] == f"call.{tenant.id}.CHANNEL_ANSWER.c1"


@pytest.mark.parametrize(
    ("binding", "name", "body", "subscription_key", "routing_key"),
    [
        (
            "conference.event.room.*", "event", {"conference_id": "room", "call_id": "c.1", "event": "add-member"},
            "conference.event.*.{id}.room.*", "conference.event.add-member.{id}.room.c%2E1",
        ),
        (
            "conference.command.room", "command", {"conference_id": "room"},
            "conference.command.room", "conference.command.room",
        ),
        ("fax.status.f1", "status", {"fax_id": "f1", "status": "sending"}, "fax.status.{id}.f1", "fax.status.{id}.f1"),
        (
            "presence.dialog.*", "dialog_update", {"presence_id": "100@{realm}", "call_id": "c1", "state": "early"},
            "dialog.{encoded}.*", "dialog.{encoded}.c1",
        ),
        (
            "presence.mwi_updates.100", "mwi_update", {"presence_id": "100@{realm}"},
            "mwi_updates.{encoded}.100", "mwi_updates.{encoded}.100",
        ),
        (
            "presence.update.c1", "update", {"presence_id": "1@{realm}", "call_id": "c1"},
            "update.{encoded}.c1", "update.{encoded}.c1",
        ),
    ],
)  # fmt: skip
async def test_other_events_of_switches(
    server: RunningServer,
    tenant: Tenant,
    *,
    binding: str,
    name: str,
    body: dict[str, str],
    subscription_key: str,
    routing_key: str,
) -> None:
    category = binding.partition(".")[0]
    named = {"id": tenant.id, "realm": tenant.realm, "encoded": tenant.realm.replace(".", "%2E")}
    told = {key: value.format(**named) for key, value in body.items()}
    exact = not binding.endswith(".*")
    async with opened(server.url, tenant) as socket:
        await socket.subscribe(binding)
        await raise_event(server, tenant.id, "weather", name, **told)
        if exact:
            await raise_event(server, tenant.id, category, name, **dict.fromkeys(told, "other"))
        await raise_event(server, tenant.id, category, name, **told)
        frame = await socket.event()
    assert frame.pop("data") == {**told, "account_id": tenant.id, "event_category": category, "event_name": name}
    assert frame == {
        "action": "event",
        "subscribed_key": binding.removeprefix("presence."),
        "subscription_key": subscription_key.format(**named),
        "name": name,
        "routing_key": routing_key.format(**named),
    }


async def test_a_plain_user_is_shown_no_documents(server: RunningServer, tenant: Tenant) -> None:
    plain = await new_person(server, tenant)
    async with opened(server.url, tenant, token=plain.token) as socket, opened(server.url, tenant) as admin:
        for one in (socket, admin):
            await one.subscribe("object.*.callflow")
        await tenant.api.put("/callflows", {"numbers": ["101"], "flow": {"module": "hangup", "data": {}}})
        heard, whole = await socket.event(), await admin.event()
    shown = whole["data"].pop("doc")
    assert shown["numbers"] == ["101"]
    assert heard == whole


async def test_open_sockets(server: RunningServer, tenant: Tenant) -> None:
    child = await new_tenant(server, tenant, f"child-{tenant.id[:8]}")
    async with opened(server.url, tenant) as own, opened(server.url, child) as below:
        assert (await tenant.api.get("/websockets")).data == []
        await own.ask("ping", name="Desk", metadata={"deep": [2**64, {"a.b": None}]})
        (row,) = (await tenant.api.get("/websockets")).data
        timestamp = row.pop("timestamp")
        assert abs(timestamp - clock.now()) < 100
        session_id = row["websocket_session_id"]
        assert row == {
            "bindings": [],
            "websocket_session_id": session_id,
            "name": "Desk",
            "metadata": {"deep": [2**64, {"a.b": None}]},
            "destination": system_socket.gethostname(),
            "source": "127.0.0.1",
        }
        host, port = own.socket.get_extra_info("sockname")[:2]
        assert session_id == f"{host}:{port}"
        await own.subscribe("call.*.*")
        await below.subscribe("object.*.*")
        (row,) = (await tenant.api.get("/websockets")).data
        assert row["bindings"] == ["call.*.*"]
        assert (await tenant.api.get(f"/websockets/{session_id}")).data == row
        assert (await child.api.get(f"/websockets/{session_id}")).data == []
        # A parent that asks for a child sees its own sockets there, too.
        seen = await tenant.root.get(f"/accounts/{child.id}/websockets")
        assert [one["bindings"] for one in seen.data] == [["object.*.*"], ["call.*.*"]]
        assert len((await child.api.get("/websockets")).data) == 1
        await own.ask("unsubscribe", {"account_id": tenant.id, "binding": "call.*.*"})
        assert (await tenant.api.get(f"/websockets/{session_id}")).data["bindings"] == []
        await own.socket.close()
        await below.ask("ping")
        while (await tenant.api.get("/websockets")).data:
            pass


async def test_limits(server: RunningServer, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    set_options(monkeypatch, server, "blackhole", max_bindings=2, burst=5, frames_per_second=0.1, max_frame_bytes=2048)
    async with opened(server.url, tenant) as socket:
        await socket.subscribe("object.*.*")
        await socket.subscribe("call.*.*")
        third = {"account_id": tenant.id, "binding": "fax.status.*"}
        assert await socket.errors("subscribe", third) == ["too many subscriptions, at most 2"]
        assert (await socket.ask("subscribe", {**third, "binding": "call.*.*"}))["status"] == "success"
        await socket.ask("ping")
        host, port = socket.socket.get_extra_info("sockname")[:2]
        assert await socket.errors("ping") == [f"rate limiting threshold hit for {host}:{port}!"]
        set_options(monkeypatch, server, "blackhole", max_connections_per_account=1)
        async with opened(server.url, tenant) as second:
            assert await second.errors("ping") == [f"too many sockets of account {tenant.id}"]
        await socket.socket.send_str(orjson.dumps({"action": "x" * 4000}).decode())
        assert (await socket.closed())[0] == 1009


async def test_connections_that_are_no_sockets(
    server: RunningServer, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"{server.url}/v2/websocket"
    client = tenant.api.session
    async with client.get(url) as plain:
        assert (plain.status, plain.headers["Upgrade"]) == (426, "websocket")
    handshake = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    async with client.get(url, headers={**handshake, "Sec-WebSocket-Protocol": "chat"}) as spoken:
        assert spoken.status == 400
    set_options(monkeypatch, server, "blackhole", max_connections_per_ip=1)
    async with opened(server.url, tenant), client.get(url, headers=handshake) as second:
        assert second.status == 429


async def test_a_setting_counts_from_the_next_connection_on(server: RunningServer, master: Tenant) -> None:
    """`blackhole.max_connections_per_ip` of KAZOO's system settings."""
    path = "/system_configs/blackhole"
    async with opened(server.url, master) as socket:
        limited = await master.root.patch(path, {"default": {"max_connections_per_ip": 1}})
        assert limited.status == 200, limited.envelope
        with pytest.raises(WSServerHandshakeError) as refused:
            await opened(server.url, master).__aenter__()
        await master.root.delete(path)
        async with opened(server.url, master) as second:
            assert (await second.ask("ping"))["status"] == (await socket.ask("ping"))["status"] == "success"
    assert refused.value.status == 429


async def test_a_subscription_is_taken_up_without_a_gap(server: RunningServer, tenant: Tenant) -> None:
    made: list[tuple[str, str]] = []

    async def make() -> None:
        made.append(("doc_created", (await tenant.api.put("/devices", {"name": f"Phone {len(made)}"})).id))

    async with opened(server.url, tenant) as socket:
        assert "token" in await socket.subscribe("object.doc_created.device", since="now")
        await make()
        heard = await socket.events(1)
    for _ in range(3):
        await make()
    async with opened(server.url, tenant) as other, opened(server.url, tenant) as socket:
        # Somebody else who listens already has come further.
        await other.subscribe("object.doc_created.device")
        await make()
        assert "token" not in (await other.event())
        resumed = await socket.subscribe("object.doc_created.device", since=heard[-1]["token"])
        assert resumed["token"] == heard[-1]["token"]
        await make()
        heard += await socket.events(5)
    assert about(heard) == made


async def test_tokens_that_lead_nowhere(server: RunningServer, tenant: Tenant) -> None:
    wanted = {"account_id": tenant.id, "binding": "object.*.*"}
    async with opened(server.url, tenant) as socket:
        assert await socket.errors("subscribe", {**wanted, "since": "yesterday"}) == ["invalid since"]
        assert await socket.errors("subscribe", {**wanted, "since": token_of_second(9)}) == ["token too old"]
        assert (await socket.ask("ping"))["status"] == "success"
