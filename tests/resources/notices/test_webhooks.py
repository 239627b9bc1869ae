# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/webhooks`, `/webhooks` and what was delivered."""

from __future__ import annotations

from typing import Any

import pytest

from crossbar import clock
from crossbar.documents.document import Document
from crossbar.ids import monthly_id
from tests.harness import Api, RunningServer, Tenant, new_tenant

HOOK = {"name": "Mine", "uri": "https://hooks.example.com/x", "hook": "channel_create"}


async def test_create_list_change_delete(tenant: Tenant) -> None:
    created = await tenant.api.put("/webhooks", {**HOOK, "group": "calls"})
    expected = {
        **HOOK,
        "id": created.id,
        "group": "calls",
        "enabled": True,
        "format": "form-data",
        "http_verb": "post",
        "include_internal_legs": True,
        "retries": 2,
    }
    assert (created.status, created.data) == (201, expected)
    row = {**HOOK, "id": created.id, "group": "calls", "enabled": True}
    assert (await tenant.api.get("/webhooks")).data == [row]
    changed = await tenant.api.patch(f"/webhooks/{created.id}", {"retries": 4, "http_verb": "put"})
    assert changed.data == {**expected, "retries": 4, "http_verb": "put"}
    replaced = await tenant.api.post(f"/webhooks/{created.id}", HOOK)
    assert "group" not in replaced.data
    assert (await tenant.api.get(f"/webhooks/{created.id}")).data == replaced.data
    assert (await tenant.api.delete(f"/webhooks/{created.id}")).status == 200
    assert (await tenant.api.get(f"/webhooks/{created.id}")).status == 404


BAD = "value not found in enumerated list of values"


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"hook": "nothing"}, "hook", "enum"),
        ({"uri": "http://127.0.0.1/"}, "uri", "error"),
        ({"uri": "ftp://example.com/"}, "uri", "error"),
        ({"retries": 5}, "retries", "maximum"),
        ({"custom_data": {"a": 1}}, "custom_data.a", "type"),
        ({"hook": "object", "custom_data": {"action": "all"}}, "custom_data.type", "required"),
        ({"hook": "object", "custom_data": {"type": "user"}}, "custom_data.action", "required"),
        ({"hook": "notifications"}, "custom_data.type", "required"),
        ({"hook": "notifications", "custom_data": {"type": "nothing"}}, "custom_data.type", "enum"),
        ({"hook": "notifications", "custom_data": {"type": "system_alert"}}, "custom_data.type", "enum"),
    ],
)
async def test_what_is_no_webhook(tenant: Tenant, change: dict[str, Any], field: str, code: str) -> None:
    refused = await tenant.api.put("/webhooks", HOOK | change)
    assert (refused.status, {key: list(codes) for key, codes in refused.data.items()}) == (400, {field: [code]})


async def test_a_bad_modifier_is_told_what_there_is(tenant: Tenant) -> None:
    data = {**HOOK, "hook": "object", "custom_data": {"type": "user", "action": "doc_moved"}}
    refused = await tenant.api.put("/webhooks", data)
    actions = ["all", "doc_created", "doc_edited", "doc_deleted"]
    assert refused.data == {"custom_data.action": {"enum": {"message": BAD, "target": actions, "cause": "doc_moved"}}}
    assert (await tenant.api.put("/webhooks", {**HOOK, "hook": "all"})).status == 201


async def disable(server: RunningServer, account_id: str, hook_id: str) -> None:
    def off(webhook: Document) -> None:
        webhook.fields |= {"enabled": False, "pvt_disabled_message": "too many failed attempts"}

    await server.runtime.store.update(account_id, "webhook", hook_id, off)


async def test_a_disabled_hook_tells_why_until_it_is_enabled(server: RunningServer, tenant: Tenant) -> None:
    hook = await tenant.api.put("/webhooks", HOOK)
    await disable(server, tenant.id, hook.id)
    assert (await tenant.api.get(f"/webhooks/{hook.id}")).data["disable_reason"] == "too many failed attempts"
    assert (await tenant.api.get("/webhooks")).data[0]["disable_reason"] == "too many failed attempts"
    enabled = await tenant.api.patch(f"/webhooks/{hook.id}", {"enabled": True})
    assert (enabled.data["enabled"], "disable_reason" in enabled.data) == (True, False)


