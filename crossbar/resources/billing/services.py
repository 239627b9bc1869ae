# SPDX-License-Identifier: MPL-2.0
"""Services: the service plans of an account, what they count, and what they cost.

Source: KAZOO `cb_services`, `kz_services.erl`. The reseller of an account sells to it; the account sees what it has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from crossbar.access.directory import Account
from crossbar.documents.document import Document, as_object, merge, private_fields, public_fields
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Summary
from crossbar.endpoint import Collection, Context, Draft, Lists, Reply, Who, answer_document, answer_listing
from crossbar.errors import JSON, Invalid, SystemFault
from crossbar.resources.billing.domain import service_audit
from crossbar.resources.billing.domain.bookkeeper import DEFAULT, bookkeeper_of
from crossbar.resources.billing.domain.charge_quote import has_services
from crossbar.resources.billing.domain.editable_item import editable_items
from crossbar.resources.billing.domain.invoice import is_number
from crossbar.resources.billing.domain.money import MOST_DOLLARS, check_at_most, units_of
from crossbar.resources.billing.domain.service_audit import AUDIT, YEAR
from crossbar.resources.billing.domain.service_plan import PLAN, SERVICES, assigned, check_plans, load_services
from crossbar.resources.billing.domain.service_summary import manual_quantities, summarize
from crossbar.resources.billing.domain.top_up import top_up
from crossbar.resources.billing.limits import limits
from crossbar.resources.calls.conferences.conferences import conferences
from crossbar.resources.calls.fax.faxboxes import faxboxes
from crossbar.resources.calls.voicemail.vmboxes import vmboxes
from crossbar.resources.identity.devices import devices
from crossbar.resources.identity.users import users
from crossbar.resources.numbers.domain.charge_check import CostlyChange, check_charges
from crossbar.resources.system.whitelabel import whitelabel
from crossbar.wire.list_options import RANGE, time_range

Fields = dict[str, Any]
DETAILS = {"details": "`true`: whole plans"}

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


@services.post("/accounts/{account_id}/services", who=sells, checks_itself=True, schema="services.change")
async def change_many(context: Context) -> Reply:
    """Assign and take away several plans."""
    order = context.valid_data()
    return Reply(assigned(await change_plans(context, wanted_plans(order), order.get("delete", []))))


@services.post("/accounts/{account_id}/services/{plan_id}", who=sells, checks_itself=True)
async def assign(context: Context) -> Reply:
    """Assign one plan."""
    return Reply(assigned(await change_plans(context, [{"id": context.path["plan_id"]}], [])))


@services.delete("/accounts/{account_id}/services/{plan_id}", who=sells, checks_itself=True)
async def unassign(context: Context) -> Reply:
    """Take away one plan; one that was not assigned is no error."""
    plan_id = context.path["plan_id"]
    await check_plans(context.store, context.directory, context.account, [plan_id])
    return Reply(assigned(await change_plans(context, [], [plan_id])))


def wanted_plans(order: Fields) -> list[Fields]:
    """The plans that a valid `services.change` assigns, each with its `id`."""
    given: Any = order.get("add", order.get("plans", []))
    return [{"id": entry} if isinstance(entry, str) else entry for entry in given]


def check_prices(context: Context, given: Fields, field: str = "") -> None:
    """Refuse (400) what is no plan, nor a part of one to lay over plans. Numbers in texts are none here."""
    _, errors = context.runtime.schemas.errors("services.plan", given, strict=True)
    if errors:
        raise Invalid({f"{field}{name}": error for name, error in errors.items()})


async def change_plans(context: Context, add: list[Fields], delete: Iterable[str]) -> Document:
    """Assign and take away plans of the account's reseller. Raises NotFound for a plan that it does not have."""
    vendor_id = await check_plans(context.store, context.directory, context.account, [entry["id"] for entry in add])
    gone = set(delete)
    overrides = context.object.get("overrides")
    for laid in (overrides, *(entry.get("overrides") for entry in add)):
        if laid is not None:
            check_overrides(context, laid)

    def laid_in(stored: Fields) -> Fields:
        plans = {key: entry for key, entry in as_object(stored.get("plans")).items() if key not in gone}
        for entry in add:
            kept = {key: entry[key] for key in ("overrides", "contract") if entry.get(key) is not None}
            plans[entry["id"]] = {"vendor_id": vendor_id, **kept}
        changed = {**stored, "plans": plans}
        return (
            changed if overrides is None else {**changed, "overrides": _laid(context, stored, "overrides", overrides)}
        )

    return await services.life.upsert(context, SERVICES, laid_in)


