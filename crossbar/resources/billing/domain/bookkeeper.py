# SPDX-License-Identifier: MPL-2.0
"""Bookkeepers: who charges an account's means of payment. This server has none that can.

Source: KAZOO `kz_services.erl` (`bookkeeper`), `kz_transaction.erl`.
"""

from __future__ import annotations

from typing import Any, Final

from crossbar.access.authorship import Author, stamps
from crossbar.access.directory import Account
from crossbar.documents.document import Document, as_object
from crossbar.documents.shape import Shape, Summary
from crossbar.errors import JSON
from crossbar.ids import monthly_id, new_id
from crossbar.resources.billing.domain.ledger import Booked, Charge, book, new_entry
from crossbar.resources.billing.domain.money import dollars_of
from crossbar.resources.billing.domain.service_plan import load_plans, load_services
from crossbar.runtime import Runtime

DEFAULT: Final = "default"
"""The type of the bookkeeper that charges nobody."""
PAYMENTS: Final = "payments"
"""The ledger of what was paid."""
TRANSACTION: Final = "transaction"
TRANSACTION_SHAPE: Final = Shape(
    TRANSACTION,
    summary=Summary(
        "id",
        "amount",
        "status",
        "type",
        "executor",
        "description",
        "metadata",
        "bookkeeper",
        created="pvt_created",
    ),
    sort="pvt_created",
    stored_in="records",
    announced=True,
)
"""Charges and refunds of means of payment, by month. `amount` is in dollars, a refund's is negative."""


async def bookkeeper_of(runtime: Runtime, account: Account) -> dict[str, JSON]:
    """`{id, type, vendor_id}`: what the account's services say, else its plans, else the one that charges nobody."""
    services = await load_services(runtime, account.id)
    given = as_object(services.at("bookkeeper")) if services else {}
    if not given:
        named = (as_object(plan.get("bookkeeper")) for plan in await load_plans(runtime, account))
        given = next((bookkeeper for bookkeeper in named if bookkeeper.get("type") not in (None, DEFAULT)), {})
    reseller_id = await runtime.access.directory.reseller_of(account)
    return {"id": "default_bookkeeper", "type": DEFAULT, "vendor_id": reseller_id, **given}


def unanswered(
    account: Account, kind: str, units: int, *, request: dict[str, Any], bookkeeper: dict[str, JSON], author: Author
) -> Document:
    """A transaction (`sale`, `refund`) that its bookkeeper did not answer, to be kept as one that failed."""
    fields: dict[str, Any] = {
        "account": {"id": account.id, "name": account.name},
        "amount": dollars_of(units),
        "type": kind,
        "status": "failed",
        **{key: request[key] for key in ("description", "order_id") if request.get(key)},
        "metadata": as_object(request.get("metadata")),
        "executor": {"trigger": "crossbar", "module": "cb_transactions"},
        "bookkeeper": {
            **bookkeeper,
            "status": "failed",
            "reason": "timeout",
            "message": "The bookkeeper did not answer",
        },
    }
    transaction = Document(account.id, TRANSACTION, monthly_id(), fields)
    fields.update(stamps(author, transaction))
    return transaction


async def pay(
    runtime: Runtime, account: Account, units: int, author: Author, *, description: str, module: str
) -> Booked:
    """Enter money that came (`units` > 0) or went outside of this server."""
    charge = Charge(
        units,
        source={"service": PAYMENTS, "id": new_id()},
        usage={"type": "credit" if units > 0 else "debit", "quantity": 0, "unit": "dollars"},
        period={},
        description=description,
        module=module,
    )
    [booked] = await book(runtime.store, [new_entry(account, charge, author)])
    return booked