async def test_all_hooks_are_enabled_together(server: RunningServer, tenant: Tenant) -> None:
    child = await new_tenant(server, tenant, f"child-{tenant.id[:8]}")
    own, below = await tenant.api.put("/webhooks", HOOK), await child.api.put("/webhooks", HOOK)
    await disable(server, tenant.id, own.id)
    await disable(server, child.id, below.id)
    missing = await tenant.api.patch("/webhooks", {})
    assert missing.data == {"re-enable": {"required": {"message": "re-enable is required to patch collections"}}}
    assert (await tenant.api.patch("/webhooks", {"re-enable": False})).data["re-enable"]["enum"]["target"] == [True]

    done = await tenant.api.patch("/webhooks", {"re-enable": True})
    assert (done.status, done.data) == (200, "hooks updated")
    assert (await tenant.api.get(f"/webhooks/{own.id}")).data["enabled"] is True
    assert (await child.api.get(f"/webhooks/{below.id}")).data["enabled"] is False
    done = await tenant.api.patch("/descendants/webhooks", {"re-enable": True})
    assert (done.status, done.data) == (200, "hooks updated")
    assert (await child.api.get(f"/webhooks/{below.id}")).data["enabled"] is True


async def test_everybody_may_see_what_there_is(anonymous: Api, tenant: Tenant) -> None:
    kinds = {kind["id"]: kind for kind in (await anonymous.get("/webhooks")).data}
    assert set(kinds) == {
        "channel_create", "channel_answer", "channel_bridge", "channel_destroy", "parking", "object",
        "notifications", "sms", "mms",
    }  # fmt: skip
    assert "modifiers" not in kinds["sms"]
    assert kinds["object"]["modifiers"]["type"]["items"][:2] == ["all", "account"]
    assert kinds["notifications"]["modifiers"]["type"]["items"]["low_balance"]["friendly_name"] == "Low Balance"
    for api in (anonymous, tenant.api):
        assert (await api.get("/webhooks/samples")).data == sorted(kinds)
        found = await api.get("/webhooks/samples/object", query={"filter_action": "doc_deleted", "filter_type": "user"})
        assert [(one["action"], one["type"]) for one in found.data] == [("doc_deleted", "user")]
        assert (await api.get("/webhooks/samples/none")).status == 404
    for kind in kinds:
        assert (await anonymous.get(f"/webhooks/samples/{kind}")).data
    low = await anonymous.get("/webhooks/samples/notifications", query={"filter_event_name": "low_balance"})
    assert low.data[0]["current_balance"] == 60
    assert (await anonymous.put("/webhooks", HOOK)).status in (401, 404)
    assert (await tenant.root.put("/webhooks", HOOK)).status == 403


async def test_attempts_by_time(server: RunningServer, tenant: Tenant) -> None:
    hooks = [await tenant.api.put("/webhooks", HOOK) for _ in range(2)]
    now = clock.now()
    for age, hook in ((10, hooks[0]), (20, hooks[1]), (40 * 86_400, hooks[0])):
        fields = {
            "hook_id": hook.id,
            "result": "failure",
            "method": "post",
            "retries_left": 1,
            "pvt_created": now - age,
        }
        await server.runtime.store.insert(Document(tenant.id, "webhook_attempt", monthly_id(now - age), fields))
    listed = await tenant.api.get("/webhooks/attempts")
    row = {"result": "failure", "method": "post", "retries_left": 1}
    assert listed.data == [
        {**row, "hook_id": hooks[0].id, "timestamp": now - 10},
        {**row, "hook_id": hooks[1].id, "timestamp": now - 20},
    ]
    own = await tenant.api.get(f"/webhooks/{hooks[1].id}/attempts")
    assert [one["timestamp"] for one in own.data] == [now - 20]
    old = await tenant.api.get("/webhooks/attempts", query={"created_to": now - 86_400 * 30})
    assert [one["timestamp"] for one in old.data] == [now - 40 * 86_400]
    assert (await tenant.api.get("/webhooks/none/attempts")).status == 404
