# SPDX-License-Identifier: MPL-2.0
"""Bodies that come compressed (`Content-Encoding`), and whether an answer may be (`Accept-Encoding`)."""

from __future__ import annotations

import re
import zlib
from functools import lru_cache
from typing import Final

_GZIP: Final = frozenset({"gzip", "x-gzip"})
_WINDOW: Final = zlib.MAX_WBITS
_GZIP_WINDOW: Final = _WINDOW + 16
CODINGS: Final = "gzip, deflate"
"""What `Accept-Encoding` says where another coding was sent."""
_REFUSED: Final = re.compile(r"\s*q\s*=\s*0(\.0*)?\s*", re.IGNORECASE)


class Undecodable(Exception):
    """The body is not what its coding says, or ends before its end."""


class UnknownCoding(Exception):
    """Nobody here reads that coding."""


class Overlong(Exception):
    """The body is larger than it may be, once decoded."""


@lru_cache(maxsize=256)
def accepts_gzip(accept_encoding: str) -> bool:
    """Whether an `Accept-Encoding` header names gzip, and not with the quality 0, which refuses it."""
    for element in accept_encoding.lower().split(","):
        coding, _, quality = element.partition(";")
        if coding.strip() in _GZIP:
            return not _REFUSED.fullmatch(quality)
    return False


def is_coded(coding: str | None) -> bool:
    """Whether a body has to be decoded."""
    return coding is not None and coding.strip().lower() not in ("", "identity")


def decoded(body: bytes, coding: str, limit: int) -> bytes:
    """The body as it was before it was compressed; no more than `limit` bytes and one are ever made of it.

    Raises Undecodable, UnknownCoding and Overlong.
    """
    name = coding.strip().lower()
    if name in _GZIP:
        return _members(body, limit)
    if name == "deflate":  # the zlib format by the standard, its bare contents by some clients
        try:
            return _inflated(body, _WINDOW, limit)[0]
        except Undecodable:
            return _inflated(body, -_WINDOW, limit)[0]
    raise UnknownCoding(coding)


def _members(body: bytes, limit: int) -> bytes:
    """The contents of a gzip file: of one member after another."""
    whole = b""
    while body:
        contents, body = _inflated(body, _GZIP_WINDOW, limit - len(whole))
        whole += contents
    return whole


def _inflated(body: bytes, window: int, limit: int) -> tuple[bytes, bytes]:
    """The contents, and what came after their end."""
    inflater = zlib.decompressobj(window)
    try:
        contents = inflater.decompress(body, limit + 1)
    except zlib.error as error:
        raise Undecodable from error
    if len(contents) > limit:
        raise Overlong
    if not inflater.eof:
        raise Undecodable
    return contents, inflater.unused_data
