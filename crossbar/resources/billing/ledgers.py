# SPDX-License-Identifier: MPL-2.0
"""Ledgers: what an account was credited and debited, by what it was for, and what it has left.

Source: KAZOO `cb_ledgers`.
"""

from __future__ import annotations

import re
from typing import Any, Final

from crossbar.documents.document_types import ACCOUNT_CONFIG
from crossbar.endpoint import Context, Endpoint, Lists, Reply, answer_listing
from crossbar.errors import JSON, NotFound, Plain
from crossbar.resources.billing.domain import ledger_sum
from crossbar.resources.billing.domain.ledger import Booked, Charge, book, copied_to, new_entry, of_source
from crossbar.resources.billing.domain.ledger_sum import LEDGER, ROLLOVERS, Total
from crossbar.resources.billing.domain.money import MOST_DOLLARS, MOST_USAGE, check_at_most, dollars_of, units_of
from crossbar.resources.billing.services import sells
from crossbar.wire.list_options import MAXIMUM_RANGE, RANGE, time_range
from crossbar.wire.request_values import is_true

REGISTERED: Final = ({"name": "per-minute-voip", "friendly_name": "Per Minute VoIP", "markup_type": ["percentage"]},)
"""The ledgers that there are where no setting says otherwise."""
_MONTH: Final = re.compile(r"[0-9]{4}(0[1-9]|1[0-2])")

ledgers = Endpoint("ledgers", takes_all_words=True)


@ledgers.get(
    "/accounts/{account_id}/ledgers",
    options=RANGE,
)
async def index(context: Context) -> Reply:
    """Ledger → `{amount, usage}` of a time range."""
    first, last = time_range(context.values)
    totals = await ledger_sum.between(context.store, context.account_id, first, last)
    return Reply(ledger_sum.shown(totals))


@ledgers.get("/accounts/{account_id}/ledgers/available")
async def available(context: Context) -> Reply:
    """The ledgers that there may be."""
    config = await context.store.get(context.account_id, ACCOUNT_CONFIG, f"configs_{ledgers.name}")
    own = config.at("registered_ledgers") if config else None
    system = context.runtime.settings.get("ledgers", "registered_ledgers", default=[*REGISTERED])
    return Reply(own if isinstance(own, list) else system)


@ledgers.get("/accounts/{account_id}/ledgers/total")
async def total(context: Context) -> Reply:
    """What the account has left, in dollars."""
    return Reply({"amount": dollars_of(await ledger_sum.available(context.runtime, context.account_id))})


@ledgers.get("/accounts/{account_id}/ledgers/summary/{month}")
async def summary(context: Context) -> Reply:
    """What a month (`YYYYMM`) came to, by ledger, and for each account that there were entries about."""
    month = context.path["month"]
    if not _MONTH.fullmatch(month):
        raise Plain(404, "bad identifier", [month])
    months = await ledger_sum.summed_months(context.store, context.account_id, month, month)
    accounts = {one.fields["pvt_account"]["id"]: one.fields["pvt_account"] for one in months}
    by_account = {one.fields["pvt_account"]["id"]: ledger_sum.totals_of(one.fields["pvt_lines"]) for one in months}
    together = ledger_sum.totals_of(line for one in months for line in one.fields["pvt_lines"])
    if (left := await ledger_sum.left_before(context.runtime, context.account_id, month)) is not None:
        accounts.setdefault(context.account_id, {"id": context.account_id, "name": context.account.name})
        for totals in (together, by_account.setdefault(context.account_id, {})):
            totals.setdefault(ROLLOVERS, Total()).amount += left
    breakdown = [
        {
            "account": accounts[account_id],
            "ledgers": ledger_sum.shown(totals),
            "total": dollars_of(sum(one.amount for one in totals.values())),
        }
        for account_id, totals in by_account.items()
    ]
    return Reply({"summary": ledger_sum.shown(together), "breakdown": breakdown})


@ledgers.put("/accounts/{account_id}/ledgers/credit", who=sells, checks_itself=True, schema="ledgers")
async def credit(context: Context) -> Reply:
    """Give the account money."""
    return await _enter(context, 1)


@ledgers.put("/accounts/{account_id}/ledgers/debit", who=sells, checks_itself=True, schema="ledgers")
async def debit(context: Context) -> Reply:
    """Take money from the account, which may have less than that."""
    return await _enter(context, -1)


async def _enter(context: Context, sign: int) -> Reply:
    data = context.valid_data()
    check_at_most(data, "amount", MOST_DOLLARS)
    check_at_most(data, "usage.quantity", MOST_USAGE)
    charge = Charge(
        sign * units_of(data.get("amount", 0)),
        source=data["source"],
        usage=data["usage"],
        period={key: data["period"][key] for key in ("start", "end") if key in data.get("period", {})},
        description=data.get("description", ""),
        metadata=data.get("metadata"),
    )
    entry = new_entry(context.account, charge, context.author)
    reseller_id = await context.directory.reseller_of(context.account)
    impacts = is_true(context.envelope.get("impact_reseller")) and reseller_id != context.account_id
    context.ready_to_write()
    if not impacts:
        [booked] = await book(context.store, [entry])
        return Reply.document(booked.entry)
    entries = [entry, *([copied_to(reseller_id, entry)] if reseller_id else [])]
    told = {booked.entry.partition: await _impact(context, booked) for booked in await book(context.store, entries)}
    return Reply(told)


async def _impact(context: Context, booked: Booked) -> dict[str, JSON]:
    account = await context.directory.account(booked.entry.partition)
    return {
        "ledger": booked.entry.public,
        "available_dollars": dollars_of(booked.available),
        "is_reseller": account is not None and account.is_reseller,
    }


@ledgers.get("/accounts/{account_id}/ledgers/{source_service}", lists=Lists.TIMES)
async def entries_of(context: Context) -> Reply:
    """The entries of one ledger in a time range, whole."""
    tag = of_source(context.path["source_service"])
    return await answer_listing(context, LEDGER, tag=tag, time_range=MAXIMUM_RANGE, whole=True)


@ledgers.get("/accounts/{account_id}/ledgers/{source_service}/{ledger_id}")
async def read(context: Context) -> Reply:
    """One entry of a ledger."""
    entry: Any = await context.document(LEDGER, context.path["ledger_id"])
    if entry.text("source.service") != context.path["source_service"]:
        raise NotFound(entry.id)
    return Reply.document(entry)
