# SPDX-License-Identifier: MPL-2.0
"""People as vCards (version 3.0).

Source: `kzd_users.erl` (`to_vcard`). As there, long lines are cut without a mark, and empty parts of a name leave no
place behind.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from crossbar.errors import JSON

VCARD_TYPES: Final = ("text/x-vcard", "text/directory")
LONGEST_LINE: Final = 75
"""Bytes."""
_ADDRESS_TYPES: Final = ("intl", "postal", "parcel", "work")
_SPECIAL: Final = re.compile(r"([:;,])")


def vcard(person: Mapping[str, JSON], photo: bytes | None = None) -> bytes:
    """The card of a person: a user's fields with those of the `profile` beside them; `photo` is a JPEG."""
    lines = [line.encode() for line in _lines(person, photo)]
    pieces = [line[start : start + LONGEST_LINE] for line in lines for start in range(0, len(line), LONGEST_LINE)]
    return b"\n".join(pieces) + b"\n"


def _lines(person: Mapping[str, JSON], photo: bytes | None) -> Iterator[str]:
    yield "BEGIN:VCARD"
    yield "VERSION:3.0"
    for key, value in _fields(person, photo):
        if value:
            yield f"{key}:{value}"
    yield "END:VCARD"


def _fields(person: Mapping[str, JSON], photo: bytes | None) -> Iterator[tuple[str, str]]:
    """Every field a card may have, in order; those without a value are empty."""
    first, middle, last = (_escaped(person.get(f"{part}_name")) for part in ("first", "middle", "last"))
    yield "FN", _joined(" ", [first, middle, last])
    yield "N", _joined(";", [last, first, middle])
    yield "ORG", _escaped(person.get("org"))
    yield "PHOTO;ENCODING=B;TYPE=JPEG", base64.b64encode(photo or b"").decode()
    for key, source in (
        ("EMAIL", "email"),
        ("BDAY", "birthday"),
        ("NOTE", "note"),
        ("TITLE", "title"),
        ("ROLE", "role"),
        ("TZ", "timezone"),
    ):
        yield key, _escaped(person.get(source))
    yield "NICKNAME", _joined(",", map(_escaped, _list(person.get("nicknames"))))
    caller_id = person.get("caller_id")
    if isinstance(caller_id, Mapping):
        yield from (("TEL", _escaped(caller_id.get(side))) for side in ("internal", "external"))
    for address in _list(person.get("addresses")):
        if isinstance(address, Mapping):
            types = _list(address.get("types")) or _ADDRESS_TYPES
            yield f"ADR;TYPE={','.join(map(str, types))}", _escaped(address.get("address"))


def _escaped(value: JSON) -> str:
    """A text as a field holds it; anything else counts as empty."""
    return _SPECIAL.sub(r"\\\1", value).replace("\n", "\\n") if isinstance(value, str) else ""


def _joined(separator: str, parts: Iterable[str]) -> str:
    return separator.join(part for part in parts if part)


def _list(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else []
