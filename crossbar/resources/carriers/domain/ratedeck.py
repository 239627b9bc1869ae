# SPDX-License-Identifier: MPL-2.0
"""Ratedecks: where rates lie, and how those of a number's leading digits are found.

A deck is a partition of its own, so that two decks may have rates of the same id. Which decks there are is noted when
the first rate is put into one; a deck stays when its rates are gone.

The rates of a prefix also stand together in a document whose id is the prefix: the leading digits of a number are so
many ids, read in one go however large the deck is. It changes in the transaction that changes the rate.

Source: KAZOO `kzd_ratedeck.erl`, `kzdb_ratedeck:prefix_keys`, view `rates/lookup`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final

from crossbar.access.authorship import Author, stamps
from crossbar.documents.document import SYSTEM_DATA, Document
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Store, Transaction
from crossbar.errors import JSON, Invalid
from crossbar.resources.carriers.domain.rate import LONGEST_PREFIX, TYPE

DECK: Final = "ratedeck"
"""The deck of rates that name none, and the type of the notes of which decks there are."""
DECK_SHAPE: Final = Shape(DECK, summary=Summary("id"))
PREFIX: Final = "rates_of_prefix"
"""Type of the documents in which the rates of a prefix stand together."""
PREFIX_SHAPE: Final = Shape(PREFIX, summary=Summary("id"))

_DECK_ID: Final = "^[A-Za-z0-9_.+-]{1,128}$"


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


async def put(transaction: Transaction, rate: Document, previous: Document | None) -> Document:
    """Save a rate where its prefix finds it, in place of the one that was read. Raises Duplicate, Stale."""
    saved = await (transaction.replace(rate, previous) if previous else transaction.insert(rate))
    before, now = _prefix(previous) if previous else None, _prefix(saved)
    if before is not None and before != now:
        await _change(transaction, saved.partition, before, saved.id, None)
    await _change(transaction, saved.partition, now, saved.id, saved.public)
    return saved


async def take(
    transaction: Transaction, partition: str, rate_id: str, author: Author | None = None, **wanted: JSON
) -> Document | None:
    """Remove a rate for good and return it; None where there is none that has these values."""
    rate = await transaction.get(partition, TYPE, rate_id)
    if rate is None or any(rate.at(name) != value for name, value in wanted.items()):
        return None
    await transaction.remove(rate, stamps(author, rate) if author else None)
    await _change(transaction, partition, _prefix(rate), rate.id, None)
    return rate


async def of_leading_digits(store: Store, deck: str, digits: str) -> list[dict[str, Any]]:
    """The rates of a deck whose prefix is a leading part of some digits, those of the longest prefix first."""
    prefixes = [digits[:length] for length in range(min(len(digits), LONGEST_PREFIX), 0, -1)]
    found = await store.get_many(partition_of(deck), PREFIX, prefixes)
    return [rate for prefix in prefixes if prefix in found for rate in found[prefix].fields["rates"]]


async def ids_of_prefix(store: Store, deck: str, prefix: int) -> list[str]:
    """The ids of the rates of one prefix."""
    found = await store.get(partition_of(deck), PREFIX, str(prefix))
    return [rate["id"] for rate in found.fields["rates"]] if found else []


def _prefix(rate: Document) -> str:
    return str(rate.at("prefix"))


async def _change(
    transaction: Transaction, partition: str, prefix: str, rate_id: str, rate: dict[str, JSON] | None
) -> None:
    """Let a rate stand among those of a prefix, or (None) no longer."""
    previous = await transaction.get(partition, PREFIX, prefix)
    others = [other for other in previous.fields["rates"] if other["id"] != rate_id] if previous else []
    rates = [*others, rate] if rate is not None else others
    if previous is None and rates:
        await transaction.insert(Document(partition, PREFIX, prefix, {"pvt_type": PREFIX, "rates": rates}))
    elif previous is not None and rates:
        await transaction.replace(replace(previous, fields={**previous.fields, "rates": rates}), previous)
    elif previous is not None:
        await transaction.remove(previous)
