# SPDX-License-Identifier: MPL-2.0
"""What service plans cost."""

from __future__ import annotations

from typing import Any

import pytest

from crossbar.resources.billing.domain.invoice import invoices, merged, price


@pytest.mark.parametrize(
    ("item", "quantity", "billable", "rate", "total"),
    [
        ({"rate": 5}, 3, 3, 5, 15),
        ({"rate": 5}, 0, 0, 5, 0),
        ({}, 3, 3, 0, 0),
        ({"rate": 5, "minimum": 4}, 3, 4, 5, 20),
        ({"rate": 5, "maximum": 2}, 3, 2, 5, 10),
        ({"rate": 5, "step": 10}, 13, 20, 5, 100),
        ({"rate": 5, "rates": {"10": 4, "20": 3}}, 7, 7, 4, 28),
        ({"rate": 5, "rates": {"10": 4, "20": 3}}, 15, 15, 3, 45),
        ({"rate": 5, "rates": {"10": 4}}, 15, 15, 5, 75),
        ({"rate": 5, "flat_rate": 40}, 15, 1, 40, 40),
        ({"rate": 5, "flat_rates": {"10": 30}, "flat_rate": 40}, 7, 1, 30, 30),
        ({"rate": 5, "flat_rates": {"10": 30}}, 0, 1, 30, 30),
        ({"rate": 5, "discounts": {"single": {}}}, 3, 3, 5, 10),
        ({"rate": 5, "discounts": {"single": {"rate": 2, "minimum": 4}}}, 3, 3, 5, 15),
        ({"rate": 5, "discounts": {"cumulative": {"rate": 1}}}, 3, 3, 5, 15),
        ({"rate": 5, "discounts": {"cumulative": {"rate": 1, "maximum": 2}}}, 3, 3, 5, 13),
        ({"rate": 5, "discounts": {"cumulative": {"rates": {"10": 2}, "maximum": 9}}}, 3, 3, 5, 9),
    ],
)
def test_a_line(item: dict[str, Any], quantity: int, billable: int, rate: float, total: float) -> None:
    line = price("devices", "sip_device", item, quantity)
    assert (line["billable"], line["rate"], line["total"]) == (billable, rate, total)


def test_a_line_in_full() -> None:
    item = {"rate": 5, "name": "Phone", "as": "phone", "discounts": {"single": {"rate": 1}}}
    assert price("devices", "sip_device", item, 2) == {
        "category": "devices",
        "item": "phone",
        "name": "Phone",
        "quantity": 2,
        "billable": 2,
        "rate": 5,
        "discounts": {"total": 1, "single": {"rate": 1}},
        "discount": 1,
        "maximum": 2,
        "total": 9,
        "prorate": {"additions": True, "removals": False},
    }


def test_all_counts_what_is_not_named() -> None:
    plan = {"vendor_id": "v", "plan": {"devices": {"_all": {"rate": 1, "exceptions": ["fax"]}, "ata": {"rate": 2}}}}
    quantities = {"devices": {"sip_device": 3, "fax": 5, "ata": 1}}
    (invoice,) = invoices([plan], quantities, {})
    assert [(line["item"], line["quantity"], line["name"]) for line in invoice["items"]] == [
        ("_all", 3, "devices"),
        ("ata", 1, "devices/ata"),
    ]
    assert invoice["summary"] == {"today": 0.0, "recurring": 5}


def test_cascading_items_count_the_accounts_below() -> None:
    plan = {"vendor_id": "v", "plan": {"users": {"user": {"rate": 1, "cascade": True}, "admin": {"rate": 1}}}}
    (invoice,) = invoices([plan], {"users": {"user": 1, "admin": 1}}, {"users": {"user": 4, "admin": 4}})
    assert [line["quantity"] for line in invoice["items"]] == [1, 5]


def test_each_bookkeeper_has_an_invoice() -> None:
    plans = [{"vendor_id": "a", "plan": {}}, {"vendor_id": "b", "plan": {}}, {"vendor_id": "a", "plan": {}}]
    assert [invoice["bookkeeper"] for invoice in invoices(plans, {}, {})] == [
        {"type": "default", "vendor_id": "a"},
        {"type": "default", "vendor_id": "b"},
    ]


def test_plans_are_merged_by_strategy_and_priority() -> None:
    def plan(strategy: str, priority: int, **item: float) -> dict[str, Any]:
        return {"merge": {"strategy": strategy, "priority": priority}, "plan": {"users": {"user": item}}}

    simple = merged([plan("simple", 2, rate=2), plan("simple", 1, rate=1, minimum=1)])
    assert simple["plan"] == {"users": {"user": {"rate": 2}}}
    recursive = merged([plan("recursive", 2, rate=2), plan("recursive", 1, rate=1, minimum=1)])
    assert recursive["plan"] == {"users": {"user": {"rate": 2, "minimum": 1}}}
    cumulative = merged([plan("cumulative", 2, rate=2), plan("cumulative", 1, rate=1, minimum=1)])
    assert cumulative["plan"] == {"users": {"user": {"rate": 3, "minimum": 1}}}
    mixed = merged([plan("cumulative", 0, rate=3), plan("simple", 0, rate=1, maximum=9)])
    assert mixed["plan"] == {"users": {"user": {"rate": 3, "maximum": 9}}}
