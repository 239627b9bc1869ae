# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/allotments`."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import pytest

from crossbar import clock
from crossbar.resources.billing.domain.allotment import cycle_around
from tests.call_records import given, leg
from tests.harness import RunningServer, Tenant, new_person, new_tenant, set_options

UNSET = (400, "400", "allotments are not configured for this account yet", {})
FORBIDDEN = (403, "403", "forbidden", {"message": "forbidden"})
SENT = {
    "outbound_did_us": {"amount": 6000, "cycle": "monthly", "increment": 6, "minimum": 60, "no_consume_time": 3},
    "tollfree_us": {"amount": 60, "cycle": "daily", "group_consume": ["outbound_did_us"]},
}


async def test_set_and_read(tenant: Tenant) -> None:
    for path in ("/allotments", "/allotments/consumed"):
        assert (await tenant.api.get(path)).error() == UNSET
    saved = await tenant.api.post("/allotments", {**SENT, "ui_metadata": {"ui": "monster-ui"}})
    assert (saved.status, saved.data) == (200, SENT)
    assert saved.envelope["status"] == "success"
    read = await tenant.api.get("/allotments")
    assert (read.status, read.data) == (200, SENT)
    replaced = await tenant.api.post("/allotments", {"did_us": {"amount": 1, "cycle": "hourly"}})
    assert replaced.data == {"did_us": {"amount": 1, "cycle": "hourly"}}
    assert (await tenant.api.get("/allotments")).data == replaced.data
    assert (await tenant.api.post("/allotments", {})).data == {}
    assert (await tenant.api.get("/allotments")).error() == UNSET


async def test_they_live_in_the_limits_and_are_not_seen_there(tenant: Tenant) -> None:
    fresh = (await tenant.api.get("/limits")).data
    await tenant.api.post("/allotments", SENT)
    assert (await tenant.api.get("/limits")).data == fresh
    await tenant.api.post("/limits", {"inbound_trunks": 3})
    assert (await tenant.api.get("/allotments")).data == SENT
    await tenant.api.post("/allotments", {"a": {"amount": 1, "cycle": "daily"}})
    assert (await tenant.api.get("/limits")).data["inbound_trunks"] == 3


async def test_what_the_schema_says(tenant: Tenant) -> None:
    refused = await tenant.api.post("/allotments", {"did_us": {"amount": -1, "cycle": "yearly"}, "x": {}})
    assert refused.refusals() == {
        "did_us.amount": ["minimum"],
        "did_us.cycle": ["enum"],
        "x.amount": ["required"],
        "x.cycle": ["required"],
    }
    assert (await tenant.api.get("/allotments")).error() == UNSET


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("minutely", (2026, 2, 11, 13, 47), (2026, 2, 11, 13, 48)),
        ("hourly", (2026, 2, 11, 13), (2026, 2, 11, 14)),
        ("daily", (2026, 2, 11), (2026, 2, 12)),
        ("weekly", (2026, 2, 9), (2026, 2, 16)),
        ("monthly", (2026, 2, 1), (2026, 3, 1)),
        ("other", (2026, 2, 11, 13), (2026, 2, 11, 14)),
    ],
)
def test_cycles(name: str, start: tuple[int, ...], end: tuple[int, ...]) -> None:
    def at(parts: tuple[int, ...]) -> int:
        year, month, day, *rest = parts
        hour, minute, second = (*rest, 0, 0, 0)[:3]
        return clock.gregorian(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())

    assert cycle_around(name, at((2026, 2, 11, 13, 47, 11))) == (name, at(start), at(end))


async def test_use_follows_from_calls(server: RunningServer, tenant: Tenant) -> None:
    await tenant.api.post("/allotments", SENT)
    noon = datetime(2026, 2, 11, 12, tzinfo=UTC).timestamp()
    now = clock.gregorian(noon)

    async def call(seconds: int, ago: int, billing: str) -> None:
        billed = {"account_billing": billing}
        record = leg(tenant.id, ago, billing_seconds=seconds, timestamp=now - ago, custom_channel_vars=billed)
        await given(server, "cdrs", record)

    month = (cycle_around("monthly", now).start, cycle_around("monthly", now).end)
    day = (cycle_around("daily", now).start, cycle_around("daily", now).end)

    def told(first: int, second: int) -> dict[str, Any]:
        return {
            "outbound_did_us": {
                "cycle": "monthly",
                "consumed_from": month[0],
                "consumed_to": month[1],
                "consumed": first,
            },
            "tollfree_us": {"cycle": "daily", "consumed_from": day[0], "consumed_to": day[1], "consumed": second},
        }

    around = {"created_from": str(now)}
    used = await tenant.api.get("/allotments/consumed", query=around)
    assert (used.status, used.data) == (200, told(0, 0))
    await call(3, 10, "allotment_outbound_did_us")  # too short to count
    await call(10, 20, "allotment_outbound_did_us")  # the minimum
    await call(61, 3 * clock.DAY, "allotment_outbound_did_us")  # a minute and a step
    await call(1000, 20 * clock.DAY, "allotment_outbound_did_us")  # last month
    await call(1000, 30, "per_minute")
    await call(7, 40, "allotment_tollfree_us")
    await call(7, clock.DAY, "allotment_tollfree_us")  # yesterday
    for query in (around, {"created_to": str(now)}):
        assert (await tenant.api.get("/allotments/consumed", query=query)).data == told(126, 7)
    between = {"created_from": str(now - 2 * clock.DAY), "created_to": str(now + 1)}
    manual = await tenant.api.get("/allotments/consumed", query=between)
    span = {"cycle": "manual", "consumed_from": now - 2 * clock.DAY, "consumed_to": now + 1}
    assert manual.data == {"outbound_did_us": {**span, "consumed": 60}, "tollfree_us": {**span, "consumed": 14}}
    present = (await tenant.api.get("/allotments/consumed")).data["tollfree_us"]
    assert present["consumed_from"] <= clock.gregorian(time.time()) < present["consumed_to"]


async def test_who_may(
    server: RunningServer, tenant: Tenant, stranger: Tenant, master: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    await master.root.put(f"/accounts/{tenant.id}/reseller", {})
    customer = await new_tenant(server, tenant, f"customer{tenant.id[:8]}")
    text = "sub-accounts of non-master resellers must contact the reseller to change their allotments"
    assert (await customer.api.post("/allotments", SENT)).error() == (400, "400", text, {})
    path = f"/accounts/{customer.id}/allotments"
    for seller in (tenant, master):
        assert (await seller.root.post(path, SENT)).status == 200
    assert (await customer.api.get("/allotments")).data == SENT
    person = await new_person(server, tenant)
    assert (await person.api.post("/allotments", SENT)).error() == FORBIDDEN
    for verb, end in (("GET", ""), ("POST", ""), ("GET", "/consumed")):
        assert (await stranger.root.request(verb, path + end, SENT)).error() == FORBIDDEN
    set_options(monkeypatch, server, "access", plain_users="as_kazoo")
    assert (await person.api.post("/allotments", SENT)).status == 200
