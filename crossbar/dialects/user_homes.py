# SPDX-License-Identifier: MPL-2.0
"""Where the properties of a telephone user live."""

from __future__ import annotations

import re
from typing import Final

from crossbar.dialects.homes import Aside, Edit, Fitted, InField, Values, fitted, only
from crossbar.documents.document import value_at
from crossbar.errors import JSON

PLACEHOLDER: Final = "-"
"""What KAZOO's required fields hold where a dialect has nothing."""
LONGEST_NAME: Final = 128
LONGEST_CALLER_NAME: Final = 35
_CALLER_ID: Final = re.compile(r'"(?P<name>[^"]*)"(?: ?<(?P<number>\+?\d+)>)?')
_NOT_IN_USERNAMES: Final = re.compile(r"[^\w+@.-]")
_EXTERNAL = "caller_id.external.{}".format
_PRIVACY: Final = "caller_id_options.outbound_privacy"


def caller_id_parts(text: str) -> tuple[str, str | None] | None:
    """Name and number of `"Name" <number>`; None for other text."""
    match = _CALLER_ID.fullmatch(text)
    return None if match is None else (match["name"], match["number"])


def caller_id_text(name: JSON, number: JSON) -> str:
    """`"Name"`, or `"Name" <number>` where there is a number."""
    return f'"{name or ""}"' + (f" <{number}>" if number else "")


def _name(value: JSON) -> JSON:
    return str(value)[:LONGEST_NAME] if value else PLACEHOLDER


def _cut_caller_name(value: JSON) -> JSON:
    return str(value)[:LONGEST_CALLER_NAME] if value else None


def _language(value: JSON) -> JSON:
    return str(value).replace("_", "-").lower() if value else None


def _region_language(value: JSON) -> JSON:
    if not isinstance(value, str):
        return None
    language, dash, region = value.partition("-")
    return f"{language}_{region.upper()}" if dash else value


def _username(value: JSON) -> JSON:
    return _NOT_IN_USERNAMES.sub("_", str(value).lower()) if value else None


def _outgoing(edit: Edit, value: JSON) -> Values:
    text = str(value or "")
    hidden = value_at(edit.public, _PRIVACY)
    found: dict[str, JSON] = {
        _EXTERNAL("name"): None,
        _EXTERNAL("number"): None,
        _PRIVACY: None if hidden == "full" else hidden,
    }
    if text == "anonymous":
        found[_PRIVACY] = "full"
    elif text.lstrip("+").isdigit() and text.isascii():
        found[_EXTERNAL("number")] = text[:LONGEST_CALLER_NAME]
    elif (parts := caller_id_parts(text)) is not None:
        found[_EXTERNAL("name")] = _cut_caller_name(parts[0])
        found[_EXTERNAL("number")] = parts[1][:LONGEST_CALLER_NAME] if parts[1] else None
    return found


def _outgoing_told(values: Values) -> JSON:
    name, number, privacy = values.values()
    if privacy == "full":
        return "anonymous"
    if name:
        return caller_id_text(name, number)
    return number


def _music(edit: Edit, value: JSON) -> Values:
    """The media document of that name, if there is one (`found`)."""
    return {"music_on_hold.media_id": edit.found.get("media_id") if value else None}


FIRST_NAME: Final = fitted("first_name", "first_name", _name)
LAST_NAME: Final = fitted("last_name", "last_name", _name)
USERNAME: Final = fitted("username", "username", _username)
CALLER_NAME: Final = fitted("caller_name", "caller_id.internal.name", _cut_caller_name)
CALLER_NUMBER: Final = InField("caller_id.internal.number")
LANGUAGE: Final = fitted("language", "language", _language, _region_language)
TIMEZONE: Final = InField("timezone")
EMAIL: Final = InField("email")
PASSWORD: Final = InField("password")
"""Read by nobody: the life cycle of users makes digests of it."""
ENABLED: Final = InField("enabled")
OUTGOING_CALLER_ID: Final = Fitted(
    "outgoing_caller_id",
    (_EXTERNAL("name"), _EXTERNAL("number"), _PRIVACY),
    _outgoing,
    _outgoing_told,
)
MUSIC_ON_HOLD: Final = Fitted("music_on_hold", ("music_on_hold.media_id",), _music, only("music_on_hold.media_id"))
MOBILE: Final = Aside("mobile_phone_number")
USERFIELD: Final = Aside("userfield")
DESCRIPTION: Final = Aside("description")
