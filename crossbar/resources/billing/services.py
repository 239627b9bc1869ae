"""Services: the service plans of an account, what they count, and what they cost.

Source: KAZOO `cb_services`, `kz_services.erl`. The reseller of an account sells to it; the account sees what it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Final

from crossbar import clock
from crossbar.access.authorship import stamps
from crossbar.documents.document import Document, merge, public_fields
from crossbar.documents.listing import Listing, Position
from crossbar.documents.shape import Shape, Summary
from crossbar.endpoint import Collection, Context, Reply, Who, answer_listing
from crossbar.errors import JSON, NotFound
from crossbar.ids import monthly_id
from crossbar.resources.billing.domain.invoice import invoices, merged
from crossbar.resources.billing.domain.quantity import Quantities, cascading_quantities, own_quantities
from crossbar.resources.billing.domain.service_plan import PLAN, SERVICES, assigned, load_services, resolve
from crossbar.wire.list_options import time_range
from crossbar.wire.negotiation import CSV_TYPES, media_type, overriding_media_type

AUDIT: Final = "service_audit"
AUDIT_SHAPE: Final = Shape(
    AUDIT,
    summary=Summary("id", "status", "reason", "message", "type", "summary"),
    sort="pvt_created",
    collection="records",
)
"""One change of an account's services, kept by month."""
YEAR: Final = 366 * clock.DAY
"""Seconds of the longest range of the audit log."""
FROM_PLANS: Final = ("ratedeck", "applications", "limits", "im")
"""What the merged plan says beside prices."""

Fields = dict[str, Any]

services = Collection(
    "services",
    "/accounts/{account_id}/services/{plan_id}",
    Shape(SERVICES, summary=Summary("id")),
    operations=(),
    takes_all_words=True,
)


async def sells(context: Context) -> bool | None:
    """Only the account's reseller changes what it has, or a superduper admin."""
    reseller_id = await context.directory.reseller_of(context.account)
    return context.identity.superduper or context.identity.account_id == reseller_id


# Plans


@services.get("/accounts/{account_id}/services")
async def index(context: Context) -> Reply:
    """Plan id → `{vendor_id, overrides?, contract?}`."""
    return Reply(assigned(await load_services(context.runtime, context.account_id)))


@services.post("/accounts/{account_id}/services", who=sells, checks_itself=True)
async def change_many(context: Context) -> Reply:
    """Assign and take away several plans."""
    return Reply(assigned(await change_plans(context, _wanted(context), context.object.get("delete") or [])))


@services.post("/accounts/{account_id}/services/{plan_id}", who=sells, checks_itself=True)
async def assign(context: Context) -> Reply:
    """Assign one plan."""
    return Reply(assigned(await change_plans(context, [{"id": context.path["plan_id"]}], [])))


@services.delete("/accounts/{account_id}/services/{plan_id}", who=sells, checks_itself=True)
async def unassign(context: Context) -> Reply:
    """Take away one plan; one that was not assigned is no error."""
    plan_id = context.path["plan_id"]
    await _check_plans(context, [plan_id])
    return Reply(assigned(await change_plans(context, [], [plan_id])))


def _wanted(context: Context) -> list[Fields]:
    given = context.object.get("add", context.object.get("plans")) or []
    entries = [{"id": entry} if isinstance(entry, str) else entry for entry in given]
    return [entry for entry in entries if isinstance(entry, dict) and isinstance(entry.get("id"), str)]


async def change_plans(context: Context, add: list[Fields], delete: Iterable[str]) -> Document:
    """Assign and take away plans of the account's reseller. Raises NotFound for a plan that it does not have."""
    vendor_id = await _check_plans(context, [entry["id"] for entry in add])
    gone = set(delete)
    overrides = context.object.get("overrides")

    def laid_in(stored: Fields) -> Fields:
        plans = {key: entry for key, entry in (stored.get("plans") or {}).items() if key not in gone}
        for entry in add:
            kept = {key: entry[key] for key in ("overrides", "contract") if entry.get(key) is not None}
            plans[entry["id"]] = {"vendor_id": vendor_id, **kept}
        changed = {**stored, "plans": plans}
        return (
            changed if overrides is None else {**changed, "overrides": _laid(context, stored, "overrides", overrides)}
        )

    return await services.life.upsert(context, SERVICES, laid_in)


