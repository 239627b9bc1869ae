# SPDX-License-Identifier: MPL-2.0
"""Voicemail boxes and the messages in them.

Source: KAZOO `cb_vmboxes`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import orjson

from crossbar.access.directory import Account
from crossbar.documents.document import Document
from crossbar.documents.document_types import VMBOX
from crossbar.documents.shape import Shape, Summary, Unique, or_default
from crossbar.endpoint import Collection, Context, Draft, Reply
from crossbar.endpoint.document_history import HISTORY
from crossbar.errors import JSON
from crossbar.resources.calls.media.domain.media_file import MEDIA_CONVERTER
from crossbar.resources.calls.voicemail.domain import voicemail_message
from crossbar.resources.calls.voicemail.domain.mailbox import REFUSAL, mailbox_claim, mailbox_number
from crossbar.resources.calls.voicemail.domain.voicemail_message import DELETED, Voicemail
from crossbar.resources.records.domain.cdr_row import whole

MOVED_ADDRESS: Final = "214 Transformation applied: attribute notify_email_address replaced"
LEGACY_MESSAGES: Final = "Please migrate your voicemail box messages to MODB"


def claims(box: Document) -> Iterator[Unique]:
    """The mailbox number."""
    mailbox = box.at("mailbox")
    if isinstance(mailbox, str) and mailbox:
        yield mailbox_claim(mailbox)


def _legacy_messages(box: Document) -> list[JSON]:
    """The messages that a box from before the monthly stores still carries in itself."""
    messages = box.at("messages")
    return messages if isinstance(messages, list) else []


vmboxes = Collection(
    "vmboxes",
    "/accounts/{account_id}/vmboxes/{vmbox_id}",
    Shape(
        VMBOX,
        summary=Summary(
            "id",
            "name",
            "mailbox",
            "owner_id",
            messages=lambda box: len(_legacy_messages(box)),
            flags=or_default("flags", []),
        ),
        sort="name",
        unique=claims,
    ),
    schema="vmboxes",
    operations=("list", "delete"),
    history=HISTORY,
)


@vmboxes.get("/accounts/{account_id}/vmboxes/{vmbox_id}", shows=vmboxes.life.schema)
async def read_box(context: Context) -> Reply:
    """The settings of a box; messages have paths of their own."""
    box = await requested_box(context)
    return Reply({key: value for key, value in box.public.items() if key != "messages"}, revision=box.revision)


@vmboxes.put("/accounts/{account_id}/vmboxes", **vmboxes.about("create"))
async def create(context: Context) -> Reply:
    """Create a voicemail box."""
    return _changed(context, await vmboxes.life.create(context))


@vmboxes.post("/accounts/{account_id}/vmboxes/{vmbox_id}", **vmboxes.about("replace"))
async def replace(context: Context) -> Reply:
    """Other settings for a box."""
    return _changed(context, await vmboxes.life.replace(context))


@vmboxes.patch("/accounts/{account_id}/vmboxes/{vmbox_id}", **vmboxes.about("merge"))
async def merge(context: Context) -> Reply:
    """Some other settings for a box."""
    return _changed(context, await vmboxes.life.merge(context))


def _changed(context: Context, reply: Reply) -> Reply:
    """Tell clients what of theirs is of the past: the one address, messages inside the box."""
    if "notify_email_address" in context.object:
        reply.headers = {"Warning": MOVED_ADDRESS}
    if reply.json is not None and b'"messages"' in reply.json:
        reply.data, reply.json = orjson.loads(reply.json), None
    if isinstance(reply.data, dict) and reply.data.pop("messages", None):
        reply.extra = {"message": LEGACY_MESSAGES}
    return reply


@vmboxes.normalize
async def move_address(context: Context, draft: Draft) -> None:
    """The one address of old clients is one of several now; messages are not set with the box."""
    if "notify_email_address" in draft.data:
        address = draft.data.pop("notify_email_address")
        addresses = draft.data.get("notify_email_addresses") or []
        more = address if isinstance(address, list) else [address] if address else []
        if isinstance(addresses, list):
            draft.data["notify_email_addresses"] = [*addresses, *(one for one in more if one not in addresses)]
    if draft.previous is not None and (legacy := _legacy_messages(draft.previous)):
        draft.data["messages"] = legacy


@vmboxes.check
async def transcribable(context: Context, draft: Draft) -> None:
    """What is to be transcribed has to be recorded in the format that the transcriber reads."""
    wanted = context.config.media.transcribe_format
    if wanted and draft.data.get("transcribe") is True and draft.data.get("media_extension") != wanted:
        message = f"if you want transcribe message, then use '{wanted}' media extension"
        draft.errors.add("media_extension", "invalid", message)


@vmboxes.check
async def check_mailbox(_: Context, draft: Draft) -> None:
    """The mailbox is a number."""
    mailbox = draft.data.get("mailbox")
    if isinstance(mailbox, str) and mailbox and mailbox_number(mailbox) is None:
        draft.errors.add("mailbox", "unique", REFUSAL, cause=mailbox)


@vmboxes.after_delete
async def delete_messages(context: Context, box: Document) -> None:
    """The messages end with their box."""
    await delete_all(context, box.id, await voicemail(context).ids(box.id))


@vmboxes.decorate_rows()
async def count(context: Context, rows: list[dict[str, Any]]) -> None:
    """Tell how many messages each box has, and turn the page around: boxes come by name, the first first."""
    counts = await voicemail(context).counts([row["id"] for row in rows])
    for row in rows:
        legacy = row.get("messages", 0)
        row["messages"] = len(legacy) if isinstance(legacy, list) else whole(legacy)
        if folders := counts.get(row["id"]):
            row["messages"] += sum(folders.values())
            row["folders"] = folders
    rows.reverse()


async def requested_box(context: Context) -> Document:
    """The box in the path. Raises 404."""
    return await vmboxes.life.load(context, context.path["vmbox_id"])


def voicemail(context: Context, account: Account | None = None) -> Voicemail:
    """The voicemail of the account in the path, or of another one, as this request reads and changes it."""
    return Voicemail(context.runtime, context.service(MEDIA_CONVERTER), account or context.account, context.author)


async def delete_all(context: Context, box_id: str, selected: Sequence[str]) -> dict[str, JSON]:
    """Delete messages of a box; tells which were deleted and which were not, and why."""

    async def delete(message_id: str) -> list[str]:
        done = await voicemail(context).set_folder(box_id, message_id, DELETED, gone=True, one_of_many=True)
        return [done.id]

    return await voicemail_message.in_bulk(selected, delete)
