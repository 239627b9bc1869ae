"""Rates: what calls to a prefix cost, by ratedeck.

A deck is a partition of its own, so that two decks may have rates of the same id. Which decks there are is noted when
the first rate is put into one; a deck stays when its rates are gone.

Source: KAZOO `kzd_rates.erl`, `kzd_ratedeck.erl`, view `rates/lookup`.
"""

from __future__ import annotations

import re
from typing import Final

from crossbar.documents.document import SYSTEM_DATA, Document
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Store
from crossbar.errors import JSON, Invalid

TYPE: Final = "rate"
DECK: Final = "ratedeck"
"""The deck of rates that name none, and the type of the notes of which decks there are."""
DIRECTIONS: Final = ("inbound", "outbound")
LONGEST_PREFIX: Final = 18
"""Digits of a prefix, well above the 15 of E.164."""

COLUMNS: Final = ("id", "name", "cost", "prefix", "description", "surcharge", "carrier")
"""What a list shows of a rate."""

_DECK_ID: Final = "^[A-Za-z0-9_.+-]{1,128}$"


def prefix_tag(prefix: JSON) -> str:
    """Tag of the rates of one prefix."""
    return f"prefix/{prefix}"


SHAPE: Final = Shape(
    TYPE,
    summary=Summary(
        "id", "prefix", "description", "carrier", name="rate_name", cost="rate_cost", surcharge="rate_surcharge"
    ),
    tags=lambda rate: [prefix_tag(rate.at("prefix"))],
)
DECK_SHAPE: Final = Shape(DECK, summary=Summary("id"))


def checked_deck(deck: JSON) -> str:
    """The id of a deck that a client names; the usual one for nothing. Raises 400 for what no deck can be called."""
    if deck is None or deck == "":
        return DECK
    if not isinstance(deck, str):
        text = "Value did not match type(s): string"
        raise Invalid.field("ratedeck_id", "type", text, target="string", value=deck)
    if not re.fullmatch(_DECK_ID, deck):
        text = f"Failed to match pattern '{_DECK_ID}'"
        raise Invalid.field("ratedeck_id", "pattern", text, target=_DECK_ID, value=deck)
    return deck.removeprefix(f"{DECK}-") or DECK


def partition_of(deck: str) -> str:
    """Where the rates of a deck lie."""
    return DECK if deck == DECK else f"{DECK}-{deck}"


async def note_deck(store: Store, deck: str) -> None:
    """Remember that there is such a deck."""
    if await store.get(SYSTEM_DATA, DECK, deck) is None:
        await store.create_or_update(Document(SYSTEM_DATA, DECK, deck, {"pvt_type": DECK}), lambda _: False)


async def decks(store: Store) -> list[str]:
    """The ids of all decks; the usual one is always among them."""
    return sorted({DECK, *(deck.id for deck in await store.all(Listing(SYSTEM_DATA, DECK)))})


def default_id(fields: dict[str, JSON]) -> str:
    """The id of a rate to which nobody gave one: `<country>-<prefix>`, and `-<suffix>` where there is one."""
    suffix = fields.get("rate_suffix")
    return f"{fields.get('iso_country_code') or 'XX'}-{fields.get('prefix')}" + (f"-{suffix}" if suffix else "")


def default_routes(prefix: JSON) -> list[str]:
    """The pattern of the numbers that begin with a prefix."""
    return [f"^\\+?{prefix}.+$"]


def directions(value: JSON) -> JSON:
    """One direction as the list of that one; anything else as it is."""
    return [value] if isinstance(value, str) else value


def route_by_prefix(fields: dict[str, JSON], before: dict[str, JSON]) -> None:
    """Give a rate the pattern of its prefix, unless it has patterns other than those of the prefix it had before."""
    routes = fields.get("routes")
    if not routes or (before and routes == default_routes(before.get("prefix"))):
        fields["routes"] = default_routes(fields.get("prefix"))
