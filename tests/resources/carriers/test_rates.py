# SPDX-License-Identifier: MPL-2.0
"""`/rates`: decks of rates, and the rate of a number."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from crossbar.documents.listing import Listing
from crossbar.resources.carriers.domain.rate import TYPE
from crossbar.resources.carriers.domain.ratedeck import PREFIX, partition_of
from crossbar.resources.carriers.domain.rating import units
from tests.harness import Answer, Api, RunningServer, Tenant, new_person

FORBIDDEN = (403, "403", "forbidden", {"message": "forbidden"})
NO_RATE = (500, "500", "No rate found for this number", {"message": "No rate found for this number"})


@pytest.fixture
def deck() -> str:
    """A deck of the test's own."""
    return f"deck.{uuid4().hex[:12]}"


@pytest.fixture
def root(master: Tenant) -> Api:
    return master.root


Settings = Callable[..., Any]


@pytest_asyncio.fixture(loop_scope="session")
async def hotornot(root: Api) -> AsyncIterator[Settings]:
    """Sets settings of the rater, until the test ends."""

    async def change(**values: Any) -> None:
        saved = await root.patch("/system_configs/hotornot", {"default": values})
        assert saved.status == 200, saved.envelope

    await root.put("/system_configs/hotornot", {"default": {}})
    yield change
    await root.delete("/system_configs/hotornot")


async def add(root: Api, deck: str, prefix: int, cost: float, **fields: Any) -> str:
    made = await root.put("/rates", {"ratedeck_id": deck, "prefix": prefix, "rate_cost": cost, **fields})
    assert made.status == 201, made.envelope
    return made.id


async def rated(api: Api, number: str, deck: str, **query: str) -> Answer:
    return await api.get(f"/rates/number/{number}", query={"ratedeck_id": deck, **query})


# Rates one by one


async def test_a_rate_from_its_beginning_to_its_end(root: Api, deck: str) -> None:
    here = {"ratedeck_id": deck}
    sent = {
        "prefix": "1222",
        "rate_cost": 0.02,
        "rate_surcharge": 0.1,
        "iso_country_code": "US",
        "direction": "inbound",
        "description": "Somewhere",
        "rate_name": "US222",
        "carrier": "acme",
    }
    created = await root.put("/rates", sent, query=here)
    expected = {
        **sent,
        "id": "US-1222",
        "prefix": 1222,
        "direction": ["inbound"],
        "routes": ["^\\+?1222.+$"],
    }
    assert (created.status, created.data) == (201, expected)
    assert created.envelope["status"] == "success"
    assert created.envelope["revision"].startswith("1-")
    assert created.headers["Location"] == "/v2/rates/US-1222"
    assert (await root.put("/rates", sent, query=here)).error()[:3] == (409, "409", "datastore_conflict")

    read = await root.get("/rates/US-1222", query=here)
    assert (read.status, read.data, read.envelope["revision"]) == (200, expected, created.envelope["revision"])
    row = {
        "id": "US-1222",
        "name": "US222",
        "cost": 0.02,
        "prefix": 1222,
        "description": "Somewhere",
        "surcharge": 0.1,
        "carrier": "acme",
    }
    listed = await root.get("/rates", query=here)
    assert (listed.status, listed.data, listed.envelope["page_size"]) == (200, [row], 1)

    merged = await root.patch("/rates/US-1222", {"rate_cost": 0.03}, query=here)
    assert (merged.status, merged.data) == (200, {**expected, "rate_cost": 0.03})
    replaced = await root.post("/rates/US-1222", {"prefix": 12223, "rate_cost": 1, "ratedeck_id": deck})
    assert (replaced.status, replaced.data) == (
        200,
        {
            "id": "US-1222",
            "prefix": 12223,
            "rate_cost": 1,
            "ratedeck_id": deck,
            "routes": ["^\\+?12223.+$"],
        },
    )
    removed = await root.delete("/rates/US-1222", query={**here, "should_soft_delete": "false"})
    assert (removed.status, removed.data) == (200, {**replaced.data, "_read_only": {"deleted": True}})
    missing = (404, "404", "bad_identifier", {"message": "bad identifier", "cause": "US-1222"})
    for verb in ("GET", "POST", "PATCH", "DELETE"):
        assert (await root.request(verb, "/rates/US-1222", sent, query=here)).error() == missing
    assert (await root.put("/rates", sent, query=here)).status == 201


