# SPDX-License-Identifier: MPL-2.0
"""A store for files outside of the database: what is written there, and how one fails.

Source: KAZOO `core/kazoo_attachments` (`gen_attachment`, `kz_att_error`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from crossbar.documents.document import Document
from crossbar.errors import JSON

LONGEST_BODY: Final = 4096
"""Characters of a store's answer that are kept."""
UNREACHABLE: Final = 500
"""The status of a store that did not answer."""


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """A file of a document on its way; `contents` begins anew at each call, `size` is in bytes."""

    document: Document
    name: str
    content_type: str
    size: int
    contents: Callable[[], AsyncIterator[bytes]]

    async def whole(self) -> bytes:
        """All its bytes."""
        return b"".join([piece async for piece in self.contents()])


@dataclass(frozen=True, slots=True)
class Handler:
    """One entry of a plan's `attachments`: its id there, the name of its kind (`s3`, `http`), its settings."""

    id: str
    kind: str
    settings: dict[str, Any]


class StoreFailure(Exception):
    """A store did not do what it was asked; `status` is the one that it answered, `UNREACHABLE` without an answer."""

    def __init__(
        self, message: str, *, status: int = UNREACHABLE, body: str = "", url: str = "", headers: JSON = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.body = body[:LONGEST_BODY]
        self.url = url
        self.headers: dict[str, str] = headers or {}


class FileStore(Protocol):
    """What a kind of store can do. Every method raises StoreFailure; `place` is what `place` said of the file."""

    def place(self, file: OutgoingFile, folder: str) -> str:
        """Where the file goes; `folder` stands in front of its path."""

    async def write(self, place: str, file: OutgoingFile) -> None:
        """Store a file, in the place of what is there."""

    async def read(self, place: str, document: Document, largest: int) -> bytes:
        """The bytes of a document's file; more than `largest` are a failure."""

    async def remove(self, place: str) -> None:
        """Take a file away, where the kind of store knows how."""


@dataclass(slots=True)
class Gathered:
    """Bytes that come in, up to a limit."""

    largest: int
    pieces: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, piece: bytes) -> None:
        """Raises StoreFailure beyond the limit."""
        self.size += len(piece)
        if self.size > self.largest:
            raise StoreFailure("the store's file is larger than the one that was stored")
        self.pieces.append(piece)

    @property
    def whole(self) -> bytes:
        """What came."""
        return b"".join(self.pieces)
