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

LOCAL: Final = "local"
MOBILE: Final = "mdn"
VANISHING: Final = frozenset({LOCAL, MOBILE})
"""Carriers whose numbers exist only while an account has them."""
CARRIERS: Final = (
    "bandwidth2",
    "bandwidth",
    "inum",
    LOCAL,
    "inventory",
    "managed",
    MOBILE,
    "other",
    "simwood",
    "telnyx",
    "vitelity",
    "voip_innovations",
    "voxbone",
    "didww",
    "flowroute",
    "inteliquent",
    "it_vocal",
    "level3",
    "o1",
    "peerless",
    "thinq",
    "verizon",
    "windstream",
    "ziron",
)
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
    return number.text(MODULE).removeprefix("knm_")


def module(carrier: str) -> str:
    """What the carrier of this name is kept as."""
    return f"knm_{carrier}"


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


def tags(number: Document) -> Iterator[str]:
    """Listing of what an account has, of what of it is counted or in reserve, and of what is for sale."""
    owner = owner_of(number)
    if owner is None:
        if state_of(number) is State.AVAILABLE:
            yield FOR_SALE
        return
    yield owned(owner)
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
