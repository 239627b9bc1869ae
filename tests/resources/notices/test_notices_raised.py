# SPDX-License-Identifier: MPL-2.0
"""What gives rise to notices beside calls, people and ports: numbers, services, webhooks; and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from crossbar.events.notices import notice
from tests.harness import RunningServer, Tenant, letters, letters_to, new_tenant, text_of
from tests.numbers import fresh


async def number_of(server: RunningServer, tenant: Tenant) -> str:
    """A number of the account that may have any feature."""
    number = fresh()
    created = await server.master.root.put(
        f"/accounts/{tenant.id}/phone_numbers/{number}", {"carrier_name": "inventory"}
    )
    assert created.status == 201, created.envelope
    return number


async def subjects(server: RunningServer, tenant: Tenant) -> list[str]:
    """Of everything that the account's administrator got."""
    return [letter["Subject"] for letter in await letters_to(server, f"admin@{tenant.realm}")]


async def test_a_caller_name(server: RunningServer, tenant: Tenant) -> None:
    number = await number_of(server, tenant)
    path = f"/phone_numbers/{number}"
    for _ in range(2):
        saved = await tenant.api.patch(path, {"cnam": {"display_name": "Ada & Co"}})
        assert saved.status == 200, saved.envelope
    await tenant.api.patch(path, {"cnam": {"display_name": "Ada & Co", "inbound_lookup": True}})
    assert await subjects(server, tenant) == [f"Caller name update request for {number}"]
    (letter,) = await letters_to(server, f"admin@{tenant.realm}")
    text = text_of(letter)
    for line in ("cnam.display_name: Ada & Co", f"request.number: {number}", "user.first_name: Ada"):
        assert line in text


async def test_a_feature_to_be_set_up_by_hand(server: RunningServer, tenant: Tenant) -> None:
    await server.master.root.put(f"/accounts/{tenant.id}/reseller")
    child = await new_tenant(server, tenant, f"child{tenant.id[:8]}")
    number = await number_of(server, child)
    for enabled in (True, True, False):
        saved = await child.api.patch(f"/phone_numbers/{number}", {"sms": {"enabled": enabled}})
        assert saved.status == 200, saved.envelope
    found = await letters_to(server, f"admin@{tenant.realm}")
    assert [letter["Subject"] for letter in found] == [f"A feature of {number} has to be set up by hand"] * 2
    assert ["feature.action: enable" in text_of(letter) for letter in found] == [True, False]


async def test_other_service_plans(server: RunningServer, tenant: Tenant) -> None:
    plan = await server.master.api.put("/service_plans", {"name": "Plan", "plan": {"devices": {"_all": {"rate": 1}}}})
    assert plan.status == 201, plan.envelope
    path = f"/accounts/{tenant.id}/services"
    assert (await server.master.root.post(path, {"add": [plan.id]})).status == 200
    assert (await server.master.root.post(path, {"add": [plan.id]})).status == 200
    assert (await server.master.root.post(path, {"delete": [plan.id]})).status == 200
    found = await letters_to(server, f"admin@{tenant.realm}")
    assert [letter["Subject"] for letter in found] == [f"The services of {tenant.realm[:-5]} changed"] * 2
    assert f"service_plans {plan.id}: 1 (1)" in text_of(found[0])
    assert f"service_plans {plan.id}: 0 (-1)" in text_of(found[1])


async def test_a_webhook_that_was_turned_off(server: RunningServer, tenant: Tenant) -> None:
    hook = await tenant.api.put("/webhooks", {"name": "Mine", "uri": "https://hook.test/x", "hook": "all"})
    assert hook.status == 201, hook.envelope
    await server.runtime.store.insert(notice("webhook_disabled", tenant.id, {"hook_id": hook.id}))
    await server.runtime.store.insert(notice("webhook_disabled", tenant.id, {"hook_id": "none"}))
    assert await subjects(server, tenant) == ["Webhook Mine was turned off"]


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("register", {"username": "phone1"}),
        ("voicemail_saved", {"voicemail_box": "x"}),
        ("nothing_known", {}),
        ("missed_call", {}),
        ("missed_call", {"notify": [{"type": "user", "id": ["none", None]}, "odd", {"type": "email", "id": 7}]}),
        ("voicemail_new", {"voicemail_box": "none"}),
        ("voicemail_new", {"voicemail_length": "x", "voicemail_box": {}}),
        ("voicemail_full", {}),
        ("inbound_fax", {"fax_id": 7, "faxbox_id": [], "owner_id": {}}),
        ("inbound_fax_error", {"fax_result_code": {}, "fax_info": []}),
        ("outbound_fax", {}),
        ("outbound_smtp_fax_error", {"errors": 5}),
        ("new_user", {"user_id": "none"}),
        ("password_recovery", {"user_id": "none"}),
        ("cf_notification", {"template_id": ["x"]}),
        ("cf_notification", {"template_id": "none", "notify": [{"type": "email", "id": "a@b.test"}]}),
        ("deregister", {"suppress_unregister_notify": True}),
    ],
)
async def test_what_there_is_no_letter_for(
    server: RunningServer, tenant: Tenant, event: str, payload: dict[str, Any]
) -> None:
    await server.runtime.store.insert(notice(event, tenant.id, payload))
    assert [letter for letter in await letters(server) if tenant.realm in str(letter["To"])] == []
    assert (await tenant.api.get("/notifications/smtplog")).data == []


async def test_a_device_that_keeps_quiet_about_its_registration(server: RunningServer, tenant: Tenant) -> None:
    for quiet in (True, False):
        device = await tenant.api.put("/devices", {"name": "D", "suppress_unregister_notifications": quiet})
        told = {"authorizing_id": device.id, "username": f"quiet {quiet}"}
        await server.runtime.store.insert(notice("deregister", tenant.id, told))
    assert await subjects(server, tenant) == ["Loss of Registration for 'quiet False'"]


async def test_a_mail_that_became_no_fax(server: RunningServer, tenant: Tenant) -> None:
    told = {"errors": ["no such number", "no paper"], "fax_from_email": f"sender@{tenant.realm}"}
    await server.runtime.store.insert(notice("outbound_smtp_fax_error", tenant.id, told))
    (letter,) = await letters_to(server, f"sender@{tenant.realm}")
    assert "no such number" in text_of(letter)
    assert "no paper" in text_of(letter, "html")


async def test_a_template_that_a_callflow_names(server: RunningServer, tenant: Tenant) -> None:
    template = {
        "id": "door",
        "from": "door@example.com",
        "to": {"type": "original"},
        "subject": "{{caller_id.name_number}} is at the door",
    }
    assert (await tenant.api.put("/notifications", template)).status == 201
    body = b"{{comments}}"
    assert (await tenant.api.post("/notifications/door", body=body, content_type="text/plain")).status == 200
    recipients = [{"type": "user", "id": tenant.admin_id}]
    told = {"template_id": "door", "notify": recipients, "caller_id_number": "1001", "comments": "Open!"}
    event = {"event_name": "CF_NOTIFICATION", "call_id": "c", "account_id": tenant.id, **told}
    assert (await server.master.root.post("/ingest/call_events", event)).status == 200
    (letter,) = await letters_to(server, f"admin@{tenant.realm}")
    assert (letter["Subject"], text_of(letter).strip()) == ("1001 is at the door", "Open!")
