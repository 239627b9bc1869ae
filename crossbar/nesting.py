# SPDX-License-Identifier: MPL-2.0
"""How deep JSON text nests, found without a walk through its values."""

from __future__ import annotations

from typing import Final

_OPENING, _CLOSING = b"{[", b"}]"
_ONE_KIND: Final = bytes.maketrans(_OPENING + _CLOSING, b"{{}}")
_OTHERS: Final = bytes(set(range(256)) - set(_OPENING + _CLOSING))


def nests_deeper(text: bytes, levels: int) -> bool:
    """Whether objects and arrays nest more than `levels` deep in `text`, which is JSON."""
    if text.count(b"{") + text.count(b"[") <= levels:
        return False
    # Pairs of brackets are struck out, each time the innermost ones, until none are left.
    left = outside_strings(text).translate(_ONE_KIND, _OTHERS)
    for _ in range(levels):
        left = left.replace(b"{}", b"")
        if not left:
            return False
    return bool(left)


def outside_strings(text: bytes) -> bytes:
    """JSON text, or the beginning of one, without its strings."""
    if b"\\" in text:  # a quote behind one ends no string
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    return b"".join(text.split(b'"')[::2])
