# SPDX-License-Identifier: MPL-2.0
"""Notices reach the feed of events, once each, with what everybody may know of them."""

from __future__ import annotations

from typing import Any

import orjson

from crossbar.documents.listing import Listing
from crossbar.events.notices import letter, notice
from crossbar.resources.notices.domain.webhook_event import COMMON
from tests.billing import enter
from tests.call_records import hand_in, leg
from tests.harness import RunningServer, Tenant, letters, letters_to, until


async def listening(account: Tenant) -> str:
    return str((await account.api.get("/events")).envelope["token"])


async def events(account: Tenant, since: str, *, last: str) -> list[dict[str, Any]]:
    """What the account's feed has of notifications and calls before a menu is made with this name."""
    menu = await account.api.put("/menus", {"name": last})
    found: list[dict[str, Any]] = []

    async def there() -> bool:
        found[:] = (await account.api.get("/events", query={"since": since, "page_size": "200"})).data
        return any(event["data"].get("id") == menu.id for event in found)

    await until(there)
    return [event for event in found if event["category"] != "configuration"]


async def test_what_is_told_of_a_notice(server: RunningServer, tenant: Tenant, stranger: Tenant) -> None:
    since, elsewhere = await listening(tenant), await listening(stranger)
    store, hidden = server.runtime.store, {"password_reset_link": "https://hush.test"}
    written = [
        notice("password_recovery", tenant.id, {"user_id": "none", **hidden}, secret=hidden),
        notice("new_user", tenant.id, {"user_id": "none", "password": "hush"}),
        notice("", tenant.id, {"hush": 1}, letters=[letter("low_balance", {"current_balance": "hush"})]),
        notice("topup", tenant.id, {"amount": 1}, letters=[letter("topup", {"x": "hush"})], writing={"subject": "hush",
               "text": "hush", "html": "hush", "sender": "a@b.test", "reply_to": None}),
    ]  # fmt: skip
    for one in written:
        await store.insert(one)
    await letters(server)  # they are gone again, which is no event
    found = await events(tenant, since, last="after")
    assert [(event["category"], event["name"]) for event in found] == [
        ("notification", name) for name in ("password_recovery", "new_user", "topup")
    ]
    assert b"hush" not in orjson.dumps(found)
    for event, one in zip(found, [written[0], written[1], written[3]], strict=True):
        body = event["data"]
        assert body.keys() >= set(COMMON)
        assert (body["account_id"], body["event_name"], body["msg_id"]) == (tenant.id, event["name"], one.id)
        assert body["node"] == server.runtime.settings.node
    assert found[2]["data"]["amount"] == 1
    assert await events(stranger, elsewhere, last="nothing") == []


async def test_what_only_a_switch_knows_is_told_once_in_each_form(server: RunningServer, tenant: Tenant) -> None:
    since = await listening(tenant)
    told = [
        {"event_name": "DEREGISTER", "call_id": "c", "username": "ada"},
        {"event_name": "deregister", "event_category": "notification", "username": "bob"},
        {"event_name": "voicemail_new", "event_category": "notification", "voicemail_box": "box"},
    ]
    for event in told * 2:
        answer = await server.master.root.post(
            "/ingest/call_events", {"account_id": tenant.id, "timestamp": 63_876_852_000, **event}
        )
        assert answer.status == 200, answer.envelope
    found = await events(tenant, since, last="after")
    assert sorted((event["category"], event["name"], event["data"].get("username")) for event in found) == [
        ("call_event", "DEREGISTER", "ada"),
        ("notification", "deregister", "ada"),
        ("notification", "deregister", "bob"),
        ("notification", "voicemail_new", None),
    ]
    subjects = [sent["Subject"] for sent in await letters_to(server, f"admin@{tenant.realm}")]
    assert sorted(subjects) == ["Loss of Registration for 'ada'", "Loss of Registration for 'bob'"]


async def test_money_is_told_once(server: RunningServer, tenant: Tenant, master: Tenant) -> None:
    since = await listening(tenant)
    await enter(master, tenant, -1)
    await letters_after(server, tenant, 1)
    topped_up = await tenant.api.post("/services/topup", {"amount": 30})
    assert topped_up.status == 200, topped_up.envelope
    await letters_after(server, tenant, 2)
    found = await events(tenant, since, last="after")
    assert [event["name"] for event in found] == ["low_balance", "topup"]
    assert found[0]["data"]["current_balance"] == -1
    assert (found[1]["data"]["amount"], found[1]["data"]["success"]) == (30, True)


async def letters_after(server: RunningServer, tenant: Tenant, many: int) -> None:
    async def there() -> bool:
        return len(await letters_to(server, f"admin@{tenant.realm}")) == many

    await until(there)


async def test_what_follows_from_a_leg(server: RunningServer, tenant: Tenant) -> None:
    """One telling of a call that nobody answered and that is paid nevertheless: a notice, and a debit, once each."""
    recipients = [{"type": "email", "id": [f"desk@{tenant.realm}"]}]
    alert = {"module": "missed_call_alert", "data": {"recipients": recipients}, "children": {}}
    flow = await tenant.api.put("/callflows", {"numbers": ["1001"], "flow": alert})
    assert flow.status == 201, flow.envelope
    rated = {"account_billing": "per_minute", "rate": "300", "rate_increment": "60", "rate_minimum": "60"}
    missed = {**leg(tenant.id, 1, billing_seconds=0, call_direction="inbound"), "call_id": f"m-{tenant.id}",
              "callee_id_number": "1001", "other_leg_call_id": None}  # fmt: skip
    paid = {**leg(tenant.id, 2, billing_seconds=90, custom_channel_vars=rated), "call_id": f"p-{tenant.id}"}
    since = await listening(tenant)
    for _ in range(2):
        await hand_in(server.master.root, "cdrs", {key: value for key, value in missed.items() if value is not None})
        await hand_in(server.master.root, "cdrs", paid)
    assert [event["name"] for event in await events(tenant, since, last="after")].count("missed_call") == 1
    assert len(await letters_to(server, f"desk@{tenant.realm}")) == 1
    [entry] = await server.runtime.store.all(Listing(tenant.id, "ledger"))
    assert entry.fields["amount"] == -0.06