async def _check_plans(context: Context, plan_ids: list[str]) -> str:
    """The account's reseller, which has each of the plans."""
    vendor_id = await context.directory.reseller_of(context.account) or context.account_id
    for plan_id in plan_ids:
        if await context.store.get(vendor_id, PLAN, plan_id) is None:
            raise NotFound(plan_id)
    return vendor_id


@services.get("/accounts/{account_id}/services/available")
async def available(context: Context) -> Reply:
    """The plans that the account's reseller has: rows, or whole plans (`details`)."""
    vendor_id = await context.directory.reseller_of(context.account) or context.account_id
    plans = await context.store.all(Listing(vendor_id, PLAN, descending=False))
    if context.values.is_true("details"):
        return Reply([plan.public for plan in plans])
    return Reply([context.store.shapes[PLAN].summary.of(plan) for plan in plans])


# Overrides and quantities by hand


def _offer(name: str, read: Callable[[Fields], JSON], write: Callable[[Fields, JSON], Fields], *, who: Any) -> None:
    """Reading, replacing and changing one object of the services document."""

    async def show(context: Context) -> Reply:
        stored = await load_services(context.runtime, context.account_id)
        return Reply(read(public_fields(stored.fields) if stored else {}))

    async def replace(context: Context) -> Reply:
        saved = await services.life.upsert(
            context, SERVICES, lambda stored: write(stored, _laid(context, stored, name, context.object, read(stored)))
        )
        return Reply(read(saved.fields))

    services.get(f"/accounts/{{account_id}}/services/{name}", who=who)(show)
    services.post(f"/accounts/{{account_id}}/services/{name}", who=sells, checks_itself=True)(replace)
    services.patch(f"/accounts/{{account_id}}/services/{name}", who=sells, checks_itself=True)(replace)


def _laid(context: Context, stored: Fields, name: str, given: JSON, before: JSON = None) -> JSON:
    """What is given, over what was there before where the request asks to merge."""
    before = stored.get(name) if before is None else before
    wants_merge = context.verb == "PATCH" or context.values.is_true("merge")
    return merge(before, given) if wants_merge and isinstance(before, dict) and isinstance(given, dict) else given


_offer(
    "overrides",
    lambda stored: stored.get("overrides") or {},
    lambda stored, value: {**stored, "overrides": value},
    who=Who.TREE,
)
_offer(
    "manual",
    lambda stored: (stored.get("quantities") or {}).get("manual") or {},
    lambda stored, value: {**stored, "quantities": {**(stored.get("quantities") or {}), "manual": value}},
    who=sells,
)


# What it comes to


@services.get("/accounts/{account_id}/services/summary")
async def summary(context: Context) -> Reply:
    """Plans, quantities and invoices; as CSV the lines of the invoices."""
    stored = await load_services(context.runtime, context.account_id)
    told = await summarize(context, public_fields(stored.fields) if stored else {})
    if wants_csv(context):
        return Reply([line for invoice in told["invoices"] for line in invoice["items"]])
    return Reply(told)


@services.post("/accounts/{account_id}/services/quote")
@services.post("/services/quote", who=Who.AUTHENTICATED)
async def quote(context: Context) -> Reply:
    """What the given plans would come to, with nothing stored."""
    account = context.target or context.identity.account
    vendor_id = await context.directory.reseller_of(account) or account.id
    plans = {entry["id"]: {**entry, "vendor_id": vendor_id} for entry in _wanted(context)}
    for plan_id in plans:
        if await context.store.get(vendor_id, PLAN, plan_id) is None:
            raise NotFound(plan_id)
    return Reply(await summarize(context, {"plans": plans, "overrides": context.object.get("overrides") or {}}))


