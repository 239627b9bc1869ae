# SPDX-License-Identifier: MPL-2.0
"""Letters as a real relay gets them: what people are told of, from the change that gives rise to it to the message."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from email.message import EmailMessage
from typing import Any

import pytest
import pytest_asyncio

from crossbar import clock
from crossbar.ids import new_id
from tests.harness import RunningServer, Tenant, new_tenant, own_server, send_parts, text_of
from tests.relay import Relay, running_relay
from tests.samples import MP3, PDF
from tests.voicemail import folders, leave, new_box

TIME = 63_950_128_200
"""2026-07-01 12:30:00 UTC."""
FAX = {"from_number": "+14155550100", "from_name": "Old Co", "to_number": "+14155550199"}


class Office:
    """An account with a user, on a server that delivers to a relay."""

    def __init__(self, server: RunningServer, relay: Relay, tenant: Tenant, user_id: str) -> None:
        self.server, self.relay, self.tenant, self.user_id = server, relay, tenant, user_id
        self.ann = f"ann@{tenant.realm}"
        self.admin = f"admin@{tenant.realm}"
        self._seen: set[str] = set()

    async def letter(self, address: str, subject: str) -> EmailMessage:
        """The letter of a subject to an address that was not looked at yet."""
        found = await self.relay.letter(
            address, lambda letter: letter["Subject"] == subject and letter["Message-ID"] not in self._seen
        )
        self._seen.add(found["Message-ID"])
        return found

    async def hand_in(self, path: str, data: dict[str, Any], *files: tuple[bytes, str]) -> Any:
        """What a switch tells of the account."""
        data = {"account_id": self.tenant.id, **data}
        answer = await send_parts(self.server.master.root, "POST", f"/ingest/{path}", data, *files)
        assert answer.status == 200, answer.envelope
        return answer

    async def template(self, template_id: str, **fields: Any) -> None:
        """Give the account a template of its own."""
        shipped = (await self.tenant.api.get(f"/notifications/{template_id}")).data
        data = {key: shipped[key] for key in ("from", "to", "subject")} | fields
        assert (await self.tenant.api.post(f"/notifications/{template_id}", data)).status == 200


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def delivering(
    mongo_uri: str, mongo_client: Any, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[RunningServer, Relay]]:
    async with running_relay() as relay:
        options = {
            "mail.host": "127.0.0.1",
            "mail.port": str(relay.port),
            "mail.tls": "none",
            "mail.sender": "pbx@example.com",
            "access.recovery_hosts": "ui.example.com",
        }
        async with own_server(mongo_uri, mongo_client, tmp_path_factory.mktemp("mail"), options) as server:
            yield server, relay


@pytest_asyncio.fixture(loop_scope="session")
async def office(delivering: tuple[RunningServer, Relay]) -> Office:
    server, relay = delivering
    tenant = await new_tenant(server, server.master, f"office{new_id()[:8]}")
    await tenant.api.patch("", {"timezone": "America/Los_Angeles"})
    ann = {"first_name": "Ann", "last_name": "Lee", "email": f"ann@{tenant.realm}"}
    user = await tenant.api.put("/users", ann, query={"send_email_on_creation": "false"})
    return Office(server, relay, tenant, user.id)


def attachments(letter: EmailMessage) -> list[tuple[str | None, str, Any]]:
    return [(part.get_filename(), part.get_content_type(), part.get_content()) for part in letter.iter_attachments()]


# Accounts and users


async def test_a_new_account(office: Office) -> None:
    created = await office.tenant.root.put(f"/accounts/{office.tenant.id}", {"name": "Branch <1>"})
    assert created.status == 201
    letter = await office.letter(office.admin, "The account Branch <1> was created")
    assert (letter["From"], letter["Auto-Submitted"]) == ("pbx@example.com", "auto-generated")
    text = text_of(letter)
    name = office.tenant.realm.removesuffix(".test")
    for line in (f"was created below {name}.", "Name:  Branch <1>", f"Realm: {created.data['realm']}", created.id):
        assert line in text
    assert "Branch &lt;1&gt; was created" in text_of(letter, "html")


async def test_a_new_user_gets_no_password(office: Office) -> None:
    data = {"first_name": "Bob", "last_name": "Roe", "username": "bob", "password": "a secret word"}
    await office.tenant.api.put("/users", {**data, "email": f"bob@{office.tenant.realm}"})
    letter = await office.letter(f"bob@{office.tenant.realm}", f"Welcome to {office.tenant.realm[:-5]}, Bob")
    assert "Your user name: bob" in text_of(letter)
    assert b"a secret word" not in letter.as_bytes()


async def test_a_way_back_in_is_in_the_letter_alone(office: Office) -> None:
    asked = {"account_realm": office.tenant.realm, "username": "admin", "ui_url": "https://ui.example.com/"}
    anonymous = office.tenant.root.acting(None)
    assert (await anonymous.put("/user_auth/recovery", asked)).status == 201
    letter = await office.letter(office.admin, "Reset your VoIP services user password")
    for kind in ("plain", "html"):
        found = re.search(r"https://ui\.example\.com/\?recovery=([0-9a-f]{137})", text_of(letter, kind))
        assert found is not None
    (row,) = (await office.tenant.api.get("/notifications/smtplog")).data
    entry = await office.tenant.api.get(f"/notifications/smtplog/{row['id']}")
    assert entry.data["receipt"] == letter["Message-ID"]
    assert entry.data["macros"]["user"]["first_name"] == "Ada"
    assert "(not shown)" in entry.data["rendered_templates"]["text/plain"]
    assert b"recovery=" not in entry.raw


async def test_other_zones(office: Office) -> None:
    await office.tenant.api.patch("", {"zones": {"home": "east"}})
    letter = await office.letter(office.admin, f"Account '{office.tenant.realm[:-5]}' zone have changed")
    assert "zones: home: east" in text_of(letter)


# Voicemail


async def test_voicemail_to_mail(office: Office) -> None:
    also = f"desk@{office.tenant.realm}"
    box = await new_box(office.tenant, owner_id=office.user_id, notify_email_addresses=[also])
    about = {"caller_id_name": "Old Co", "caller_id_number": "+14155550100", "call_id": "c1", "length": 65_400}
    message = await leave(office.tenant, box, timestamp=TIME, **about)
    subject = "New voicemail from Old Co (+14155550100)"
    letter = await office.letter(office.ann, subject)
    assert set(letter["To"].split(", ")) == {office.ann, also}
    assert letter.get_content_type() == "multipart/mixed"
    text = text_of(letter)
    assert "Old Co (+14155550100) left a message (01:05) on 2026-07-01 05:30:00." in text
    assert attachments(letter) == [("+14155550100_2026-07-01_05-30-00.mp3", "audio/mp3", MP3)]
    assert await folders(office.tenant, box) in ({message: "new"}, {})
    log = (await office.tenant.api.get("/notifications/smtplog")).data
    assert [(row["template_id"], row["subject"], row["receipt"]) for row in log] == [
        ("voicemail_to_email", subject, letter["Message-ID"])
    ]


async def test_what_a_box_says_of_its_mail(office: Office) -> None:
    number = iter(range(100, 200))
    for fields, folder in (
        ({"include_message_on_notify": False}, "new"),
        ({"save_after_notify": True}, "saved"),
        ({"delete_after_notify": True}, "deleted"),
    ):
        box = await new_box(office.tenant, str(next(number)), owner_id=office.user_id, **fields)
        message = await leave(office.tenant, box, caller_id_name=folder, caller_id_number="+14155550100")
        letter = await office.letter(office.ann, f"New voicemail from {folder} (+14155550100)")
        assert bool(attachments(letter)) is (folder != "new")
        shown = await office.tenant.api.get(f"/vmboxes/{box}/messages/{message}")
        assert shown.data["folder"] == folder


async def test_who_wants_no_voicemail_by_mail(office: Office) -> None:
    await office.tenant.api.patch(f"/users/{office.user_id}", {"vm_to_email_enabled": False})
    box = await new_box(office.tenant, owner_id=office.user_id)
    await leave(office.tenant, box)
    other = await new_box(office.tenant, "101", notify_email_addresses=[office.admin])
    await leave(office.tenant, other, caller_id_name="Last", caller_id_number="1")
    await office.letter(office.admin, "New voicemail from Last (1)")
    assert office.relay.letters(office.ann) == []


async def test_a_box_that_is_full_and_a_message_that_is_deleted(office: Office) -> None:
    settings = {"default": {"voicemail": {"max_message_count": 2}}}
    assert (await office.server.master.root.post("/system_configs/callflow", settings)).status == 200
    try:
        box = await new_box(office.tenant, "200", owner_id=office.user_id)
        await leave(office.tenant, box, caller_id_name="One", caller_id_number="1")
        message = await leave(office.tenant, box, caller_id_name="Two", caller_id_number="2")
        full = await office.letter(office.ann, "Voicemail box Box 200 is full")
        assert "The voicemail box Box 200 (200) has 2 messages" in text_of(full)
        assert [letter["Subject"] for letter in office.relay.letters(office.ann)].count(full["Subject"]) == 1
        await office.tenant.api.delete(f"/vmboxes/{box}/messages/{message}")
        deleted = await office.letter(office.ann, "Voicemail from Two (2) was deleted")
        assert "voicemail.reason: crossbar_action" in text_of(deleted)
    finally:
        await office.server.master.root.delete("/system_configs/callflow")


# Faxes


@pytest.mark.parametrize("named", ["fax", "box", "owner"])
async def test_a_fax_to_mail(office: Office, named: str) -> None:
    address = f"{named}@{office.tenant.realm}"
    notifications = {"inbound": {"email": {"send_to": f"box@{office.tenant.realm}"}}}
    fields = {"name": "Fax", "notifications": notifications} if named != "owner" else {"name": "Fax"}
    box = await office.tenant.api.put("/faxboxes", {**fields, "owner_id": office.user_id})
    data: dict[str, Any] = {**FAX, "faxbox_id": box.id, "timestamp": TIME}
    if named == "fax":
        data["notifications"] = {"email": {"send_to": [address]}}
    kept = await office.hand_in("faxes", data, (PDF, "application/pdf"))
    letter = await office.letter(office.ann if named == "owner" else address, "New fax from Old Co (+14155550100)")
    assert letter["To"] == (office.ann if named == "owner" else address)
    ((name, content_type, contents),) = attachments(letter)
    assert (name, content_type) == ("fax_document_2026-07-01_05-30-00.pdf", "application/pdf")
    assert contents.startswith(b"%PDF")
    text = text_of(letter)
    for line in (f"fax.id: {kept.id}", "fax.box_name: Fax", "fax.total_pages: ", "callee_id.number: +14155550199"):
        assert line in text


async def test_what_became_of_faxes(office: Office) -> None:
    to = {"notifications": {"email": {"send_to": office.ann}}}
    for result, subject in (
        ({"success": True, "pages_sent": 2}, "The fax to +14155550199 was sent"),
        ({"success": False, "error_message": "busy"}, "The fax to +14155550199 could not be sent"),
    ):
        job = await send_parts(office.tenant.api, "PUT", "/faxes", {**FAX, **to}, (PDF, "application/pdf"))
        await office.hand_in("fax_results", {"id": job.id, "tx_result": result})
        letter = await office.letter(office.ann, subject)
        assert len(attachments(letter)) == 1
        assert ("error.call_info: busy" in text_of(letter)) is not result["success"]
    for code, told in ((49, False), (3, True)):
        failed = {"success": False, "error_message": f"code {code}", "result_code": code}
        data = {**FAX, **to, "from_name": f"Caller {code}", "rx_result": failed}
        await office.hand_in("faxes", data)
        if told:
            await office.letter(office.ann, f"A fax from Caller {code} (+14155550100) was received in part")
    assert not [letter for letter in office.relay.letters(office.ann) if "Caller 49" in letter["Subject"]]


# What a switch tells


async def test_a_missed_call(office: Office) -> None:
    desk = f"desk@{office.tenant.realm}"
    recipients = [{"type": "user", "id": office.ann}, {"type": "email", "id": [desk]}]
    ring = {"module": "user", "data": {"id": office.user_id}, "children": {}}
    alert = {"module": "missed_call_alert", "data": {"recipients": recipients}, "children": {"_": ring}}
    flow = await office.tenant.api.put("/callflows", {"numbers": ["1001", "1002"], "flow": alert})
    assert flow.status == 201, flow.envelope
    leg = {
        "call_direction": "inbound",
        "caller_id_name": "Old Co",
        "caller_id_number": "+14155550100",
        "callee_id_number": "1001",
        "request": f"1001@{office.tenant.realm}",
        "timestamp": TIME,
        "hangup_cause": "ORIGINATOR_CANCEL",
    }
    missed = {"call_id": "m1", **leg}
    await office.hand_in("cdrs", {"call_id": "a1", **leg, "billing_seconds": 5, "caller_id_name": "Answered"})
    await office.hand_in("cdrs", {"call_id": "o1", **leg, "call_direction": "outbound", "caller_id_name": "Leg B"})
    await office.hand_in("cdrs", {"call_id": "n1", **leg, "request": "9@x", "callee_id_number": "9"})
    for _ in range(2):
        await office.hand_in("cdrs", missed)
    letter = await office.letter(office.ann, "Missed call from Old Co (+14155550100)")
    assert set(letter["To"].split(", ")) == {office.ann, desk}
    text = text_of(letter)
    assert "Old Co (+14155550100) called 1001 on 2026-07-01 05:30:00, and nobody answered." in text
    assert "Reason: ORIGINATOR_CANCEL" in text
    await office.hand_in("cdrs", {**missed, "call_id": "m2", "caller_id_name": "Last"})
    await office.letter(office.ann, "Missed call from Last (+14155550100)")
    assert len(office.relay.letters(office.ann)) == 2


@pytest.mark.parametrize(
    ("event", "told", "subject", "line"),
    [
        (
            "DEREGISTER",
            {"username": "phone1", "contact": "sip:phone1@192.0.2.1"},
            "Loss of Registration for 'phone1'",
            "last_registration.contact: sip:phone1@192.0.2.1",
        ),
        (
            "EMERGENCY_BRIDGE",
            {"emergency_caller_id_number": "+14155550100", "emergency_address_street_1": "5 Main St"},
            "An emergency call was made",
            "call.emergency_address_street_1: 5 Main St",
        ),
        (
            "DENIED_EMERGENCY_BRIDGE",
            {"emergency_caller_id_number": "+14155550100"},
            "An emergency call was refused",
            "call.emergency_caller_id_number: +14155550100",
        ),
        ("FIRST_OCCURRENCE", {"occurrence": "call"}, "First call of *", "user.first_name: Ada"),
    ],
)
async def test_other_events_of_a_switch(
    office: Office, event: str, told: dict[str, Any], subject: str, line: str
) -> None:
    for _ in range(2):
        await office.hand_in("call_events", {"event_name": event, "call_id": "e1", "timestamp": TIME, **told})
    await office.tenant.api.patch("", {"zones": {"home": "last"}})
    name = office.tenant.realm[:-5]
    letter = await office.letter(office.admin, subject.replace("*", name))
    assert line in text_of(letter)
    await office.letter(office.admin, f"Account '{name}' zone have changed")
    assert len(office.relay.letters(office.admin)) == 2


# Templates


async def test_templates_of_an_account_and_of_its_reseller(office: Office) -> None:
    """The nearest template wins, and reaches nobody outside of the tree."""
    stranger = await new_tenant(office.server, office.server.master, f"x-{office.tenant.realm[:-5]}")
    child = await new_tenant(office.server, office.tenant, f"child-{office.tenant.realm[:-5]}")
    await office.server.master.root.put(f"/accounts/{office.tenant.id}/reseller")
    await office.template("new_user", subject="Bonjour {{user.first_name}}", reply_to="aide@example.com")
    body = b"{% if account.language == 'fr-fr' %}Bienvenue{% else %}Welcome{% endif %} {{user.first_name}} <3"
    for kind in ("text/plain", "text/html"):
        saved = await office.tenant.api.post("/notifications/new_user", body=body, content_type=kind)
        assert saved.status == 200
    await child.api.patch("", {"language": "fr-fr"})
    for account, subject, text in (
        (child, "Bonjour Z&A", "Bienvenue Z&A <3"),
        (office.tenant, "Bonjour Z&A", "Welcome Z&A <3"),
        (stranger, f"Welcome to {stranger.realm[:-5]}, Z&A", "you are now a user"),
    ):
        address = f"zoe@{account.realm}"
        await account.api.put("/users", {"first_name": "Z&A", "last_name": "X", "email": address})
        letter = await office.letter(address, subject)
        assert text in text_of(letter)
        if account is not stranger:
            assert letter["Reply-To"] == "aide@example.com"
            assert "Z&amp;A <3" in text_of(letter, "html")


async def test_an_account_that_wants_no_such_letters(office: Office) -> None:
    await office.template("new_user", enabled=False)
    await office.tenant.api.put("/users", {"first_name": "Q", "last_name": "X", "email": office.ann})
    await office.template(
        "account_zone_change", to={"type": "specified", "email_addresses": ["a b@example.com", office.ann]}
    )
    await office.tenant.api.patch("", {"zones": {"home": "a"}})
    letter = await office.letter(office.ann, f"Account '{office.tenant.realm[:-5]}' zone have changed")
    assert letter["To"] == office.ann
    assert len(office.relay.letters(office.ann)) == 1


async def test_a_template_that_cannot_be_rendered_is_in_the_log(office: Office) -> None:
    await office.template("new_user", subject="{{ open", enabled=True)
    created = await office.tenant.api.put("/users", {"first_name": "Q", "last_name": "X", "email": office.ann})
    assert created.status == 201
    await office.tenant.api.patch("", {"zones": {"home": "a"}})
    await office.letter(office.admin, f"Account '{office.tenant.realm[:-5]}' zone have changed")
    rows = {row["template_id"]: row for row in (await office.tenant.api.get("/notifications/smtplog")).data}
    assert (rows["new_user"]["to"], "receipt" in rows["new_user"]) == (office.ann, False)
    assert rows["new_user"]["error"]
    assert office.relay.letters(office.ann) == []


async def test_what_the_operator_hears(office: Office) -> None:
    root = office.server.master.root
    to = {"type": "specified", "email_addresses": ["ops@example.com"]}
    shipped = (await root.get("/notifications/system_alert")).data
    await root.post("/notifications/system_alert", {"from": shipped["from"], "subject": "Alert", "to": to})
    own = {"from": "x@example.com", "subject": "Mine", "to": {"type": "specified", "email_addresses": [office.ann]}}
    await office.tenant.api.put("/notifications", {**own, "id": "system_alert"})
    assert (await office.tenant.api.post("/presence/1001", {})).status == 200
    letter = await office.letter("ops@example.com", "Alert")
    assert f"Presence was reset in account {office.tenant.id}" in text_of(letter)
    assert office.relay.letters(office.ann) == []


async def test_a_letter_says_when_it_was_made(office: Office) -> None:
    await office.tenant.api.patch("", {"zones": {"home": "b"}})
    letter = await office.letter(office.admin, f"Account '{office.tenant.realm[:-5]}' zone have changed")
    assert abs(letter["Date"].datetime.timestamp() - clock.unix_now()) < 60
    assert letter["Message-ID"].endswith("@example.com>")
