# SPDX-License-Identifier: MPL-2.0
"""What sockets subscribe to: the grammar of bindings, and the keys that stand for them.

A binding is a text of words with dots between; `*` stands for any one word.

Source: KAZOO `applications/blackhole/src/modules/bh_call.erl`, `bh_conference.erl`, `bh_fax.erl`, `bh_object.erl`,
`bh_presence.erl` (`validate`, `bindings`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from crossbar import clock
from crossbar.documents.document import account_database
from crossbar.resources.notices.domain.webhook_event import OBJECT_ACTIONS, OBJECT_TYPES

ANY: Final = "*"
EVERY_ACCOUNT: Final = "*"
CALL_EVENTS: Final = (
    "CHANNEL_CREATE",
    "CHANNEL_ANSWER",
    "CHANNEL_DESTROY",
    "CHANNEL_HOLD",
    "CHANNEL_UNHOLD",
    "CHANNEL_BRIDGE",
    "PARK_PARKED",
    "PARK_RETRIEVED",
    "PARK_ABANDONED",
)
MONTHLY_TYPES: Final = frozenset({"fax", "mailbox_message"})
"""Types whose documents KAZOO keeps in a database for each month."""
PRESENCE_EVENTS: Final = ("dialog", "mwi_updates", "update")

CATALOG: Final[dict[str, list[str]]] = {
    "call": [f"call.{event}.{{CALL_ID}}" for event in CALL_EVENTS],
    "conference": ["conference.event.{CONFERENCE_ID}.{CALL_ID}", "conference.command.{CONFERENCE_ID}"],
    "fax": ["fax.status.{FAX_ID}", "fax.object.{ACTION}"],
    "object": [f"object.{action}.{document_type}" for document_type in OBJECT_TYPES for action in OBJECT_ACTIONS],
    "presence": ["dialog.{CALL_ID}", "mwi_updates.{USER}", "update.{CALL_ID}"],
}
"""Kind of event → what a socket can subscribe to."""


class Refused(Exception):
    """A socket is not given what it asks for; the text says why."""


@dataclass(frozen=True, slots=True)
class Binding:
    """What a socket wants to hear of in an account (`EVERY_ACCOUNT`: in all).

    `subscribed_key` is what its event frames call it, `keys` are the routing keys of KAZOO's bus that it stands for.
    """

    account_id: str
    kind: str
    words: tuple[str, ...]
    subscribed_key: str
    keys: tuple[str, ...]

    def hears(self, words: tuple[str, ...]) -> bool:
        """Whether what happened, in the words of this kind of event, is what it wants to hear of."""
        return len(words) == len(self.words) and all(map(_fits, self.words, words))

    def key_of(self, routing_key: str) -> str:
        """Which of its keys an event came by. One of another month came by the key of the months."""
        words = routing_key.split(".")
        fitting = (key for key in self.keys if _covers(key.split("."), words))
        return next(fitting, self.keys[-1])


def _fits(wanted: str, word: str) -> bool:
    return wanted in (ANY, word, encoded(word))


def _covers(wanted: list[str], words: list[str]) -> bool:
    return len(wanted) == len(words) and all(one in (ANY, word) for one, word in zip(wanted, words, strict=True))


def encoded(word: str) -> str:
    """A value as one word of a routing key (`kz_amqp_util:encode`)."""
    return word.replace("%", "%25").replace(".", "%2E").replace(" ", "%20")


def read_binding(text: str) -> tuple[str, tuple[str, ...]]:
    """The kind and the further words of a binding. Raises Refused for what no event of that kind can be."""
    kind, *words = text.split(".")
    validate = _VALIDATORS.get(kind)
    if validate is not None:
        validate(tuple(words))
    return kind, tuple(words)


def bound(account_id: str, realm: str, kind: str, words: tuple[str, ...]) -> Binding:
    """The binding of an account that these words are. Raises Refused for a kind that does not exist."""
    make_keys = _KEYS.get(kind)
    if make_keys is None:
        raise Refused("no available subscriptions to requested binding")
    # KAZOO makes the key of presence anew, without its first word.
    subscribed_key = ".".join(words if kind == "presence" else (kind, *words))
    keys = tuple(dict.fromkeys(make_keys(account_id, realm, words)))
    return Binding(account_id, kind, words, subscribed_key, keys)


# What can be subscribed to


def _misformed(kind: str, words: tuple[str, ...]) -> Refused:
    return Refused(f"invalid format for {kind} subscription : {', '.join(words)}")


def _check_call(words: tuple[str, ...]) -> None:
    if len(words) != 2:
        raise _misformed("call", words)
    if words[0] not in (ANY, *CALL_EVENTS):
        raise Refused(f"event {words[0]} not supported")


def _check_conference(words: tuple[str, ...]) -> None:
    if (words[:1], len(words)) not in ((("command",), 2), (("event",), 3)):
        raise _misformed("conference", words)
    if words[1] == ANY:
        raise Refused("ConferenceId required")


def _check_fax(words: tuple[str, ...]) -> None:
    if len(words) != 2 or words[0] not in ("status", "object"):
        raise _misformed("fax", words)


def _check_object(words: tuple[str, ...]) -> None:
    if len(words) != 2:
        raise _misformed("object", words)
    action, document_type = words
    if action not in (ANY, *OBJECT_ACTIONS) or document_type not in (ANY, *OBJECT_TYPES):
        raise Refused(f"event {action}.{document_type} not supported")


def _check_presence(words: tuple[str, ...]) -> None:
    if words and words[0] not in PRESENCE_EVENTS:
        raise Refused(f"event {words[0]} not supported")
    if len(words) != 2:
        raise _misformed("presence", words)


_VALIDATORS: Final[dict[str, Callable[[tuple[str, ...]], None]]] = {
    "call": _check_call,
    "conference": _check_conference,
    "fax": _check_fax,
    "object": _check_object,
    "presence": _check_presence,
}


# The keys of KAZOO's bus


def _call_keys(account_id: str, _: str, words: tuple[str, ...]) -> Iterable[str]:
    event, call_id = words
    for name in CALL_EVENTS if event == ANY else (event,):
        yield f"call.{account_id}.{name}.{call_id}"


def _conference_keys(account_id: str, _: str, words: tuple[str, ...]) -> Iterable[str]:
    if words[0] == "command":
        return (f"conference.command.{words[1]}",)
    return (f"conference.event.*.{account_id}.{words[1]}.{words[2]}",)


def _fax_keys(account_id: str, _: str, words: tuple[str, ...]) -> Iterable[str]:
    if words[0] == "status":
        return (f"fax.status.{account_id}.{words[1]}",)
    return (f"{words[1]}.{_month_database(account_id)}.fax.*",)


def _object_keys(account_id: str, _: str, words: tuple[str, ...]) -> Iterable[str]:
    action, document_type = words
    if document_type not in MONTHLY_TYPES:
        yield f"{action}.{_database(account_id)}.{document_type}.*"
    if document_type == ANY or document_type in MONTHLY_TYPES:
        yield f"{action}.{_month_database(account_id)}.{document_type}.*"


def _presence_keys(_: str, realm: str, words: tuple[str, ...]) -> Iterable[str]:
    return (f"{words[0]}.{encoded(realm)}.{words[1]}",)


_KEYS: Final[dict[str, Callable[[str, str, tuple[str, ...]], Iterable[str]]]] = {
    "call": _call_keys,
    "conference": _conference_keys,
    "fax": _fax_keys,
    "object": _object_keys,
    "presence": _presence_keys,
}


def _database(account_id: str) -> str:
    return ANY if account_id == EVERY_ACCOUNT else account_database(account_id)


def _month_database(account_id: str) -> str:
    return ANY if account_id == EVERY_ACCOUNT else f"{account_database(account_id)}-{clock.year_month()}"
