# SPDX-License-Identifier: MPL-2.0
"""Limits: how many calls an account may have at a time, and how it pays for them.

Source: KAZOO `cb_limits`, `kzd_limits.erl`.
"""

from __future__ import annotations

from typing import Any, Final

from crossbar.documents.document import Document
from crossbar.documents.document_types import LIMITS
from crossbar.documents.shape import Shape, Summary
from crossbar.endpoint import Context, Draft, Reply, Singleton
from crossbar.resources.billing.domain.good_standing import credit_limits

SET_BY_THE_SYSTEM: Final = ("allow_postpay", "max_postpay_amount")
"""What only the system sets, as `pvt_*` fields, or a service plan."""


async def sells_to_account(context: Context) -> bool | None:
    """Only who sells to an account changes its limits; below the master, the account may itself."""
    reseller = await context.directory.reseller_of(context.account)
    may = reseller in (context.identity.account_id, await context.directory.master_id())
    return None if may or context.identity.superduper else False


limits = Singleton(
    "limits",
    "/accounts/{account_id}/limits",
    Shape(LIMITS, summary=Summary("id")),
    document_id=LIMITS,
    schema="limits",
    operations=(),
)


@limits.get("/accounts/{account_id}/limits")
async def read(context: Context) -> Reply:
    """The limits, or what holds while none are set."""
    document = await context.store.get(context.account_id, LIMITS, LIMITS)
    if document is None:
        shown = {"id": LIMITS, **context.valid("limits", {})}
        await show_what_the_system_set(context, Document(context.account_id, LIMITS, LIMITS, {}), shown)
        return Reply(shown)
    return await limits.life.answer(context, document)


limits.post("/accounts/{account_id}/limits", who=sells_to_account, **limits.about("replace"))(limits.replace)


@limits.normalize
async def keep_what_the_system_set(_: Context, draft: Draft) -> None:
    """Clients send back what they were shown."""
    for key in SET_BY_THE_SYSTEM:
        draft.data.pop(key, None)


@limits.show
async def show_what_the_system_set(context: Context, _: Document, public: dict[str, Any]) -> None:
    """Payment after use is nobody's to choose, but everybody may see it; plans may say it for all who have them."""
    credit = await credit_limits(context.runtime, context.account)
    public |= {"allow_postpay": credit.allow_postpay, "max_postpay_amount": credit.max_postpay_amount}
