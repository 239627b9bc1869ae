# SPDX-License-Identifier: MPL-2.0
"""`Range` on binary answers.

Source: `api_resource:get_range`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

RANGE_TEXT: Final = "`bytes=0-99`: a part of the file"


class ByteRange(NamedTuple):
    """The bytes to send, first and last inclusive, of a file of `size` bytes."""

    first: int
    last: int
    size: int

    @property
    def status(self) -> int:
        """206, or 200 if the range is the whole file."""
        return 200 if self.last - self.first + 1 == self.size else 206

    @property
    def headers(self) -> dict[str, str]:
        """What an answer to a request with `Range` carries, whatever its status."""
        return {"Content-Range": f"bytes {self.first}-{self.last}/{self.size}", "Accept-Ranges": "bytes"}


def byte_range(header: str | None, size: int) -> ByteRange | None:
    """The part of a file that a `Range` header asks for; None without the header (or without any byte).

    Only `bytes=a-b` and `bytes=a-` inside the file are honoured. Everything else (a suffix, several ranges, an end
    beyond the last byte) gives the whole file; nothing is ever refused.
    """
    if not header or not size:
        return None
    unit, _, span = header.partition("=")
    start, dash, end = (part.strip() for part in span.partition("-"))
    if unit.strip().lower() == "bytes" and dash and _is_number(start) and (not end or _is_number(end)):
        first, last = int(start), int(end) if end else size - 1
        if first <= last < size:
            return ByteRange(first, last, size)
    return ByteRange(0, size - 1, size)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19