async def test_patterns_follow_the_prefix_until_a_rate_has_its_own(root: Api, deck: str) -> None:
    here = {"ratedeck_id": deck}
    rate = await add(root, deck, 44, 1)
    assert (await root.patch(f"/rates/{rate}", {"prefix": 441}, query=here)).data["routes"] == ["^\\+?441.+$"]
    own = await root.patch(f"/rates/{rate}", {"routes": ["^\\+44[78]"]}, query=here)
    assert own.data["routes"] == ["^\\+44[78]"]
    assert (await root.patch(f"/rates/{rate}", {"prefix": 44}, query=here)).data["routes"] == ["^\\+44[78]"]


async def test_ids(root: Api, deck: str) -> None:
    assert await add(root, deck, 1222, 1) == "XX-1222"
    assert await add(root, deck, 1222, 1, rate_suffix="night") == "XX-1222-night"
    assert await add(root, deck, 1222, 1, iso_country_code="CA") == "CA-1222"
    assert await add(root, deck, 1222, 1, id="mine") == "mine"
    assert await add(root, f"{deck}.other", 1222, 1) == "XX-1222"


async def test_what_the_schema_says(root: Api, deck: str) -> None:
    refused = await root.put("/rates", {"direction": "sideways", "rate_minimum": 0, "ratedeck_id": deck})
    assert refused.invalid() == {
        "direction.0": {
            "enum": {
                "message": "Value not found in enumerated list of values",
                "target": ["inbound", "outbound"],
                "value": "sideways",
            }
        },
        "prefix": {"required": {"message": "Field is required but missing", "value": "prefix"}},
        "rate_cost": {"required": {"message": "Field is required but missing", "value": "rate_cost"}},
        "rate_minimum": {"minimum": {"message": "Value must be at least 1", "target": 1, "value": 0}},
    }


@pytest.mark.parametrize("name", ["a/b", "a b", "x" * 200, "é"])
async def test_what_no_deck_is_called(root: Api, name: str) -> None:
    refused = await root.get("/rates", query={"ratedeck_id": name})
    pattern = "^[A-Za-z0-9_.+-]{1,128}$"
    detail = {"message": f"Failed to match pattern '{pattern}'", "target": pattern, "value": name}
    assert refused.invalid() == {"ratedeck_id": {"pattern": detail}}


# Lists


async def test_the_rates_of_all_leading_parts_of_a_number(root: Api, deck: str) -> None:
    for prefix in (1, 12, 125, 1256, 12567, 2):
        await add(root, deck, prefix, 0.01)
    await add(root, deck, 125, 0.02, rate_suffix="b")
    found = await root.get("/rates", query={"ratedeck_id": deck, "prefix": "+1 (256) "})
    assert [rate["id"] for rate in found.data] == ["XX-1256", "XX-125-b", "XX-125", "XX-12", "XX-1"]
    assert found.data[-1] == {
        "id": "XX-1",
        "prefix": 1,
        "rate_cost": 0.01,
        "ratedeck_id": deck,
        "routes": ["^\\+?1.+$"],
    }
    everything = await root.get("/rates", query={"ratedeck_id": deck, "prefix": "125671234567890123456"})
    assert [rate["prefix"] for rate in everything.data] == [12567, 1256, 125, 125, 12, 1]
    filtered = await root.get("/rates", query={"ratedeck_id": deck, "prefix": "1256", "filter_rate_suffix": "b"})
    assert [rate["id"] for rate in filtered.data] == ["XX-125-b"]
    assert (await root.get("/rates", query={"ratedeck_id": deck, "prefix": "9"})).data == []


async def test_a_deck_as_a_sheet(root: Api, deck: str) -> None:
    await add(root, deck, 1, 0.01, rate_name="one", description="d, e")
    await add(root, deck, 2, 2)
    sheet = await root.get("/rates", query={"ratedeck_id": deck, "paginate": "false"}, headers={"Accept": "text/csv"})
    assert sheet.headers["Content-Type"] == "text/csv"
    assert sheet.raw.decode().split("\n") == [
        '"ID","cost","prefix","name","Description"',
        '"XX-2","2","2","",""',
        '"XX-1","0.01","1","one","d, e"',
        "",
    ]


