# SPDX-License-Identifier: MPL-2.0
"""A multipart body → its parts."""

from __future__ import annotations

from typing import Final, NamedTuple

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from crossbar.errors import Invalid

_MOST_PARTS: Final = 1000


class Part(NamedTuple):
    """One part: its headers (names in lower case) and its bytes."""

    headers: dict[str, str]
    content: bytes

    @property
    def filename(self) -> str | None:
        """The last path segment of the `filename` in the part's `Content-Disposition`."""
        _, options = parse_options_header(self.headers.get("content-disposition", "").encode())
        name = options.get(b"filename", b"").decode("utf-8", "replace")
        return name.replace("\\", "/").rpartition("/")[2] or None


def split_parts(body: bytes, content_type: str) -> list[Part]:
    """The parts of a body in the order sent; text before the first boundary and after the last is ignored.

    Raises `Invalid` (400, field `body`) if there is no boundary, the body is cut off or a part is malformed.
    """
    _, options = parse_options_header(content_type.encode("utf-8", "surrogateescape"))
    boundary = options.get(b"boundary")
    if not boundary:
        raise malformed("no boundary in Content-Type")
    start = body.find(b"--" + boundary)
    if start < 0:
        raise malformed("boundary not found")
    collector = _Collector()
    try:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": collector.begin,
                "on_header_field": collector.header_field,
                "on_header_value": collector.header_value,
                "on_part_data": collector.data,
                "on_part_end": collector.end,
                "on_end": collector.finish,
            },
        )
        parser.write(body[start:])
    except FormParserError as error:
        raise malformed(str(error)) from None
    if not collector.complete:
        raise malformed("body is cut off")
    return collector.parts


def malformed(text: str) -> Invalid:
    """400: the body is no multipart body."""
    return Invalid.field("body", "invalid", f"malformed multipart body: {text}", target="body")


class _Collector:
    """Gathers what the parser calls out. The body is written in one go, so names and values come in one piece each."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.complete = False
        self._headers: dict[str, str] = {}
        self._name = ""
        self._content: list[bytes] = []

    def begin(self) -> None:
        if len(self.parts) >= _MOST_PARTS:
            raise malformed("too many parts")
        self._headers, self._content = {}, []

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._name = data[start:end].decode("latin-1").lower()

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._headers[self._name] = data[start:end].decode("utf-8", "replace").strip()

    def data(self, data: bytes, start: int, end: int) -> None:
        self._content.append(data[start:end])

    def end(self) -> None:
        self.parts.append(Part(self._headers, b"".join(self._content)))

    def finish(self) -> None:
        self.complete = True
