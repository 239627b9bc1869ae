# SPDX-License-Identifier: MPL-2.0
"""What service plans cost: quantities and plans in, invoices out. Arithmetic only.

Source: KAZOO `kz_services_invoice.erl`, `kz_services_items.erl`, `kz_services_item.erl`, `kz_services_plans.erl`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any, Final, TypeGuard

from crossbar.documents.document import as_list, as_object, merge
from crossbar.errors import JSON

Quantities = Mapping[str, Mapping[str, float]]
"""Category → item → how many."""
Plan = dict[str, Any]

ALL: Final = "_all"
"""The item that stands for every item of a category that the plan does not name."""
STRATEGIES: Final = {"simple": 10, "recursive": 25, "cumulative": 50}
"""How plans are merged, and in which order the results are laid over each other."""
LARGEST: Final = 10**12
"""Beyond this a price or quantity is none."""
SMALLEST_STEP: Final = 1e-6
_TIER: Final = re.compile("[0-9]{1,12}")
PRORATE: Final = {"additions": True, "removals": False}


def invoices(plans: list[Plan], quantities: Quantities, cascade: Quantities) -> list[dict[str, Any]]:
    """One invoice for each bookkeeper of the plans.

    `quantities` are the account's own, `cascade` those of all accounts below it.
    """
    by_bookkeeper = sorted(plans, key=_bookkeeper_key)
    return [_invoice(list(group), quantities, cascade) for _, group in groupby(by_bookkeeper, key=_bookkeeper_key)]


def _bookkeeper_key(plan: Plan) -> tuple[str, str]:
    bookkeeper = _bookkeeper(plan)
    return str(bookkeeper.get("type")), str(bookkeeper.get("vendor_id"))


def _bookkeeper(plan: Plan) -> dict[str, JSON]:
    given = plan.get("bookkeeper")
    return {"type": "default", "vendor_id": plan.get("vendor_id"), **(given if isinstance(given, dict) else {})}


def _invoice(plans: list[Plan], quantities: Quantities, cascade: Quantities) -> dict[str, Any]:
    plan = merged(plans)
    items = list(_items(as_object(plan.get("plan")), quantities, cascade))
    return {
        "items": items,
        "activation_charges": [],
        "taxes": [],
        "summary": {"today": 0.0, "recurring": round(sum(item["total"] for item in items), 4)},
        "plan": {key: value for key, value in plan.items() if key not in ("id", "vendor_id")},
        "bookkeeper": _bookkeeper(plans[0]),
    }


def merged(plans: Iterable[Plan]) -> Plan:
    """Several plans as one: each by its strategy and priority, simple ones below recursive below cumulative."""
    result: Plan = {}
    ordered = sorted(plans, key=_priority)
    for strategy, group in groupby(ordered, key=_strategy):
        together: Plan = {}
        for plan in group:
            match strategy:
                case "recursive":
                    together = merge(together, plan)
                case "cumulative":
                    together = _sum(together, plan)
                case _:
                    together = {**together, **plan}
        result = merge(result, together)
    return result


def _strategy(plan: Plan) -> str:
    given = plan.get("merge")
    strategy = given.get("strategy") if isinstance(given, dict) else None
    return strategy if isinstance(strategy, str) and strategy in STRATEGIES else "simple"


def _priority(plan: Plan) -> tuple[int, float]:
    given = plan.get("merge")
    priority = given.get("priority", 0) if isinstance(given, dict) else 0
    return STRATEGIES[_strategy(plan)], priority if is_number(priority) else 0


def _sum(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    """Objects merged, numbers added."""
    result = dict(left)
    for key, value in right.items():
        before = result.get(key)
        if isinstance(before, dict) and isinstance(value, dict):
            result[key] = _sum(before, value)
        elif is_number(before) and is_number(value):
            result[key] = before + value
        else:
            result[key] = value
    return result


def is_number(value: JSON) -> TypeGuard[float]:
    """Whether a value is a number that can be reckoned with."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= LARGEST


# Items


def _items(categories: Mapping[str, Any], quantities: Quantities, cascade: Quantities) -> Iterable[dict[str, Any]]:
    for category, name, item in plan_items(categories):
        counted = _counted(category, name, item, categories[category], quantities)
        if item.get("cascade") is True:
            counted += _counted(category, name, item, categories[category], cascade)
        yield price(category, name, item, counted)


