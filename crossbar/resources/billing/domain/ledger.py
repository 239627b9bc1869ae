# SPDX-License-Identifier: MPL-2.0
"""Entries of ledgers: what an account was credited and debited.

An entry and the sums that follow from it are written in one transaction, so that they cannot part. An entry is never
changed.

Source: KAZOO `kz_ledger.erl`, `kz_ledgers.erl`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import orjson

from crossbar import clock
from crossbar.access.authorship import Author, stamps
from crossbar.access.directory import Account
from crossbar.documents.document import Document, private_fields
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Duplicate, Retries, Stale, Store, Transaction
from crossbar.errors import JSON, Conflict, SystemFault
from crossbar.events.notices import tell
from crossbar.resources.billing.domain import ledger_sum
from crossbar.resources.billing.domain.ledger_sum import LEDGER
from crossbar.resources.billing.domain.money import dollars_of


def of_source(service: str) -> str:
    """The tag of the entries of one ledger."""
    return f"source/{service}"


LEDGER_SHAPE: Final = Shape(
    LEDGER,
    summary=Summary("id", "account", "amount", "description", "metadata", "period", "source", "usage"),
    sort="pvt_created",
    tags=lambda entry: [of_source(entry.text("source.service"))],
    stored_in="records",
    announced=True,
)
"""Entries, by the month in their id and the second of `pvt_created`. `amount` is in dollars, a debit's is negative."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What is to be entered: `units` is positive for a credit and negative for a debit.

    `source` is `{service, id}`, `usage` is `{type, quantity, unit}`, `period` is `{start, end?}` in Gregorian seconds.
    With `once` it is told apart by that and the month of its period's start, and not by all that it says.
    """

    units: int
    source: dict[str, JSON]
    usage: dict[str, JSON]
    period: dict[str, Any]
    description: str = ""
    metadata: dict[str, JSON] | None = None
    module: str = "cb_ledgers"
    trigger: str = "crossbar"
    once: str = ""


class Booked(NamedTuple):
    """An entry as it was written, and the account's balance (units) right after it."""

    entry: Document
    available: int


def new_entry(account: Account, charge: Charge, author: Author) -> Document:
    """The entry of a charge, to be written into the ledger of the account. What says the same has the same id."""
    now = clock.now()
    about = {
        "source": {key: charge.source[key] for key in ("service", "id")},
        "account": {"id": account.id, "name": account.name},
        "usage": {key: charge.usage[key] for key in ("type", "quantity", "unit")},
        "period": {"start": now, **charge.period},
    }
    told_apart: JSON = charge.once or {**about, "type": LEDGER}
    month = clock.year_month(charge.period["start"] if charge.once else now)
    digest = hashlib.md5(orjson.dumps(told_apart), usedforsecurity=False).hexdigest()
    fields: dict[str, Any] = {
        **about,
        "amount": dollars_of(charge.units),
        **({"description": charge.description} if charge.description else {}),
        "metadata": charge.metadata or {},
        "executor": {"trigger": charge.trigger, "module": charge.module},
        "audit": _audit(author),
        "pvt_ledger_type": "credit" if charge.units > 0 else "debit",
    }
    entry = Document(account.id, LEDGER, f"{month}-{digest}", fields)
    fields.update(stamps(author, entry))
    return entry


def copied_to(reseller_id: str, entry: Document) -> Document:
    """The entry as it goes into the reseller's ledger, too: about the same account, and naming its origin."""
    origin = {key.removeprefix("pvt_"): value for key, value in private_fields(entry.fields).items()}
    fields = {
        **entry.fields,
        "metadata": {**entry.fields["metadata"], "origin_ledger": {"id": entry.id, **origin}},
        "pvt_account_id": reseller_id,
    }
    return replace(entry, partition=reseller_id, fields=fields)


def _audit(author: Author) -> dict[str, JSON]:
    identity = author.identity
    agent: dict[str, JSON] = {}
    if identity is not None:
        agent = {"account_id": identity.account_id, "account_name": identity.account.name}
        if identity.owner_id:
            agent["user_id"] = identity.owner_id
    return {"agent": agent, "request": {"id": author.request_id}}


async def book(store: Store, entries: Sequence[Document], notices: Sequence[Document] = ()) -> list[Booked]:
    """Write entries with their sums and what they give rise to, all or none. Raises Conflict for one that is there
    already."""

    async def write(transaction: Transaction) -> list[Booked]:
        booked = [await _book(transaction, entry) for entry in entries]
        if None in booked:
            raise Conflict
        await tell(transaction, notices)
        return [one for one in booked if one is not None]

    return await _booked(store, write)


async def book_missing(store: Store, entries: Sequence[Document]) -> list[Booked]:
    """Write those of some entries that are not there yet, with their sums, all or none."""

    async def write(transaction: Transaction) -> list[Booked]:
        booked = [await _book(transaction, entry) for entry in entries]
        return [one for one in booked if one is not None]

    return await _booked(store, write)


async def _booked(store: Store, write: Callable[[Transaction], Awaitable[list[Booked]]]) -> list[Booked]:
    async for _ in Retries():
        try:
            return await store.transact(write)
        except (Duplicate, Stale):  # another one was the first of the month
            continue
    raise SystemFault("datastore_conflict")


async def _book(transaction: Transaction, entry: Document) -> Booked | None:
    """Write one entry; None where it is there already."""
    if await transaction.get(entry.partition, LEDGER, entry.id) is not None:
        return None
    before, available = await ledger_sum.add(transaction, entry)
    audit = {**entry.fields["audit"], "available_units": before}
    return Booked(await transaction.insert(replace(entry, fields={**entry.fields, "audit": audit})), available)
