# SPDX-License-Identifier: MPL-2.0
"""Webhooks that fire: what is sent, to whom and in which order. Over a real web server."""

from __future__ import annotations

import base64
import hashlib
import hmac
import uuid
from urllib.parse import parse_qsl

import pytest

from crossbar.documents.document import Document
from crossbar.events.notices import notice
from tests.harness import RunningServer, Tenant, new_tenant, set_options
from tests.hooks import EVERYTHING, attempts, new_hook, told
from tests.receiver import Receiver


@pytest.mark.parametrize("how", [(verb, form) for verb in ("get", "post", "put") for form in ("form-data", "json")])
async def test_what_is_sent(
    server: RunningServer, tenant: Tenant, receiver: Receiver, path: str, how: tuple[str, str]
) -> None:
    verb, form = how
    own = {**EVERYTHING, "mine": "yes", "id": "my own"}
    hook = await new_hook(tenant.api, receiver.url + path, http_verb=verb, format=form, custom_data=own)
    await tenant.api.put("/menus", {"name": "Main"})
    (sent,) = await receiver.wait(path)
    cluster_id = (await server.runtime.access.keys.ring()).cluster_id
    expected = {
        "id": "my own", "account_id": tenant.id, "action": "doc_created", "type": "menu",
        "cluster_id": cluster_id, "mine": "yes",
    }  # fmt: skip
    assert sent.method == verb.upper()
    assert (sent.headers["X-Hook-ID"], sent.headers["X-Account-ID"]) == (hook, tenant.id)
    if verb == "get":
        assert (dict(parse_qsl(sent.path.split("?", 1)[1])), sent.body) == (expected, "")
    elif form == "json":
        assert (sent.headers["Content-Type"], told(sent)) == ("application/json", expected)
        assert sent.body.startswith('{\n  "id": "my own"')
    else:
        assert sent.headers["Content-Type"] == "application/x-www-form-urlencoded"
        assert dict(parse_qsl(sent.body)) == expected


async def test_nested_values_in_a_form(server: RunningServer, tenant: Tenant, receiver: Receiver, path: str) -> None:
    await new_hook(
        tenant.api, f"{receiver.url}{path}?a=b", hook="notifications", custom_data={"type": "low_balance"},
        format="form-data", http_verb="get",
    )  # fmt: skip
    nested = {"b": {"c": 1}, "list": ["x", "y"], "yes": True, "none": []}
    await server.runtime.store.insert(notice("topup", tenant.id, {"amount": 1}, letters=[]))
    await server.runtime.store.insert(notice("low_balance", tenant.id, {"current_balance": nested}, letters=[]))
    (sent,) = await receiver.wait(path)
    assert sent.path.startswith(f"{path}?a=b?")  # as KAZOO does
    pairs = parse_qsl(sent.path.split("?", 2)[2])
    expected = [("b][c", "1"), ("list][", "x"), ("list][", "y"), ("yes", "true")]
    assert [pair for pair in pairs if "current_balance" in pair[0]] == [
        (f"current_balance[{name}]", value) for name, value in expected
    ]
    assert {"event_name", "app_name", "msg_id", "node", "system_log_id"} <= dict(pairs).keys()


