# SPDX-License-Identifier: MPL-2.0
"""The audit log of services: every change of what an account has, and what the log tells day by day.

Source: KAZOO `kz_services.erl` (`audit`), `cb_services.erl` (`audit_summary`).
"""

from __future__ import annotations

from typing import Final

from crossbar import clock
from crossbar.access.authorship import Author, stamps
from crossbar.documents.document import Document, as_object
from crossbar.documents.listing import Listing, Position
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Store
from crossbar.events.notices import insert_telling, notice
from crossbar.ids import monthly_id
from crossbar.resources.billing.domain.invoice import is_number
from crossbar.resources.billing.domain.quantity import own_quantities
from crossbar.resources.billing.domain.service_plan import assigned
from crossbar.runtime import Runtime

AUDIT: Final = "service_audit"
AUDIT_SHAPE: Final = Shape(
    AUDIT,
    summary=Summary("id", "status", "reason", "message", "type", "summary"),
    sort="pvt_created",
    stored_in="records",
)
"""One change of an account's services, kept by month."""
YEAR: Final = 366 * clock.DAY
"""Seconds of the longest range of the audit log."""


async def note_change(
    runtime: Runtime, account_id: str, saved: Document, previous: Document | None, author: Author
) -> None:
    """Keep what changed, and how many of everything there were; of other service plans people are told."""
    before, now = sorted(assigned(previous)), sorted(assigned(saved))
    entry = Document(
        account_id,
        AUDIT,
        monthly_id(),
        {
            "status": "success",
            "reason": "service_plans" if before != now else "services",
            "message": "The services of the account changed",
            "type": "audit_log",
            "summary": {"before": before, "after": now},
            "quantities": await own_quantities(runtime, account_id),
        },
    )
    entry.fields.update(stamps(author, entry))
    items = [
        {"category": "service_plans", "item": plan, "quantity": int(kept), "changes": _changes(kept)}
        for plan in sorted({*before} ^ {*now})
        for kept in (plan in now,)
    ]
    about = {"audit_log": {"id": entry.id, **_acting(author)}, "items": items, "timestamp": clock.now()}
    notices = [notice("service_added", account_id, about)] if items else []
    await insert_telling(runtime.store, entry, notices)


def _changes(kept: bool) -> dict[str, str | int]:
    return {"type": "created", "quantity": 1} if kept else {"type": "deleted", "quantity": -1}


def _acting(author: Author) -> dict[str, str]:
    """Who made a change."""
    identity = author.identity
    if identity is None:
        return {}
    user = {"user_id": identity.owner_id} if identity.owner_id else {}
    return {"account_id": identity.account_id, "account_name": identity.account.name, **user}


async def days(store: Store, account_id: str, first: int, last: int) -> dict[str, dict[str, dict[str, float]]]:
    """Category → day → counts, from the changes between two moments (Gregorian seconds)."""
    listing = Listing(account_id, AUDIT, start=Position.value(first), end=Position.value(last), descending=False)
    found: dict[str, dict[str, dict[str, float]]] = {}
    before: dict[str, float] = {}
    for entry in await store.all(listing):
        moment = entry.fields["pvt_created"]
        date = clock.moment(moment).date().isoformat()
        for category, items in as_object(entry.at("quantities")).items():
            quantity = sum(filter(is_number, as_object(items).values()))
            change = quantity - before.get(category, 0)
            day = found.setdefault(category, {}).setdefault(
                date, {"addition": 0, "removal": 0, "quantity": 0, "sum_quantity": 0, "last_timestamp": 0}
            )
            day["addition"] += max(change, 0)
            day["removal"] += max(-change, 0)
            day["quantity"] = quantity
            day["sum_quantity"] += quantity
            day["last_timestamp"] = moment
            before[category] = quantity
    return found