async def summarize(context: Context, stored: Fields) -> dict[str, Any]:
    """Everything about the services of the account in the path (else the caller's), were `stored` its document."""
    account = context.target or context.identity.account
    entries = assigned(Document("", SERVICES, SERVICES, stored))
    overrides = stored.get("overrides") or {}
    plans = [merge(plan, overrides) for plan in await resolve(context.runtime, account, entries)]
    own = await own_quantities(context.runtime, account.id)
    manual = (stored.get("quantities") or {}).get("manual") or {}
    cascade = await cascading_quantities(context.runtime, account) if _any_cascade(plans) else {}
    together = merged(plans)
    return {
        "plans": entries,
        "overrides": overrides,
        "invoices": invoices(plans, _corrected(own, manual), cascade),
        "quantities": {"account": own, "cascade": cascade, "manual": manual},
        "reseller": {"id": await context.directory.reseller_of(account), "is_reseller": account.is_reseller},
        **{key: together.get(key) or {} for key in FROM_PLANS},
        "payment_tokens": stored.get("payment_tokens") or {},
        "billing_cycle": {"next": next_month(), "period": 1, "unit": "month"},
        "status": _standing(account.id, has_plans=bool(plans)),
    }


def _any_cascade(plans: list[Fields]) -> bool:
    return any(
        isinstance(item, dict) and item.get("cascade") is True
        for plan in plans
        for category in (plan.get("plan") or {}).values()
        if isinstance(category, dict)
        for item in category.values()
    )


def _corrected(own: Quantities, manual: Quantities) -> Quantities:
    """Quantities as counted, or as somebody set them by hand."""
    return {category: {**own.get(category, {}), **manual.get(category, {})} for category in {*own, *manual}}


def _standing(account_id: str, *, has_plans: bool) -> dict[str, Any]:
    """Without a biller nobody falls behind."""
    if not has_plans:
        return {"acceptable": True, "reason": "no service plans assigned"}
    return {"acceptable": True, "reason": "good_standing", "message": f"account {account_id} is in good standing"}


def next_month() -> int:
    """When the next billing cycle begins: the first of next month (UTC), Gregorian."""
    now = datetime.fromtimestamp(clock.unix_now(), UTC)
    year, month = (now.year + 1, 1) if now.month == 12 else (now.year, now.month + 1)
    return clock.gregorian(datetime(year, month, 1, tzinfo=UTC).timestamp())


def wants_csv(context: Context) -> bool:
    """Whether the answer is to be a sheet."""
    asked = context.values.get("accept")
    override = overriding_media_type(asked) if isinstance(asked, str) else None
    return (override or media_type(context.request.headers.get("Accept"))) in CSV_TYPES


@services.post("/accounts/{account_id}/services/synchronization", who=sells)
@services.post("/accounts/{account_id}/services/reconciliation", who=sells)
async def recount(_: Context) -> Reply:
    """Everything is counted when it is asked for, and no biller has to hear of it: nothing is left to do."""
    return Reply({})


# What can be sold


EDITABLE: Final[dict[str, tuple[str, ...]]] = {
    "account_apps": (),
    "branding": ("whitelabel",),
    "conferences": ("conference",),
    "devices": (
        "application",
        "ata",
        "cellphone",
        "ctu",
        "fax",
        "landline",
        "mobile",
        "sip_device",
        "sip_uri",
        "smartphone",
        "softphone",
    ),
    "faxes": ("mailbox",),
    "ips": ("dedicated",),
    "limits": ("inbound_trunks", "outbound_trunks", "twoway_trunks"),
    "number_carriers": ("inventory", "local", "mdn", "other", "reserved"),
    "number_services": ("cnam", "e911", "failover", "force_outbound", "port", "prepend", "ringback"),
    "phone_numbers": ("caribbean", "did_us", "emergency", "international", "toll_us", "tollfree_us", "unknown"),
    "port_request": ("canceled", "completed", "pending", "rejected", "scheduled", "submitted", "unconfirmed"),
    "user_apps": (),
    "users": ("admin", "user"),
    "voicemails": ("mailbox", "transcription"),
}
"""Category → the items that plans may price."""


