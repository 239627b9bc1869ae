# SPDX-License-Identifier: MPL-2.0
"""Service plans: the plans that an account sells, and the older words for assigning them.

Source: KAZOO 4.2 `cb_service_plans`, which user interfaces still call; assigning is what `services` does.
"""

from __future__ import annotations

from typing import Any, Final

from crossbar.documents.document import as_object, public_fields
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Summary
from crossbar.endpoint import Collection, Context, Draft, Reply, Who
from crossbar.errors import JSON, NotFound, SystemFault
from crossbar.resources.billing.domain.editable_item import editable_items
from crossbar.resources.billing.domain.invoice import merged
from crossbar.resources.billing.domain.service_plan import PLAN, SERVICES, assigned, load_plans, load_services
from crossbar.resources.billing.domain.service_summary import summarize
from crossbar.resources.billing.services import (
    DETAILS,
    available,
    change_plans,
    check_overrides,
    check_prices,
    recount,
    sells,
    services,
    wanted_plans,
)

CHARGES: Final[dict[str, Any]] = {
    "activation_charge": {},
    "discounts": {"maximum": {}, "rate": {}},
    "minimum": {},
    "rate": {},
}
"""What a plan may say of an item, as the older interface knows it."""

service_plans = Collection(
    "service_plans",
    "/accounts/{account_id}/service_plans/{plan_id}",
    Shape(PLAN, summary=Summary("id", "name", "description", "category"), sort="name"),
    operations=(),
)


async def may_create(context: Context) -> bool | None:
    """Plans are made by resellers for themselves, or by who sells to the account."""
    own = context.account.is_reseller and context.identity.account_id == context.account_id
    return own or await sells(context)


@service_plans.get("/accounts/{account_id}/service_plans")
async def index(context: Context) -> Reply:
    """The plans that this account sells."""
    plans = await context.store.all(Listing(context.account_id, PLAN, descending=False))
    return Reply([context.store.shapes[PLAN].summary.of(plan) for plan in plans])


@service_plans.check
async def check_plan(context: Context, draft: Draft) -> None:
    """What is sold has prices that can be reckoned with."""
    check_prices(context, draft.data)


service_plans.put("/accounts/{account_id}/service_plans", who=may_create, checks_itself=True)(service_plans.life.create)


@service_plans.post("/accounts/{account_id}/service_plans", who=sells, checks_itself=True, schema="services.change")
async def change_many(context: Context) -> Reply:
    """Assign (`add`, `plans`) and take away (`delete`) plans."""
    order = context.valid_data()
    return await _changed(context, wanted_plans(order), order.get("delete", []))


@service_plans.delete("/accounts/{account_id}/service_plans", who=sells, checks_itself=True, schema="services.change")
async def remove_many(context: Context) -> Reply:
    """Take away plans."""
    order = context.valid_data()
    return await _changed(context, [], [entry["id"] for entry in wanted_plans(order)])


@service_plans.get("/accounts/{account_id}/service_plans/{plan_id}")
async def read(context: Context) -> Reply:
    """A plan of this account, or of its reseller."""
    for vendor_id in (context.account_id, await context.directory.reseller_of(context.account)):
        plan = await context.store.get_json(vendor_id, PLAN, context.path["plan_id"]) if vendor_id else None
        if plan is not None:
            return Reply.raw(plan)
    raise NotFound(context.path["plan_id"])


@service_plans.post("/accounts/{account_id}/service_plans/{plan_id}", who=sells, checks_itself=True)
async def assign(context: Context) -> Reply:
    """Assign one plan."""
    return await _changed(context, [{"id": context.path["plan_id"]}], [])


@service_plans.delete("/accounts/{account_id}/service_plans/{plan_id}", who=sells, checks_itself=True, refuses=(500,))
async def unassign(context: Context) -> Reply:
    """Take away one plan, which the account must have."""
    plan_id = context.path["plan_id"]
    if plan_id not in assigned(await load_services(context.runtime, context.account_id)):
        raise SystemFault("plan_is_not_assigned")
    return await _changed(context, [], [plan_id])


