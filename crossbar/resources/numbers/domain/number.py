# SPDX-License-Identifier: MPL-2.0
"""A phone number as it is kept: where it stands, whose it is, which carrier brings its calls.

Source: KAZOO `knm_phone_number.erl`, `knm_number_states.erl`. Its document is the installation's, not an account's, so
that a number that changes hands is one write. Who uses it is not written there: that follows from what uses it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from typing import Final

from crossbar.dialing import ASSIGNED_TO, NUMBER, NUMBERS, held_number
from crossbar.documents.document import Document
from crossbar.documents.shape import Shape, Summary, Unique
from crossbar.errors import JSON

STATE: Final = "pvt_state"
MODULE: Final = "pvt_module_name"
FEATURES: Final = "pvt_features"
"""Active features: name → settings."""
ALLOWED: Final = "pvt_features_allowed"
DENIED: Final = "pvt_features_denied"
HISTORY: Final = "pvt_reserve_history"
"""The accounts that reserved it, the latest last."""
PREVIOUSLY: Final = "pvt_previously_assigned_to"
CARRIER_DATA: Final = "pvt_carrier_data"
"""What the carrier said of it when it was ordered, for the carrier alone to understand."""
LOCALITY: Final = "pvt_locality"
KIND: Final = "pvt_kind"
"""Its classifier, as `NumberSettings.kind` writes it."""
PORTED_IN: Final = "pvt_ported_in"
"""Whether it came from another provider."""

CARRIERS_COUNTED: Final = "number_carriers"
SERVICES_COUNTED: Final = "number_services"
KINDS_COUNTED: Final = "phone_numbers"
"""Categories of service plans."""

LOCAL: Final = "local"
INVENTORY: Final = "inventory"
MOBILE: Final = "mdn"
OTHER: Final = "other"
MODULE_PREFIX: Final = "knm_"
CARRIERS: Final = (
    "bandwidth2", "bandwidth", "inum", LOCAL, INVENTORY, "managed", MOBILE, OTHER, "simwood", "telnyx", "vitelity",
    "voip_innovations", "voxbone", "didww", "flowroute", "inteliquent", "it_vocal", "level3", "o1", "peerless",
    "thinq", "verizon", "windstream", "ziron",
)  # fmt: skip
"""The carriers of KAZOO, by their names without `knm_`: numbers may have any, whichever is configured here."""
LONGEST: Final = 32
"""Digits of a number, well above the 15 of E.164."""
FOR_SALE: Final = "for_sale"
"""Tag of the numbers that anybody may activate."""


class State(StrEnum):
    """Where a number stands. `deleted` is only ever told, never kept."""

    PORT_IN = "port_in"
    PORT_OUT = "port_out"
    DISCOVERY = "discovery"
    AVAILABLE = "available"
    IN_SERVICE = "in_service"
    RESERVED = "reserved"
    RELEASED = "released"
    AGING = "aging"
    DELETED = "deleted"


UNASSIGNED: Final = frozenset({State.AVAILABLE, State.AGING, State.RELEASED, State.DELETED})
"""States in which a number is nobody's."""
ASSIGNED: Final = frozenset({State.IN_SERVICE, State.RESERVED, State.PORT_IN, State.PORT_OUT})
"""States in which it is an account's."""


def new(number: str) -> Document:
    """A number that is not known yet."""
    return Document(NUMBERS, NUMBER, number, {})


def state_of(number: Document) -> State:
    """Where a number stands."""
    return State(number.fields[STATE])


def owner_of(number: Document) -> str | None:
    """The account it is assigned to."""
    return number.text(ASSIGNED_TO) or None


def carrier_of(number: Document) -> str:
    """The carrier's name, without the prefix that modules have."""
    return number.text(MODULE).removeprefix(MODULE_PREFIX)


def module(carrier: str) -> str:
    """What the carrier of this name, with or without the prefix of modules, is kept as."""
    return f"{MODULE_PREFIX}{carrier.removeprefix(MODULE_PREFIX)}"


def history_of(number: Document) -> list[str]:
    """The accounts that reserved it, the latest last."""
    return list(number.fields.get(HISTORY, ()))


def moved(number: Document, state: State, account_id: str | None) -> Document:
    """The number in another state, and with another account where that has one."""
    owner, account_id = owner_of(number), None if state in UNASSIGNED else account_id
    fields: dict[str, JSON] = {**number.fields, STATE: str(state)}
    fields.pop(ASSIGNED_TO, None)
    if owner is not None and owner != account_id:
        fields[PREVIOUSLY] = owner
    if account_id is not None:
        fields[ASSIGNED_TO] = account_id
    return replace(number, fields=fields)


def owned(account_id: str) -> str:
    """Tag of the numbers of an account."""
    return f"account/{account_id}"


def reserved(account_id: str) -> str:
    """Tag of the numbers that an account has reserved."""
    return f"reserved/{account_id}"


def counted(account_id: str) -> str:
    """Tag of the numbers of an account that service plans count; local ones are free."""
    return f"counted/{account_id}"


def items_of(account_id: str) -> str:
    """What the tags begin with under which an account's numbers count: the category and the item follow."""
    return f"item/{account_id}/"


def items(number: Document) -> Iterator[tuple[str, str]]:
    """Category and item as which a number counts: its carrier, its features, and its kind unless it is a local one."""
    yield CARRIERS_COUNTED, carrier_of(number)
    yield from ((SERVICES_COUNTED, feature) for feature in number.fields.get(FEATURES, ()))
    if carrier_of(number) != LOCAL and (kind := number.text(KIND)):
        yield KINDS_COUNTED, kind


def tags(number: Document) -> Iterator[str]:
    """Listing of what an account has, of what of it is counted or in reserve, as what, and of what is for sale."""
    owner = owner_of(number)
    if owner is None:
        if state_of(number) is State.AVAILABLE:
            yield FOR_SALE
        return
    yield owned(owner)
    yield from (f"{items_of(owner)}{category}/{item}" for category, item in items(number))
    if carrier_of(number) != LOCAL:
        yield counted(owner)
    if state_of(number) is State.RESERVED:
        yield reserved(owner)


def claims(number: Document) -> Iterator[Unique]:
    """The number itself."""
    yield held_number(number.id, "number")


NUMBER_SHAPE: Final = Shape(
    NUMBER, summary=Summary("id", state=STATE), sort=lambda number: number.id, tags=tags, unique=claims, announced=True
)