@services.get("/accounts/{account_id}/services/available", options=DETAILS)
async def available(context: Context) -> Reply:
    """The plans that the account's reseller has: rows, or whole plans (`details`)."""
    vendor_id = await context.directory.reseller_of(context.account) or context.account_id
    plans = await context.store.all(Listing(vendor_id, PLAN, descending=False))
    if context.values.is_true("details"):
        return Reply([plan.public for plan in plans])
    return Reply([context.store.shapes[PLAN].summary.of(plan) for plan in plans])


# Overrides and quantities by hand


def check_overrides(context: Context, given: JSON, field: str = "overrides") -> None:
    """Refuse (400) what cannot be laid over plans."""
    if not isinstance(given, dict):
        raise Invalid.field(field, "type", "Value did not match type(s): object", target="object", value=given)
    check_prices(context, given, f"{field}.")


def _check_quantities(context: Context, given: JSON) -> None:
    context.valid("services.quantities", given)


def _offer(
    path: str,
    name: str,
    read: Callable[[Fields], JSON],
    write: Callable[[Fields, JSON], Fields],
    *,
    check: Callable[[Context, JSON], None],
    who: Any,
) -> None:
    """Reading, replacing and changing one object of the services document."""

    async def show(context: Context) -> Reply:
        """What is set by hand under this name; an empty object where nothing is."""
        stored = await load_services(context.runtime, context.account_id)
        return Reply(read(public_fields(stored.fields) if stored else {}))

    async def replace(context: Context) -> Reply:
        """Set it anew, or (PATCH) change a part of it."""

        def laid_in(stored: Fields) -> Fields:
            value = _laid(context, stored, name, context.object, read(stored))
            check(context, value)
            return write(stored, value)

        saved = await services.life.upsert(context, SERVICES, laid_in)
        return Reply(read(saved.fields))

    services.get(path, who=who)(show)
    merging = {"merge": "`true`: laid over what was there"}
    services.post(path, who=sells, checks_itself=True, options=merging)(replace)
    services.patch(path, who=sells, checks_itself=True)(replace)


def _laid(context: Context, stored: Fields, name: str, given: JSON, before: JSON = None) -> JSON:
    """What is given, over what was there before where the request asks to merge."""
    before = stored.get(name) if before is None else before
    wants_merge = context.verb == "PATCH" or context.values.is_true("merge")
    return merge(before, given) if wants_merge and isinstance(before, dict) and isinstance(given, dict) else given


_offer(
    "/accounts/{account_id}/services/overrides",
    "overrides",
    lambda stored: as_object(stored.get("overrides")),
    lambda stored, value: {**stored, "overrides": value},
    check=check_overrides,
    who=Who.TREE,
)
_offer(
    "/accounts/{account_id}/services/manual",
    "manual",
    manual_quantities,
    lambda stored, value: {**stored, "quantities": {**as_object(stored.get("quantities")), "manual": value}},
    check=_check_quantities,
    who=sells,
)


# What it comes to


def _account(context: Context) -> Account:
    """The account in the path, else the caller's."""
    return context.target or context.identity.account


@services.get("/accounts/{account_id}/services/summary")
async def summary(context: Context) -> Reply:
    """Plans, quantities and invoices; as CSV the lines of the invoices."""
    stored = await load_services(context.runtime, context.account_id)
    told = await summarize(context.runtime, _account(context), public_fields(stored.fields) if stored else {})
    if context.wants_csv:
        return Reply([line for invoice in told["invoices"] for line in invoice["items"]])
    return Reply(told)


@services.post("/accounts/{account_id}/services/quote", schema="services.change")
@services.post("/services/quote", who=Who.AUTHENTICATED, schema="services.change")
async def quote(context: Context) -> Reply:
    """What the given plans would come to, with nothing stored."""
    order = context.valid_data()
    wanted = wanted_plans(order)
    vendor_id = await check_plans(
        context.store, context.directory, _account(context), [entry["id"] for entry in wanted]
    )
    plans = {entry["id"]: {**entry, "vendor_id": vendor_id} for entry in wanted}
    return Reply(
        await summarize(context.runtime, _account(context), {"plans": plans, "overrides": order.get("overrides", {})})
    )


