# SPDX-License-Identifier: MPL-2.0
"""The messages in voicemail boxes, and their sounds.

Source: KAZOO `cb_vmboxes`.
"""

from __future__ import annotations

from typing import Any, Final

from crossbar.conversion.media_types import extension
from crossbar.documents.attachments import Attachment
from crossbar.documents.document import Document, as_object
from crossbar.endpoint import Binary, Context, Lists, Reply, answer_listing
from crossbar.endpoint.files import download, only_file
from crossbar.errors import Invalid, NotFound, SystemFault
from crossbar.resources.calls.media.domain.media_file import SOUND, first_attachment
from crossbar.resources.calls.voicemail.domain import sound_archive, voicemail_message
from crossbar.resources.calls.voicemail.domain.voicemail_message import DELETED, FOLDERS, SAVED
from crossbar.resources.calls.voicemail.vmboxes import delete_all, requested_box, vmboxes, voicemail

NO_LIMIT: Final = 2**53
"""Seconds: a time range that names its own start may be as long as it likes."""
ZIP: Final = "application/zip"


@vmboxes.get("/accounts/{account_id}/vmboxes/messages", lists=Lists.TIMES)
async def list_of_account(context: Context) -> Reply:
    """The messages of all boxes, each as `{box id: metadata}`."""

    async def by_box(context: Context, rows: list[dict[str, Any]]) -> None:
        rows[:] = [{str(row.pop("source_id", "")): row} for row in rows]

    return await _list(context, None, by_box)


@vmboxes.get("/accounts/{account_id}/vmboxes/{vmbox_id}/messages", lists=Lists.TIMES)
async def list_of_box(context: Context) -> Reply:
    """The messages of a box."""
    box = await requested_box(context)

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


@vmboxes.put(
    "/accounts/{account_id}/vmboxes/{vmbox_id}/messages",
    accepts=SOUND,
    checks_itself=True,
    schema="vm_message_metadata",
    refuses=(500,),
)
async def add(context: Context) -> Reply:
    """A new message: its metadata as JSON, its sound, or both."""
    box = await requested_box(context)
    data = context.valid_data()
    file = only_file(context)
    context.ready_to_write()
    message = await voicemail(context).create(box, data, file)
    answer = message.public if file is None else message.at("metadata")
    location = f"{context.request.rel_url.raw_path.rstrip('/')}/{message.id}"
    return Reply(answer, revision=message.revision, location=location)


@vmboxes.post(
    "/accounts/{account_id}/vmboxes/{vmbox_id}/messages",
    options={
        "messages": "The ids of the messages",
        "folder": "The folder to put them in",
        "source_id": "The box to move them to, or boxes to copy them to",
    },
)
async def change_many(context: Context) -> Reply:
    """Many messages at once: into another folder, to another box, or to several."""
    box = await requested_box(context)
    wanted = _wanted(context)
    targets = await _targets(context)

    async def change(message_id: str) -> list[str]:
        if targets is None:
            await voicemail(context).set_folder(box.id, message_id, _folder(context), one_of_many=True)
            return [message_id]
        if isinstance(targets, Document):
            return [(await voicemail(context).move(box.id, message_id, targets)).id]
        return [(await voicemail(context).copy(box.id, message_id, target)).id for target in targets]

    return Reply(await voicemail_message.in_bulk(wanted, change))


@vmboxes.delete(
    "/accounts/{account_id}/vmboxes/{vmbox_id}/messages",
    options={"messages": "The ids of the messages", "folder": "The folder whose messages go"},
)
async def delete_many(context: Context) -> Reply:
    """The messages named, else those of a folder, else all of the box."""
    box = await requested_box(context)
    wanted = context.object.get("messages")
    if isinstance(wanted, list):
        selected = [message_id for message_id in wanted if isinstance(message_id, str)]
    else:
        folder = context.object.get("folder", context.query.get("folder"))
        selected = await voicemail(context).ids(box.id, None if folder is None else str(folder))
    return Reply(await delete_all(context, box.id, selected))


@vmboxes.get("/accounts/{account_id}/vmboxes/{vmbox_id}/messages/{message_id}")
async def read(context: Context) -> Reply:
    """What is known of a message."""
    message = await _message(context)
    metadata = voicemail_message.as_retained(
        as_object(message.at("metadata")), voicemail_message.retention_limit(context.config)
    )
    return Reply(metadata, revision=message.revision)


@vmboxes.post(
    "/accounts/{account_id}/vmboxes/{vmbox_id}/messages/{message_id}",
    checks_itself=True,
    options={"folder": "The folder to put it in", "source_id": "The box to move it to, or boxes to copy it to"},
)
async def change(context: Context) -> Reply:
    """Put a message into another folder or another box, or copies of it into several boxes."""
    message = await _message(context)
    box_id = context.path["vmbox_id"]
    targets = await _targets(context)
    context.ready_to_write(message.revision)
    if targets is None:
        changed = await voicemail(context).set_folder(box_id, message.id, _folder(context))
        return Reply(changed.at("metadata"), revision=changed.revision)
    if isinstance(targets, Document):
        return Reply.document(await voicemail(context).move(box_id, message.id, targets))

    async def copy(message_id: str) -> list[str]:
        return [(await voicemail(context).copy(box_id, message_id, target)).id for target in targets]

    return Reply(await voicemail_message.in_bulk([message.id], copy))


@vmboxes.delete("/accounts/{account_id}/vmboxes/{vmbox_id}/messages/{message_id}", checks_itself=True)
async def delete(context: Context) -> Reply:
    """Take a message out of all lists."""
    message = await _message(context)
    context.ready_to_write(message.revision)
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
    name = voicemail(context).download_name(await requested_box(context), message, extension(attachment.content_type))
    return await download(context, attachment, name=name)


@vmboxes.put(
    "/accounts/{account_id}/vmboxes/{vmbox_id}/messages/{message_id}/raw",
    accepts=SOUND,
    checks_itself=True,
    refuses=(500,),
)
async def replace_raw(context: Context) -> Reply:
    """Another sound for a message."""
    message = await _message(context)
    file = only_file(context)
    if file is None:
        raise Invalid.field("file", "required", "Please provide a media file")
    context.ready_to_write(message.revision)
    await voicemail(context).replace_sound(await requested_box(context), message, file)
    return Reply(message.at("metadata"), revision=message.revision)


@vmboxes.post(
    "/accounts/{account_id}/vmboxes/{vmbox_id}/messages/raw",
    accepts=(ZIP,),
    provides=(ZIP,),
    options={"messages": "The ids of the messages"},
)
async def zipped(context: Context) -> Binary:
    """The sounds of many messages in one file."""
    box = await requested_box(context)
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