@services.get("/accounts/{account_id}/services/editable")
@services.get("/services/editable", who=Who.AUTHENTICATED)
async def editable(context: Context) -> Reply:
    """Category → item → what a plan may say of it."""
    return Reply(editable_items(context))


def editable_items(context: Context) -> dict[str, dict[str, Any]]:
    """What plans may price, with the schema of each item; only `_all` has a name of its own (`as`)."""
    schema = context.runtime.schemas.get("service_plan.item") or {}
    properties: dict[str, Any] = schema.get("properties", {})
    plain = {key: value for key, value in properties.items() if key != "as"}
    return {category: {"_all": properties, **dict.fromkeys(items, plain)} for category, items in EDITABLE.items()}


# What changed


@services.after
async def note_change(context: Context, saved: Document, previous: Document | None) -> None:
    """Keep what changed, and how many of everything there were."""
    before, now = sorted(assigned(previous)), sorted(assigned(saved))
    entry = Document(
        context.account_id,
        AUDIT,
        monthly_id(),
        {
            "status": "success",
            "reason": "service_plans" if before != now else "services",
            "message": "The services of the account changed",
            "type": "audit_log",
            "summary": {"before": before, "after": now},
            "quantities": await own_quantities(context.runtime, context.account_id),
        },
    )
    entry.fields.update(stamps(context.author, entry))
    await context.store.insert(entry)


@services.get("/accounts/{account_id}/services/audit")
async def audit(context: Context) -> Reply:
    """Changes of the account's services, the newest first."""
    return await answer_listing(context, AUDIT, time_range=YEAR)


@services.get("/accounts/{account_id}/services/audit/{audit_id}")
async def read_audit(context: Context) -> Reply:
    """One change."""
    audit_id = context.path["audit_id"]
    raw = await context.store.get_json(context.account_id, AUDIT, audit_id)
    if raw is None:
        raise NotFound(audit_id)
    return Reply.raw(raw)


@services.get("/accounts/{account_id}/services/audit_summary")
@services.get("/accounts/{account_id}/services/audit/summary")
async def audit_summary(context: Context) -> Reply:
    """Category → day → how many there were and how many came and went."""
    return Reply([await _days(context)])


@services.get("/accounts/{account_id}/services/audit/summary/{source}")
async def audit_summary_of(context: Context) -> Reply:
    """The same of one category."""
    return Reply([(await _days(context)).get(context.path["source"], {})])


async def _days(context: Context) -> dict[str, dict[str, dict[str, float]]]:
    first, last = time_range(context.values, maximum=YEAR)
    listing = Listing(
        context.account_id, AUDIT, start=Position.value(first), end=Position.value(last), descending=False
    )
    days: dict[str, dict[str, dict[str, float]]] = {}
    before: dict[str, float] = {}
    for entry in await context.store.all(listing):
        moment = entry.fields["pvt_created"]
        date = datetime.fromtimestamp(clock.unix(moment), UTC).strftime("%Y-%m-%d")
        for category, items in entry.fields["quantities"].items():
            quantity = sum(items.values())
            change = quantity - before.get(category, 0)
            day = days.setdefault(category, {}).setdefault(
                date, {"addition": 0, "removal": 0, "quantity": 0, "sum_quantity": 0, "last_timestamp": 0}
            )
            day["addition"] += max(change, 0)
            day["removal"] += max(-change, 0)
            day["quantity"] = quantity
            day["sum_quantity"] += quantity
            day["last_timestamp"] = moment
            before[category] = quantity
    return days
