# SPDX-License-Identifier: MPL-2.0
"""Ids in two spellings: KAZOO's 32 hex digits, and the same digits with dashes as UUIDs have them."""

from __future__ import annotations

import re

_HEX = re.compile(r"[0-9a-fA-F]{32}")
_DASHED = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def dashed(document_id: str) -> str:
    """The id as a UUID; one that is no 32 hex digits stays as it is."""
    if not _HEX.fullmatch(document_id):
        return document_id
    low = document_id.lower()
    return f"{low[:8]}-{low[8:12]}-{low[12:16]}-{low[16:20]}-{low[20:]}"


def undashed(text: str) -> str:
    """The id that a UUID in either spelling stands for; any other text stays as it is."""
    if _DASHED.fullmatch(text) or _HEX.fullmatch(text):
        return text.replace("-", "").lower()
    return text


def as_number(text: str) -> int | None:
    """The number that a segment of a path is; None for one that is no number an object could have."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