async def test_decks(root: Api, deck: str, hotornot: Settings) -> None:
    await add(root, f"ratedeck-{deck}", 1, 1)
    told = await root.get("/rates/ratedecks")
    assert (told.status, told.data["default_ratedeck"]) == (200, "ratedeck")
    assert {deck, "ratedeck"} <= set(told.data["ratedecks"])
    assert told.data["ratedecks"] == sorted(told.data["ratedecks"])
    assert (await root.get("/rates/XX-1", query={"ratedeck_id": deck})).status == 200
    await hotornot(default_ratedeck=deck)
    assert (await root.get("/rates/ratedecks")).data["default_ratedeck"] == deck
    assert (await root.get("/rates/number/+14155550100")).data["Ratedeck-ID"] == deck
    await root.delete("/rates/XX-1", query={"ratedeck_id": deck})
    assert deck in (await root.get("/rates/ratedecks")).data["ratedecks"]


# The rate of a number


async def test_the_longest_prefix_wins(root: Api, tenant: Tenant, deck: str) -> None:
    await add(root, deck, 1, 0.01)
    await add(root, deck, 1415, 0.02, weight=50)
    await add(
        root,
        deck,
        1415,
        0.0301,
        rate_suffix="best",
        weight=7,
        rate_surcharge=0.1,
        rate_minimum=120,
        rate_increment=6,
        rate_name="SF",
        description="San Francisco",
    )
    answer = await rated(tenant.root, "+14155550100", deck)
    assert (answer.status, answer.data) == (
        200,
        {
            "Base-Cost": 0.1602,
            "E164-Number": "+14155550100",
            "Prefix": 1415,
            "Rate": "301",
            "Rate-ID": "XX-1415-best",
            "Rate-Description": "San Francisco",
            "Rate-Increment": 6,
            "Rate-Minimum": "120",
            "Rate-Name": "SF",
            "Ratedeck-ID": deck,
            "Surcharge": "1000",
        },
    )
    assert answer.envelope["status"] == "success"
    other = await rated(tenant.root, "4085550100", deck)
    assert other.data == {
        "Base-Cost": 0.01,
        "E164-Number": "+14085550100",
        "Prefix": 1,
        "Rate": "100",
        "Rate-ID": "XX-1",
        "Rate-Increment": 60,
        "Rate-Minimum": "60",
        "Ratedeck-ID": deck,
        "Surcharge": "0",
    }


async def test_direction_and_patterns_narrow_it(root: Api, tenant: Tenant, deck: str) -> None:
    await add(root, deck, 1, 1, direction=["inbound"])
    await add(root, deck, 1415, 2, direction="outbound")
    await add(root, deck, 14155, 1e308, routes=["^\\+1415555[89]", "("], rate_minimum=2**62)
    for number, direction, prefix in (
        ("+14155550100", None, 1415),
        ("+14155550100", "inbound", 1),
        ("+14155550100", "outbound", 1415),
        ("+14155558100", "inbound", 14155),
        ("+14155558100", "outbound", 14155),
    ):
        query = {"direction": direction} if direction else {}
        assert (await rated(tenant.root, number, deck, **query)).data["Prefix"] == prefix, (number, direction)
    assert (await rated(tenant.root, "+14085550100", deck, direction="outbound")).error() == NO_RATE


async def test_a_number_without_rate(tenant: Tenant, deck: str) -> None:
    assert (await rated(tenant.root, "+14155550100", deck)).error() == NO_RATE
    for number in ("600", "abc"):
        refused = await rated(tenant.root, number, deck)
        detail = {"number format": {"error": {"message": "Number is un-rateable"}}}
        assert refused.invalid() == detail


