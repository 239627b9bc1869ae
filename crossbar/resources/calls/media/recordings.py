# SPDX-License-Identifier: MPL-2.0
"""Recordings of calls, which a switch makes and people listen to.

For whoever brings recordings in: `create_recording` makes one of what is known of the call, and its sound.

Source: KAZOO `cb_recordings`, `kzd_call_recordings.erl`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from crossbar import clock
from crossbar.access.authorship import stamps
from crossbar.documents.document import Document
from crossbar.documents.shape import Shape, Summary, owner_tag
from crossbar.endpoint import Binary, Collection, Context, Lists, Reply, answer_listing
from crossbar.endpoint.files import download
from crossbar.errors import JSON, Plain, SystemFault
from crossbar.resources.calls.media.domain.media_file import (
    MEDIA_CONVERTER,
    SOUND,
    check_sound,
    first_attachment,
    record_id,
    save_with_files,
    sound,
)
from crossbar.wire.body import UploadedFile
from crossbar.wire.negotiation import JSON_TYPES

TYPE: Final = "call_recording"
_MONTHLY: Final = re.compile(r"\d{6}-.+")


def tags(recording: Document) -> Iterator[str]:
    """Listing by owner."""
    if owner_id := recording.at("owner_id"):
        yield owner_tag(owner_id)


recordings = Collection(
    "recordings",
    (
        "/accounts/{account_id}/recordings/{recording_id}",
        "/accounts/{account_id}/users/{user_id}/recordings/{recording_id}",
    ),
    Shape(TYPE, summary=Summary("id"), sort="pvt_created", tags=tags, stored_in="records"),
    operations=(),
)


@recordings.get(
    "/accounts/{account_id}/recordings", "/accounts/{account_id}/users/{user_id}/recordings", lists=Lists.TIMES
)
async def list_recordings(context: Context) -> Reply:
    """The recordings of the account, or those of a user, the newest first."""
    owner = context.parents.get("users")
    return await answer_listing(
        context,
        TYPE,
        tag=owner_tag(owner.id) if owner else None,
        rows_hooks=(add_content_types,),
        time_range=context.config.api.maximum_range,
        whole=True,
    )


async def add_content_types(context: Context, rows: list[dict[str, Any]]) -> None:
    """Tell in which formats each recording can be heard."""
    attachments = await context.runtime.attachments.of_many(context.account_id, TYPE, [row["id"] for row in rows])
    for row in rows:
        types = {attachment.content_type for attachment in attachments.get(row["id"], ())}
        row["_read_only"] = {"content_types": sorted(types)}


@recordings.get(
    "/accounts/{account_id}/recordings/{recording_id}",
    "/accounts/{account_id}/users/{user_id}/recordings/{recording_id}",
    provides=(*JSON_TYPES, *SOUND),
    shows="call_recordings",
    options={"inline": "`true`: to be heard at once, and not saved"},
)
async def read(context: Context) -> Reply | Binary:
    """What is known of a recording, or its sound for those who accept nothing else."""
    recording = await _recording(context)
    if context.media not in SOUND:
        return Reply.document(recording)
    attachment = await first_attachment(context.runtime.attachments, recording)
    if attachment is None:
        raise SystemFault("bad_identifier", details=recording.id)
    kind = "inline" if context.values.is_true("inline") else "attachment"
    return await download(context, attachment, kind=kind)


@recordings.delete(
    "/accounts/{account_id}/recordings/{recording_id}",
    "/accounts/{account_id}/users/{user_id}/recordings/{recording_id}",
    **recordings.about("delete"),
)
async def delete(context: Context) -> Reply:
    """Take a recording out of the list."""
    recording = await _recording(context)
    context.ready_to_write(recording.revision)
    await recordings.life.remove(context, recording)
    return Reply({**recording.public, "_read_only": {"deleted": True}}, revision=recording.revision)


async def _recording(context: Context) -> Document:
    """The recording in the path, of the user in the path. Raises 404."""
    recording_id = context.path["recording_id"]
    if not _MONTHLY.fullmatch(recording_id):
        raise Plain(404, "bad identifier", [recording_id])
    recording = await recordings.life.load(context, recording_id)
    owner = context.parents.get("users")
    if owner is not None and recording.at("owner_id") != owner.id:
        raise Plain(404, "bad identifier", [recording_id])
    return recording


async def create_recording(
    context: Context, account_id: str, data: dict[str, JSON], file: UploadedFile | None, reference: str | None = None
) -> Document:
    """A new recording of an account, with its sound if there is one.

    `data` is of schema `call_recordings`; `start` (Gregorian seconds) is the time it is kept and listed under. With a
    `reference` the same recording is kept once: a second one raises Duplicate. Raises 400 for data or a file that is
    none.
    """
    fields = context.valid("call_recordings", data)
    files = []
    if file is not None:
        check_sound(file)
        stored = await sound(
            context.service(MEDIA_CONVERTER),
            file,
            context.config.media.normalization_format,
            normalize=context.config.media.normalize_media,
        )
        fields["content_type"] = stored.content_type
        files = [stored]
    started = fields.get("start") or clock.now()
    recording = Document(account_id, TYPE, record_id(started, reference), {**fields, "pvt_created": started})
    recording.fields |= stamps(context.author, recording)
    return await save_with_files(context.runtime, recording, files)
