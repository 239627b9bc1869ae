# SPDX-License-Identifier: MPL-2.0
"""Whether an account may buy more: the rules of good standing.

A bookkeeper of type `default` refuses nobody. One of type `local` is this server itself, which goes by the account's
means of payment, balance and limits. Any other would have to be asked, and none is there to answer.

Source: KAZOO `kz_services_standing.erl`, `kz_services_limits.erl`, `j5_per_minute.erl` (`maybe_credit_available`).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final, NamedTuple

from crossbar import clock
from crossbar.access.directory import Account
from crossbar.documents.document import Document, as_object
from crossbar.documents.document_types import LIMITS
from crossbar.errors import JSON
from crossbar.resources.billing.domain import ledger_sum
from crossbar.resources.billing.domain.bookkeeper import DEFAULT
from crossbar.resources.billing.domain.invoice import is_number, merged
from crossbar.resources.billing.domain.money import units_of
from crossbar.resources.billing.domain.service_plan import load_services, overridden_plans
from crossbar.runtime import Runtime

LOCAL: Final = "local"
"""The type of the bookkeeper that is this server: it goes by the ledgers."""
NO_ANSWER: Final[dict[str, JSON]] = {
    "reason": "bookkeeper_fault",
    "message": "Temporary billing error, please try again later.",
}
"""What is known of the standing of an account whose bookkeeper does not answer."""
REJECTED: Final[dict[str, JSON]] = {
    "reason": "bookkeeper_rejection",
    "message": "There is a billing issue with this account, please contact your sales representative.",
}


class CreditLimits(NamedTuple):
    """How an account may pay: from what it has (`allow_prepay`), and down to how many dollars below nothing."""

    allow_prepay: bool
    allow_postpay: bool
    max_postpay_amount: float


async def credit_limits(runtime: Runtime, account: Account) -> CreditLimits:
    """What the account's limits say of payment, and where they say nothing what its plans do (`limits`)."""
    plans = await overridden_plans(runtime, account, await load_services(runtime, account.id))
    planned = as_object(merged(plans).get("limits"))
    document = await runtime.store.get(account.id, LIMITS, LIMITS)
    kept: dict[str, Any] = document.fields if document else {}
    set_by_system = {key: kept.get(f"pvt_{key}", planned.get(key)) for key in CreditLimits._fields}
    prepay = set_by_system["allow_prepay"]
    most = set_by_system["max_postpay_amount"]
    return CreditLimits(
        (kept.get("allow_prepay") if prepay is None else prepay) is not False,
        set_by_system["allow_postpay"] is True,
        abs(most) if is_number(most) else 0,
    )


async def refusal(
    runtime: Runtime, account: Account, bookkeepers: Collection[str], units: int = 0
) -> dict[str, JSON] | None:
    """`{reason, message}` where one of the bookkeepers' rules keeps the account from paying so many units more.

    None while good standing is not asked for (`services.enforce_good_standing`).
    """
    asked = set(bookkeepers) - {DEFAULT}
    if not asked or runtime.settings.get("services", "enforce_good_standing", default=False) is not True:
        return None
    if asked != {LOCAL}:
        return NO_ANSWER
    return None if await _can_pay(runtime, account, units) else REJECTED


async def _can_pay(runtime: Runtime, account: Account, units: int) -> bool:
    if can_be_charged(await load_services(runtime, account.id)):
        return True
    limits = await credit_limits(runtime, account)
    balance = await ledger_sum.available(runtime, account.id)
    floors = [0] if limits.allow_prepay else []
    floors += [-units_of(limits.max_postpay_amount)] if limits.allow_postpay else []
    return any(balance > floor and balance - units >= floor for floor in floors)


def default_tokens(services: Document | None) -> list[dict[str, JSON]]:
    """The means of payment that are used unless somebody names another."""
    kept = as_object(services.at("payment_tokens")) if services else {}
    return [
        token
        for tokens in kept.values()
        for token in (tokens.values() if isinstance(tokens, dict) else ())
        if isinstance(token, dict) and token.get("default") is True
    ]


def can_be_charged(services: Document | None) -> bool:
    """Whether there is a means of payment that has not expired."""
    now = clock.now()
    ends = (token.get("expiration") for token in default_tokens(services))
    return any(not is_number(end) or end > now for end in ends)