async def _changed(context: Context, add: list[dict[str, JSON]], delete: list[str]) -> Reply:
    await change_plans(context, add, delete)
    return Reply(merged(await load_plans(context.runtime, context.account)))


service_plans.get("/accounts/{account_id}/service_plans/available", options=DETAILS)(available)


@service_plans.get("/accounts/{account_id}/service_plans/available/{plan_id}")
async def read_available(context: Context) -> Reply:
    """A plan of the account's reseller."""
    vendor_id = await context.directory.reseller_of(context.account)
    plan = await context.store.get_json(vendor_id, PLAN, context.path["plan_id"]) if vendor_id else None
    if plan is None:
        raise NotFound(context.path["plan_id"])
    return Reply.raw(plan)


@service_plans.get("/accounts/{account_id}/service_plans/current")
async def current(context: Context) -> Reply:
    """What the account has and what it comes to; as CSV the lines."""
    stored = await load_services(context.runtime, context.account_id)
    told = await summarize(
        context.runtime, context.target or context.identity.account, public_fields(stored.fields) if stored else {}
    )
    lines = [line for invoice in told["invoices"] for line in invoice["items"]]
    if context.wants_csv:
        return Reply(lines)
    items: dict[str, dict[str, Any]] = {}
    for line in lines:
        items.setdefault(line["category"], {})[line["item"]] = _line(line)
    return Reply(
        {
            "plans": told["plans"],
            "account_quantities": told["quantities"]["account"],
            "cascade_quantities": told["quantities"]["cascade"],
            "items": items,
            "billing_id": context.account_id,
            "reseller": told["reseller"]["is_reseller"],
            "reseller_id": told["reseller"]["id"],
            "dirty": False,
            "in_good_standing": told["status"]["acceptable"],
        }
    )


def _line(line: dict[str, Any]) -> dict[str, Any]:
    discounts = line.get("discounts", {})
    single, cumulative = discounts.get("single", {}), discounts.get("cumulative", {})
    return {
        "category": line["category"],
        "item": line["item"],
        "quantity": line["quantity"],
        "rate": line["rate"],
        "single_discount": bool(single),
        "single_discount_rate": single.get("rate", 0.0),
        "cumulative_discount": cumulative.get("quantity", 0),
        "cumulative_discount_rate": cumulative.get("rate", 0.0),
    }


@service_plans.post(
    "/accounts/{account_id}/service_plans/override", who=Who.SUPERDUPER, checks_itself=True, schema="services.change"
)
async def override(context: Context) -> Reply:
    """Lay something over assigned plans: plan id → what."""
    given = context.valid_data().get("overrides", {})
    for plan_id, overrides in given.items():
        check_overrides(context, overrides, f"overrides.{plan_id}")

    def laid_in(stored: dict[str, Any]) -> dict[str, Any]:
        plans = dict(as_object(stored.get("plans")))
        for plan_id, overrides in given.items():
            if plan_id not in plans:
                raise NotFound(plan_id)
            plans[plan_id] = {**as_object(plans[plan_id]), "overrides": overrides}
        return {**stored, "plans": plans}

    return Reply(assigned(await services.life.upsert(context, SERVICES, laid_in)))


@service_plans.get("/accounts/{account_id}/service_plans/editable")
@service_plans.get("/service_plans/editable", who=Who.AUTHENTICATED)
async def editable(context: Context) -> Reply:
    """Category → item → what a plan may say of it."""
    items = {
        category: {item: {**CHARGES, "as": {}, "exceptions": {}} if item == "_all" else CHARGES for item in known}
        for category, known in editable_items(context.runtime.schemas).items()
    }
    return Reply({**items, "ui_apps": {"_all": CHARGES}})


service_plans.post("/accounts/{account_id}/service_plans/synchronization", who=sells)(recount)
service_plans.post("/accounts/{account_id}/service_plans/reconciliation", who=sells)(recount)
