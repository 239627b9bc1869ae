# SPDX-License-Identifier: MPL-2.0
"""Callbacks: what the servers of pivot applications and fax boxes are told, and that none is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

import orjson
import pytest
import pytest_asyncio

from crossbar import clock
from crossbar.documents.document import SYSTEM_DATA, Document
from crossbar.documents.listing import Listing
from crossbar.events.callbacks import CALLBACK, OWN_SECONDS, callback
from crossbar.metrics import Metrics
from crossbar.resources.notices.domain import callback_deliveries
from crossbar.resources.notices.domain.callback_deliveries import CallbackDeliveries
from crossbar.resources.notices.domain.server_request import session_to_servers
from tests.harness import RunningServer, Tenant, new_tenant, send_parts, set_options, until
from tests.receiver import Receiver, Sent
from tests.samples import PDF
from tests.web_server import raw_server

FAX = {"from_number": "+14155550100", "to_number": "+14155550199", "from_name": "Ada"}


async def left(server: RunningServer, account_id: str) -> list[Document]:
    """The callbacks of the account that are still there."""
    waiting = await server.runtime.store.all(Listing(SYSTEM_DATA, CALLBACK))
    return [one for one in waiting if one.text("account_id") == account_id]


async def all_gone(server: RunningServer, account_id: str) -> None:
    async def gone() -> bool:
        return not await left(server, account_id)

    await until(gone)


def told(sent: Sent) -> dict[str, Any]:
    """What was told, from either form."""
    is_json = sent.headers["Content-Type"] == "application/json"
    return orjson.loads(sent.body) if is_json else dict(parse_qsl(sent.body))  # type: ignore[no-any-return]


# The record of a call that went through pivot


async def ask_pivot(server: RunningServer, tenant: Tenant, receiver: Receiver, path: str, **data: Any) -> None:
    asked = {"voice_url": f"{receiver.url}{path}/voice", "cdr_url": f"{receiver.url}{path}/cdr", **data}
    call = {"call_id": f"{path}@x", "from": "1001"}
    body = {"account_id": tenant.id, "call": call, "data": asked}
    answer = await server.master.root.post("/ingest/pivot", body)
    assert answer.status == 200, answer.envelope


async def hand_in(server: RunningServer, tenant: Tenant, call_id: str, **fields: Any) -> None:
    record = {
        "account_id": tenant.id, "call_id": call_id, "caller_id_number": "1001", "hangup_cause": "NORMAL_CLEARING",
        "billing_seconds": 37, "custom_channel_vars": {"owner_id": "u"}, "custom_application_vars": {"order": "7"},
        "media_server": "fs1.test", "app_name": "ecallmgr", **fields,
    }  # fmt: skip
    answer = await server.master.root.post("/ingest/cdrs", record)
    assert answer.status == 200, answer.envelope


async def test_the_record_of_a_call_that_went_through_pivot(
    server: RunningServer, tenant: Tenant, receiver: Receiver, path: str
) -> None:
    other = await new_tenant(server, server.master, f"other{tenant.id[:12]}")
    await ask_pivot(server, tenant, receiver, path)
    await hand_in(server, tenant, "another call")
    await hand_in(server, other, f"{path}@x")
    await hand_in(server, tenant, f"{path}@x", timestamp=63_900_000_000)
    await hand_in(server, tenant, f"{path}@x", timestamp=63_900_000_000)
    (sent,) = await receiver.wait(f"{path}/cdr")
    await all_gone(server, tenant.id)
    assert (sent.method, sent.headers["Content-Type"]) == ("POST", "application/x-www-form-urlencoded")
    assert sent.headers["X-Account-ID"] == tenant.id
    assert told(sent) == {
        "Call-ID": f"{path}@x",
        "Caller-ID-Number": "1001",
        "Hangup-Cause": "NORMAL_CLEARING",
        "Billing-Seconds": "37",
        "Custom-Application-Vars[order]": "7",
        "Media-Server": "fs1.test",
        "Timestamp": "63900000000",
    }
    assert receiver.at(f"{path}/cdr") == [sent]
    assert await left(server, other.id) == []
    assert len((await tenant.api.get("/pivot/debug")).data) == 0


async def test_the_last_pivot_that_says_so_has_the_record_and_debug_keeps_it(
    server: RunningServer, tenant: Tenant, receiver: Receiver, path: str
) -> None:
    await ask_pivot(server, tenant, receiver, path, cdr_url=f"{receiver.url}{path}/first")
    await ask_pivot(server, tenant, receiver, path, debug=True)
    asked = {"voice_url": f"{receiver.url}{path}/voice"}
    body = {"account_id": tenant.id, "call": {"call_id": f"{path}@x"}, "data": asked}
    await server.master.root.post("/ingest/pivot", body)
    await hand_in(server, tenant, f"{path}@x")
    await receiver.wait(f"{path}/cdr")
    await all_gone(server, tenant.id)
    assert receiver.at(f"{path}/first") == []
    (row,) = (await tenant.api.get("/pivot/debug")).data
    kept = (await tenant.api.get(f"/pivot/debug/{row['debug_id'].replace('/', '%2F').replace('@', '%40')}")).data
    sent = [one for one in kept if one.get("uri") == f"{receiver.url}{path}/cdr"]
    assert [(one["method"], "Call-ID=" in one["req_body"], one["iteration"]) for one in sent] == [("post", True, 1)]
    assert [one["resp_body"] for one in kept if "resp_body" in one] == ["thanks", "thanks"]


async def test_an_answer_whose_headers_are_no_text(server: RunningServer, tenant: Tenant, path: str) -> None:
    odd = b"HTTP/1.1 200 OK\r\nX-Odd: caf\xe9\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    async with raw_server(odd) as url:
        asked = {"voice_url": url, "cdr_url": url, "debug": True}
        body = {"account_id": tenant.id, "call": {"call_id": f"{path}@x"}, "data": asked}
        answer = await server.master.root.post("/ingest/pivot", body)
        assert (answer.status, answer.data["status_code"]) == (200, 200)
        await hand_in(server, tenant, f"{path}@x")
        await all_gone(server, tenant.id)
    (row,) = (await tenant.api.get("/pivot/debug")).data
    kept = (await tenant.api.get(f"/pivot/debug/{row['debug_id'].replace('/', '%2F').replace('@', '%40')}")).data
    assert [one["resp_headers"]["X-Odd"] for one in kept if "resp_headers" in one] == ["caf\ufffd"] * 2


# Fax boxes


async def new_box(tenant: Tenant, **callbacks: dict[str, str]) -> str:
    notifications = {direction: {"callback": wanted} for direction, wanted in callbacks.items()}
    created = await tenant.api.put("/faxboxes", {"name": "Box", "notifications": notifications})
    assert created.status == 201, created.envelope
    return created.id


async def test_a_fax_box_that_is_told_of_faxes(
    server: RunningServer, tenant: Tenant, receiver: Receiver, path: str
) -> None:
    url = receiver.url + path
    box = await new_box(
        tenant,
        inbound={"url": f"{url}/in"},
        outbound={"url": f"{url}/out", "method": "put", "type": "www-url-form-encoded"},
    )
    elsewhere = await new_box(tenant)
    fax = {"account_id": tenant.id, **FAX, "call_id": "c1", "timestamp": clock.now()}
    handed: list[str] = []
    for fields in (
        {"faxbox_id": box},
        {"faxbox_id": box},
        {"faxbox_id": elsewhere, "call_id": "c2"},
        {"call_id": "c3"},
    ):
        answer = await send_parts(server.master.root, "POST", "/ingest/faxes", fax | fields, (PDF, "application/pdf"))
        handed += [answer.id] if answer.data["new"] else []
    failed = {"success": False, "error_message": "no carrier", "result_code": 49}
    await server.master.root.post("/ingest/faxes", fax | {"faxbox_id": box, "call_id": "c4", "rx_result": failed})
    document = {"url": "https://example.com/a.pdf"}
    job = await tenant.api.put(f"/faxboxes/{box}/faxes", {**FAX, "document": document})
    assert job.status == 201, job.envelope
    result = {"success": True, "pages_sent": 3}
    done = await server.master.root.post(
        "/ingest/fax_results", {"account_id": tenant.id, "id": job.id, "tx_result": result}
    )
    received, not_received = sorted(await receiver.wait(f"{path}/in", 2), key=lambda one: "fax_error" in one.body)
    (sent,) = await receiver.wait(f"{path}/out")
    await all_gone(server, tenant.id)
    assert [one.method for one in (received, sent)] == ["POST", "PUT"]
    common = {"account_id": tenant.id, "faxbox_id": box, "caller_id_number": "+14155550100", "caller_id_name": "Ada"}
    assert told(received).items() >= {**common, "event_name": "inbound_fax", "fax_id": handed[0]}.items()
    assert told(received)["call_id"] == "c1"
    failure = {"event_name": "inbound_fax_error", "fax_error": "no carrier", "fax_result_code": 49}
    assert told(not_received).items() >= {**common, **failure}.items()
    outgoing = {"event_name": "outbound_fax", "fax_id": done.id, "fax_jobid": job.id, "fax_info[pages_sent]": "3"}
    assert told(sent).items() >= {**common, **outgoing}.items()
    assert len(receiver.at(f"{path}/in")) == 2


# Getting through


@pytest_asyncio.fixture(loop_scope="session")
async def another(server: RunningServer) -> AsyncIterator[CallbackDeliveries]:
    """What a worker does that wrote none of the callbacks."""
    async with session_to_servers(server.runtime) as session:
        yield CallbackDeliveries(server.runtime, session, Metrics())


Leave = Callable[[], Awaitable[Document]]


@pytest.fixture
def leave(
    server: RunningServer, tenant: Tenant, receiver: Receiver, path: str, monkeypatch: pytest.MonkeyPatch
) -> Leave:
    """Makes a callback to the path whose worker ended at once."""

    async def made() -> Document:
        with monkeypatch.context() as patched:
            patched.setattr(server.runtime.feed, "_own", {})
            written = callback(tenant.id, "POST", f"{receiver.url}{path}?key=hush", {"a": 1}, form="json")
            return await server.runtime.store.insert(written)

    return made


@pytest.mark.parametrize("status", [200, 204, 302, 404, 500])
async def test_an_answer_is_the_end_of_it(
    server: RunningServer, tenant: Tenant, receiver: Receiver, path: str, status: int
) -> None:
    receiver.answers[path] = status
    await server.runtime.store.insert(callback(tenant.id, "POST", receiver.url + path, {"a": 1}, form="json"))
    await receiver.wait(path)
    await all_gone(server, tenant.id)
    assert [one.body for one in receiver.at(path)] == ['{"a":1}']
    assert receiver.at("/moved") == []


async def test_what_gets_no_answer_is_sent_again_and_given_up(
    server: RunningServer, tenant: Tenant, receiver: Receiver, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callback_deliveries, "RETRY_SECONDS", 0.01)
    set_options(monkeypatch, server, "events", delivery_timeout_s=0.1)
    receiver.held[path] = asyncio.Event()
    await server.runtime.store.insert(callback(tenant.id, "POST", receiver.url + path, {}, form="form"))
    await receiver.wait(path, 5)
    await all_gone(server, tenant.id)
    assert len(receiver.at(path)) == 5
    assert len({one.headers["X-Callback-ID"] for one in receiver.at(path)}) == 1


async def test_no_callback_leads_inside(
    server: RunningServer, tenant: Tenant, receiver: Receiver, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callback_deliveries, "RETRY_SECONDS", 0.01)
    set_options(monkeypatch, server, "security", blocked_hosts=("127.0.0.0/8", "::1/128"))
    inside = (receiver.url + path).replace("127.0.0.1", "localhost")  # over no connection that stands already
    for url in (inside, "http://[", "http://blocked.invalid/"):
        await server.runtime.store.insert(callback(tenant.id, "POST", url, {}, form="form"))
    await all_gone(server, tenant.id)
    assert receiver.at(path) == []
    set_options(monkeypatch, server, "events", allowed_networks=("127.0.0.0/8", "::1/128"))
    await server.runtime.store.insert(callback(tenant.id, "POST", inside, {}, form="form"))
    await receiver.wait(path)


async def test_what_a_worker_left_behind_is_sent(
    server: RunningServer, receiver: Receiver, path: str, another: CallbackDeliveries, leave: Leave
) -> None:
    one = await leave()
    with clock.frozen(clock.unix_now() + OWN_SECONDS + 1):
        await asyncio.gather(*(another.look() for _ in range(3)))
        (sent,) = await receiver.wait(path)
        await all_gone(server, one.text("account_id"))
        await another.look()
    assert sent.headers["X-Callback-ID"] == one.id
    assert len(receiver.at(path)) == 1


async def test_what_is_in_hand_is_left_to_its_worker_until_that_is_gone(
    server: RunningServer, receiver: Receiver, path: str, another: CallbackDeliveries, leave: Leave
) -> None:
    receiver.held[path] = asyncio.Event()
    one = await leave()
    async with session_to_servers(server.runtime) as session:
        dying = CallbackDeliveries(server.runtime, session, Metrics())
        dying.hear(one)
        await receiver.wait(path)
        now = clock.unix_now()
        with clock.frozen(now + OWN_SECONDS + 1):
            await another.look()
            another.hear(one)
            assert len(receiver.at(path)) == 1
        for task in dying._tasks.values():
            task.cancel()
        await asyncio.gather(*dying._tasks.values(), return_exceptions=True)
    receiver.held[path].set()
    with clock.frozen(now + server.runtime.config.events.delivery_timeout_s + 60):
        await another.look()
        await receiver.wait(path, 2)
        await all_gone(server, one.text("account_id"))


async def test_a_slow_server_delays_no_other_account(
    server: RunningServer, tenant: Tenant, receiver: Receiver, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callback_deliveries, "MOST_OF_ACCOUNT", 20)
    other = await new_tenant(server, server.master, f"fast{tenant.id[:12]}")
    receiver.held[f"{path}/slow"] = asyncio.Event()
    store = server.runtime.store
    for _ in range(30):
        await store.insert(callback(tenant.id, "POST", f"{receiver.url}{path}/slow", {}, form="form"))
    await store.insert(callback(other.id, "POST", f"{receiver.url}{path}/fast", {}, form="form"))
    await receiver.wait(f"{path}/fast")
    assert len(await receiver.wait(f"{path}/slow", 4)) == server.runtime.config.events.deliveries_per_account
    receiver.held[f"{path}/slow"].set()
    await receiver.wait(f"{path}/slow", 20)


async def test_what_is_in_hand_is_brought_to_an_end(
    server: RunningServer, receiver: Receiver, path: str, another: CallbackDeliveries, leave: Leave
) -> None:
    """A server that ends waits for the answer, and begins with no more."""
    receiver.held[path] = asyncio.Event()
    one = await leave()
    another.hear(one)
    await receiver.wait(path)
    closing = asyncio.create_task(another.close())
    await asyncio.sleep(0)
    later = await leave()
    another.hear(later)
    assert not closing.done()
    receiver.held[path].set()
    await closing
    assert [waiting.id for waiting in await left(server, one.text("account_id"))] == [later.id]
    assert len(receiver.at(path)) == 1


async def test_what_is_sent_lies_sealed(server: RunningServer, leave: Leave) -> None:
    one = await leave()
    store = server.runtime.store
    stored = await store.database["documents"].find_one({"_id": one.key})
    assert stored is not None
    assert "hush" not in str(stored)
    await store.remove_by_ids(SYSTEM_DATA, CALLBACK, [one.id])
