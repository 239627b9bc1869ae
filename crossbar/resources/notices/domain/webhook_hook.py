# SPDX-License-Identifier: MPL-2.0
"""One webhook as deliveries know it, and what of an event it is sent.

Source: KAZOO `applications/webhooks/src/webhooks_util.erl` (`maybe_fire_foldl`, `fire_hooks`),
`modules/webhooks_{object,notifications,channel_util,parking,sms}.erl`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from crossbar.documents.document import Document, as_object
from crossbar.documents.event import CALL_EVENT, CONFIGURATION, NOTIFICATION, Event
from crossbar.documents.shape import Listening, Shape, Summary
from crossbar.errors import JSON
from crossbar.resources.notices.domain.webhook_event import ANY, HOOKS

TYPE: Final = "webhook"
SECRET: Final = "pvt_signing_secret"  # noqa: S105 - the name of a field
SINCE: Final = "pvt_since"
"""The token after which a hook's events begin: that of its being turned on."""
DISABLED_MESSAGE: Final = "pvt_disabled_message"
MODIFIERS: Final = frozenset({"type", "action"})
MESSAGES: Final = frozenset({"sms", "mms"})
MOST_ATTEMPTS: Final = 5


def _listening(webhook: Document) -> Listening | None:
    if webhook.at("enabled") is False:
        return None
    return Listening(webhook.partition, below=webhook.at("include_subaccounts") is True)


WEBHOOK_SHAPE: Final = Shape(
    TYPE,
    summary=Summary("id", "hook", "name", "uri", "group", "enabled", disable_reason=DISABLED_MESSAGE),
    sealed=(SECRET,),
    listens=_listening,
)


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook that is turned on. `attempts` is how often a request without an answer is sent in all."""

    key: str
    id: str
    account_id: str
    name: str
    hook: str
    uri: str
    verb: str
    is_json: bool
    attempts: int
    below: bool
    internal_legs: bool
    since: str
    custom_data: Mapping[str, JSON]
    modifiers: Mapping[str, JSON]
    headers: Mapping[str, str]
    secret: str = field(repr=False)

    @classmethod
    def of(cls, document: Document) -> Webhook:
        """The webhook of a document."""
        retries = document.at("retries", 2)
        headers = as_object(document.at("custom_request_headers"))
        return cls(
            key=document.key,
            id=document.id,
            account_id=document.partition,
            name=document.text("name"),
            hook=document.text("hook"),
            uri=document.text("uri"),
            verb=(document.text("http_verb") or "post").upper(),
            is_json=document.at("format") == "json",
            attempts=min(max(retries if isinstance(retries, int) else 2, 1), MOST_ATTEMPTS),
            below=document.at("include_subaccounts") is True,
            internal_legs=document.at("include_internal_legs") is not False,
            since=document.text(SINCE),
            custom_data=as_object(document.at("custom_data")),
            modifiers=as_object(document.at("modifiers")),
            headers={str(name): value for name, value in headers.items() if isinstance(value, str)},
            secret=document.text(SECRET),
        )

    def payload(self, event: Event) -> dict[str, JSON] | None:
        """What the hook is sent of an event; None for what it is not set on, and for what is done to itself."""
        if event.type == TYPE and event.id == self.id:
            return None
        for kind, payload in _told(event):
            if self.hook in (ANY, kind) and self._passes(kind, payload):
                return payload
        return None

    def sent(self, payload: Mapping[str, JSON], cluster_id: str) -> dict[str, JSON]:
        """A payload with what is added to each: the hook's own data wins."""
        own = {key: value for key, value in self.custom_data.items() if key not in MODIFIERS}
        return {**payload, "cluster_id": cluster_id, **own}

    def _passes(self, kind: str, payload: Mapping[str, JSON]) -> bool:
        if not self.internal_legs and payload.get("is_internal_leg") is True:
            return False
        if self.hook != ANY and not all(self._is_meant(kind, name, payload) for name in ("type", "action")):
            return False
        return all(_allows(wanted, payload.get(key)) for key, wanted in self.modifiers.items())

    def _is_meant(self, kind: str, name: str, payload: Mapping[str, JSON]) -> bool:
        """Whether the hook's own choice of types or actions, if it has one, is that of the payload."""
        if name not in HOOKS[kind].modifiers or name not in self.custom_data:
            return True
        actual = payload.get("event_name") if kind == "notifications" else payload.get(name)
        return self.custom_data[name] in (ANY, actual)


def _allows(wanted: JSON, value: JSON) -> bool:
    """Whether a modifier lets a value pass: an equal one, one of its list, or one that is not there."""
    if value is None or wanted == []:
        return True
    return value in wanted if isinstance(wanted, list) else bool(value == wanted)


def _told(event: Event) -> Iterator[tuple[str, dict[str, JSON]]]:
    """The hooks that an event is for, each with its payload."""
    told = _TOLD.get(event.category)
    if told is not None:
        yield from told(event)


def _change(event: Event) -> Iterator[tuple[str, dict[str, JSON]]]:
    about: dict[str, JSON] = {"id": event.id, "account_id": event.account_id, "action": event.name, "type": event.type}
    yield "object", about
    if event.type in MESSAGES and event.name == "doc_created":
        document = as_object(event.told().get("doc"))
        yield (
            event.type,
            {key: document[key] for key in HOOKS[event.type].keys if key in document}
            | {
                "id": event.id,
                "account_id": event.account_id,
                "type": event.type,
            },
        )


def _notification(event: Event) -> Iterator[tuple[str, dict[str, JSON]]]:
    yield "notifications", event.told()


def _call_event(event: Event) -> Iterator[tuple[str, dict[str, JSON]]]:
    kind = "parking" if event.name.startswith("PARK_") else event.name.lower()
    if kind in HOOKS:
        body = {**event.told(), "account_id": event.account_id, "event_name": event.name, "hook_event": kind}
        yield kind, {key: body[key] for key in HOOKS[kind].keys if key in body}


_TOLD: Final[Mapping[str, Callable[[Event], Iterator[tuple[str, dict[str, JSON]]]]]] = {
    CONFIGURATION: _change,
    NOTIFICATION: _notification,
    CALL_EVENT: _call_event,
}
