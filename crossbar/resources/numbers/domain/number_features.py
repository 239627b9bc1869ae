# SPDX-License-Identifier: MPL-2.0
"""Features of a phone number: which are on, and which its account may switch on.

Source: KAZOO `knm_providers.erl` and its providers. What a carrier has to do for a feature is asked of it
(`number_operations`); what a client sends is kept as the carrier says.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, Final

from crossbar.documents.document import Document, public_fields
from crossbar.errors import JSON
from crossbar.resources.numbers.domain.number import ALLOWED, DENIED, FEATURES, LOCAL, State, carrier_of, state_of
from crossbar.resources.numbers.domain.number_errors import unauthorized

TRUNKSTORE: Final = "trunkstore"
"""Who uses a number that a connectivity document delivers to a telephone system."""
ONLY_IN_SERVICE: Final = frozenset({"mms", "sms"})
"""Features of carriers for numbers that are in service."""

ADMIN: Final = "carrier_name"
"""The feature by which a superduper admin says which carrier a number has."""

Settings = Iterator[tuple[str, JSON]]
"""Names of active features, and how they are set."""


def _cnam(value: dict[str, Any]) -> Settings:
    if name := value.get("display_name"):
        yield "outbound_cnam", {"display_name": name}
    if value.get("inbound_lookup") is True:
        yield "inbound_cnam", {"inbound_lookup": True}


def _messages(name: str) -> Callable[[dict[str, Any]], Settings]:
    def on(value: dict[str, Any]) -> Settings:
        if value.get("enabled") is True:
            yield name, {"activation": "manual", **value}

    return on


def _object(name: str) -> Callable[[dict[str, Any]], Settings]:
    def on(value: dict[str, Any]) -> Settings:
        if value:
            yield name, value

    return on


def _prepend(value: dict[str, Any]) -> Settings:
    if value.get("enabled") is True:
        yield "prepend", value


def _failover(value: dict[str, Any]) -> Settings:
    if value.get("e164") or value.get("sip"):
        yield "failover", value


FROM_OBJECTS: Final[dict[str, tuple[str, Callable[[dict[str, Any]], Settings]]]] = {
    "cnam": ("cnam", _cnam),
    "e911": ("e911", _object("e911")),
    "failover": ("failover", _failover),
    "mms": ("mms", _messages("mms")),
    "porting": ("port", _object("port")),
    "prepend": ("prepend", _prepend),
    "ringback": ("ringback", _object("ringback")),
    "sms": ("sms", _messages("sms")),
}
"""Key of the number's document → the feature it belongs to, and what it switches on."""
FORCE_OUTBOUND: Final = "force_outbound"


def settings_at(key: str, value: JSON) -> dict[str, JSON]:
    """The active features that a key of the document stands for; none where it says that they are off."""
    if key == FORCE_OUTBOUND:
        return {FORCE_OUTBOUND: {FORCE_OUTBOUND: True}} if value is True else {}
    return dict(FROM_OBJECTS[key][1](value)) if isinstance(value, dict) else {}


def feature_of(key: str) -> str:
    """The feature that a key of the document belongs to."""
    return key if key == FORCE_OUTBOUND else FROM_OBJECTS[key][0]


KEYS: Final = (FORCE_OUTBOUND, *FROM_OBJECTS)
NAMES: Final = (
    FORCE_OUTBOUND,
    "inbound_cnam",
    LOCAL,
    "outbound_cnam",
    *(set(FROM_OBJECTS) - {"cnam", "porting"}),
    "port",
)
"""The names of all features that can be active."""


def applied(number: Document, before: Document | None, available: Iterable[str]) -> Document:
    """The number with its features worked out anew from its public fields.

    Raises 403 `forbidden` where one is switched on, or set otherwise than `before`, that is not `available`.
    """
    settable = set(available)
    active: dict[str, JSON] = {LOCAL: {}} if carrier_of(number) == LOCAL else {}
    refused: list[str] = []
    for key in KEYS:
        value = number.at(key)
        settings = settings_at(key, value)
        unchanged = before is not None and before.at(key) == value
        if settings and not unchanged and feature_of(key) not in settable:
            refused.append(feature_of(key))
        active |= settings
    if refused:
        raise unauthorized(f"features not available: {', '.join(sorted(refused))}")
    number.fields[FEATURES] = active
    return number


def put(number: Document, key: str, value: JSON) -> None:
    """Keep what a key of a number's document is, and the features that it stands for, as a carrier says."""
    number.fields[key] = value
    number.fields[FEATURES] = {**number.fields[FEATURES], **settings_at(key, value)}


def reset(number: Document) -> Document:
    """The number as the next holder gets it: without features, and without what this one wrote."""
    for key in public_fields(number.fields):
        del number.fields[key]
    number.fields[FEATURES] = {LOCAL: {}} if carrier_of(number) == LOCAL else {}
    return number


def names(number: Document) -> list[str]:
    """The active features."""
    return sorted(number.fields.get(FEATURES, {}))


def fitting(number: Document, used_by: str | None, outside: Collection[str]) -> Iterator[str]:
    """The features that make sense for a number where it stands, with those that its carrier has for it."""
    yield "ringback"
    if state_of(number) is State.IN_SERVICE:
        yield FORCE_OUTBOUND
        yield "prepend"
        if used_by == TRUNKSTORE:
            yield "failover"
    in_service = state_of(number) is State.IN_SERVICE
    yield from (name for name in outside if in_service or name not in ONLY_IN_SERVICE)


def narrowed(number: Document, wanted: Iterable[str], allowed: list[str], denied: list[str]) -> set[str]:
    """Those of the features that nobody forbade: the number's own word goes before that of its reseller."""
    allowed = number.fields.get(ALLOWED) or allowed
    denied = number.fields.get(DENIED) or denied
    return {name for name in wanted if (not allowed or name in allowed) and name not in denied}