@services.post("/accounts/{account_id}/services/synchronization", who=sells)
@services.post("/accounts/{account_id}/services/reconciliation", who=sells)
async def recount(_: Context) -> Reply:
    """Everything is counted when it is asked for, and no biller has to hear of it: nothing is left to do."""
    return Reply({})


@services.post(
    "/accounts/{account_id}/services/topup", checks_itself=True, options={"amount": "Dollars"}, refuses=(402,)
)
async def topup(context: Context) -> Reply:
    """Add credit. Nobody is charged for it where the bookkeeper is the default one; no other one is there to charge."""
    amount = context.object.get("amount")
    if not is_number(amount) or units_of(amount) <= 0:
        raise Invalid.field("amount", "required", "Field is required but missing")
    check_at_most(context.object, "amount", MOST_DOLLARS)
    bookkeeper = await bookkeeper_of(context.runtime, context.account)
    if bookkeeper["type"] != DEFAULT:
        raise SystemFault("no_payment_token")
    context.ready_to_write()
    booked = await top_up(context.runtime, context.account, units_of(amount), context.author)
    return Reply({"ledger": booked.entry.public})


# What can be sold


@services.get("/accounts/{account_id}/services/editable")
@services.get("/services/editable", who=Who.AUTHENTICATED)
async def editable(context: Context) -> Reply:
    """Category → item → what a plan may say of it."""
    return Reply(editable_items(context.runtime.schemas))


# What has to be accepted before it is saved


def charge_for(collection: Collection) -> None:
    """Refuse (402) what the caller's plans charge for in a collection's documents, unless the request accepts that."""

    @collection.normalize
    async def drop_acceptance(_: Context, draft: Draft) -> None:
        draft.data.pop("accept_charges", None)

    @collection.finish
    async def check_charges_of(context: Context, draft: Draft) -> None:
        if draft.errors.fields or not await has_services(context.runtime, context.identity.account_id):
            return
        kept = private_fields(draft.previous.fields) if draft.previous else {}
        after = Document(context.account_id, collection.shape.type, draft.id, {**kept, **draft.data})
        before = (draft.previous,) if draft.previous else ()
        change = CostlyChange(context.account_id, before, (after,))
        accepts = context.values.is_true("accept_charges")
        await check_charges(context.runtime, context.identity, change, accepts=accepts)

    collection.option("accept_charges", "`true` accepts what the change costs", "create", "replace", "merge")


for charged in (users, devices, vmboxes, faxboxes, conferences, limits, whitelabel):
    charge_for(charged)


# What changed


@services.after
async def note_change(context: Context, saved: Document, previous: Document | None) -> None:
    """Keep what changed, and how many of everything there were."""
    await service_audit.note_change(context.runtime, context.account_id, saved, previous, context.author)


@services.get("/accounts/{account_id}/services/audit", lists=Lists.TIMES)
async def audit(context: Context) -> Reply:
    """Changes of the account's services, the newest first."""
    return await answer_listing(context, AUDIT, time_range=YEAR)


@services.get("/accounts/{account_id}/services/audit/{audit_id}")
async def read_audit(context: Context) -> Reply:
    """One change."""
    return await answer_document(context, AUDIT, context.path["audit_id"])


@services.get(
    "/accounts/{account_id}/services/audit_summary",
    "/accounts/{account_id}/services/audit/summary",
    options=RANGE,
)
async def audit_summary(context: Context) -> Reply:
    """Category → day → how many there were and how many came and went."""
    return Reply([await _days(context)])


@services.get(
    "/accounts/{account_id}/services/audit/summary/{source}",
    options=RANGE,
)
async def audit_summary_of(context: Context) -> Reply:
    """The same of one category."""
    return Reply([(await _days(context)).get(context.path["source"], {})])


async def _days(context: Context) -> dict[str, dict[str, dict[str, float]]]:
    first, last = time_range(context.values, maximum=YEAR)
    return await service_audit.days(context.store, context.account_id, first, last)
