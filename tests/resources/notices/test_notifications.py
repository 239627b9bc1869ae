# SPDX-License-Identifier: MPL-2.0
"""`/notifications` and `/accounts/{A}/notifications`: mail templates, and mail made of them."""

from __future__ import annotations

import base64
from email.message import EmailMessage
from typing import Any

import pytest
import pytest_asyncio

from crossbar.documents.document import SYSTEM_CONFIG
from crossbar.documents.listing import Listing
from tests.harness import Api, RunningServer, Tenant, letters, new_tenant

TEMPLATE = {
    "from": "noreply@example.com",
    "to": {"type": "admins"},
    "subject": "Hello {{user.first_name}}",
}


@pytest_asyncio.fixture(loop_scope="session")
async def system(server: RunningServer) -> Any:
    """The master account's administrator on bare paths; system templates are as shipped after the test."""
    yield server.master.root
    for document in await server.runtime.store.all(Listing(SYSTEM_CONFIG, "notification")):
        await server.runtime.store.remove(document)
        await server.runtime.attachments.delete(document)


async def mails(server: RunningServer, recipient: str, subject: str) -> list[EmailMessage]:
    """What lies in the spool of this subject for somebody, once every notice has become its letters."""
    return [
        message
        for message in await letters(server)
        if recipient in str(message["To"]) and message["Subject"] == subject
    ]


async def rows(api: Api, path: str = "/notifications") -> dict[str, dict[str, Any]]:
    return {row["id"]: row for row in (await api.get(path)).data}


async def test_the_shipped_templates(tenant: Tenant, master: Tenant) -> None:
    listed = await tenant.api.get("/notifications", query={"ascending": "true"})
    ids = [row["id"] for row in listed.data]
    assert (listed.status, listed.envelope["page_size"], ids) == (200, 36, sorted(ids))
    row = (await rows(tenant.api))["missed_call"]
    assert (row["category"], row["friendly_name"], row["enabled"]) == ("sip", "Missed Call", True)
    assert row["macros"]["caller_id.name_number"] == {
        "i18n_label": "caller_id_name_number",
        "friendly_name": "Name number",
        "description": "Caller id name number",
    }
    assert {"port_request_admin", "system_alert"} <= set(await rows(master.root))
    assert "system_alert" not in await rows(tenant.root)


async def test_an_account_makes_a_template_its_own(server: RunningServer, tenant: Tenant) -> None:
    child = await new_tenant(server, tenant, f"child-{tenant.id[:8]}")
    shipped = await tenant.api.get("/notifications/new_user")
    assert (shipped.status, shipped.data["friendly_name"], "account_overridden" in shipped.data) == (
        200,
        "New User",
        False,
    )
    assert set(shipped.data["templates"]) == {"text/html", "text/plain"}

    own = {**TEMPLATE, "macros": {"evil": {}}, "templates": {}}
    saved = await tenant.api.post("/notifications/new_user", own)
    assert (saved.status, saved.data["subject"], saved.data["account_overridden"]) == (200, TEMPLATE["subject"], True)
    assert (saved.data["friendly_name"], "evil" in saved.data["macros"]) == ("New User", False)
    assert saved.data["templates"] == shipped.data["templates"]
    assert (await rows(tenant.api))["new_user"]["account_overridden"] is True
    inherited = await child.api.get("/notifications/new_user")
    assert (inherited.data["subject"], "account_overridden" in inherited.data) == (TEMPLATE["subject"], False)

    deleted = await tenant.api.delete("/notifications/new_user")
    assert (deleted.status, deleted.data["subject"]) == (200, TEMPLATE["subject"])
    assert (await child.api.get("/notifications/new_user")).data["subject"] == shipped.data["subject"]
    assert (await tenant.api.delete("/notifications/new_user")).status == 404
    assert (await tenant.api.get("/notifications/none")).status == 404


