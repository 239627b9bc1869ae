# SPDX-License-Identifier: MPL-2.0
"""Alerts: notices for accounts and people, written by the operator or found in an account's own state.

Source: KAZOO `cb_alerts`, `kapps_alert.erl`. Written ones lie together in a partition of their own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final

from crossbar import clock
from crossbar.documents.document import Document, as_list
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Summary
from crossbar.endpoint import Collection, Context, Draft, Reply, Who
from crossbar.errors import JSON, Invalid, SystemFault
from crossbar.resources.billing.domain.good_standing import default_tokens
from crossbar.resources.billing.domain.low_balance import shortage
from crossbar.resources.billing.domain.service_plan import assigned, load_services

DATABASE: Final = "alerts"
TYPE: Final = "alert"
REQUIRED: Final = ("title", "message", "from", "to")
SHOWN: Final = ("title", "message", "category", "level", "metadata", "from", "expiration_date")
DESCENDANTS: Final = "descendants"
EXPIRES_SOON: Final = 60 * clock.DAY
"""Seconds before its end at which a payment method is worth an alert."""


def addressees(alert: Document) -> Iterator[str]:
    """The words under which an alert is found: to whom it is."""
    for entry in as_list(alert.at("to")):
        if isinstance(entry, dict):
            kind, value = entry.get("type"), entry.get("value")
            yield DESCENDANTS if kind == DESCENDANTS else f"to/{kind}/{value}"


alerts = Collection(
    "alerts",
    "/accounts/{account_id}/alerts/{alert_id}",
    Shape(TYPE, summary=Summary("id", *SHOWN), tags=addressees),
    operations=("read", "delete"),
    partition=lambda _: DATABASE,
)


Finding = Callable[[Context], Awaitable[list[dict[str, JSON]]]]
"""What else of an account's state there is to be alerted of."""
_findings: Final[list[Finding]] = []


def also_computed(finding: Finding) -> Finding:
    """Have this looked at, too, when alerts are listed."""
    _findings.append(finding)
    return finding


@alerts.put("/accounts/{account_id}/alerts", who=Who.SUPERDUPER, **alerts.about("create"))
async def create(context: Context) -> Reply:
    """A new alert for whom its `to` names."""
    if context.runtime.settings.get("alerts", "enabled", default=True) is False:
        raise SystemFault("disabled")
    return await alerts.life.create(context)


@alerts.check
async def check_required(_: Context, draft: Draft) -> None:
    """Only the first missing property is told."""
    for key in REQUIRED:
        if draft.data.get(key) is None:
            draft.errors.add(key, "required", "missing property")
            return
    if not isinstance(draft.data["to"], list):
        raise Invalid.field("to", "type", "Value did not match type(s): array", target="array", value=draft.data["to"])


@alerts.get("/accounts/{account_id}/alerts")
async def index(context: Context) -> Reply:
    """The alerts for the account and who asks, then those that the account's own state gives rise to."""
    rows = await _written(context) if _wanted(context, "check_system_alerts") else []
    rows += await _computed(context)
    for finding in _findings:
        rows += await finding(context)
    return Reply.rows(rows, page_size=True)


def _wanted(context: Context, check: str) -> bool:
    return context.runtime.settings.get("crossbar.alerts", check, default=True) is not False


# Written alerts


async def _written(context: Context) -> list[dict[str, JSON]]:
    words = (*_words(context), DESCENDANTS)
    listing = Listing(DATABASE, TYPE, any_tag=words, descending=False)
    found = [alert for alert in await context.store.all(listing) if await _is_for(context, alert)]
    now = clock.now()
    rows = []
    for alert in found:
        expires = alert.at("expiration_date")
        if isinstance(expires, int | float) and expires < now:
            await alerts.life.remove(context, alert)
            continue
        shown = {key: value for key in SHOWN if (value := alert.at(key)) is not None}
        rows.append({"id": alert.id, **shown, "created": alert.at("pvt_created"), "clearable": True})
    return rows


def _words(context: Context) -> Iterator[str]:
    """To whom an alert has to be so that it is for the account and the caller."""
    for audience in _audiences(context):
        yield f"to/all/{audience}"
        yield f"to/{context.account_id}/{audience}"
        if context.account.is_reseller:
            yield f"to/resellers/{audience}"
    if context.identity.owner_id is not None:
        yield f"to/{context.account_id}/{context.identity.owner_id}"


def _audiences(context: Context) -> tuple[str, ...]:
    return ("all", "users", "admins") if context.identity.is_account_admin else ("all", "users")


async def _is_for(context: Context, alert: Document) -> bool:
    """Whether an alert is for the caller: by its words, or because it names an account below the caller's."""
    if not set(addressees(alert)).isdisjoint(_words(context)):
        return True
    for entry in as_list(alert.at("to")):
        match entry:
            case {"type": "descendants", "value": [str(account_id), "all" | "users" | "admins"]}:
                account = await context.directory.account(account_id)
                if account is not None and context.account_id in account.tree:
                    return True
    return False


# Alerts from the account's own state


async def _computed(context: Context) -> list[dict[str, Any]]:
    """What is wrong with the account's balance and means of payment, if it has service plans."""
    services = await load_services(context.runtime, context.account_id)
    if services is None or not assigned(services):
        return []
    return [*await _low_balance(context), *_payment_tokens(context, services)]


async def _low_balance(context: Context) -> list[dict[str, Any]]:
    short = await shortage(context.runtime, context.account_id) if _wanted(context, "check_low_balance") else None
    if short is None:
        return []
    message = "The balance of the account is below its threshold"
    alert = _alert(context, "low_balance", "Balance below threshold", message)
    return [{**alert, "metadata": short._asdict()}]


def _payment_tokens(context: Context, services: Document) -> list[dict[str, Any]]:
    if not _wanted(context, "check_payment_token"):
        return []
    tokens = default_tokens(services)
    if not tokens:
        return [
            _alert(context, "no_payment_token", "No payment token configured", "Add a payment method to the account")
        ]
    soon = clock.now() + EXPIRES_SOON
    ends = [token.get("expiration") for token in tokens]
    if all(isinstance(end, int | float) and end < soon for end in ends):
        message = "Replace the payment method before it ends"
        return [_alert(context, "expired_payment_token", "Payment method expired or about to expire", message)]
    return []


def _alert(context: Context, category: str, title: str, message: str) -> dict[str, Any]:
    return {
        "id": context.account_id,
        "title": title,
        "message": message,
        "category": category,
        "metadata": {},
        "from": [{"type": "account", "value": context.account_id}],
        "clearable": False,
    }