def plan_items(categories: Mapping[str, Any]) -> Iterable[tuple[str, str, dict[str, Any]]]:
    """Category, name and what a plan says, of each item, in the order of an invoice's lines."""
    for category, items in sorted(categories.items()):
        if isinstance(items, dict):
            yield from ((category, name, item) for name, item in sorted(items.items()) if isinstance(item, dict))


def _counted(
    category: str, name: str, item: dict[str, Any], siblings: Mapping[str, Any], quantities: Quantities
) -> float:
    """How many of an item there are. `_all` counts what the plan neither names nor excepts."""
    there = quantities.get(category, {})
    if name != ALL:
        return there.get(name, 0)
    left_out = {*siblings, *filter(_is_text, as_list(item.get("exceptions")))}
    return sum(quantity for key, quantity in there.items() if key not in left_out)


def price(category: str, name: str, item: dict[str, Any], quantity: float) -> dict[str, Any]:
    """One line of an invoice: `quantity` of an item, and what they cost together."""
    billable, minimum, maximum = _billable(item, quantity)
    flat = _tier(item.get("flat_rates"), billable)
    if flat is None and _number(item, "flat_rate") > 0:
        flat = _number(item, "flat_rate")
    if flat is not None:
        billable, rate = 1, flat
    else:
        tier = _tier(item.get("rates"), billable)
        rate = _number(item, "rate") if tier is None else tier
    discounts = _discounts(item, billable)
    line = {
        "category": category,
        "item": _text(item, "as") or name,
        "name": _text(item, "name") or (category if name == ALL else f"{category}/{name}"),
        "quantity": quantity,
        "billable": billable,
        "rate": rate,
        "discounts": discounts,
        "discount": discounts.get("total", 0.0),
        "minimum": minimum,
        "maximum": maximum,
        "total": round(billable * rate - discounts.get("total", 0.0), 4),
        "prorate": {**PRORATE, **as_object(item.get("prorate"))},
    }
    return {key: value for key, value in line.items() if value or key not in ("discounts", "minimum", "maximum")}


def _billable(item: dict[str, Any], quantity: float) -> tuple[float, float, float]:
    """Billable quantity between minimum and maximum, each in whole steps."""
    step = max(_number(item, "step"), 0) or 1
    minimum = _stepped(_number(item, "minimum"), step)
    maximum = _stepped(item["maximum"] if is_number(item.get("maximum")) else quantity, step)
    return max(minimum, min(_stepped(quantity, step), maximum)), minimum, maximum


def _stepped(quantity: float, step: float) -> float:
    return math.ceil(quantity / max(step, SMALLEST_STEP)) * step


def _number(item: Mapping[str, Any], key: str) -> float:
    value = item.get(key)
    return value if is_number(value) else 0


def _text(item: Mapping[str, Any], key: str) -> str:
    value = item.get(key)
    return value if isinstance(value, str) else ""


def _is_text(value: JSON) -> bool:
    return isinstance(value, str)


def _tier(rates: JSON, quantity: float) -> float | None:
    """The rate of the smallest tier that holds the quantity."""
    given = as_object(rates).items()
    tiers = {int(key): rate for key, rate in given if _TIER.fullmatch(key) and is_number(rate)}
    fitting = [tier for tier in tiers if tier >= quantity]
    return tiers[min(fitting)] if fitting else None


def _discounts(item: dict[str, Any], billable: float) -> dict[str, Any]:
    """`{total, single, cumulative}`, without what is nothing."""
    rate, given = _number(item, "rate"), item.get("discounts")
    if rate <= 0 or not isinstance(given, dict):
        return {}
    discounts: dict[str, Any] = {}
    total = 0.0
    if (single := _applying(given.get("single"), billable)) is not None:
        amount = _number(single, "rate") if "rate" in single else rate
        discounts["single"] = {"rate": amount}
        total += amount
    if (cumulative := _applying(given.get("cumulative"), billable)) is not None:
        tier = _tier(cumulative.get("rates"), billable)
        own = _number(cumulative, "rate") if "rate" in cumulative else rate
        each = own if tier is None else tier
        quantity = min(billable, _number(cumulative, "maximum"))
        if quantity:
            discounts["cumulative"] = {"rate": each, "quantity": quantity}
        total += each * quantity
    return {"total": round(total, 4), **discounts} if total else {}


def _applying(discount: JSON, billable: float) -> dict[str, Any] | None:
    if not isinstance(discount, dict):
        return None
    return discount if billable >= (_number(discount, "minimum") or 1) else None