async def test_bodies(tenant: Tenant) -> None:
    path = "/notifications/low_balance"
    html = b"<p>{% if threshold %}{{ current_balance }}{% endif %}</p>"
    saved = await tenant.api.post(path, body=html, content_type="text/html")
    assert (saved.status, saved.data["templates"]["text/html"]) == (200, {"length": len(html)})
    read = await tenant.api.get(path, headers={"Accept": "text/html"})
    assert (read.status, read.raw, read.headers["Content-Type"]) == (200, html, "text/html")
    assert read.headers["Content-Disposition"] == 'attachment; filename="low_balance.html"'
    plain = await tenant.api.get(path, query={"accept": "text/plain"})
    assert plain.raw.startswith(b"The balance of {{account.name}} is low\n")

    dropped = await tenant.api.delete(path, headers={"Content-Type": "text/html"})
    assert (dropped.status, list(dropped.data["templates"])) == (200, ["text/plain"])
    gone = await tenant.api.get(path, headers={"Accept": "text/html"})
    assert gone.error()[:3] == (404, "404", "faulty_request")
    assert (await tenant.api.get(path)).status == 200


@pytest.mark.parametrize("body", ["{{ unfinished", "{% for a in 'abc' %}{% endfor %}", "{{ 9 * 9 }}", "{{ f() }}"])
async def test_a_body_that_is_no_template(tenant: Tenant, body: str) -> None:
    refused = await tenant.api.post("/notifications/low_balance", body=body.encode(), content_type="text/html")
    assert refused.error() == (500, "500", "Failed to compile notification template", {})
    assert "account_overridden" not in (await rows(tenant.api))["low_balance"]


async def test_a_template_of_ones_own(tenant: Tenant) -> None:
    created = await tenant.api.put("/notifications", {**TEMPLATE, "id": "birthday", "category": "user"})
    assert (created.status, created.data["account_defined"], created.data["templates"]) == (201, True, {})
    assert (await rows(tenant.api))["birthday"] == {
        "id": "birthday",
        "category": "user",
        "enabled": True,
        "account_defined": True,
    }
    assert (await tenant.api.put("/notifications", {**TEMPLATE, "id": "birthday"})).status == 409
    refused = await tenant.api.put("/notifications", {"id": "other"})
    assert sorted(refused.data) == ["from", "subject", "to"]
    assert list((await tenant.api.put("/notifications", TEMPLATE)).data) == ["id"]


async def test_system_templates(system: Api, tenant: Tenant) -> None:
    assert (await tenant.root.post("/notifications/new_user", TEMPLATE)).status == 403
    changed = await system.post("/notifications/new_user", {**TEMPLATE, "category": "user"})
    assert (changed.status, changed.data["subject"]) == (200, TEMPLATE["subject"])
    body = b"Hello {{user.first_name}}"
    assert (await system.post("/notifications/new_user", body=body, content_type="text/plain")).status == 200
    told = await tenant.api.get("/notifications/new_user")
    assert (told.data["subject"], told.data["templates"]["text/plain"]) == (TEMPLATE["subject"], {"length": len(body)})
    assert (await tenant.root.get("/notifications/new_user", headers={"Accept": "text/plain"})).raw == body
    refused = await system.delete("/notifications/new_user")
    message = "Top-level notification template cannot be deleted"
    assert refused.error()[3] == {"new_user": {"forbidden": {"message": message, "target": "new_user"}}}


async def test_all_at_once(system: Api, tenant: Tenant) -> None:
    nothing = await tenant.api.delete("/notifications", {"action": "remove_customizations"})
    assert nothing.data == {"message": "no template customization(s) found"}
    await tenant.api.post("/notifications/new_user", TEMPLATE)
    await tenant.api.put("/notifications", {**TEMPLATE, "id": "birthday"})
    forced = await tenant.api.put("/notifications", {"action": "force_system"})
    assert (forced.status, forced.data) == (201, {"new_user": "replaced"})
    assert (await tenant.api.get("/notifications/new_user")).data["subject"].startswith("Welcome to")
    removed = await tenant.api.delete("/notifications", {"action": "remove_customizations"})
    assert (removed.status, removed.data) == (200, {"new_user": "deleted", "birthday": "deleted"})
    unknown = await tenant.api.put("/notifications", {"action": "dance"})
    assert unknown.error()[3] == {"dance": {"forbidden": {"message": "Unknown mutation action", "cause": "dance"}}}
    message = "Can not perform mutation action on top-level notification templates"
    for refused in (
        await system.put("/notifications", {"action": "force_system"}),
        await system.delete("/notifications", {"action": "force_system"}),
    ):
        assert refused.error()[3] == {"force_system": {"forbidden": {"message": message}}}


