# SPDX-License-Identifier: MPL-2.0
"""The letters about calls and devices that a switch tells of.

Source: KAZOO `teletype_missed_call.erl`, `teletype_denied_emergency_bridge.erl`, `teletype_emergency_bridge.erl`,
`teletype_deregister.erl`, `teletype_first_occurrence.erl`.
"""

from __future__ import annotations

from typing import Any, Final

from crossbar import clock
from crossbar.documents.document import Document, as_list, as_object
from crossbar.documents.document_types import DEVICE
from crossbar.resources.notices.domain.call_macros import about_call, time_of, user_of
from crossbar.resources.notices.domain.notice_letter import Notice, NoticeLetter, letter_of
from crossbar.resources.notices.domain.template_notice import about_person, administrators

EMERGENCY: Final = (
    "outbound_caller_id_name",
    "outbound_caller_id_number",
    "emergency_caller_id_name",
    "emergency_caller_id_number",
    "call_id",
)
ADDRESS: Final = ("street_1", "street_2", "city", "region", "postal_code")
REGISTRATION: Final = (
    "username", "status", "user_agent", "call_id", "profile_name", "presence_hosts", "from_user", "from_host",
    "to_user", "to_host", "rpid", "network_ip", "network_port", "contact", "expires", "authorizing_id",
)  # fmt: skip
QUIET: Final = "suppress_unregister_notifications"


@letter_of("missed_call")
async def missed_call(notice: Notice) -> list[NoticeLetter]:
    """Nobody answered: to those whom the callflow names, users by id or address, and others by address."""
    return [await _to_recipients(notice, "missed_call")]


@letter_of("cf_notification")
async def callflow_notification(notice: Notice) -> list[NoticeLetter]:
    """A call came to a callflow's notification, which names a template of the account and recipients."""
    template_id = notice.payload.get("template_id")
    return [await _to_recipients(notice, template_id)] if isinstance(template_id, str) and template_id else []


async def _to_recipients(notice: Notice, template_id: str) -> NoticeLetter:
    store, account, payload = notice.runtime.store, notice.account, notice.payload
    addresses: list[str] = []
    people: list[Document] = []
    for recipient in as_list(payload.get("notify")):
        kind, named = as_object(recipient).get("type"), as_object(recipient).get("id")
        for one in [named] if isinstance(named, str) else as_list(named):
            if isinstance(one, str) and (kind == "email" or "@" in one):
                addresses.append(one)
            elif kind == "user" and (user := await user_of(store, account.id, one)) is not None:
                people.append(user)
    time = time_of(payload, "timestamp", otherwise=clock.now())
    first = people[0] if len(people) == 1 else None
    told = {
        **about_call(payload, time, first.at("timezone") if first else None, account.timezone),
        "missed_call": {"reason": payload.get("reason") or "no answer"},
        "comments": payload.get("comments"),
        "user": about_person(first),
    }
    return NoticeLetter(template_id, told, original=[*addresses, *(user.text("email") for user in people)])


@letter_of("denied_emergency_bridge", "emergency_bridge")
async def emergency(notice: Notice) -> list[NoticeLetter]:
    """An emergency call was made or refused: to the account's administrators.

    A template that leaves it to the event means those whom the emergency address names.
    """
    payload = notice.payload
    contacts: list[str] = []
    call: dict[str, Any] = {key: payload.get(key) for key in EMERGENCY}
    if notice.event == "emergency_bridge":
        user = await user_of(notice.runtime.store, notice.account.id, payload.get("owner_id"))
        contacts = [
            text for text in as_list(payload.get("emergency_notification_contact_emails")) if isinstance(text, str)
        ]
        call |= {f"emergency_address_{key}": payload.get(f"emergency_address_{key}") for key in ADDRESS}
        call |= {key: payload.get(key) for key in ("device_name", "emergency_test_call", "emergency_to_did")}
        call |= {"emergency_notification_contact_emails": contacts, "owner_id": payload.get("owner_id")}
        call |= {f"user_{key}": user.at(key) for key in ("email", "first_name", "last_name")} if user else {}
    return [NoticeLetter(notice.event, {"call": call}, original=contacts)]


@letter_of("deregister")
async def deregister(notice: Notice) -> list[NoticeLetter]:
    """A device is not registered any more: to the account's administrators, unless the device keeps quiet."""
    payload = notice.payload
    if payload.get("suppress_unregister_notify") is True:
        return []
    device_id = payload.get("authorizing_id")
    device = await notice.runtime.store.get(notice.account.id, DEVICE, device_id) if device_id else None
    if device is not None and device.at(QUIET) is True:
        return []
    return [NoticeLetter("deregister", {"last_registration": {key: payload.get(key) for key in REGISTRATION}})]


@letter_of("first_occurrence")
async def first_occurrence(notice: Notice) -> list[NoticeLetter]:
    """The first call or registration of an account: to its administrators, of whom one is the `user`."""
    people = await administrators(notice.runtime.store, notice.account.id)
    told = {"event": notice.payload.get("occurrence"), "user": about_person(people[0] if people else None)}
    return [NoticeLetter("first_occurrence", told)]
