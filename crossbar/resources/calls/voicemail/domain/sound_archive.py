# SPDX-License-Identifier: MPL-2.0
"""Many sounds in one zip file, written as it is sent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from io import RawIOBase
from typing import Any
from zipfile import ZipFile

from crossbar.documents.attachments import Attachment, Attachments


class _ZipBuffer(RawIOBase):
    """Holds what the archive has written until it is taken."""

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


async def zipped(attachments: Attachments, files: dict[str, Attachment]) -> AsyncIterator[bytes]:
    """The files as one zip; sound is not compressed a second time."""
    buffer = _ZipBuffer()
    with ZipFile(buffer, "w") as archive:
        for name, attachment in files.items():
            with archive.open(name, "w") as entry:
                async for chunk in attachments.stream(attachment):
                    entry.write(chunk)
                    yield buffer.taken()
    yield buffer.taken()
