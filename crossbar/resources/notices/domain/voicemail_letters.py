# SPDX-License-Identifier: MPL-2.0
"""The letters about voicemail: to the addresses of the box, and to its owner who wants mail.

Source: KAZOO `teletype_voicemail_to_email.erl`, `teletype_voicemail_deleted.erl`, `teletype_voicemail_full.erl`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from crossbar import clock
from crossbar.conversion.media_types import extension
from crossbar.documents.attachments import Attachment
from crossbar.documents.document import Document, as_list, as_object
from crossbar.documents.document_types import VMBOX
from crossbar.documents.store import Transaction
from crossbar.events.letters import Enclosure
from crossbar.resources.calls.media.domain.local_time import file_time, local_time
from crossbar.resources.calls.media.domain.media_file import first_attachment
from crossbar.resources.calls.voicemail.domain.voicemail_message import DELETED, SAVED, TYPE
from crossbar.resources.calls.voicemail.domain.voicemail_notice import DELETED_MESSAGE, FULL_BOX, NEW_MESSAGE
from crossbar.resources.notices.domain.call_macros import about_call, time_of, user_of
from crossbar.resources.notices.domain.notice_letter import Also, Notice, NoticeLetter, letter_of
from crossbar.resources.notices.domain.template_notice import about_person
from crossbar.resources.records.domain.cdr_row import whole
from crossbar.wire.disposition import saved_name

LARGEST: Final = 20 * 2**20
"""Bytes of the largest file that goes with a letter: relays refuse large mail."""


@letter_of(NEW_MESSAGE)
async def voicemail_to_email(notice: Notice) -> list[NoticeLetter]:
    """A message was left: its recording comes with it unless the box says otherwise."""
    return await _about_message(notice, "voicemail_to_email")


@letter_of(DELETED_MESSAGE)
async def voicemail_deleted(notice: Notice) -> list[NoticeLetter]:
    """A message was deleted."""
    return await _about_message(notice, "voicemail_deleted")


@letter_of(FULL_BOX)
async def voicemail_full(notice: Notice) -> list[NoticeLetter]:
    """A box takes no more messages."""
    payload = notice.payload
    box = await _box(notice)
    if box is None:
        return []
    owner = await user_of(notice.runtime.store, notice.account.id, box.at("owner_id"))
    about = {
        "id": box.id,
        "name": box.at("name"),
        "mailbox": box.at("mailbox"),
        "max_messages": payload.get("max_message_count"),
        "message_count": payload.get("message_count"),
    }
    told = {"voicemail": about, "user": about_person(owner)}
    return [NoticeLetter("voicemail_full", told, original=_recipients(box, owner))]


async def _box(notice: Notice) -> Document | None:
    return await notice.runtime.store.get(notice.account.id, VMBOX, str(notice.payload.get("voicemail_box")))


def _recipients(box: Document, owner: Document | None) -> list[str]:
    """The addresses of a box, and that of its owner who gets voicemail by mail."""
    named = [address for address in as_list(box.at("notify_email_addresses")) if isinstance(address, str)]
    wants = owner is not None and owner.at("vm_to_email_enabled") is not False
    return [*named, owner.text("email")] if owner is not None and wants and owner.text("email") else named


async def _about_message(notice: Notice, template_id: str) -> list[NoticeLetter]:
    box, payload = await _box(notice), notice.payload
    if box is None:
        return []
    owner = await user_of(notice.runtime.store, notice.account.id, box.at("owner_id"))
    zones = (box.at("timezone"), owner.at("timezone") if owner else None, notice.account.timezone)
    time = time_of(payload, "voicemail_timestamp", otherwise=clock.now())
    sent = template_id == "voicemail_to_email"
    sound = await _sound(notice) if sent and box.at("include_message_on_notify") is not False else None
    voicemail: dict[str, Any] = {
        "vmbox_id": box.id,
        "msg_id": payload.get("voicemail_id"),
        "length": _minutes(whole(payload.get("voicemail_length"))),
        "reason": payload.get("reason"),
    }
    if box.at("include_transcription_on_notify") is not False:
        voicemail["transcription"] = as_object(payload.get("voicemail_transcription")).get("text")
    enclosures = []
    if sound is not None:
        moment = file_time(local_time(time, *zones)).replace(":", "-")
        caller = payload.get("caller_id_number") or "unknown"
        name = saved_name(f"{caller}_{moment}{extension(sound.content_type)}")
        contents = await notice.runtime.attachments.read(sound)
        enclosures = [Enclosure(name, sound.content_type, contents)]
        file_type = extension(sound.content_type).removeprefix(".")
        voicemail |= {"file_name": name, "file_type": file_type, "file_size": sound.size}
    told = {**about_call(payload, time, *zones), "voicemail": voicemail, "user": about_person(owner)}
    also = _afterwards(notice, box) if sent else None
    return [NoticeLetter(template_id, told, original=_recipients(box, owner), enclosures=enclosures, also=also)]


async def _sound(notice: Notice) -> Attachment | None:
    """The recording of the message, if it is not too large for a letter."""
    message = Document(notice.account.id, TYPE, str(notice.payload.get("voicemail_id")), {})
    found = await first_attachment(notice.runtime.attachments, message)
    return found if found is not None and found.size <= LARGEST else None


def _minutes(milliseconds: int) -> str:
    """`MM:SS`."""
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    return f"{minutes:02d}:{seconds:02d}"


def _afterwards(notice: Notice, box: Document) -> Also | None:
    """What becomes of a message that was mailed, as its box says."""
    if box.at("delete_after_notify") is True:
        folder = DELETED
    elif box.at("save_after_notify") is True:
        folder = SAVED
    else:
        return None

    async def put_away(transaction: Transaction) -> None:
        message = await transaction.get(notice.account.id, TYPE, str(notice.payload.get("voicemail_id")))
        if message is not None and message.at("metadata.folder") == "new":
            metadata = {**as_object(message.at("metadata")), "folder": folder}
            changed = replace(message, fields={**message.fields, "metadata": metadata, "pvt_modified": clock.now()})
            await transaction.replace(changed, message)

    return put_away