async def test_which_events_a_hook_is_told_of(
    server: RunningServer, tenant: Tenant, receiver: Receiver, path: str
) -> None:
    child = await new_tenant(server, tenant, f"child{tenant.id[:12]}")
    url = receiver.url + path
    await new_hook(tenant.api, f"{url}/users", custom_data={"type": "user", "action": "all"})
    await new_hook(tenant.api, f"{url}/gone", custom_data={"type": "all", "action": "doc_deleted"})
    await new_hook(tenant.api, f"{url}/modified", modifiers={"type": ["menu", "user"], "absent": "x"})
    await new_hook(tenant.api, f"{url}/below", include_subaccounts=True)
    await new_hook(tenant.api, f"{url}/calls", hook="channel_create", custom_data={})
    await new_hook(tenant.api, f"{url}/off", enabled=False)
    await new_hook(tenant.api, f"{url}/all", hook="all", custom_data={})
    menu = (await tenant.api.put("/menus", {"name": "Main"})).id
    device = (await tenant.api.put("/devices", {"name": "Phone"})).id
    below = (await child.api.put("/menus", {"name": "Below"})).id
    await tenant.api.delete(f"/devices/{device}")

    def seen(name: str) -> list[tuple[str, str]]:
        found = [told(sent) for sent in receiver.at(f"{path}/{name}")]
        return [(one["action"], one["id"]) for one in found if one["type"] != "webhook"]

    await receiver.until(lambda: len(seen("below")) >= 4 and len(seen("all")) >= 3)
    assert seen("below") == [
        ("doc_created", menu), ("doc_created", device), ("doc_created", below), ("doc_deleted", device),
    ]  # fmt: skip
    assert seen("all") == [("doc_created", menu), ("doc_created", device), ("doc_deleted", device)]
    await receiver.wait(f"{path}/gone")
    await receiver.wait(f"{path}/modified")
    assert (seen("gone"), seen("modified")) == ([("doc_deleted", device)], [("doc_created", menu)])
    assert (seen("users"), seen("calls"), seen("off")) == ([], [], [])


async def test_calls_and_messages(server: RunningServer, tenant: Tenant, receiver: Receiver, path: str) -> None:
    url = receiver.url + path
    await new_hook(tenant.api, f"{url}/create", hook="channel_create", custom_data={"own": "x"})
    await new_hook(tenant.api, f"{url}/outside", hook="channel_create", custom_data={}, include_internal_legs=False)
    await new_hook(tenant.api, f"{url}/parking", hook="parking", custom_data={})
    common = {"account_id": tenant.id, "call_id": "c1", "timestamp": 63_900_000_000}
    events = [
        {**common, "event_name": "CHANNEL_CREATE", "is_internal_leg": True, "odd": 1},
        {**common, "event_name": "CHANNEL_CREATE", "call_id": "c2", "caller_id_name": "Ada"},
        {**common, "event_name": "PARK_PARKED", "parking_slot": "101"},
    ]
    for event in events:
        answer = await server.master.root.post("/ingest/call_events", event)
        assert answer.status in (200, 201), answer.envelope
    found = [told(sent) for sent in await receiver.wait(f"{path}/create", 2)]
    assert [(one["hook_event"], one["call_id"], one["own"]) for one in found] == [
        ("channel_create", "c1", "x"), ("channel_create", "c2", "x"),
    ]  # fmt: skip
    assert (found[1]["caller_id_name"], "odd" in found[0]) == ("Ada", False)
    parked = told((await receiver.wait(f"{path}/parking"))[0])
    assert (parked["event_name"], parked["parking_slot"]) == ("PARK_PARKED", "101")
    assert [told(sent)["call_id"] for sent in await receiver.wait(f"{path}/outside")] == ["c2"]


async def test_the_order_of_a_hook_is_that_of_the_changes(tenant: Tenant, receiver: Receiver, path: str) -> None:
    await new_hook(tenant.api, receiver.url + path)
    made = [(await tenant.api.put("/menus", {"name": f"Menu {number}"})).id for number in range(30)]
    assert [told(sent)["id"] for sent in await receiver.wait(path, 30)] == made


async def test_messages_are_signed(server: RunningServer, tenant: Tenant, receiver: Receiver, path: str) -> None:
    key = b"0123456789abcdef0123456789abcdef"
    secret = f"whsec_{base64.b64encode(key).decode()}"
    hook = await new_hook(tenant.api, receiver.url + path, secret=secret)
    await tenant.api.put("/menus", {"name": "Main"})
    (sent,) = await receiver.wait(path)
    signed = f"{sent.headers['webhook-id']}.{sent.headers['webhook-timestamp']}.{sent.body}".encode()
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert sent.headers["webhook-signature"] == f"v1,{expected}"
    for answer in (
        await tenant.api.get(f"/webhooks/{hook}"),
        await tenant.api.patch(f"/webhooks/{hook}", {"name": "Other"}),
    ):
        assert answer.data["signed"] is True
        assert secret not in answer.raw.decode()
    stored = await server.runtime.store.database["documents"].find_one({"_id": f"{tenant.id}/webhook/{hook}"})
    assert key.decode() not in str(stored)
    assert secret not in str(stored)
    made = await tenant.api.patch(f"/webhooks/{hook}", {"secret": True})
    assert made.data["secret"].startswith("whsec_")
    assert "secret" not in (await tenant.api.get(f"/webhooks/{hook}")).data
    gone = await tenant.api.patch(f"/webhooks/{hook}", {"secret": False})
    assert "signed" not in gone.data
    refused = await tenant.api.patch(f"/webhooks/{hook}", {"secret": "guess me"})
    assert (refused.status, list(refused.data)) == (400, ["secret"])


