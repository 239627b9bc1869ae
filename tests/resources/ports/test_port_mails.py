# SPDX-License-Identifier: MPL-2.0
"""The letters about port requests: who gets which, and what they tell."""

from __future__ import annotations

from typing import Any

import pytest

from crossbar import clock
from crossbar.events.mail import Mail
from crossbar.resources.notices.domain.notice_mail import LONGEST_WAIT, NoticeMail
from tests.harness import RunningServer, Tenant, letters, text_of
from tests.ports import Porting, decide, made

DATE = 63_950_128_200


async def told(porting: Porting, request_name: str) -> list[tuple[str, set[str]]]:
    """Subject and addressees of every letter about a request."""
    found = []
    for letter in await letters(porting.server):
        if request_name in letter["Subject"]:
            found.append((letter["Subject"].strip().replace(request_name, "*"), set(letter["To"].split(", "))))
    return found


async def text_about(porting: Porting, subject: str) -> str:
    [letter] = [found for found in await letters(porting.server) if found["Subject"] == subject]
    return text_of(letter)


def admin(tenant: Tenant) -> str:
    return f"admin@{tenant.realm}"


async def request_of(porting: Porting, **fields: Any) -> tuple[str, str]:
    """The id and the name, which no other has, of a new request."""
    contact = {"notifications": {"email": {"send_to": f"ann@{porting.customer.realm}"}}}
    request = await porting.made(**{**contact, "name": f"port of {porting.customer.id}", **fields})
    return request.id, str(request.data["name"])


async def test_each_move_is_told(porting: Porting) -> None:
    request_id, name = await request_of(porting)
    assert await told(porting, name) == []
    usual = {admin(porting.reseller), f"ann@{porting.customer.realm}"}
    customer = (await porting.customer.api.get("")).data["name"]
    wanted = [
        ("Port request * was submitted", usual),
        (f"{customer} submitted port request *", {admin(porting.agent)}),
    ]
    await porting.moved(request_id, "submitted")
    assert await told(porting, name) == wanted
    for state, subject in (
        ("pending", "Port request * is on its way"),
        ("scheduled", "Port request * has a date"),
        ("rejected", "Port request * was rejected"),
        ("completed", "The numbers of port request * are in service"),
    ):
        await porting.moved(request_id, state)
        wanted.append((subject, usual))
        assert await told(porting, name) == wanted
    other, name = await request_of(porting, name=f"other {porting.customer.id}")
    await porting.moved(other, "submitted", "canceled")
    assert (await told(porting, name))[2:] == [("Port request * was canceled", usual)]
    [letter] = [
        found
        for found in await letters(porting.server)
        if found["Subject"] == f"{customer} submitted port request {name}"
    ]
    assert letter["Reply-To"] == f"ann@{porting.customer.realm}"


async def test_a_refused_move_is_not_told(porting: Porting) -> None:
    request_id, name = await request_of(porting)
    refused = await porting.customer.api.patch(f"/port_requests/{request_id}/completed", {})
    assert refused.status == 400
    assert await told(porting, name) == []


async def test_what_a_letter_tells(porting: Porting) -> None:
    bill = {
        "name": "Ann & Bob",
        "street_address": "5 Main St",
        "locality": "Boston",
        "region": "MA",
        "postal_code": "1",
    }
    request_id, name = await request_of(porting, bill={**bill, "carrier": "Old Telco"}, transfer_date=DATE)
    number = next(iter((await porting.customer.api.get(f"/port_requests/{request_id}")).data["numbers"]))
    await porting.customer.api.patch("", {"timezone": "America/Los_Angeles"})
    await porting.moved(request_id, "submitted", "pending")
    date = {"timezone": "UTC", "date_time": "2026-07-01 12:30"}
    path = f"/port_requests/{request_id}/scheduled"
    assert (await porting.agent.api.patch(path, {"schedule_on": date, "reason": "They agreed"})).status == 200
    text = await text_about(porting, f"Port request {name} has a date")
    for line in (
        f"port_request.id: {request_id}",
        f"port_request.numbers: {number}",
        "port_request.port_state: scheduled",
        "port_request.service_provider: Old Telco",
        f"port_request.customer_contact: ann@{porting.customer.realm}",
        "port_request.bill_name: Ann & Bob",
        "port_request.bill_locality: Boston",
        "port_request.port_scheduled_date.utc: 2026-07-01 12:30:00",
        "port_request.port_scheduled_date.local: 2026-07-01 05:30:00",
        "port_request.port_scheduled_date.timezone: America/Los_Angeles",
        "port_request.requested_port_date.utc: 2026-07-01 12:30:00",
        "port_request.transition_reason.content: They agreed",
        "port_request.transition_reason.user.first_name: Ada",
        f"port_request.transition_reason.user.email: {admin(porting.agent)}",
        f"account.realm: {porting.customer.realm}",
        f"account.parent_id: {porting.reseller.id}",
    ):
        assert line in text, (line, text)


