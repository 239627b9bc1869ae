# SPDX-License-Identifier: MPL-2.0
"""A user as a vCard 3.0.

The text is KAZOO's to the letter, which is not RFC 2426's: lines end in a plain line feed, and a long one is cut into
pieces without a blank that would tell a reader to join them. A vCard library writes neither.

Source: `kzd_users.erl` (`to_vcard`, `card_field`, `vcard_field_divide_by_length`).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from crossbar.errors import JSON

LONGEST_LINE: Final = 75
"""Bytes of a line."""
USUAL_ADDRESS: Final = ("intl", "postal", "parcel", "work")
_ESCAPES: Final = str.maketrans({":": r"\:", ";": r"\;", ",": r"\,", "\n": r"\n"})


def render(user: Mapping[str, JSON], *, timezone: str, photo: bytes | None = None) -> str:
    """The vCard of a user's fields, `profile` among them already; `photo` is a JPEG. Empty fields are left out."""
    lines = (f"{key}:{value}" for key, value in _fields(user, timezone, photo) if value)
    return "".join(f"{piece}\n" for line in lines for piece in _pieces(line))


def _fields(user: Mapping[str, JSON], timezone: str, photo: bytes | None) -> Iterator[tuple[str, str]]:
    first, middle, last = (user.get(f"{which}_name") for which in ("first", "middle", "last"))
    yield "BEGIN", "VCARD"
    yield "VERSION", "3.0"
    yield "FN", _escaped(" ".join(filter(None, map(_text, (first, middle, last)))))
    yield "N", _joined(";", (last, first, middle))
    yield "ORG", _joined("", [user.get("org")])
    yield "PHOTO;ENCODING=B;TYPE=JPEG", base64.b64encode(photo or b"").decode()
    for key, name in (("EMAIL", "email"), ("BDAY", "birthday"), ("NOTE", "note"), ("TITLE", "title"), ("ROLE", "role")):
        yield key, _escaped(_text(user.get(name)))
    yield "TZ", _escaped(timezone)
    yield "NICKNAME", _joined(",", _list(user.get("nicknames")))
    caller_id = user.get("caller_id")
    for which in ("internal", "external"):
        yield "TEL", _escaped(_text(caller_id.get(which) if isinstance(caller_id, Mapping) else None))
    for address in _list(user.get("addresses")):
        if isinstance(address, Mapping):
            types = _list(address.get("types")) or USUAL_ADDRESS
            yield f"ADR;TYPE={','.join(map(_text, types))}", _escaped(_text(address.get("address")))
    yield "END", "VCARD"


def _joined(separator: str, values: Iterable[JSON]) -> str:
    return separator.join(_escaped(text) for value in values if (text := _text(value)))


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES)


def _text(value: JSON) -> str:
    """A value as text; what is no text (an object under `caller_id`) is nothing."""
    return value if isinstance(value, str) else ""


def _list(value: JSON) -> Iterable[JSON]:
    return value if isinstance(value, list) else ()


def _pieces(line: str) -> Iterator[str]:
    """A line in pieces of at most 75 bytes, none of which ends inside a character."""
    rest = line.encode()
    while len(rest) > LONGEST_LINE:
        cut = LONGEST_LINE
        while rest[cut] & 0xC0 == 0x80:
            cut -= 1
        yield rest[:cut].decode()
        rest = rest[cut:]
    yield rest.decode()
