"""Voicemail boxes and the messages in them.

Source: KAZOO `cb_vmboxes`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from crossbar.access.directory import Account
from crossbar.conversion.media_types import extension
from crossbar.documents.attachments import Attachment
from crossbar.documents.document import Document, as_object
from crossbar.documents.document_types import VMBOX
from crossbar.documents.shape import Shape, Summary, Unique, or_default
from crossbar.endpoint import Binary, Collection, Context, Draft, Reply, answer_listing
from crossbar.endpoint.files import download, only_file
from crossbar.errors import JSON, Invalid, NotFound, SystemFault
from crossbar.resources.calls.media.domain.media_file import MEDIA_CONVERTER, SOUND, first_attachment
from crossbar.resources.calls.voicemail.domain import sound_archive, voicemail_message
from crossbar.resources.calls.voicemail.domain.mailbox import REFUSAL, mailbox_claim, mailbox_number
from crossbar.resources.calls.voicemail.domain.voicemail_message import DELETED, FOLDERS, SAVED, Voicemail
from crossbar.resources.records.domain.cdr_row import whole

MOVED_ADDRESS: Final = "214 Transformation applied: attribute notify_email_address replaced"
LEGACY_MESSAGES: Final = "Please migrate your voicemail box messages to MODB"
NO_LIMIT: Final = 2**53
"""Seconds: a time range that names its own start may be as long as it likes."""
ZIP: Final = "application/zip"


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
)


@vmboxes.get("/accounts/{account_id}/vmboxes/{vmbox_id}")
async def read_box(context: Context) -> Reply:
    """The settings of a box; messages have paths of their own."""
    box = await _box(context)
    return Reply({key: value for key, value in box.public.items() if key != "messages"}, revision=box.revision)


@vmboxes.put("/accounts/{account_id}/vmboxes", checks_itself=True)
async def create(context: Context) -> Reply:
    """A new box."""
    return _changed(context, await vmboxes.life.create(context))


@vmboxes.post("/accounts/{account_id}/vmboxes/{vmbox_id}", checks_itself=True)
async def replace(context: Context) -> Reply:
    """Other settings for a box."""
    return _changed(context, await vmboxes.life.replace(context))


@vmboxes.patch("/accounts/{account_id}/vmboxes/{vmbox_id}", checks_itself=True)
async def merge(context: Context) -> Reply:
    """Some other settings for a box."""
    return _changed(context, await vmboxes.life.merge(context))


def _changed(context: Context, reply: Reply) -> Reply:
    """Tell clients what of theirs is of the past: the one address, messages inside the box."""
    if "notify_email_address" in context.object:
        reply.headers = {"Warning": MOVED_ADDRESS}
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
    await _delete_all(context, box.id, await voicemail(context).ids(box.id))


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


# Messages


def voicemail(context: Context, account: Account | None = None) -> Voicemail:
    """The voicemail of the account in the path, or of another one, as this request reads and changes it."""
    return Voicemail(context.runtime, context.service(MEDIA_CONVERTER), account or context.account, context.author)


@vmboxes.get("/accounts/{account_id}/vmboxes/messages")
async def list_of_account(context: Context) -> Reply:
    """The messages of all boxes, each as `{box id: metadata}`."""

    async def by_box(context: Context, rows: list[dict[str, Any]]) -> None:
        rows[:] = [{str(row.pop("source_id", "")): row} for row in rows]

    return await _list(context, None, by_box)


@vmboxes.get("/accounts/{account_id}/vmboxes/{vmbox_id}/messages")
async def list_of_box(context: Context) -> Reply:
    """The messages of a box."""
    box = await _box(context)

    async def of_box(context: Context, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row.pop("source_id", None)

    return await _list(context, f"box/{box.id}", of_box)


async def _list(context: Context, tag: str | None, shaped: Any) -> Reply:
    """Messages, the newest first, by default those inside the retention time."""
    limit = voicemail_message.retention_limit(context.config)

    async def retained(context: Context, rows: list[dict[str, Any]]) -> None:
        rows[:] = [voicemail_message.as_retained(row, limit) for row in rows]

    named = context.values.get("created_from") is not None
    return await answer_listing(
        context,
        voicemail_message.TYPE,
        tag=tag,
        rows_hooks=(retained, shaped),
        time_range=NO_LIMIT if named else voicemail_message.retention_seconds(context.config),
        rename=lambda key: f"metadata.{key}",
    )


@vmboxes.put("/accounts/{account_id}/vmboxes/{vmbox_id}/messages", accepts=SOUND, checks_itself=True)
async def add(context: Context) -> Reply:
    """A new message: its metadata as JSON, its sound, or both."""
    box = await _box(context)
    data = context.valid("vm_message_metadata", context.object)
    file = only_file(context)
    context.ready_to_write()
    message = await voicemail(context).create(box, data, file)
    answer = message.public if file is None else message.at("metadata")
    location = f"{context.request.rel_url.raw_path.rstrip('/')}/{message.id}"
    return Reply(answer, revision=message.revision, location=location)


@vmboxes.post("/accounts/{account_id}/vmboxes/{vmbox_id}/messages")
async def change_many(context: Context) -> Reply:
    """Many messages at once: into another folder, to another box, or to several."""
    box = await _box(context)
    wanted = _wanted(context)
    targets = await _targets(context)

    async def change(message_id: str) -> list[str]:
        if targets is None:
            await voicemail(context).set_folder(box.id, message_id, _folder(context))
            return [message_id]
        if isinstance(targets, Document):
            return [(await voicemail(context).move(box.id, message_id, targets)).id]
        return [(await voicemail(context).copy(box.id, message_id, target)).id for target in targets]

    return Reply(await voicemail_message.in_bulk(wanted, change))


@vmboxes.delete("/accounts/{account_id}/vmboxes/{vmbox_id}/messages")
async def delete_many(context: Context) -> Reply:
    """The messages named, else those of a folder, else all of the box."""
    box = await _box(context)
    wanted = context.object.get("messages")
    if isinstance(wanted, list):
        selected = [message_id for message_id in wanted if isinstance(message_id, str)]
    else:
        folder = context.object.get("folder", context.query.get("folder"))
        selected = await voicemail(context).ids(box.id, None if folder is None else str(folder))
    return Reply(await _delete_all(context, box.id, selected))


async def _delete_all(context: Context, box_id: str, selected: Sequence[str]) -> dict[str, JSON]:
    async def delete(message_id: str) -> list[str]:
        return [(await voicemail(context).set_folder(box_id, message_id, DELETED, gone=True)).id]

    return await voicemail_message.in_bulk(selected, delete)


@vmboxes.get("/accounts/{account_id}/vmboxes/{vmbox_id}/messages/{message_id}")
async def read(context: Context) -> Reply:
    """What is known of a message."""
    message = await _message(context)
    metadata = voicemail_message.as_retained(
        as_object(message.at("metadata")), voicemail_message.retention_limit(context.config)
    )
    return Reply(metadata, revision=message.revision)


@vmboxes.post("/accounts/{account_id}/vmboxes/{vmbox_id}/messages/{message_id}")
async def change(context: Context) -> Reply:
    """Another folder, another box, or copies for several boxes."""
    message = await _message(context)
    box_id = context.path["vmbox_id"]
    targets = await _targets(context)
    if targets is None:
        changed = await voicemail(context).set_folder(box_id, message.id, _folder(context))
        return Reply(changed.at("metadata"), revision=changed.revision)
    if isinstance(targets, Document):
        return Reply.document(await voicemail(context).move(box_id, message.id, targets))

    async def copy(message_id: str) -> list[str]:
        return [(await voicemail(context).copy(box_id, message_id, target)).id for target in targets]

    return Reply(await voicemail_message.in_bulk([message.id], copy))


@vmboxes.delete("/accounts/{account_id}/vmboxes/{vmbox_id}/messages/{message_id}")
async def delete(context: Context) -> Reply:
    """Out of all lists."""
    message = await _message(context)
    deleted = await voicemail(context).set_folder(context.path["vmbox_id"], message.id, DELETED, gone=True)
    return Reply(deleted.at("metadata"), revision=deleted.revision)


# Sounds


@vmboxes.get("/accounts/{account_id}/vmboxes/{vmbox_id}/messages/{message_id}/raw", provides=SOUND)
async def raw(context: Context) -> Binary:
    """The sound of a message."""
    message = await _message(context)
    attachment = await first_attachment(context.runtime.attachments, message)
    if attachment is None:
        raise NotFound("voicemail message does not have any audio file")
    name = voicemail(context).download_name(await _box(context), message, extension(attachment.content_type))
    return await download(context, attachment, name=name)


@vmboxes.put("/accounts/{account_id}/vmboxes/{vmbox_id}/messages/{message_id}/raw", accepts=SOUND, checks_itself=True)
async def replace_raw(context: Context) -> Reply:
    """Another sound for a message."""
    message = await _message(context)
    file = only_file(context)
    if file is None:
        raise Invalid.field("file", "required", "Please provide a media file")
    context.ready_to_write(message.revision)
    await voicemail(context).replace_sound(await _box(context), message, file)
    return Reply(message.at("metadata"), revision=message.revision)


@vmboxes.post("/accounts/{account_id}/vmboxes/{vmbox_id}/messages/raw", accepts=(ZIP,), provides=(ZIP,))
async def zipped(context: Context) -> Binary:
    """The sounds of many messages in one file."""
    box = await _box(context)
    files: dict[str, Attachment] = {}
    for message_id in _wanted(context):
        try:
            message = await voicemail(context).find(box.id, message_id)
        except NotFound:
            continue
        if attachment := await first_attachment(context.runtime.attachments, message):
            ending = extension(attachment.content_type)
            name = voicemail(context).download_name(box, message, ending)
            if name in files:  # two calls of one second
                name = f"{name.removesuffix(ending)}_{message.id}{ending}"
            files[name] = attachment
    if not files:
        raise SystemFault("not_found")
    disposition = f"attachment; filename={context.request_id}.zip"
    return Binary(sound_archive.zipped(context.runtime.attachments, files), ZIP, disposition=disposition)


# What a request names


async def _box(context: Context) -> Document:
    return await vmboxes.life.load(context, context.path["vmbox_id"])


async def _message(context: Context) -> Document:
    return await voicemail(context).find(context.path["vmbox_id"], context.path["message_id"])


def _wanted(context: Context) -> list[str]:
    """The messages to work on. Raises 400 without any."""
    wanted = context.object.get("messages")
    found = [message_id for message_id in wanted if isinstance(message_id, str)] if isinstance(wanted, list) else []
    if not found:
        raise Invalid.field("messages", "required", "No array of message ids are specified")
    return found


def _folder(context: Context) -> str:
    folder = context.values.get("folder")
    return folder if folder in FOLDERS else SAVED


async def _targets(context: Context) -> Document | list[Document] | None:
    """The box to move to, the boxes to copy to, or None; each of them exists, else 404."""
    source_id = context.object.get("source_id")
    if source_id is None:
        return None
    wanted = source_id if isinstance(source_id, list) else [source_id]
    if not wanted or not all(isinstance(box_id, str) and box_id for box_id in wanted):
        text = "empty source_id is specified. please set a single or a list of source_ids."
        raise Invalid.field("source_id", "required", text)
    boxes = [await vmboxes.life.load(context, box_id) for box_id in wanted]
    return boxes if isinstance(source_id, list) else boxes[0]
