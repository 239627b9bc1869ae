# SPDX-License-Identifier: MPL-2.0
"""What the services of an account come to: plans, quantities, invoices, standing.

Source: KAZOO `kz_services.erl` (`summary`), `cb_services.erl` (`quote`).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from crossbar import clock
from crossbar.access.directory import Account
from crossbar.documents.document import Document, as_object
from crossbar.resources.billing.domain.good_standing import refusal
from crossbar.resources.billing.domain.invoice import invoices, is_number, merged
from crossbar.resources.billing.domain.quantity import Quantities, cascading_quantities, own_quantities
from crossbar.resources.billing.domain.service_plan import SERVICES, assigned, overridden_plans
from crossbar.runtime import Runtime

FROM_PLANS: Final = ("ratedeck", "applications", "limits", "im")
"""What the merged plan says beside prices."""

Fields = dict[str, Any]


async def summarize(runtime: Runtime, account: Account, stored: Fields) -> dict[str, Any]:
    """Everything about the services of an account, were `stored` its services document."""
    services = Document(account.id, SERVICES, SERVICES, stored)
    plans = await overridden_plans(runtime, account, services)
    own = await own_quantities(runtime, account.id)
    manual = manual_quantities(stored)
    cascade = await cascading_quantities(runtime, account) if any_cascade(plans) else {}
    together = merged(plans)
    billed = invoices(plans, corrected(own, manual), cascade)
    return {
        "plans": assigned(services),
        "overrides": as_object(stored.get("overrides")),
        "invoices": billed,
        "quantities": {"account": own, "cascade": cascade, "manual": manual},
        "reseller": {"id": await runtime.access.directory.reseller_of(account), "is_reseller": account.is_reseller},
        **{key: together.get(key) or {} for key in FROM_PLANS},
        "payment_tokens": as_object(stored.get("payment_tokens")),
        "billing_cycle": {"next": next_month(), "period": 1, "unit": "month"},
        "status": await _standing(runtime, account, {str(invoice["bookkeeper"].get("type")) for invoice in billed}),
    }


def manual_quantities(stored: Fields) -> Quantities:
    """The quantities that somebody set by hand, as far as a services document has any that are such."""
    given = as_object(as_object(stored.get("quantities")).get("manual"))
    return {
        category: {item: quantity for item, quantity in items.items() if is_number(quantity)}
        for category, items in given.items()
        if isinstance(items, dict)
    }


def any_cascade(plans: list[Fields]) -> bool:
    """Whether plans count what the accounts below have."""
    return any(
        isinstance(item, dict) and item.get("cascade") is True
        for plan in plans
        for category in as_object(plan.get("plan")).values()
        if isinstance(category, dict)
        for item in category.values()
    )


def corrected(own: Quantities, manual: Quantities) -> Quantities:
    """Quantities as counted, or as somebody set them by hand."""
    return {category: {**own.get(category, {}), **manual.get(category, {})} for category in {*own, *manual}}


async def _standing(runtime: Runtime, account: Account, bookkeepers: set[str]) -> dict[str, Any]:
    """Whether the account may buy more, by the bookkeepers of its plans."""
    if not bookkeepers:
        return {"acceptable": True, "reason": "no service plans assigned"}
    if (refused := await refusal(runtime, account, bookkeepers)) is not None:
        return {"acceptable": False, **refused}
    return {"acceptable": True, "reason": "good_standing", "message": f"account {account.id} is in good standing"}


def next_month() -> int:
    """When the next billing cycle begins: the first of next month (UTC), Gregorian."""
    now = clock.moment(clock.now())
    year, month = (now.year + 1, 1) if now.month == 12 else (now.year, now.month + 1)
    return clock.gregorian(datetime(year, month, 1, tzinfo=UTC).timestamp())
