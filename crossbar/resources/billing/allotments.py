# SPDX-License-Identifier: MPL-2.0
"""Allotments: time that is included for an account, and what it has used of it.

Source: KAZOO `cb_allotments`. They are kept in the limits document, where nobody sees them.
"""

from __future__ import annotations

from crossbar import clock
from crossbar.access.authorship import stamps
from crossbar.documents.document import Document, as_object
from crossbar.documents.document_types import LIMITS
from crossbar.endpoint import Context, Endpoint, Reply
from crossbar.errors import JSON, Plain
from crossbar.resources.billing.domain.allotment import KEPT, Cycle, allotments_of, consumed, cycle_around
from crossbar.resources.billing.limits import sells_to_account
from crossbar.resources.records.domain.cdr_row import whole
from crossbar.wire.list_options import RANGE

allotments = Endpoint("allotments")


async def _limits(context: Context) -> Document:
    """The limits of an account that has allotments. Raises 400 for any other."""
    limits = await context.store.get(context.account_id, LIMITS, LIMITS)
    if limits is None or not as_object(limits.at(KEPT)):
        raise Plain(400, "allotments are not configured for this account yet")
    return limits


@allotments.get("/accounts/{account_id}/allotments")
async def read(context: Context) -> Reply:
    """Kind of number → what is included."""
    limits = await _limits(context)
    return Reply(limits.at(KEPT), revision=limits.revision)


@allotments.post("/accounts/{account_id}/allotments", checks_itself=True, schema="allotments")
async def replace(context: Context) -> Reply:
    """Say what is included; whoever changes the account's limits may."""
    # Interfaces add `ui_metadata` to whatever they send; here it would be a kind of number.
    data = context.valid_data({key: value for key, value in context.object.items() if key != "ui_metadata"})
    if await sells_to_account(context) is False:
        text = "sub-accounts of non-master resellers must contact the reseller to change their allotments"
        raise Plain(400, text)
    limits = await context.store.get(context.account_id, LIMITS, LIMITS)
    context.ready_to_write(limits.revision if limits else None)

    def include(document: Document) -> bool:
        document.fields[KEPT] = data
        document.fields.update(stamps(context.author, document))
        return True

    fresh = Document(context.account_id, LIMITS, LIMITS, context.valid("limits", {}))
    await context.store.create_or_update(fresh, include)
    return Reply(data)


@allotments.get(
    "/accounts/{account_id}/allotments/consumed",
    options=RANGE,
)
async def used(context: Context) -> Reply:
    """Kind of number → what was used of it in its cycle: the one around now or a given time, or between two times."""
    limits = await _limits(context)
    told: dict[str, JSON] = {}
    for name, allotment in allotments_of(limits).items():
        cycle = _cycle(context, str(allotment.get("cycle")))
        told[name] = {
            "cycle": cycle.name,
            "consumed_from": cycle.start,
            "consumed_to": cycle.end,
            "consumed": await consumed(context.store, context.account_id, name, allotment, cycle),
        }
    return Reply(told)


def _cycle(context: Context, name: str) -> Cycle:
    first, last = (max(whole(context.values.get(key)), 0) for key in ("created_from", "created_to"))
    if first and last:
        return Cycle("manual", first, last)
    return cycle_around(name, first or last or clock.now())
