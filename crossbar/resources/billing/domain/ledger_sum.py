# SPDX-License-Identifier: MPL-2.0
"""What the entries of ledgers come to, kept beside them: an account's balance, and each month by account and day.

`BALANCE` is one document of an account, the units of each month. `MONTH` is one document for each month and account
that entries are about: a reseller's ledger has entries about its customers. Both are written in the transaction that
writes the entry. All they say is in private fields, which nobody but this module writes.

Source: KAZOO's views `ledgers/total_by_source`, `ledgers/list_by_timestamp`, `ledgers/summary_by_account`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, Final

import orjson

from crossbar import clock
from crossbar.documents.document import Document, as_object, value_at
from crossbar.documents.listing import Listing, Position
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Store, Transaction
from crossbar.errors import JSON
from crossbar.resources.billing.domain.invoice import is_number
from crossbar.resources.billing.domain.money import dollars_of, units_of
from crossbar.runtime import Runtime

LEDGER: Final = "ledger"
BALANCE: Final = "ledger_balance"
MONTH: Final = "ledger_month"
ROLLOVERS: Final = "rollovers"
"""The ledger that carries what was left of earlier months."""
BALANCE_SHAPE: Final = Shape(BALANCE, summary=Summary("id"))
MONTH_SHAPE: Final = Shape(MONTH, summary=Summary("id"), sort="pvt_month")


# Writing


async def add(transaction: Transaction, entry: Document) -> tuple[int, int]:
    """Count an entry that is being written; the account's balance (units) before and after it."""
    month = clock.year_month(entry.fields["pvt_created"])
    balance = await transaction.get(entry.partition, BALANCE, BALANCE)
    months: dict[str, int] = dict(balance.fields["pvt_months"]) if balance else {}
    about: dict[str, str] = entry.fields["account"]
    month_id = f"{month}-{about['id']}"
    summed = await transaction.get(entry.partition, MONTH, month_id)
    lines: list[dict[str, Any]] = [dict(line) for line in summed.fields["pvt_lines"]] if summed else []
    units = count_entry(lines, entry)
    before = sum(months.values())
    months[month] = months.get(month, 0) + units
    await save(transaction, Document(entry.partition, BALANCE, BALANCE, {"pvt_months": months}), balance)
    fields = {"pvt_month": month, "pvt_account": about, "pvt_lines": lines}
    await save(transaction, Document(entry.partition, MONTH, month_id, fields), summed)
    return before, before + units


def count_entry(lines: list[dict[str, Any]], entry: Document) -> int:
    """Add an entry to the lines of its month; its units."""
    units, day = units_of(entry.fields["amount"]), clock.moment(entry.fields["pvt_created"]).day
    service, usage = entry.fields["source"]["service"], entry.fields["usage"]
    for line in lines:
        if line["day"] == day and line["service"] == service:
            line["amount"] += units
            line["quantity"] += usage["quantity"]
            line["type"], line["unit"] = usage["type"], usage["unit"]
            return units
    lines.append({"day": day, "service": service, "amount": units, **usage})
    return units


async def save(transaction: Transaction, document: Document, previous: Document | None) -> None:
    """Write sums, over those that were read before if there are some."""
    if previous is None:
        await transaction.insert(document)
    else:
        await transaction.replace(replace(document, revision=previous.revision), previous)


# Reading


@dataclass(slots=True)
class Total:
    """What the entries of one ledger come to: units, and how much of what was used."""

    amount: int = 0
    usage: dict[str, JSON] = field(default_factory=lambda: {"quantity": 0})

    def add(self, units: int, usage: dict[str, Any]) -> None:
        """Count entries; the last one says what is counted."""
        self.amount += units
        self.usage = {**usage, "quantity": self.usage["quantity"] + usage["quantity"]}

    def shown(self) -> dict[str, JSON]:
        """`{amount, usage}`, the amount in dollars."""
        return {"amount": dollars_of(self.amount), "usage": self.usage}


Totals = dict[str, Total]
"""Ledger → what its entries come to."""


