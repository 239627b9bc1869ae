# SPDX-License-Identifier: MPL-2.0
"""Credit that comes in: ordered by hand, or by itself when a balance falls below what the account says.

Only the bookkeeper of type `default` gives credit without a payment; no other one is there to ask for one.

Source: KAZOO `kz_services_topup.erl`, `kapi_notifications.erl` (`topup`).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from crossbar import clock
from crossbar.access.authorship import Author
from crossbar.access.directory import Account
from crossbar.documents.document import ACCOUNTS, Document
from crossbar.documents.document_types import ACCOUNT
from crossbar.documents.listing import Listing, Position
from crossbar.errors import JSON, Conflict
from crossbar.events.notices import notice
from crossbar.ids import new_id
from crossbar.resources.billing.domain import ledger_sum
from crossbar.resources.billing.domain.bookkeeper import DEFAULT, PAYMENTS, bookkeeper_of
from crossbar.resources.billing.domain.invoice import is_number
from crossbar.resources.billing.domain.ledger import Booked, Charge, book, new_entry, of_source
from crossbar.resources.billing.domain.money import MOST_DOLLARS, units_of
from crossbar.runtime import Runtime

MODULE: Final = "kz_services_topup"
MANUAL: Final = "manual"
AUTOMATIC: Final = "automatic"
DESCRIPTIONS: Final = {MANUAL: "Manual top-up", AUTOMATIC: "Automatic top-up"}


class TopUpWanted(NamedTuple):
    """By how much (units) a balance below the threshold is to be raised."""

    amount: int
    threshold: int


async def top_up(runtime: Runtime, account: Account, units: int, author: Author) -> Booked:
    """Enter credit that somebody ordered."""
    entry = _entry(account, units, author, trigger=MANUAL, source_id=new_id(), period={})
    [booked] = await book(runtime.store, [entry], [_notice(entry)])
    return booked


async def top_up_automatically(runtime: Runtime, account: Account, author: Author) -> Booked | None:
    """Raise the balance of an account that wants that when it is too low, at most once a day however many ask for it.

    It wants it with `topup.amount` and `topup.threshold`, as far as the installation allows it (`topup.enable`).
    """
    wanted = await _wanted(runtime, account.id)
    if wanted is None or await ledger_sum.available(runtime, account.id) >= wanted.threshold:
        return None
    if (await bookkeeper_of(runtime, account))["type"] != DEFAULT or await _done_lately(runtime, account.id):
        return None
    today = clock.now() // clock.DAY * clock.DAY
    # Of several at a time all make the same entry, of which there is one.
    name = f"{AUTOMATIC}-{today}"
    entry = _entry(account, wanted.amount, author, trigger=AUTOMATIC, source_id=name, period={"start": today})
    try:
        [booked] = await book(runtime.store, [entry], [_notice(entry)])
    except Conflict:
        return None
    return booked


def is_top_up(entry: Document) -> bool:
    """Whether an entry of a ledger is such credit."""
    return entry.text("executor.module") == MODULE


def _entry(
    account: Account, units: int, author: Author, *, trigger: str, source_id: str, period: dict[str, JSON]
) -> Document:
    charge = Charge(
        units,
        source={"service": PAYMENTS, "id": source_id},
        usage={"type": "credit", "quantity": 0, "unit": "dollars"},
        period=period,
        description=DESCRIPTIONS[trigger],
        metadata={"automatic_description": True},
        module=MODULE,
        trigger=trigger,
    )
    return new_entry(account, charge, author)


def _notice(entry: Document) -> Document:
    created = entry.fields["pvt_created"]
    payload = {
        "id": entry.id,
        "amount": entry.fields["amount"],
        "date": created,
        "response": "Authorized",
        "success": True,
        "timestamp": created,
    }
    return notice("topup", entry.partition, payload)


async def _wanted(runtime: Runtime, account_id: str) -> TopUpWanted | None:
    if runtime.settings.get("topup", "enable", default=False) is not True:
        return None
    account = await runtime.store.get(ACCOUNTS, ACCOUNT, account_id)
    amount, threshold = (account.at(f"topup.{key}") if account else None for key in ("amount", "threshold"))
    if not is_number(amount) or not is_number(threshold) or not 0 < amount <= MOST_DOLLARS or threshold <= 0:
        return None
    return TopUpWanted(units_of(amount), units_of(threshold))


async def _done_lately(runtime: Runtime, account_id: str) -> bool:
    """Whether it was done within a day."""
    now = clock.now()
    payments = Listing(
        account_id,
        ledger_sum.LEDGER,
        tag=of_source(PAYMENTS),
        start=Position.value(now - clock.DAY),
        end=Position.value(now),
        descending=False,
    )
    entries = [entry async for _, entry in runtime.store.stream_documents(payments)]
    return any(is_top_up(entry) and entry.text("executor.trigger") == AUTOMATIC for entry in entries)
