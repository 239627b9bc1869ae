# SPDX-License-Identifier: MPL-2.0
"""What becomes of webhooks' deliveries: attempts, retries, hooks that are turned off. Over a real web server."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from crossbar import clock
from crossbar.documents.document import Document
from crossbar.documents.event import token_of_second
from crossbar.resources.notices.domain import webhook_sender
from crossbar.resources.notices.domain.webhook_attempt import Outcome, Try, attempt_of
from crossbar.resources.notices.domain.webhook_hook import SINCE, TYPE, Webhook
from tests.harness import RunningServer, Tenant, letters_to, new_tenant, until
from tests.hooks import EVERYTHING, attempts, new_hook, told
from tests.receiver import Receiver
from tests.web_server import raw_server


async def test_what_is_refused_is_not_sent_again(tenant: Tenant, receiver: Receiver, path: str) -> None:
    receiver.answers[path] = 500
    hook = await new_hook(tenant.api, receiver.url + path, retries=3)
    await tenant.api.put("/menus", {"name": "Main"})
    (attempt,) = await attempts(tenant.api, hook, 1)
    (sent,) = receiver.at(path)
    assert attempt["req_body"] == sent.body
    expected = {
        "hook_id": hook, "hook_event": "object", "uri": receiver.url + path, "method": "post", "result": "failure",
        "reason": "bad response code", "resp_status_code": 500, "resp_body": "thanks", "try": 1, "retries": 3,
        "retries_left": 2, "custom_data": EVERYTHING,
    }  # fmt: skip
    assert {name: attempt[name] for name in expected} == expected
    assert attempt["req_headers"]["X-Hook-ID"] == hook
    assert attempt["timestamp"] > 63_000_000_000


@pytest.mark.parametrize("case", [("put", 201, True), ("post", 201, False), ("post", 302, False)])
async def test_which_answers_count(tenant: Tenant, receiver: Receiver, path: str, case: tuple[str, int, bool]) -> None:
    verb, status, result = case
    receiver.answers[path] = status
    hook = await new_hook(tenant.api, receiver.url + path, http_verb=verb)
    await tenant.api.put("/menus", {"name": "Main"})
    await receiver.wait(path)
    assert receiver.at("/moved") == []
    if result:
        await tenant.api.put("/menus", {"name": "Second"})
        await receiver.wait(path, 2)
        assert (await tenant.api.get(f"/webhooks/{hook}/attempts")).data == []
    else:
        assert (await attempts(tenant.api, hook, 1))[0]["resp_status_code"] == status


async def test_what_gets_no_answer_is_sent_again(
    tenant: Tenant, unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_sender, "RETRY_SECONDS", 0.01)
    hook = await new_hook(tenant.api, f"http://127.0.0.1:{unused_tcp_port}/", retries=3)
    await tenant.api.put("/menus", {"name": "Main"})
    found = await attempts(tenant.api, hook, 3)
    assert [(one["try"], one["retries_left"]) for one in found] == [(1, 2), (2, 1), (3, "retries exceeded")]
    assert {one["reason"] for one in found} == {"kazoo http client error"}
    assert all(one["client_error"] for one in found)
    assert not any("resp_status_code" in one for one in found)


async def test_an_answer_whose_headers_are_no_text(tenant: Tenant, receiver: Receiver, path: str) -> None:
    """It is kept as far as it is text, and holds up nothing."""
    odd = b"HTTP/1.1 500 Nein\r\nX-Odd: caf\xe9\r\nContent-Length: 4\r\nConnection: close\r\n\r\nn\xe9in"
    async with raw_server(odd) as url:
        hook = await new_hook(tenant.api, url)
        await tenant.api.put("/menus", {"name": "Main"})
        (attempt,) = await attempts(tenant.api, hook, 1)
        assert (attempt["resp_headers"]["X-Odd"], attempt["resp_body"]) == ("caf\ufffd", "n\ufffdin")
        await tenant.api.patch(f"/webhooks/{hook}", {"uri": receiver.url + path})
        await tenant.api.put("/menus", {"name": "Second"})
        await receiver.wait(path)


async def test_successes_are_kept_where_that_is_wanted(
    server: RunningServer, tenant: Tenant, receiver: Receiver, path: str
) -> None:
    kept = {"default": {"log_successful_attempts": True}}
    await server.master.root.post("/system_configs/webhooks", kept)
    hook = await new_hook(tenant.api, receiver.url + path)
    await tenant.api.put("/menus", {"name": "Main"})
    assert (await attempts(tenant.api, hook, 1))[0]["result"] == "success"
    await server.master.root.delete("/system_configs/webhooks")


async def test_a_hook_that_fails_too_often_is_turned_off(
    server: RunningServer, tenant: Tenant, receiver: Receiver, path: str
) -> None:
    receiver.answers[path] = 404
    tell = receiver.url + path + "/operator"
    await new_hook(
        server.master.api,
        tell,
        hook="notifications",
        custom_data={"type": "webhook_disabled"},
        include_subaccounts=True,
    )
    hook = await new_hook(tenant.api, receiver.url + path)
    for number in range(6):
        await tenant.api.put("/menus", {"name": f"Menu {number}"})
    disabled = told((await receiver.wait(f"{path}/operator"))[0])
    assert (disabled["event_name"], disabled["hook_id"], disabled["account_id"]) == (
        "webhook_disabled", hook, tenant.id,
    )  # fmt: skip
    shown = (await tenant.api.get(f"/webhooks/{hook}")).data
    assert (shown["enabled"], shown["disable_reason"]) == (False, "too many failed attempts")

    async def told_by_mail() -> bool:
        return any("Webhook" in str(letter["Subject"]) for letter in await letters_to(server, f"admin@{tenant.realm}"))

    await until(told_by_mail)
    receiver.answers[path] = 200
    seen = len(receiver.at(path))
    await tenant.api.put("/menus", {"name": "While it is off"})
    await tenant.api.patch("/webhooks", {"re-enable": True})
    last = (await tenant.api.put("/menus", {"name": "Again"})).id
    await receiver.wait(path, seen + 1)
    assert [told(sent)["id"] for sent in receiver.at(path)[seen:]] == [last]


async def test_failures_count_whichever_worker_noted_them(
    server: RunningServer, tenant: Tenant, receiver: Receiver, path: str
) -> None:
    receiver.answers[path] = 404
    hook = await new_hook(tenant.api, receiver.url + path)
    store = server.runtime.store
    stored = await store.get(tenant.id, TYPE, hook)
    assert stored is not None
    tried = Try("0" * 22, 1, {}, "", Outcome(404, {}, "gone"))
    for _ in range(5):
        failed = attempt_of(Webhook.of(stored), tried)
        failed.fields["pvt_created"] -= 10
        await store.insert(failed)

    def turned_on_earlier(webhook: Document) -> None:
        webhook.fields[SINCE] = token_of_second(clock.unix_now() - 30)

    await store.update(tenant.id, TYPE, hook, turned_on_earlier)  # another one delivers from here on
    for number in range(2):  # the first may be delivered by the one before
        await tenant.api.put("/menus", {"name": f"Menu {number}"})

    async def turned_off() -> bool:
        return (await tenant.api.get(f"/webhooks/{hook}")).data["enabled"] is False

    await until(turned_off)


async def test_a_slow_server_delays_no_other_account(
    server: RunningServer, tenant: Tenant, receiver: Receiver, path: str
) -> None:
    other = await new_tenant(server, server.master, f"other{uuid.uuid4().hex[:12]}")
    receiver.held[f"{path}/slow"] = asyncio.Event()
    for _ in range(server.runtime.config.events.deliveries_per_account + 2):
        await new_hook(tenant.api, f"{receiver.url}{path}/slow")
    await new_hook(other.api, f"{receiver.url}{path}/quick")
    await tenant.api.put("/menus", {"name": "Held up"})
    await receiver.wait(f"{path}/slow", server.runtime.config.events.deliveries_per_account)
    for number in range(3):
        await other.api.put("/menus", {"name": f"Menu {number}"})
    await receiver.wait(f"{path}/quick", 3)
    assert len(receiver.at(f"{path}/slow")) == server.runtime.config.events.deliveries_per_account
    receiver.held[f"{path}/slow"].set()
    await receiver.wait(f"{path}/slow", server.runtime.config.events.deliveries_per_account + 2)


async def test_deliveries_are_counted(server: RunningServer, tenant: Tenant, receiver: Receiver, path: str) -> None:
    await new_hook(tenant.api, receiver.url + path)
    await tenant.api.put("/menus", {"name": "Main"})
    await receiver.wait(path)

    async def counted() -> bool:
        text = (await tenant.api.get(f"{server.url}/metrics")).raw.decode()
        numbers = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
        return (
            float(numbers.get('crossbar_webhook_deliveries_total{outcome="success"}', 0)) >= 1
            and float(numbers["crossbar_events_written_total"]) >= 1
            and float(numbers["crossbar_webhook_deliveries_waiting"]) == 0
        )

    await until(counted)


async def test_a_hook_that_goes_leaves_no_cursor(
    server: RunningServer, tenant: Tenant, receiver: Receiver, path: str
) -> None:
    hook = await new_hook(tenant.api, receiver.url + path)
    await tenant.api.put("/menus", {"name": "Main"})
    await receiver.wait(path)
    cursors = server.runtime.store.database["event_cursors"]

    async def kept() -> bool:
        return await cursors.count_documents({"a": tenant.id, "position": {"$ne": ""}}) == 1

    await until(kept)
    await tenant.api.delete(f"/webhooks/{hook}")
    assert await cursors.count_documents({"a": tenant.id}) == 0