async def test_headers_of_ones_own(tenant: Tenant, receiver: Receiver, path: str) -> None:
    own = {"Authorization": "Bearer x", "Host": "elsewhere.test", "X-Hook-ID": "forged", "X-Bad": "a\r\nX-Smuggled: b"}
    hook = await new_hook(tenant.api, receiver.url + path, custom_request_headers=own)
    await tenant.api.put("/menus", {"name": "Main"})
    (sent,) = await receiver.wait(path)
    assert (sent.headers["Authorization"], sent.headers["X-Hook-ID"]) == ("Bearer x", hook)
    assert sent.headers["Host"] in receiver.url
    assert not {"X-Bad", "X-Smuggled"} & set(sent.headers)


async def test_a_name_is_judged_by_its_address(
    server: RunningServer, tenant: Tenant, receiver: Receiver, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = await new_hook(tenant.api, (receiver.url + path).replace("127.0.0.1", "localhost"), retries=1)
    set_options(monkeypatch, server, "security", blocked_hosts=("blocked.test", "127.0.0.0/8", "::1/128"))
    await tenant.api.put("/menus", {"name": "Main"})
    (attempt,) = await attempts(tenant.api, hook, 1)
    assert "not allowed" in attempt["client_error"]
    assert receiver.at(path) == []
    set_options(monkeypatch, server, "events", allowed_networks=("127.0.0.0/8", "::1/128"))
    await tenant.api.put("/menus", {"name": "Second"})
    await receiver.wait(path)


async def test_an_account_that_moves_takes_its_events_away(
    server: RunningServer, tenant: Tenant, receiver: Receiver, path: str
) -> None:
    other = await new_tenant(server, server.master, f"other{uuid.uuid4().hex[:12]}")
    child = await new_tenant(server, tenant, f"moved{tenant.id[:12]}")
    for name, owner in (("before", tenant), ("after", other)):
        await new_hook(owner.api, f"{receiver.url}{path}/{name}", include_subaccounts=True,
                       custom_data={"type": "device", "action": "all"})  # fmt: skip
    first = (await child.api.put("/devices", {"name": "First"})).id
    moved = await server.master.root.post(f"/accounts/{child.id}/move", {"to": other.id})
    assert moved.status == 200, moved.envelope
    second = (await child.api.put("/devices", {"name": "Second"})).id
    assert [told(sent)["id"] for sent in await receiver.wait(f"{path}/after")] == [second]
    last = (await tenant.api.put("/devices", {"name": "Last"})).id
    assert [told(sent)["id"] for sent in await receiver.wait(f"{path}/before", 2)] == [first, last]


async def test_hooks_from_before_there_was_a_log_are_told(
    server: RunningServer, tenant: Tenant, receiver: Receiver, path: str
) -> None:
    """Saved without saying when it was turned on, as older servers did."""
    fields = {
        "name": "Old", "uri": receiver.url + path, "hook": "object", "format": "json", "custom_data": EVERYTHING,
        "enabled": True, "pvt_type": "webhook",
    }  # fmt: skip
    await server.runtime.store.insert(Document(tenant.id, "webhook", uuid.uuid4().hex, fields))
    menu = (await tenant.api.put("/menus", {"name": "Main"})).id
    await receiver.until(lambda: menu in [told(sent)["id"] for sent in receiver.at(path)])
