# SPDX-License-Identifier: MPL-2.0
"""The letters about faxes: to the addresses that the fax names, else its box, else to its owner.

Source: KAZOO `teletype_fax_util.erl`, `teletype_fax_inbound_error_to_email.erl` (`is_true_fax_error`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from crossbar import clock
from crossbar.documents.document import Document, as_list, as_object, value_at
from crossbar.documents.document_types import FAXBOX
from crossbar.errors import JSON
from crossbar.events.letters import Enclosure
from crossbar.resources.calls.fax.domain.fax import PDF, PDF_NAME, TYPE
from crossbar.resources.calls.fax.domain.fax_notice import ERROR, INBOUND, OUTBOUND
from crossbar.resources.calls.media.domain.local_time import file_time, local_time
from crossbar.resources.notices.domain.call_macros import about_call, time_of, user_of
from crossbar.resources.notices.domain.notice_letter import Notice, NoticeLetter, letter_of
from crossbar.resources.notices.domain.template_notice import about_person
from crossbar.resources.notices.domain.voicemail_letters import LARGEST

SMTP_ERROR: Final = "outbound_smtp_fax_error"
NO_FAX: Final = (0, 49)
"""Results of calls in which no fax was begun, unless the installation says which those are."""
FACTS: Final = {
    "total_pages": "pvt_pages",
    "document_size": "pvt_size",
    "box_id": "faxbox_id",
}
INFO: Final = {
    "transferred_pages": "pages_sent",
    "bad_rows": "fax_bad_rows",
    "transfer_rate": "fax_speed",
    "ecm_used": "fax_error_correction",
    "remote_station_id": "fax_receiver_id",
}
"""Macro → field of the result."""


@letter_of(INBOUND)
async def received(notice: Notice) -> list[NoticeLetter]:
    """A fax was received."""
    return [await _letter(notice, "fax_inbound_to_email", "inbound")]


@letter_of(OUTBOUND)
async def sent(notice: Notice) -> list[NoticeLetter]:
    """A fax was sent."""
    return [await _letter(notice, "fax_outbound_to_email", "outbound")]


@letter_of(INBOUND + ERROR)
async def not_received(notice: Notice) -> list[NoticeLetter]:
    """A fax was not received: those whom the template names hear of each, the box only of what had begun as a fax."""
    every = await _letter(notice, "fax_inbound_error_to_email", "inbound")
    known = notice.runtime.settings.get("notify.fax_inbound_error_to_email", "filter_error_codes")
    if notice.payload.get("fax_result_code") in (known if isinstance(known, list) else NO_FAX):
        return [every]
    return [every, await _letter(notice, "fax_inbound_error_to_email_filtered", "inbound")]


@letter_of(OUTBOUND + ERROR)
async def not_sent(notice: Notice) -> list[NoticeLetter]:
    """A fax was not sent."""
    return [await _letter(notice, "fax_outbound_error_to_email", "outbound")]


@letter_of(SMTP_ERROR)
async def not_turned_into_a_fax(notice: Notice) -> list[NoticeLetter]:
    """A mail could not be turned into a fax: to who sent it."""
    told = {"errors": notice.payload.get("errors"), "fax": notice.payload}
    sender = notice.payload.get("fax_from_email")
    return [
        NoticeLetter("fax_outbound_smtp_error_to_email", told, original=[sender] if isinstance(sender, str) else [])
    ]


async def _letter(notice: Notice, template_id: str, direction: str) -> NoticeLetter:
    store, account, payload = notice.runtime.store, notice.account, notice.payload
    fax = await store.get(account.id, TYPE, str(payload.get("fax_id"))) or Document(account.id, TYPE, "", {})
    box_id = payload.get("faxbox_id")
    box = await store.get(account.id, FAXBOX, box_id) if isinstance(box_id, str) and box_id else None
    owner = await user_of(store, account.id, payload.get("owner_id") or (box.at("owner_id") if box else None))
    zones = (payload.get("fax_timezone"), box.at("fax_timezone") if box else None, account.timezone)
    time = time_of(payload, "fax_timestamp", otherwise=clock.now())
    enclosures = await _paper(notice, fax, file_time(local_time(time, *zones)).replace(":", "-"))
    info = as_object(payload.get("fax_info"))
    about: dict[str, Any] = {
        "id": payload.get("fax_id"),
        "doc_id": payload.get("fax_id"),
        "box_name": box.at("name") if box else None,
        "media": enclosures[0].name if enclosures else None,
        "document_type": "pdf" if enclosures else None,
        "success": "fax_error" not in payload,
        "result_text": payload.get("fax_error"),
        "result_code": payload.get("fax_result_code"),
        "timestamp": time,
        "info": info,
        **{name: fax.at(field) for name, field in FACTS.items()},
        **{name: info.get(field) for name, field in INFO.items()},
    }
    told = {
        **about_call(payload, time, *zones),
        "fax": about,
        "error": {"call_info": payload.get("fax_error"), "fax_info": payload.get("fax_error")},
        "user": about_person(owner),
    }
    return NoticeLetter(template_id, told, original=_recipients(payload, box, owner, direction), enclosures=enclosures)


async def _paper(notice: Notice, fax: Document, moment: str) -> list[Enclosure]:
    """The fax as a PDF, if there is one that is not too large for a letter."""
    paper = await notice.runtime.attachments.find(fax, PDF_NAME) if fax.id else None
    if paper is None or paper.size > LARGEST:
        return []
    return [Enclosure(f"fax_document_{moment}.pdf", PDF, await notice.runtime.attachments.read(paper))]


def _recipients(payload: dict[str, Any], box: Document | None, owner: Document | None, direction: str) -> list[str]:
    """Those whom the fax names, else its box, else the owner."""
    asked: Iterable[JSON] = (
        value_at(payload, "fax_notifications.email.send_to"),
        box.at(f"notifications.{direction}.email.send_to") if box else None,
        owner.at("email") if owner else None,
    )
    for named in asked:
        found = [text for text in ([named] if isinstance(named, str) else as_list(named)) if isinstance(text, str)]
        if any(found):
            return found
    return []