def shown(totals: Totals) -> dict[str, JSON]:
    """Ledger → `{amount, usage}`."""
    return {service: total.shown() for service, total in sorted(totals.items())}


def _rolls_over(runtime: Runtime) -> bool:
    """Whether what is left of a month counts in the next one."""
    return runtime.settings.get("ledgers", "rollover_monthly_balance", default=True) is not False


async def available(runtime: Runtime, account_id: str) -> int:
    """The balance of an account, in units."""
    months = await _months(runtime.store, account_id)
    return sum(months.values()) if _rolls_over(runtime) else months.get(clock.year_month(), 0)


async def left_before(runtime: Runtime, account_id: str, month: str) -> int | None:
    """What earlier months left (units) to a month (`YYYYMM`); None where there were none, or nothing is left over."""
    if not _rolls_over(runtime):
        return None
    earlier = [units for known, units in (await _months(runtime.store, account_id)).items() if known < month]
    return sum(earlier) if earlier else None


async def _months(store: Store, account_id: str) -> dict[str, int]:
    balance = await store.get(account_id, BALANCE, BALANCE)
    return balance.fields["pvt_months"] if balance else {}


async def summed_months(store: Store, account_id: str, first: str, last: str) -> list[Document]:
    """The sums of months (`YYYYMM`, both included), of each account that there were entries about."""
    start, end = Position.value(first), Position.value(last)
    return await store.all(Listing(account_id, MONTH, start=start, end=end, descending=False))


def totals_of(lines: Iterable[dict[str, Any]]) -> Totals:
    """What lines of months come to, by ledger."""
    totals: Totals = {}
    for line in lines:
        usage = {key: line[key] for key in ("type", "quantity", "unit")}
        totals.setdefault(line["service"], Total()).add(line["amount"], usage)
    return totals


async def between(store: Store, account_id: str, first: int, last: int) -> Totals:
    """What the entries between two moments (Gregorian seconds, both included) come to, by ledger.

    Whole days are in the sums already; of a day that the range cuts the entries are read.
    """
    months = await summed_months(store, account_id, clock.year_month(first), clock.year_month(last))
    cut = {day for day in (clock.moment(first).date(), clock.moment(last).date()) if not _holds(first, last, day)}
    inner = (clock.moment(first).date(), clock.moment(last).date())
    totals = totals_of(
        line
        for month in months
        for line in month.fields["pvt_lines"]
        if inner[0] <= (day := _date(month, line)) <= inner[1] and day not in cut
    )
    for day in sorted(cut):
        start, end = _seconds(day)
        await _add_entries(store, account_id, max(first, start), min(last, end), totals)
    return totals


def _holds(first: int, last: int, day: date) -> bool:
    """Whether a range has all entries of a day; there are none of the future."""
    start, end = _seconds(day)
    return first <= start and (end <= last or last >= clock.now())


def _date(month: Document, line: dict[str, Any]) -> date:
    text: str = month.fields["pvt_month"]
    return date(int(text[:4]), int(text[4:]), line["day"])


def month_bounds(month: str) -> tuple[int, int]:
    """The first and the last second of a month (`YYYYMM`, UTC), Gregorian."""
    first = date(int(month[:4]), int(month[4:]), 1)
    following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
    return _seconds(first)[0], _seconds(following)[0] - 1


def _seconds(day: date) -> tuple[int, int]:
    """The first and the last second of a day (UTC), Gregorian."""
    start = clock.gregorian(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    return start, start + clock.DAY - 1


async def _add_entries(store: Store, account_id: str, first: int, last: int, totals: Totals) -> None:
    bounds = Listing(account_id, LEDGER, start=Position.value(first), end=Position.value(last), descending=False)
    async for row in store.stream(bounds):
        entry = orjson.loads(row.body)
        service, usage = str(value_at(entry, "source.service")), as_object(entry.get("usage"))
        quantity = usage.get("quantity")
        counted = {**usage, "quantity": quantity if is_number(quantity) else 0}
        if is_number(amount := entry.get("amount")):
            totals.setdefault(service, Total()).add(units_of(amount), counted)
