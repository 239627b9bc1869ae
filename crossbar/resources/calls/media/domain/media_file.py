"""Files that come with a request and stay with a document: sounds and faxes.

Source: `cb_modules_util.erl` (`attachment_name`, `normalize_media_upload`), `crossbar_doc:save_attachment`.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import PurePosixPath
from typing import Final

from aiohttp import web

from crossbar import clock
from crossbar.conversion.converter import CONTENT_TYPES, AudioFormat, MediaConverter
from crossbar.conversion.media_types import AUDIO, VIDEO, attachment_name, recognised, same_format, true_type
from crossbar.conversion.tools import ToolError, ToolMissing
from crossbar.documents.attachments import Attachment
from crossbar.documents.document import Document
from crossbar.documents.store import Duplicate
from crossbar.endpoint import Binary, Context
from crossbar.errors import Invalid, Plain
from crossbar.ids import monthly_id
from crossbar.runtime import Runtime
from crossbar.wire.body import UploadedFile

log = logging.getLogger(__name__)

MEDIA_CONVERTER: Final = web.AppKey("workshop", MediaConverter)
GROWTH: Final = 4
"""What is made of an uploaded file may be so many times as large as an upload."""
BASE64: Final = ("application/base64", "application/x-base64")
SOUND: Final = (*AUDIO, *VIDEO)
_PLAIN_NAME: Final = re.compile(r"[\w!#$&+.:^`|~%-]+", re.ASCII)


@asynccontextmanager
async def media_converter(app: web.Application, runtime: Runtime) -> AsyncIterator[None]:
    """The workshop of this worker, open as long as it runs."""
    media = runtime.config.media
    app[MEDIA_CONVERTER] = MediaConverter(
        seconds=media.conversion_timeout_s,
        largest=GROWTH * runtime.config.limits.max_upload_size,
        at_once=media.conversions_at_once,
    )
    yield


def only_file(context: Context) -> UploadedFile | None:
    """The file that came with the request, if one did. Raises 400 `file.maxItems` for several."""
    if len(context.files) > 1:
        raise Invalid.field("file", "maxItems", "Please provide a single media file")
    return context.files[0] if context.files else None


async def sound(context: Context, file: UploadedFile, wanted: AudioFormat) -> UploadedFile:
    """An uploaded sound as it is to be stored: under its true type, converted to `wanted` where that is configured.

    Raises 500 when it cannot be converted.
    """
    content_type = true_type(file.content_type, file.contents)
    name = attachment_name(file.name, content_type)
    if not context.config.media.normalize_media or same_format(content_type, CONTENT_TYPES[wanted]):
        return UploadedFile(name, content_type, file.contents)
    try:
        contents = await context.service(MEDIA_CONVERTER).convert(file.contents, wanted)
    except ToolError as error:
        log.warning("request %s: %s", context.request_id, error)
        reason = str(error) if isinstance(error, ToolMissing) else "failed to convert the media file"
        raise Plain(500, reason) from error
    return UploadedFile(str(PurePosixPath(name).with_suffix(f".{wanted}")), CONTENT_TYPES[wanted], contents)


def check_sound(file: UploadedFile) -> None:
    """Refuse (400 `content_type.enum`) what its contents show to be no sound, whatever it is said to be."""
    found = recognised(file.contents)
    if found is not None and not any(same_format(found, known) for known in SOUND):
        message = "Value not found in enumerated list of values"
        raise Invalid.field("content_type", "enum", message, target=list(SOUND), value=found)


async def save_with_files(context: Context, document: Document, files: Iterable[UploadedFile]) -> Document:
    """Save a new document together with its files: all are there afterwards, or nothing is.

    Raises Duplicate when there is a document of its id; its files of the same names are the new ones then.
    """
    attachments = context.runtime.attachments
    try:
        for file in files:
            await attachments.put(document, file.name, file.content_type, file.contents)
        return await context.store.insert(document)
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


async def first_attachment(context: Context, document: Document) -> Attachment | None:
    """The first attachment of a document by name, or None."""
    found = await context.runtime.attachments.all(document)
    return found[0] if found else None


async def download(
    context: Context, attachment: Attachment, *, name: str | None = None, kind: str = "attachment"
) -> Binary:
    """An attachment as a file to save (`kind="attachment"`) or to show (`"inline"`), under its own name or another."""
    answer = await Binary.attachment(context, attachment)
    answer.disposition = disposition(name or attachment.name, kind)
    return answer


def disposition(name: str, kind: str = "attachment") -> str:
    """`content-disposition`; the name stands bare, as KAZOO sends it, where it can."""
    if _PLAIN_NAME.fullmatch(name):
        return f"{kind}; filename={name}"
    safe = "".join(character for character in name if character.isprintable() and character not in '"\\')
    return f'{kind}; filename="{safe}"'
