# SPDX-License-Identifier: MPL-2.0
"""Sums of ledgers, worked out anew from the entries of a month and compared with those that are kept."""

from __future__ import annotations

from typing import Any, NamedTuple

from crossbar import clock
from crossbar.documents.document import Document
from crossbar.documents.listing import Listing, Position
from crossbar.documents.store import Store, Transaction
from crossbar.resources.billing.domain import ledger_sum
from crossbar.resources.billing.domain.ledger_sum import BALANCE, LEDGER, MONTH


class MonthSums(NamedTuple):
    """What the entries of a month come to: units, and the fields of `MONTH` by the id of the account they are about."""

    units: int
    months: dict[str, dict[str, Any]]


async def compare_month(store: Store, account_id: str, month: str, *, repair: bool) -> list[str]:
    """What is wrong with the sums of a month (`YYYYMM`), a sentence each; with `repair` it is put right."""

    async def compare(transaction: Transaction) -> list[str]:
        wanted = await _sums(transaction, account_id, month)
        return [
            *await _compare_balance(transaction, account_id, month, wanted.units, repair=repair),
            *await _compare_lines(transaction, account_id, month, wanted, repair=repair),
        ]

    return await store.transact(compare)


async def _sums(transaction: Transaction, account_id: str, month: str) -> MonthSums:
    first, last = ledger_sum.month_bounds(month)
    listing = Listing(account_id, LEDGER, start=Position.value(first), end=Position.value(last), descending=False)
    units, months = 0, dict[str, dict[str, Any]]()
    for entry in await transaction.all(listing):
        about = entry.fields["account"]
        fields = months.setdefault(about["id"], {"pvt_month": month, "pvt_account": about, "pvt_lines": []})
        units += ledger_sum.count_entry(fields["pvt_lines"], entry)
    return MonthSums(units, months)


async def _compare_balance(
    transaction: Transaction, account_id: str, month: str, units: int, *, repair: bool
) -> list[str]:
    balance = await transaction.get(account_id, BALANCE, BALANCE)
    kept: dict[str, int] = dict(balance.fields["pvt_months"]) if balance else {}
    if kept.get(month, 0) == units:
        return []
    if repair:
        fresh = Document(account_id, BALANCE, BALANCE, {"pvt_months": {**kept, month: units}})
        await ledger_sum.save(transaction, fresh, balance)
    return [f"the balance has {kept.get(month, 0)} units of {month}, the entries come to {units}"]


async def _compare_lines(
    transaction: Transaction, account_id: str, month: str, wanted: MonthSums, *, repair: bool
) -> list[str]:
    listing = Listing(account_id, MONTH, start=Position.value(month), end=Position.value(month), descending=False)
    kept = {one.fields["pvt_account"]["id"]: one for one in await transaction.all(listing)}
    told: list[str] = []
    for about in sorted({*kept, *wanted.months}):
        stored, fields = kept.get(about), wanted.months.get(about)
        if _in_order(stored.fields if stored else None) == _in_order(fields):
            continue
        told.append(f"the sums of {month} about the account {about} are not those of the entries")
        if not repair:
            continue
        if fields is None:
            if stored is not None:
                await transaction.remove(stored)
        else:
            await ledger_sum.save(transaction, Document(account_id, MONTH, f"{month}-{about}", fields), stored)
    return told


def _in_order(fields: dict[str, Any] | None) -> list[tuple[Any, ...]]:
    lines = (fields or {}).get("pvt_lines") or []
    return sorted((line["day"], line["service"], line["amount"], line["quantity"]) for line in lines)


def month_of(entry: dict[str, Any]) -> str:
    """The month (`YYYYMM`) whose sums have an entry, by its fields."""
    return clock.year_month(entry["pvt_created"])
