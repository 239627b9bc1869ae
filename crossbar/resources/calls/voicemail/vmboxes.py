"""Voicemail boxes and the messages in them.

Source: KAZOO `cb_vmboxes`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from io import RawIOBase
from typing import Any, Final
from zipfile import ZipFile

from crossbar.conversion.media_types import extension
from crossbar.documents.attachments import Attachment, Attachments
from crossbar.documents.document import Document
from crossbar.documents.shape import Summary, Unique, or_default
from crossbar.endpoint import Binary, Call, Draft, Reply, Resource, answer_listing
from crossbar.errors import JSON, Invalid, NotFound, SystemFault
from crossbar.resources.calls.media.domain.media_file import SOUND, download, first_attachment, only_file
from crossbar.resources.calls.voicemail.domain import voicemail_message
from crossbar.resources.calls.voicemail.domain.voicemail_message import DELETED, FOLDERS, SAVED

MOVED_ADDRESS: Final = "214 Transformation applied: attribute notify_email_address replaced"
LEGACY_MESSAGES: Final = "Please migrate your voicemail box messages to MODB"
NO_LIMIT: Final = 2**53
"""Seconds: a time range that names its own start may be as long as it likes."""
ZIP: Final = "application/zip"


def mailbox_claim(mailbox: str) -> Unique:
    """A mailbox number, which only one box of an account may have: `0100` is `100`."""
    number = str(int(mailbox)) if mailbox.isascii() and mailbox.isdigit() else mailbox
    return Unique("vmbox.mailbox", number, "mailbox", "Invalid mailbox number or already exists", cause=mailbox)


def claims(box: Document) -> Iterator[Unique]:
    """The mailbox number."""
    mailbox = box.at("mailbox")
    if isinstance(mailbox, str) and mailbox:
        yield mailbox_claim(mailbox)


def _legacy_messages(box: Document) -> list[JSON]:
    """The messages that a box from before the monthly stores still carries in itself."""
    messages = box.at("messages")
    return messages if isinstance(messages, list) else []


vmboxes = Resource(
    "vmboxes",
    document_type="vmbox",
    schema="vmboxes",
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
    operations=("list", "delete"),
)


@vmboxes.get("/{vmbox_id}")
async def read_box(call: Call) -> Reply:
    """The settings of a box; messages have paths of their own."""
    box = await _box(call)
    return Reply({key: value for key, value in box.public.items() if key != "messages"}, revision=box.revision)


@vmboxes.put(checks_itself=True)
async def create(call: Call) -> Reply:
    """A new box."""
    return _changed(call, await vmboxes.life.create(call))


@vmboxes.post("/{vmbox_id}", checks_itself=True)
async def replace(call: Call) -> Reply:
    """Other settings for a box."""
    return _changed(call, await vmboxes.life.replace(call))


@vmboxes.patch("/{vmbox_id}", checks_itself=True)
async def merge(call: Call) -> Reply:
    """Some other settings for a box."""
    return _changed(call, await vmboxes.life.merge(call))


def _changed(call: Call, reply: Reply) -> Reply:
    """Tell clients what of theirs is of the past: the one address, messages inside the box."""
    if "notify_email_address" in call.object:
        reply.headers["Warning"] = MOVED_ADDRESS
    if isinstance(reply.data, dict) and reply.data.pop("messages", None):
        reply.envelope["message"] = LEGACY_MESSAGES
    return reply


@vmboxes.normalize
async def move_address(call: Call, draft: Draft) -> None:
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
async def transcribable(call: Call, draft: Draft) -> None:
    """What is to be transcribed has to be recorded in the format that the transcriber reads."""
    wanted = call.config.media.transcribe_format
    if wanted and draft.data.get("transcribe") is True and draft.data.get("media_extension") != wanted:
        message = f"if you want transcribe message, then use '{wanted}' media extension"
        draft.errors.add("media_extension", "invalid", message)


@vmboxes.after_delete
async def delete_messages(call: Call, box: Document) -> None:
    """The messages end with their box."""
    await _delete_all(call, box.id, await voicemail_message.message_ids(call, box.id))


@vmboxes.decorate_rows()
async def count(call: Call, rows: list[dict[str, Any]]) -> None:
    """Tell how many messages each box has, and turn the page around: boxes come by name, the first first."""
    counts = await voicemail_message.count_messages(call, [row["id"] for row in rows])
    for row in rows:
        legacy = row.get("messages", 0)
        row["messages"] = len(legacy) if isinstance(legacy, list) else legacy
        if folders := counts.get(row["id"]):
            row["messages"] += sum(folders.values())
            row["folders"] = folders
    rows.reverse()


# Messages


@vmboxes.get("/messages")
async def list_of_account(call: Call) -> Reply:
    """The messages of all boxes, each as `{box id: metadata}`."""

    async def by_box(call: Call, rows: list[dict[str, Any]]) -> None:
        rows[:] = [{row.pop("source_id"): row} for row in rows]

    return await _list(call, None, by_box)


@vmboxes.get("/{vmbox_id}/messages")
async def list_of_box(call: Call) -> Reply:
    """The messages of a box."""
    box = await _box(call)

    async def of_box(call: Call, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row.pop("source_id")

    return await _list(call, f"box/{box.id}", of_box)


async def _list(call: Call, tag: str | None, shaped: Any) -> Reply:
    """Messages, the newest first, by default those inside the retention time."""
    limit = voicemail_message.retention_limit(call)

    async def retained(call: Call, rows: list[dict[str, Any]]) -> None:
        rows[:] = [voicemail_message.as_retained(row, limit) for row in rows]

    named = call.values.get("created_from") is not None
    return await answer_listing(
        call,
        voicemail_message.TYPE,
        tag=tag,
        rows_hooks=(retained, shaped),
        time_range=NO_LIMIT if named else voicemail_message.retention_seconds(call),
        rename=lambda key: f"metadata.{key}",
    )


@vmboxes.put("/{vmbox_id}/messages", accepts=SOUND, checks_itself=True)
async def add(call: Call) -> Reply:
    """A new message: its metadata as JSON, its sound, or both."""
    box = await _box(call)
    data = call.valid("vm_message_metadata", call.object)
    file = only_file(call)
    call.ready_to_write()
    message = await voicemail_message.create_message(call, call.account, box, data, file)
    answer = message.public if file is None else message.at("metadata")
    location = f"{call.request.rel_url.raw_path.rstrip('/')}/{message.id}"
    return Reply(answer, revision=message.revision, location=location)


@vmboxes.post("/{vmbox_id}/messages")
async def change_many(call: Call) -> Reply:
    """Many messages at once: into another folder, to another box, or to several."""
    box = await _box(call)
    wanted = _wanted(call)
    targets = await _targets(call)

    async def change(message_id: str) -> list[str]:
        if targets is None:
            await voicemail_message.set_folder(call, box.id, message_id, _folder(call))
            return [message_id]
        if isinstance(targets, Document):
            return [(await voicemail_message.move_message(call, box.id, message_id, targets)).id]
        return [(await voicemail_message.copy_message(call, box.id, message_id, target)).id for target in targets]

    return Reply(await voicemail_message.in_bulk(wanted, change))


@vmboxes.delete("/{vmbox_id}/messages")
async def delete_many(call: Call) -> Reply:
    """The messages named, else those of a folder, else all of the box."""
    box = await _box(call)
    wanted = call.object.get("messages")
    if isinstance(wanted, list):
        selected = [message_id for message_id in wanted if isinstance(message_id, str)]
    else:
        folder = call.object.get("folder", call.query.get("folder"))
        selected = await voicemail_message.message_ids(call, box.id, None if folder is None else str(folder))
    return Reply(await _delete_all(call, box.id, selected))


async def _delete_all(call: Call, box_id: str, selected: Sequence[str]) -> dict[str, JSON]:
    async def delete(message_id: str) -> list[str]:
        return [(await voicemail_message.set_folder(call, box_id, message_id, DELETED, gone=True)).id]

    return await voicemail_message.in_bulk(selected, delete)


@vmboxes.get("/{vmbox_id}/messages/{message_id}")
async def read(call: Call) -> Reply:
    """What is known of a message."""
    message = await _message(call)
    metadata = voicemail_message.as_retained(message.at("metadata"), voicemail_message.retention_limit(call))
    return Reply(metadata, revision=message.revision)


@vmboxes.post("/{vmbox_id}/messages/{message_id}")
async def change(call: Call) -> Reply:
    """Another folder, another box, or copies for several boxes."""
    message = await _message(call)
    box_id = call.path["vmbox_id"]
    targets = await _targets(call)
    if targets is None:
        changed = await voicemail_message.set_folder(call, box_id, message.id, _folder(call))
        return Reply(changed.at("metadata"), revision=changed.revision)
    if isinstance(targets, Document):
        return Reply.document(await voicemail_message.move_message(call, box_id, message.id, targets))

    async def copy(message_id: str) -> list[str]:
        return [(await voicemail_message.copy_message(call, box_id, message_id, target)).id for target in targets]

    return Reply(await voicemail_message.in_bulk([message.id], copy))


@vmboxes.delete("/{vmbox_id}/messages/{message_id}")
async def delete(call: Call) -> Reply:
    """Out of all lists."""
    message = await _message(call)
    deleted = await voicemail_message.set_folder(call, call.path["vmbox_id"], message.id, DELETED, gone=True)
    return Reply(deleted.at("metadata"), revision=deleted.revision)


# Sounds


@vmboxes.get("/{vmbox_id}/messages/{message_id}/raw", provides=SOUND)
async def raw(call: Call) -> Binary:
    """The sound of a message."""
    message = await _message(call)
    attachment = await first_attachment(call, message)
    if attachment is None:
        raise NotFound("voicemail message does not have any audio file")
    name = voicemail_message.download_name(call, await _box(call), message, extension(attachment.content_type))
    return await download(call, attachment, name=name)


@vmboxes.put("/{vmbox_id}/messages/{message_id}/raw", accepts=SOUND, checks_itself=True)
async def replace_raw(call: Call) -> Reply:
    """Another sound for a message."""
    message = await _message(call)
    file = only_file(call)
    if file is None:
        raise Invalid.field("file", "required", "Please provide a media file")
    call.ready_to_write(message.revision)
    await voicemail_message.replace_sound(call, await _box(call), message, file)
    return Reply(message.at("metadata"), revision=message.revision)


@vmboxes.post("/{vmbox_id}/messages/raw", accepts=(ZIP,), provides=(ZIP,))
async def zipped(call: Call) -> Binary:
    """The sounds of many messages in one file."""
    box = await _box(call)
    files: dict[str, Attachment] = {}
    for message_id in _wanted(call):
        try:
            message = await voicemail_message.find_message(call, box.id, message_id)
        except NotFound:
            continue
        if attachment := await first_attachment(call, message):
            ending = extension(attachment.content_type)
            name = voicemail_message.download_name(call, box, message, ending)
            if name in files:  # two calls of one second
                name = f"{name.removesuffix(ending)}_{message.id}{ending}"
            files[name] = attachment
    if not files:
        raise SystemFault("not_found")
    disposition = f"attachment; filename={call.request_id}.zip"
    return Binary(_zip(call.services.attachments, files), ZIP, disposition=disposition)


class _Spool(RawIOBase):
    """Where the zip is written to, a piece at a time."""

    def __init__(self) -> None:
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._written += data
        return len(data)

    def taken(self) -> bytes:
        """What was written since the last time."""
        data = bytes(self._written)
        self._written.clear()
        return data


async def _zip(attachments: Attachments, files: dict[str, Attachment]) -> AsyncIterator[bytes]:
    """The files as one zip; sound is not compressed a second time."""
    spool = _Spool()
    with ZipFile(spool, "w") as archive:
        for name, attachment in files.items():
            with archive.open(name, "w") as entry:
                async for chunk in attachments.stream(attachment):
                    entry.write(chunk)
                    yield spool.taken()
    yield spool.taken()


# What a request names


async def _box(call: Call) -> Document:
    return await vmboxes.life.load(call, call.path["vmbox_id"])


async def _message(call: Call) -> Document:
    return await voicemail_message.find_message(call, call.path["vmbox_id"], call.path["message_id"])


def _wanted(call: Call) -> list[str]:
    """The messages to work on. Raises 400 without any."""
    wanted = call.object.get("messages")
    found = [message_id for message_id in wanted if isinstance(message_id, str)] if isinstance(wanted, list) else []
    if not found:
        raise Invalid.field("messages", "required", "No array of message ids are specified")
    return found


def _folder(call: Call) -> str:
    folder = call.values.get("folder")
    return folder if folder in FOLDERS else SAVED


async def _targets(call: Call) -> Document | list[Document] | None:
    """The box to move to, the boxes to copy to, or None; each of them exists, else 404."""
    source_id = call.object.get("source_id")
    if source_id is None:
        return None
    wanted = source_id if isinstance(source_id, list) else [source_id]
    if not wanted or not all(isinstance(box_id, str) and box_id for box_id in wanted):
        text = "empty source_id is specified. please set a single or a list of source_ids."
        raise Invalid.field("source_id", "required", text)
    boxes = [await vmboxes.life.load(call, box_id) for box_id in wanted]
    return boxes if isinstance(source_id, list) else boxes[0]
