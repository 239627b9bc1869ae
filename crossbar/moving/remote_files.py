# SPDX-License-Identifier: MPL-2.0
"""The attachments of documents that come from an API: which paths have them, and under which names they are kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Final

from crossbar import clock
from crossbar.conversion.media_types import attachment_name
from crossbar.documents.attachments import Attachment
from crossbar.documents.document import Document
from crossbar.documents.document_types import MEDIA, USER, WHITELABEL
from crossbar.moving.arrivals import Arrivals, ArrivingFile
from crossbar.moving.remote_api import Download, RemoteApi, RequestRefused
from crossbar.moving.report import FILES, SKIPPED
from crossbar.resources.calls.fax.domain import fax
from crossbar.resources.calls.voicemail.domain import voicemail_message

ANYTHING: Final = "*/*"
SOUNDS: Final = "audio/mpeg, audio/x-wav, audio/wav, audio/mp3, audio/ogg, video/mp4"


@dataclass(frozen=True, slots=True)
class FilePath:
    """Where a file is, behind a document's own path, and its name: one that is fixed, or what the name begins with."""

    suffix: str
    accept: str = ANYTHING
    name: str | None = None
    prefix: str = ""


OF_TYPE: Final[Mapping[str, tuple[FilePath, ...]]] = {
    MEDIA: (FilePath("/raw"),),
    USER: (FilePath("/photo", name="photo"),),
    WHITELABEL: tuple(FilePath(f"/{name}", prefix=f"{name}-") for name in ("logo", "icon", "welcome")),
    voicemail_message.TYPE: (FilePath("/raw"),),
    "call_recording": (FilePath("", accept=SOUNDS),),
    fax.TYPE: (FilePath("/attachment", accept="application/pdf", name=fax.PDF_NAME),),
}
"""The files that documents of a type may have."""


async def take_files(api: RemoteApi, arrivals: Arrivals, document: Document, path: str) -> None:
    """Take over the attachments of a document that was taken over, whose own path this is."""
    for place in OF_TYPE.get(document.type, ()):
        try:
            await take_file(api, arrivals, document, f"{path}{place.suffix}", place)
        except RequestRefused as error:
            arrivals.report.trouble(f"{document.key} {place.suffix.strip('/')}".rstrip(), str(error))


async def take_file(api: RemoteApi, arrivals: Arrivals, document: Document, path: str, place: FilePath) -> None:
    """Take over what is at a path, if anything is. Raises RequestRefused."""
    download = await api.download(path, place.accept)
    if download is None:
        return
    with closing(download):
        await _keep(arrivals, document, download, place)


async def _keep(arrivals: Arrivals, document: Document, download: Download, place: FilePath) -> None:
    known = await arrivals.attachments_of(document)
    if known is None or not download.size:
        return
    name = place.name or place.prefix + attachment_name(download.name or document.id, download.content_type)
    about = ArrivingFile(name, download.content_type, download.size, clock.now())
    stored = known.get(name)
    alike = stored is not None and (stored.size, stored.content_type) == (about.size, about.content_type)
    if alike and stored and await _digest(arrivals, stored) == download.digest:
        arrivals.report.count(SKIPPED, FILES)
        return
    await arrivals.attach(document, about, download.pieces(), known=stored is not None)
    if not place.prefix and place.name is None:  # the one file of a document, which may have been called otherwise
        await arrivals.detach(document, sorted(known.keys() - {name}))


async def _digest(arrivals: Arrivals, stored: Attachment) -> bytes:
    digest = hashlib.sha256()
    async for piece in arrivals.runtime.attachments.stream(stored):
        digest.update(piece)
    return digest.digest()
