# SPDX-License-Identifier: MPL-2.0
"""What a handler answers: the response as values, before it becomes bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import hdrs

from crossbar.documents.attachments import Attachment
from crossbar.documents.document import Document
from crossbar.documents.store import Raw
from crossbar.endpoint.context import Context
from crossbar.errors import JSON
from crossbar.wire.envelope import PageInfo
from crossbar.wire.ranges import byte_range


class Absent:
    """No `data` key at all, which is not the same as `null`."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = Absent()


@dataclass(slots=True)
class Reply:
    """A success envelope.

    `data` is a JSON value, or ready JSON in `json`; `page` tells where a listing's page begins and ends, `metadata`
    what is known of `data` beside it, `auth_token` a new token (or None for none where one was presented), `extra`
    further keys of the envelope that only this endpoint has. `location` is the path of what was created. `status`
    None means the verb's own: 201 for PUT, else 200.
    """

    data: JSON | Absent = ABSENT
    json: bytes | None = None
    revision: str | None = None
    page: PageInfo | None = None
    metadata: JSON = None
    auth_token: str | Absent | None = ABSENT
    extra: dict[str, JSON] | None = None
    headers: dict[str, str] | None = None
    location: str | None = None
    status: int | None = None

    @classmethod
    def document(cls, document: Document) -> Reply:
        """The public part of a document, with its revision."""
        return cls(document.public, revision=document.revision)

    @classmethod
    def raw(cls, raw: Raw) -> Reply:
        """A document as it lies in the store."""
        return cls(json=raw.json, revision=raw.revision)

    @classmethod
    def rows(cls, rows: list[Any], *, page_size: bool = False) -> Reply:
        """A list that is not paginated; `page_size` adds its length to the envelope."""
        return cls(rows, page=PageInfo(len(rows)) if page_size else None)


@dataclass(slots=True)
class Stream(Reply):
    """A success envelope around a list too long to gather: its rows come in `chunks`, each row as JSON.

    With `columns` it can be had as CSV, too, row by row; without, a sheet is made when all rows are there.
    """

    chunks: AsyncIterator[list[bytes]] = field(kw_only=True)
    columns: Sequence[str] | None = None


LARGEST_WHOLE: Final = 512 * 1024
"""Attachments beyond this size are streamed."""


@dataclass(slots=True)
class Binary:
    """Bytes instead of an envelope, whole or as a stream of `size` bytes.

    `Range` is honoured on whole ones; who streams has to see to it alone, as `attachment` does. One that `is_endless`
    waits for something to happen more than it works, and keeps no other request out.
    """

    body: bytes | AsyncIterator[bytes]
    content_type: str
    filename: str | None = None
    disposition: str | None = None
    size: int | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    revision: str | None = None
    is_endless: bool = False

    @classmethod
    async def attachment(cls, context: Context, attachment: Attachment, filename: str | None = None) -> Binary:
        """An attachment, under its own name or another."""
        attachments = context.runtime.attachments
        answer = cls(b"", attachment.content_type, filename or attachment.name)
        if attachment.size <= LARGEST_WHOLE or attachment.outside is not None:
            # What another store has is read before the first header: it may fail, or be of another size.
            answer.body = await attachments.read(attachment)
        elif span := byte_range(context.request.headers.get(hdrs.RANGE), attachment.size):
            answer.body = attachments.stream(attachment, span.first, span.last)
            answer.size, answer.status = span.last - span.first + 1, span.status
            answer.headers.update(span.headers)
        else:
            answer.body, answer.size = attachments.stream(attachment), attachment.size
        return answer
