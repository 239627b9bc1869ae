# SPDX-License-Identifier: MPL-2.0
"""What requests cost, and who has to wait."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from crossbar import clock
from crossbar.access.costs import Costs, CostSettings
from crossbar.errors import TooManyRequests
from crossbar.shared import BucketTable
from tests.harness import RunningServer, Tenant

from .installation import Request


def costs(**settings: Any) -> Costs:
    return Costs(BucketTable(64), lambda: CostSettings(**settings))


OBJECT = {
    "A": {"devices": {"PUT": 2, "quickcall": 9}, "users": 3},
    "B": 4,
    "devices": {"PUT": 5, "GET": {"quickcall": 6}},
    "media": 0,
    "menus": "seven",
}


@pytest.mark.parametrize(
    ("verb", "path", "cost"),
    [
        ("PUT", "/accounts/A/devices", 2),
        ("GET", "/accounts/A/devices", 1),
        ("GET", "/accounts/A/users/U1", 3),
        ("GET", "/accounts/B/whatever", 4),
        ("PUT", "/accounts/C/devices", 5),
        ("PUT", "/devices", 5),
        ("GET", "/accounts/C/media", 0),
        ("GET", "/accounts/C/menus", 1),
        ("GET", "/accounts/C", 1),
    ],
)
def test_the_cost_is_looked_up_from_the_special_to_the_general(verb: str, path: str, cost: int) -> None:
    assert costs(token_costs=OBJECT).cost(Request.of(verb, path)) == cost


def test_a_suffix_is_one_more_level() -> None:
    table = costs(token_costs=OBJECT)
    assert table.cost(Request.of("GET", "/accounts/A/devices/D1"), suffix="quickcall") == 9
    assert table.cost(Request.of("GET", "/accounts/C/devices/D1"), suffix="quickcall") == 6


def test_log_ins_cost_more_only_where_costs_are_an_object() -> None:
    for name in ("user_auth", "api_auth"):
        log_in = Request.of("PUT", f"/{name}")
        assert costs(token_costs={}).cost(log_in, login=True) == 35
        assert costs(token_costs={}).cost(log_in) == 1
        assert costs(token_costs={name: 2}).cost(log_in, login=True) == 2
        assert costs().cost(log_in, login=True) == 1


def test_an_empty_bucket_has_to_fill_again() -> None:
    table = costs(token_costs=40, capacity=100, rate_per_second=10.0)
    request = Request.of("GET", "/accounts/A/devices")
    with clock.frozen(1000):
        assert table.remaining(request) == 100
        table.charge(request)
        table.charge(request)
        with pytest.raises(TooManyRequests):
            table.charge(request)
        assert table.remaining(request) == 20
    with clock.frozen(1002):
        table.charge(request)


def test_everybody_has_a_bucket_for_each_account() -> None:
    table = costs(token_costs=100)
    with clock.frozen(1000):
        table.charge(Request.of("GET", "/accounts/A/devices"))
        table.charge(Request.of("GET", "/accounts/B/devices"))
        table.charge(Request.of("GET", "/schemas"))
        table.charge(Request("GET", (), "A", client_ip="192.0.2.2"))
        table.charge(Request.of("GET", "/accounts/A/devices"), bucket="A/crossbar.phone_numbers")
        with pytest.raises(TooManyRequests):
            table.charge(Request.of("PUT", "/accounts/A/users"))


def test_a_cost_of_nothing_is_never_refused() -> None:
    table = costs(token_costs=0)
    request = Request.of("GET", "/accounts/A")
    with clock.frozen(1000):
        table.drain(request)
        assert table.remaining(request) == 0
        table.charge(request)


@pytest.mark.parametrize(
    ("settings", "path", "paid"),
    [
        ({"token_costs": OBJECT}, "/accounts/C/devices", 5),
        ({"token_costs": OBJECT}, "/accounts/B/whatever", 4),
        ({"token_costs": OBJECT}, "/accounts/C/callflows", 0),
        ({"token_costs": OBJECT}, "/accounts/C/media", 0),
        ({"token_costs": 7}, "/accounts/C/devices", 0),
        ({}, "/accounts/C/devices", 0),
    ],
)
def test_the_bearer_of_a_token_pays_what_is_named(settings: dict[str, Any], path: str, paid: int) -> None:
    table, asked = costs(**settings, capacity=10, rate_per_second=0), Request.of("PUT", path)
    table.charge_bearer(asked)
    assert table.remaining(asked) == 10 - paid
    if paid:
        with pytest.raises(TooManyRequests):
            for _ in range(10):
                table.charge_bearer(asked)


async def test_a_bearer_waits_where_the_bucket_is_empty(
    server: RunningServer, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = server.runtime.config
    buckets = dataclasses.replace(
        config.buckets, token_costs={tenant.id: {"devices": {"PUT": 60}}}, tokens_fill_rate=1, tokens_fill_time="day"
    )
    monkeypatch.setattr(server.runtime.settings, "config", dataclasses.replace(config, buckets=buckets))
    statuses = [(await tenant.api.put("/devices", {"name": f"phone {number}"})).status for number in range(2)]
    assert statuses == [201, 429]
    assert (await tenant.api.get("/devices")).status == 200