async def test_preview_and_log(server: RunningServer, tenant: Tenant) -> None:
    address = f"{tenant.id[:8]}@example.com"
    data = {**TEMPLATE, "to": {"type": "specified", "email_addresses": [address]}, "html": "<b>{{user.email}}</b>"}
    sent = await tenant.api.post("/notifications/new_user/preview", data)
    assert (sent.status, sent.data) == (200, "Notification processing")
    (mail,) = await mails(server, address, "Hello user.first_name")
    page = mail.get_body(("html",))
    assert page is not None
    assert page.get_content().strip() == "<b>user.email</b>"

    (row,) = (await tenant.api.get("/notifications/smtplog")).data
    expected = {"template_id": "new_user", "from": "noreply@example.com", "to": address, "receipt": mail["Message-ID"]}
    assert row.items() >= expected.items()
    entry = (await tenant.api.get(f"/notifications/smtplog/{row['id']}")).data
    assert entry["rendered_templates"]["text/html"] == "<b>user.email</b>"
    assert (await tenant.api.get("/notifications/smtplog/202301-none")).status == 404

    refused = await tenant.api.post("/notifications/new_user/preview", {"subject": "", "to": {"type": "nobody"}})
    assert sorted(refused.data) == ["subject", "to.type"]
    assert list((await tenant.api.post("/notifications/new_user/preview", {})).data) == ["to.email_addresses"]
    broken = await tenant.api.post("/notifications/new_user/preview", {**data, "plain": "{{ open"})
    assert broken.error()[:3] == (500, "500", "Failed to process notification preview")


async def test_a_message_to_customers(server: RunningServer, tenant: Tenant) -> None:
    children = [await new_tenant(server, tenant, f"{name}-{tenant.id[:8]}") for name in ("one", "two")]
    await children[0].api.put("/users", {"first_name": "Bob", "last_name": "U", "email": f"bob@{children[0].realm}"})
    path = "/notifications/customer_update/message"
    text = base64.b64encode(b"Dear {{user.first_name}} of {{account.name}}").decode()
    message = {"subject": "News", "from": "ops@example.com", "html": text, "plain": text}
    admins = await tenant.api.post(path, {**message, "user_type": "admins_only", "recipient_id": children[0].id})
    assert (admins.status, admins.data) == (200, {})
    assert [mail["To"] for mail in await mails(server, children[0].realm, "News")] == [f"admin@{children[0].realm}"]
    assert await mails(server, children[1].realm, "News") == []
    await tenant.api.post(path, message)
    assert len(await mails(server, children[0].realm, "News")) == 3
    (mail,) = await mails(server, children[1].realm, "News")
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content().strip() == f"Dear Ada of two-{tenant.id[:8]}"
    broken = await tenant.api.post(path, {**message, "plain": "{{ open"})
    assert broken.error()[:3] == (500, "500", "Failed to send message")
    base = (await tenant.api.get("/notifications/customer_update")).data
    off = {key: base[key] for key in ("from", "to", "subject")} | {"enabled": False}
    assert (await tenant.api.post("/notifications/customer_update", off)).status == 200
    assert (await tenant.api.post(path, message)).data == {}
    assert len(await mails(server, children[1].realm, "News")) == 1
    log = (await tenant.api.get("/notifications/smtplog")).data
    assert [row["template_id"] for row in log] == ["customer_update"] * 4
    refused = await tenant.api.post(path, {**message, "recipient_id": "0" * 32})
    assert refused.error()[:3] == (500, "500", "Failed to send message")
