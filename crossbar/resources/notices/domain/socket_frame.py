# SPDX-License-Identifier: MPL-2.0
"""What sockets are sent: events of the log as frames of Blackhole.

Source: KAZOO `blackhole_data_emitter.erl`, `bh_events.erl` (`event`), `kz_api.erl` (`public_fields`); RFC 6455, 5.2.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from crossbar.documents.event import CALL_EVENT, CONFIGURATION, Event
from crossbar.errors import JSON
from crossbar.resources.notices.domain.socket_binding import CALL_EVENTS, Binding, encoded

BUS_HEADERS: Final = frozenset({"app_version", "defer_response", "msg_id", "node", "server_id", "system_log_id"})
"""What messages of KAZOO's bus have beside their fields."""
_PRESENCE: Final = {"dialog_update": "dialog", "mwi_update": "mwi_updates", "update": "update"}
_TEXT: Final = 0x81
_SHORT: Final = 126
_MEDIUM: Final = 2**16


@dataclass(frozen=True, slots=True)
class Happening:
    """An event as sockets hear of it: in the words of one kind of binding.

    `data` is what listeners are told, `bare` the same without the document, for those who may not see every one.
    """

    kind: str
    words: tuple[str, ...]
    name: str
    routing_key: str
    data: bytes
    bare: bytes


def happenings(event: Event) -> Iterator[Happening]:
    """What an event is to sockets; nothing for one that no binding names."""
    told = event.told()
    if event.category == CONFIGURATION:
        yield from _changes(event, told)
        return
    category = str(told.get("event_category") or event.category)
    tell = _TELLERS.get(category)
    found = tell(event, str(told.get("event_name") or event.name), told) if tell else None
    if found is not None:
        words, routing_key = found
        public = {key: value for key, value in told.items() if key not in BUS_HEADERS}
        data = orjson.dumps({"account_id": event.account_id, "event_category": category, **public})
        yield Happening(_KINDS[category], words, str(told.get("event_name") or event.name), routing_key, data, data)


def _changes(event: Event, told: dict[str, JSON]) -> Iterator[Happening]:
    """A change of a document, and of a fax as such."""
    bare = {key: value for key, value in told.items() if key != "doc"}
    public, hidden = event.body, event.body if len(bare) == len(told) else orjson.dumps(bare)
    routing_key = f"{event.name}.{told.get('database')}.{event.type}.{encoded(event.id)}"
    yield Happening("object", (event.name, event.type), event.name, routing_key, public, hidden)
    if event.type == "fax":
        yield Happening("fax", ("object", event.name), event.name, routing_key, public, hidden)


Told = tuple[tuple[str, ...], str]
"""The words of an event, and its routing key."""


def _of_call(event: Event, name: str, told: Mapping[str, Any]) -> Told | None:
    if name not in CALL_EVENTS:
        return None
    call_id = str(told.get("call_id", ""))
    return (name, call_id), f"call.{event.account_id}.{name}.{encoded(call_id)}"


def _of_conference(event: Event, name: str, told: Mapping[str, Any]) -> Told | None:
    conference_id, call_id = str(told.get("conference_id", "")), str(told.get("call_id", ""))
    if name == "command":
        return ("command", conference_id), f"conference.command.{encoded(conference_id)}"
    what = encoded(str(told.get("event") or name))
    key = f"conference.event.{what}.{event.account_id}.{encoded(conference_id)}.{encoded(call_id)}"
    return ("event", conference_id, call_id), key


def _of_fax(event: Event, name: str, told: Mapping[str, Any]) -> Told | None:
    if name != "status":
        return None
    fax_id = str(told.get("fax_id") or told.get("job_id") or "")
    return ("status", fax_id), f"fax.status.{event.account_id}.{encoded(fax_id)}"


def _of_presence(_: Event, name: str, told: Mapping[str, Any]) -> Told | None:
    word = _PRESENCE.get(name)
    if word is None:
        return None
    user, _at, realm = str(told.get("presence_id") or told.get("to") or "").removeprefix("sip:").partition("@")
    about = user if word == "mwi_updates" else str(told.get("call_id", ""))
    return (word, about), f"{word}.{encoded(realm)}.{encoded(about)}"


_TELLERS: Final = {CALL_EVENT: _of_call, "conference": _of_conference, "fax": _of_fax, "presence": _of_presence}
_KINDS: Final = {CALL_EVENT: "call", "conference": "conference", "fax": "fax", "presence": "presence"}


def event_json(binding: Binding, happening: Happening, *, documents: bool, token: str | None) -> bytes:
    """The text that tells the socket of a binding what happened; `token` for whoever wants to know its place."""
    about: dict[str, JSON] = {
        "action": "event",
        "subscribed_key": binding.subscribed_key,
        "subscription_key": binding.key_of(happening.routing_key),
        "name": happening.name,
        "routing_key": happening.routing_key,
    }
    if token is not None:
        about["token"] = token
    return b'%s,"data":%s}' % (orjson.dumps(about)[:-1], happening.data if documents else happening.bare)


def text_frame(text: bytes) -> bytes:
    """A text as the one frame of a message that a server sends."""
    size = len(text)
    if size < _SHORT:
        head = bytes((_TEXT, size))
    elif size < _MEDIUM:
        head = struct.pack("!BBH", _TEXT, 126, size)
    else:
        head = struct.pack("!BBQ", _TEXT, 127, size)
    return head + text