async def test_settings_of_the_rater(root: Api, tenant: Tenant, deck: str, hotornot: Settings) -> None:
    await add(root, deck, 1, 0.01, weight=1, rate_version="v2")
    await add(root, deck, 1, 0.05, weight=9, rate_suffix="dear", caller_id_numbers="^\\+1408:^\\+1415")

    async def chosen(**query: str) -> str:
        answer = await rated(tenant.root, "+14155550100", deck, **query)
        return str(answer.data.get("Rate-ID") or answer.envelope["message"])

    assert await chosen() == "XX-1"
    await hotornot(sort_by_weight=False, default_rate_minimum=180, default_rate_increment=1)
    dear = await rated(tenant.root, "+14155550100", deck)
    assert [dear.data[key] for key in ("Rate-ID", "Base-Cost", "Rate-Minimum", "Rate-Increment")] == [
        "XX-1-dear",
        0.15,
        "180",
        1,
    ]
    await hotornot(filter_list=["caller_id_numbers"])
    assert await chosen(caller_id_number="4085550100") == "XX-1-dear"
    assert await chosen(caller_id_number="2125550100") == "XX-1"
    await hotornot(filter_list=["version"], rate_version="v2")
    assert await chosen() == "XX-1"
    await hotornot(filter_list=["reseller"])
    assert await chosen() == NO_RATE[2]


async def test_many_rates_of_a_prefix(root: Api, tenant: Tenant, deck: str) -> None:
    for number in range(105):
        await add(root, deck, 1, 1, rate_suffix=f"{number:03}", weight=100 if number else 2)
    assert (await rated(tenant.root, "+14155550100", deck)).data["Rate-ID"] == "XX-1-000"


async def test_what_is_found_is_what_is_there(server: RunningServer, root: Api, tenant: Tenant, deck: str) -> None:
    """A rate is found by its prefix as it is now, however many change the rates of a prefix at a time."""
    here = {"ratedeck_id": deck}

    async def found(number: str) -> set[str]:
        return {rate["id"] for rate in (await root.get("/rates", query={**here, "prefix": number})).data}

    await asyncio.gather(*(add(root, deck, 1415, 1, rate_suffix=str(number)) for number in range(16)))
    assert len(await found("1415")) == 16
    await asyncio.gather(
        *(root.patch(f"/rates/XX-1415-{number}", {"prefix": 1408}, query=here) for number in range(8)),
        *(root.delete(f"/rates/XX-1415-{number}", query=here) for number in range(8, 12)),
        *(root.patch(f"/rates/XX-1415-{number}", {"rate_cost": 2}, query=here) for number in range(12, 16)),
    )
    assert await found("1408") == {f"XX-1415-{number}" for number in range(8)}
    assert await found("1415") == {f"XX-1415-{number}" for number in range(12, 16)}
    assert (await rated(tenant.root, "+14155550100", deck)).data["Rate"] == "20000"
    gone = [f"/rates/XX-1415-{number}" for number in (*range(8), *range(12, 16))]
    await asyncio.gather(
        *(root.patch(path, {"prefix": 1212}, query=here) for path in gone),
        *(root.delete(path, query=here) for path in gone),
    )
    assert (await root.get("/rates", query=here)).data == []
    assert await server.runtime.store.all(Listing(partition_of(deck), PREFIX)) == []


def test_money_is_whole_units() -> None:
    for dollars, expected in ((0.0301, 301), (1.00005, 10001), (0.00004, 0), (2, 20000), (None, 0), ("x", 0)):
        assert units(dollars) == expected


# Who may


async def test_rates_are_the_installations(server: RunningServer, root: Api, tenant: Tenant, deck: str) -> None:
    rate = await add(root, deck, 1, 1)
    here = {"ratedeck_id": deck}
    for api in (tenant.root, (await new_person(server, tenant)).root):
        for verb, path in (
            ("GET", "/rates"),
            ("PUT", "/rates"),
            ("GET", "/rates/ratedecks"),
            ("GET", f"/rates/{rate}"),
            ("POST", f"/rates/{rate}"),
            ("PATCH", f"/rates/{rate}"),
            ("DELETE", f"/rates/{rate}"),
        ):
            assert (await api.request(verb, path, {"prefix": 2, "rate_cost": 2}, query=here)).error() == FORBIDDEN
        assert (await rated(api, "+14155550100", deck)).status == 200
    unknown = await rated(root.acting(None), "+14155550100", deck)
    assert unknown.error()[:3] == (401, "401", "invalid_credentials")
    stored = await server.runtime.store.get(partition_of(deck), TYPE, rate)
    assert stored is not None
    assert stored.revision is not None
    assert stored.revision.startswith("1-")
