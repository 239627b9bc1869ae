# SPDX-License-Identifier: MPL-2.0
"""What a change adds to the invoices of who makes it, and whether it may be made.

Source: KAZOO `crossbar_services.erl`, `kz_services_invoices.erl`, `kz_services_standing.erl`.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from crossbar.access.directory import Account
from crossbar.access.identity import Identity
from crossbar.documents.document import Document, as_object, public_fields
from crossbar.documents.document_types import APPS_STORE, USER
from crossbar.documents.listing import Listing
from crossbar.errors import JSON, Plain
from crossbar.resources.billing.domain.good_standing import refusal
from crossbar.resources.billing.domain.invoice import invoices, is_number, plan_items
from crossbar.resources.billing.domain.money import units_of
from crossbar.resources.billing.domain.quantity import (
    Quantities,
    cascading_quantities,
    own_quantities,
    plus,
    things_of,
    total,
    with_known_users,
)
from crossbar.resources.billing.domain.service_plan import SERVICES, assigned, load_services, overridden_plans
from crossbar.resources.billing.domain.service_summary import any_cascade, corrected, manual_quantities
from crossbar.resources.numbers.domain.charge_check import CostlyChange
from crossbar.resources.numbers.domain.number_settings import NumberSettings
from crossbar.runtime import Runtime

COMPARED: Final = ("quantity", "billable", "rate")


class ChargeQuote(NamedTuple):
    """Invoices with what a change does to them; `adds` tells whether anything more is to be paid for, and `amount`
    how many dollars come to them."""

    invoices: list[dict[str, Any]]
    changes: bool
    adds: bool
    amount: float


async def check(runtime: Runtime, identity: Identity, change: CostlyChange, accepts: bool) -> None:
    """Raise 402 with the invoices for what costs and is not accepted, or with what is wrong with the payer."""
    if not await has_services(runtime, identity.account_id):
        return
    rules = NumberSettings(runtime)
    gone = total(things_of(change.account_id, await _countable(runtime, change.account_id, change.before), rules))
    come = total(things_of(change.account_id, await _countable(runtime, change.account_id, change.after), rules))
    difference = plus(come, _negative(gone))
    quoted = await quote(runtime, identity.account, change.account_id, difference) if difference else None
    if quoted is None or not (quoted.adds or (change.even_less and quoted.changes)):
        return
    if not accepts:
        raise Plain(402, "accept charges", quoted.invoices)
    if quoted.adds and quoted.amount > 0:
        keepers = {str(invoice["bookkeeper"].get("type")) for invoice in quoted.invoices}
        if (refused := await refusal(runtime, identity.account, keepers, units_of(quoted.amount))) is not None:
            raise Plain(402, "billing_issue", refused)


async def _countable(runtime: Runtime, account_id: str, documents: tuple[Document, ...]) -> tuple[Document, ...]:
    """Documents as they are counted: an account's apps count by those of its users who may open them."""
    if all(document.type != APPS_STORE for document in documents):
        return documents
    users = await runtime.store.all(Listing(account_id, USER))
    return tuple(with_known_users(document, users) for document in documents)


async def has_services(runtime: Runtime, account_id: str) -> bool:
    """Whether anything is known of the service plans of an account; most have none, which is remembered."""
    return await runtime.store.get_json(account_id, SERVICES, SERVICES) is not None


async def quote(runtime: Runtime, payer: Account, account_id: str, difference: Quantities) -> ChargeQuote | None:
    """What a difference in what an account has does to the invoices of a payer; None where it has no plans for it.

    What an account below the payer has counts only where a plan says so.
    """
    services = await load_services(runtime, payer.id)
    if services is None or not assigned(services):
        return None
    stored = public_fields(services.fields)
    plans = await overridden_plans(runtime, payer, services)
    priced = {category for plan in plans for category, _, _ in plan_items(as_object(plan.get("plan")))}
    cascades = any_cascade(plans)
    if priced.isdisjoint(difference) or (account_id != payer.id and not cascades):
        return None
    own, manual = await own_quantities(runtime, payer.id), manual_quantities(stored)
    cascade = await cascading_quantities(runtime, payer) if cascades else {}
    before = invoices(plans, corrected(own, manual), cascade)
    if account_id == payer.id:
        own = plus(own, difference)
    else:
        cascade = plus(cascade, difference)
    return compared(before, invoices(plans, corrected(own, manual), cascade))


def compared(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> ChargeQuote:
    """The later invoices of the same plans, with what differs from the earlier ones."""
    changes, adds, amount = False, False, 0.0
    for old, new in zip(before, after, strict=True):
        configured = plan_items(as_object(new["plan"].get("plan")))
        for was, line, (_, _, item) in zip(old["items"], new["items"], configured, strict=True):
            difference = {key: line[key] - was[key] for key in COMPARED if line[key] != was[key]}
            if not difference:
                continue
            changes = True
            line["changes"] = {"type": _kind(was, line), "difference": difference}
            more = difference.get("billable", 0)
            adds = adds or more > 0
            amount += more * line["rate"]
            if more > 0 and is_number(charge := item.get("activation_charge")) and charge > 0:
                new["activation_charges"].append(_activation(line, charge, more))
        new["summary"]["today"] = round(sum(charge["total"] for charge in new["activation_charges"]), 4)
        amount += new["summary"]["today"]
    return ChargeQuote(after, changes, adds, round(amount, 4))


def _kind(was: dict[str, Any], line: dict[str, Any]) -> str:
    if not was["quantity"]:
        return "created"
    return "modified" if line["quantity"] else "removed"


def _activation(line: dict[str, Any], charge: float, more: float) -> dict[str, JSON]:
    told = {key: line[key] for key in ("category", "item", "name")}
    return {**told, "rate": charge, "billable": more, "total": round(charge * more, 4)}


def _negative(quantities: Quantities) -> Quantities:
    return {category: {item: -number for item, number in items.items()} for category, items in quantities.items()}
