"""Service plans: the plans that an account sells, and the older words for assigning them.

Source: KAZOO 4.2 `cb_service_plans`, which user interfaces still call; assigning is what `services` does.
"""

from __future__ import annotations

from typing import Any, Final

from crossbar.documents.document import public_fields
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Summary
from crossbar.endpoint import ACCOUNT, BARE, Call, Reply, Resource, Who
from crossbar.errors import JSON, NotFound, SystemFault
from crossbar.resources.billing.domain.invoice import merged
from crossbar.resources.billing.domain.service_plan import PLAN, SERVICES, assigned, load_plans, load_services
from crossbar.resources.billing.services import (
    available,
    change_plans,
    editable_items,
    recount,
    sells,
    services,
    summarize,
    wants_csv,
)

CHARGES: Final[dict[str, Any]] = {
    "activation_charge": {},
    "discounts": {"maximum": {}, "rate": {}},
    "minimum": {},
    "rate": {},
}
"""What a plan may say of an item, as the older interface knows it."""

service_plans = Resource(
    "service_plans",
    document_type=PLAN,
    summary=Summary("id", "name", "description", "category"),
    sort="name",
    operations=(),
    id_name="plan_id",
)


async def may_create(call: Call) -> bool | None:
    """Plans are made by resellers for themselves, or by who sells to the account."""
    own = call.account.is_reseller and call.identity.account_id == call.account_id
    return own or await sells(call)


@service_plans.get()
async def index(call: Call) -> Reply:
    """The plans that this account sells."""
    plans = await call.store.documents(Listing(call.account_id, PLAN, descending=False))
    return Reply([call.store.shapes[PLAN].summary.of(plan) for plan in plans])


service_plans.put(who=may_create, checks_itself=True)(service_plans.life.create)


@service_plans.post(who=sells, checks_itself=True)
async def change_many(call: Call) -> Reply:
    """Assign (`add`, `plans`) and take away (`delete`) plans."""
    add = call.object.get("add", call.object.get("plans")) or []
    return await _changed(call, add, call.object.get("delete") or [])


@service_plans.delete(who=sells, checks_itself=True)
async def remove_many(call: Call) -> Reply:
    """Take away plans."""
    return await _changed(call, [], call.object.get("plans") or [])


@service_plans.get("/{plan_id}")
async def read(call: Call) -> Reply:
    """A plan of this account, or of its reseller."""
    for vendor_id in (call.account_id, await call.directory.reseller_of(call.account)):
        plan = await call.store.read(vendor_id, PLAN, call.path["plan_id"]) if vendor_id else None
        if plan is not None:
            return Reply.raw(plan)
    raise NotFound(call.path["plan_id"])


@service_plans.post("/{plan_id}", who=sells, checks_itself=True)
async def assign(call: Call) -> Reply:
    """Assign one plan."""
    return await _changed(call, [call.path["plan_id"]], [])


@service_plans.delete("/{plan_id}", who=sells, checks_itself=True)
async def unassign(call: Call) -> Reply:
    """Take away one plan, which the account must have."""
    plan_id = call.path["plan_id"]
    if plan_id not in assigned(await load_services(call.services, call.account_id)):
        raise SystemFault("plan_is_not_assigned")
    return await _changed(call, [], [plan_id])


async def _changed(call: Call, add: list[JSON], delete: list[str]) -> Reply:
    entries = [{"id": plan_id} for plan_id in add if isinstance(plan_id, str)]
    await change_plans(call, entries, [plan_id for plan_id in delete if isinstance(plan_id, str)])
    return Reply(merged(await load_plans(call.services, call.account)))


service_plans.get("/available")(available)


@service_plans.get("/available/{plan_id}")
async def read_available(call: Call) -> Reply:
    """A plan of the account's reseller."""
    vendor_id = await call.directory.reseller_of(call.account)
    plan = await call.store.read(vendor_id, PLAN, call.path["plan_id"]) if vendor_id else None
    if plan is None:
        raise NotFound(call.path["plan_id"])
    return Reply.raw(plan)


@service_plans.get("/current")
async def current(call: Call) -> Reply:
    """What the account has and what it comes to; as CSV the lines."""
    stored = await load_services(call.services, call.account_id)
    told = await summarize(call, public_fields(stored.fields) if stored else {})
    lines = [line for invoice in told["invoices"] for line in invoice["items"]]
    if wants_csv(call):
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
            "billing_id": call.account_id,
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


@service_plans.post("/override", who=Who.SUPERDUPER, checks_itself=True)
async def override(call: Call) -> Reply:
    """Lay something over assigned plans: plan id → what."""
    given = call.object.get("overrides") or {}

    def laid_in(stored: dict[str, Any]) -> dict[str, Any]:
        plans = dict(stored.get("plans") or {})
        for plan_id, overrides in given.items():
            if plan_id not in plans:
                raise NotFound(plan_id)
            plans[plan_id] = {**plans[plan_id], "overrides": overrides}
        return {**stored, "plans": plans}

    return Reply(assigned(await services.life.upsert(call, SERVICES, laid_in)))


@service_plans.get("/editable", scopes=(ACCOUNT,))
@service_plans.get("/editable", scopes=(BARE,), who=Who.AUTHENTICATED)
async def editable(call: Call) -> Reply:
    """Category → item → what a plan may say of it."""
    items = {
        category: {item: {**CHARGES, "as": {}, "exceptions": {}} if item == "_all" else CHARGES for item in known}
        for category, known in editable_items(call).items()
    }
    return Reply({**items, "ui_apps": {"_all": CHARGES}})


service_plans.post("/synchronization", who=sells)(recount)
service_plans.post("/reconciliation", who=sells)(recount)
