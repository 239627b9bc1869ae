# SPDX-License-Identifier: MPL-2.0
"""Transactions: charges of an account's means of payment, and refunds.

Without a payment processor each fails. What older clients ask of this endpoint is answered from the ledgers.

Source: KAZOO `cb_transactions`; 4.2 for credits, debits and the balance.
"""

from __future__ import annotations

import math
import re
from typing import Any, Final

from crossbar import clock
from crossbar.documents.document import Document
from crossbar.endpoint import Context, Endpoint, Lists, Reply, answer_document, answer_listing
from crossbar.errors import JSON, Invalid, NotFound, SystemFault
from crossbar.resources.billing.domain import ledger_sum
from crossbar.resources.billing.domain.bookkeeper import DEFAULT, TRANSACTION, bookkeeper_of, pay, unanswered
from crossbar.resources.billing.domain.money import MOST_DOLLARS, check_at_most, dollars_of, units_of
from crossbar.resources.billing.services import sells
from crossbar.wire.list_options import MAXIMUM_RANGE

TOO_LITTLE: Final = {"sale": "Amount must be more than 0", "refund": "Amount must be greater than 0"}
_MONTHLY: Final = re.compile(r"[0-9]{6}-.+", re.DOTALL)

transactions = Endpoint("transactions")


async def charges(context: Context) -> bool | None:
    """Only the vendor that the account's bookkeeper works for charges it, or a superduper admin."""
    bookkeeper = await bookkeeper_of(context.runtime, context.account)
    return context.identity.superduper or context.identity.account_id == bookkeeper["vendor_id"]


@transactions.get("/accounts/{account_id}/transactions", lists=Lists.TIMES)
async def index(context: Context) -> Reply:
    """The transactions of a time range, the newest first."""
    return await answer_listing(context, TRANSACTION, time_range=MAXIMUM_RANGE)


@transactions.get("/accounts/{account_id}/transactions/{transaction_id}")
async def read(context: Context) -> Reply:
    """One transaction."""
    transaction_id = context.path["transaction_id"]
    if not _MONTHLY.fullmatch(transaction_id):
        raise NotFound(transaction_id)
    return await answer_document(context, TRANSACTION, transaction_id)


@transactions.put("/accounts/{account_id}/transactions/sale", who=charges, checks_itself=True, refuses=(402, 500))
async def sale(context: Context) -> Reply:
    """Charge the account's means of payment."""
    return await _charge(context, "sale", 1)


@transactions.put("/accounts/{account_id}/transactions/refund", who=charges, checks_itself=True, refuses=(402, 500))
async def refund(context: Context) -> Reply:
    """Pay the account back."""
    return await _charge(context, "refund", -1)


async def _charge(context: Context, kind: str, sign: int) -> Reply:
    dollars = _dollars(context, TOO_LITTLE[kind], whole=True)
    bookkeeper = await bookkeeper_of(context.runtime, context.account)
    if bookkeeper["type"] == DEFAULT:
        raise SystemFault("invalid_bookkeeper")
    context.ready_to_write()
    failed = unanswered(
        context.account,
        kind,
        sign * units_of(dollars),
        request=context.object,
        bookkeeper=bookkeeper,
        author=context.author,
    )
    return Reply.document(await context.store.insert(failed))


def _dollars(context: Context, too_little: str, *, whole: bool = False) -> float:
    """The dollars that a request names. Raises 400 where it names none, nothing, or more than can be added up."""
    amount = context.object.get("amount")
    if not isinstance(amount, int | float) or isinstance(amount, bool):
        raise Invalid.field("amount", "required", "Amount is required")
    check_at_most(context.object, "amount", MOST_DOLLARS)
    dollars = math.trunc(amount) if whole else amount
    if units_of(dollars) <= 0:
        raise Invalid.field("amount", "minimum", too_little)
    return dollars


# What 4.2 had


@transactions.get("/accounts/{account_id}/transactions/current_balance")
async def current_balance(context: Context) -> Reply:
    """What the account has left, in dollars."""
    return Reply({"balance": dollars_of(await ledger_sum.available(context.runtime, context.account_id))})


@transactions.get(
    "/accounts/{account_id}/transactions/monthly_recurring", "/accounts/{account_id}/transactions/subscriptions"
)
async def nothing_recurs(_: Context) -> Reply:
    """What a processor charges by itself."""
    return Reply([])


@transactions.put("/accounts/{account_id}/transactions/credit", who=sells, checks_itself=True)
async def credit(context: Context) -> Reply:
    """Give the account money."""
    return await _enter(context, 1, "manual_addition")


@transactions.delete("/accounts/{account_id}/transactions/debit", who=sells, checks_itself=True)
async def debit(context: Context) -> Reply:
    """Take money from the account."""
    return await _enter(context, -1, "admin_discretion")


async def _enter(context: Context, sign: int, reason: str) -> Reply:
    units = sign * units_of(_dollars(context, TOO_LITTLE["sale"]))
    description = context.object.get("description")
    context.ready_to_write()
    booked = await pay(
        context.runtime,
        context.account,
        units,
        context.author,
        description=description if isinstance(description, str) else "",
        module="cb_transactions",
    )
    given = context.object.get("reason")
    return Reply(_as_transaction(booked.entry, given if isinstance(given, str) else reason))


def _as_transaction(entry: Document, reason: str) -> dict[str, JSON]:
    fields: dict[str, Any] = entry.fields
    return {
        "id": entry.id,
        "amount": abs(fields["amount"]),
        "type": fields["pvt_ledger_type"],
        "reason": reason,
        "created": fields.get("pvt_created", clock.now()),
        "description": fields.get("description", ""),
        "metadata": fields["metadata"],
        "version": 2,
    }