async def test_comments_are_told(porting: Porting) -> None:
    request_id, name = await request_of(porting)
    path = f"/port_requests/{request_id}/comments"
    said = {"author": "x", "content": "Where is the bill?", "timestamp": DATE}
    await porting.agent.api.put(path, {"comments": [said]})
    usual = {admin(porting.reseller), f"ann@{porting.customer.realm}"}
    subject = "New comment on port request *"
    assert await told(porting, name) == [(subject, usual)]
    text = await text_about(porting, f"New comment on port request {name}")
    for line in (
        "port_request.comment.content: Where is the bill?",
        "port_request.comment.date.utc: 2026-07-01 12:30:00",
        "user.first_name: Ada",
        f"user.email: {admin(porting.agent)}",
    ):
        assert line in text, text
    secret = {**said, "content": "between us", "timestamp": DATE + 1, "is_private": True}
    await porting.agent.api.put(path, {"comments": [secret]})
    assert await told(porting, name) == [(subject, usual), (subject, {admin(porting.agent)})]
    await porting.customer.api.patch(f"/port_requests/{request_id}", {"name": name})
    assert len(await told(porting, name)) == 2
    three = [{**said, "content": f"c{n}", "timestamp": DATE + 10 + n} for n in range(3)]
    await porting.customer.api.patch(f"/port_requests/{request_id}", {"comments": three})
    assert (await told(porting, name))[2:] == [(subject, usual)] * 3


async def test_an_address_for_ports_goes_before_administrators(porting: Porting) -> None:
    support = f"ports@{porting.reseller.realm}"
    await decide(porting.reseller, porting.agent.id, support_email=support)
    several = [f"a@{porting.customer.realm}", f"b@{porting.customer.realm}"]
    request_id, name = await request_of(porting, notifications={"email": {"send_to": several}})
    await porting.moved(request_id, "submitted")
    assert (await told(porting, name))[0][1] == {support, *several}


async def test_templates_say_who_gets_a_letter(porting: Porting) -> None:
    request_id, name = await request_of(porting)
    await porting.moved(request_id, "submitted")
    before = len(await told(porting, name))
    base = (await porting.customer.api.get("/notifications/port_pending")).data
    for template, fields in (
        ("port_pending", {"enabled": False}),
        (
            "port_rejected",
            {
                "to": {"type": "admins", "email_addresses": []},
                "cc": {"type": "specified", "email_addresses": [f"cc@{porting.customer.realm}"]},
                "bcc": {"type": "specified", "email_addresses": [f"bcc@{porting.customer.realm}"]},
                "subject": "{% for n in port_request.numbers %}[{{n}}]{% endfor %} {{port_request.name}}",
                "from": f"us@{porting.customer.realm}",
                "reply_to": f"desk@{porting.customer.realm}",
            },
        ),
    ):
        data = {key: base[key] for key in ("from", "to", "subject", "cc", "bcc")} | {"id": template} | fields
        assert (await porting.customer.api.put("/notifications", data)).status == 201
    await porting.moved(request_id, "pending")
    assert len(await told(porting, name)) == before
    await porting.moved(request_id, "rejected")
    number = next(iter((await porting.customer.api.get(f"/port_requests/{request_id}")).data["numbers"]))
    [letter] = [found for found in await letters(porting.server) if found["Subject"] == f"[{number}] {name}"]
    addressed = {header: letter[header] for header in ("From", "To", "Cc", "Bcc", "Reply-To")}
    realm = porting.customer.realm
    assert addressed == {
        "From": f"us@{realm}",
        "To": admin(porting.customer),
        "Cc": f"cc@{realm}",
        "Bcc": f"bcc@{realm}",
        "Reply-To": f"desk@{realm}",
    }
    log = (await porting.customer.api.get("/notifications/smtplog")).data
    entry = next(row for row in log if row["template_id"] == "port_rejected")
    whole = (await porting.customer.api.get(f"/notifications/smtplog/{entry['id']}")).data
    assert whole["emails"] == {
        "from": f"us@{realm}",
        "to": [admin(porting.customer)],
        "cc": [f"cc@{realm}"],
        "bcc": [f"bcc@{realm}"],
    }


async def test_the_master_account_hears_where_nobody_else_would(porting: Porting, server: RunningServer) -> None:
    users = (await porting.agent.api.get("/users")).data
    for user in users:
        await porting.agent.api.patch(f"/users/{user['id']}", {"email": None})
    master = server.master
    word = porting.customer.id
    await master.api.patch(f"/users/{master.admin_id}", {"email": "root@master.test"})
    try:
        request_id, name = await request_of(porting, name=f"to master {word}")
        await porting.moved(request_id, "submitted")
        assert (await told(porting, name))[1][1] == {"root@master.test"}
    finally:
        await master.api.patch(f"/users/{master.admin_id}", {"email": None})
    setting = {"default": {"default_to": ["ops@master.test"]}}
    assert (await master.root.post("/system_configs/notify.port_request_admin", setting)).status == 200
    try:
        request_id, name = await request_of(porting, name=f"to operators {word}")
        await porting.moved(request_id, "submitted")
        assert (await told(porting, name))[1][1] == {"ops@master.test"}
    finally:
        await master.root.delete("/system_configs/notify.port_request_admin")


async def test_mail_that_cannot_be_sent_stops_nothing(
    porting: Porting, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def full(*_: Any) -> str:
        raise OSError("no space left")

    request_id, name = await request_of(porting)
    with monkeypatch.context() as patched:
        patched.setattr(Mail, "hold", full)
        moved = await porting.customer.api.patch(f"/port_requests/{request_id}/submitted", {})
        assert (moved.status, moved.data["port_state"]) == (200, "submitted")
        assert await told(porting, name) == []
        assert "no space left" in caplog.text
    with clock.frozen(clock.unix_now() + LONGEST_WAIT):
        await NoticeMail(porting.server.runtime, Mail(lambda: porting.server.runtime.config)).look()
    assert len(await told(porting, name)) == 2


async def test_a_request_that_names_nobody_is_told_to_the_reseller(porting: Porting) -> None:
    name = f"nobody {clock.unix_now()}"
    request_id = (await made(porting.customer, name=name)).id
    await porting.moved(request_id, "submitted")
    assert (await told(porting, name))[0][1] == {admin(porting.reseller)}
