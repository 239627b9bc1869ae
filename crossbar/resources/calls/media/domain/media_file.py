# SPDX-License-Identifier: MPL-2.0
"""Files that come with a request and stay with a document: sounds and faxes.

Source: `cb_modules_util.erl` (`attachment_name`, `normalize_media_upload`), `crossbar_doc:save_attachment`.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import PurePosixPath
from typing import Final

from aiohttp import web

from crossbar import clock
from crossbar.conversion.converter import CONTENT_TYPES, AudioFormat, MediaConverter
from crossbar.conversion.media_types import AUDIO, VIDEO, attachment_name, same_format, true_type
from crossbar.conversion.signatures import recognised
from crossbar.conversion.tools import ToolError, ToolMissing
from crossbar.documents.attachments import Attachment, Attachments
from crossbar.documents.document import Document
from crossbar.documents.store import Duplicate
from crossbar.errors import Invalid, Plain
from crossbar.events.notices import insert_telling
from crossbar.ids import monthly_id
from crossbar.runtime import Runtime
from crossbar.wire.body import UploadedFile

log = logging.getLogger(__name__)

MEDIA_CONVERTER: Final = web.AppKey("media converter", MediaConverter)
GROWTH: Final = 4
"""What is made of an uploaded file may be so many times as large as an upload."""
BASE64: Final = ("application/base64", "application/x-base64")
SOUND: Final = (*AUDIO, *VIDEO)


@asynccontextmanager
async def media_converter(app: web.Application, runtime: Runtime) -> AsyncIterator[None]:
    """The converter of this worker, open as long as it runs."""
    media = runtime.config.media
    app[MEDIA_CONVERTER] = MediaConverter(
        seconds=media.conversion_timeout_s,
        largest=GROWTH * runtime.config.limits.max_upload_size,
        at_once=media.conversions_at_once,
    )
    yield


async def sound(converter: MediaConverter, file: UploadedFile, wanted: AudioFormat, *, normalize: bool) -> UploadedFile:
    """An uploaded sound as it is to be stored: under its true type, converted to `wanted` with `normalize`.

    Raises 500 when it cannot be converted.
    """
    content_type = true_type(file.content_type, file.contents)
    name = attachment_name(file.name, content_type)
    if not normalize or same_format(content_type, CONTENT_TYPES[wanted]):
        return UploadedFile(name, content_type, file.contents)
    try:
        contents = await converter.convert(file.contents, wanted)
    except ToolError as error:
        log.warning("an uploaded sound was not converted: %s", error)
        reason = str(error) if isinstance(error, ToolMissing) else "failed to convert the media file"
        raise Plain(500, reason) from error
    return UploadedFile(str(PurePosixPath(name).with_suffix(f".{wanted}")), CONTENT_TYPES[wanted], contents)


def check_sound(file: UploadedFile) -> None:
    """Refuse (400 `content_type.enum`) what its contents show to be no sound, whatever it is said to be."""
    found = recognised(file.contents)
    if found is not None and not any(same_format(found, known) for known in SOUND):
        message = "Value not found in enumerated list of values"
        raise Invalid.field("content_type", "enum", message, target=list(SOUND), value=found)


async def save_with_files(
    runtime: Runtime, document: Document, files: Iterable[UploadedFile], notices: Sequence[Document] = ()
) -> Document:
    """Save a new document together with its files and what it gives rise to: all are there afterwards, or nothing is.

    Raises Duplicate when there is a document of its id; its files of the same names are the new ones then.
    """
    attachments = runtime.attachments
    try:
        for file in files:
            await attachments.put(document, file.name, file.content_type, file.contents)
        return await insert_telling(runtime.store, document, notices)
    except Duplicate:
        raise
    except BaseException:
        await attachments.delete(document)
        raise


def record_id(timestamp: int, reference: str | None) -> str:
    """The id of a record of that time (Gregorian seconds): by what it is known as, always the same; else a new one."""
    if reference is None:
        return monthly_id(timestamp)
    return f"{clock.year_month(timestamp)}-{hashlib.blake2b(reference.encode(), digest_size=16).hexdigest()}"


async def first_attachment(attachments: Attachments, document: Document) -> Attachment | None:
    """The first attachment of a document by name, or None."""
    found = await attachments.all(document)
    return found[0] if found else None
