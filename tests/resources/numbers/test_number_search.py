# SPDX-License-Identifier: MPL-2.0
"""Numbers that can be had, what is known of numbers, and where released ones go."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import Api, RunningServer, Tenant, new_tenant
from tests.numbers import (
    add,
    allow_additions,
    fresh,
    own,
    refusal,
    stock,
)

# Looking for numbers


async def test_looking_for_numbers(server: RunningServer, tenant: Tenant, master: Tenant) -> None:
    await allow_additions(server, tenant)
    numbers = [f"+44207{fresh()[5:]}" for _ in range(4)]
    await stock(master, *numbers)
    mine = await tenant.api.put(f"/phone_numbers/{numbers[2]}/reserve", {})
    assert mine.status == 201

    async def found(**query: str) -> list[dict[str, str]]:
        asked = {"prefix": f"207{numbers[0][6:10]}", "country": "GB", **query}
        answer = await tenant.api.get("/phone_numbers", query=asked)
        assert answer.status == 200, answer.envelope
        return list(answer.data)

    expected = [
        {"number": numbers[2], "state": "reserved"},
        *({"number": number, "state": "available"} for number in (numbers[0], numbers[1], numbers[3])),
    ]
    assert await found() == expected[:1]
    assert await found(quantity="3") == expected[:3]
    assert await found(quantity="10", offset="1") == expected[1:]
    assert await found(quantity="10", offset="9") == []
    assert await found(prefix="9999999") == []
    assert await found(prefix=numbers[0][:10], country="US") == expected[:1]
    bare = await tenant.root.get("/phone_numbers", query={"prefix": numbers[0][1:8], "country": "GB", "quantity": "9"})
    assert bare.data == []


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ({}, "prefix", "required"),
        ({"prefix": "41"}, "prefix", "minLength"),
        ({"prefix": "415", "quantity": "0"}, "quantity", "minimum"),
        ({"prefix": "415", "quantity": "many"}, "quantity", "type"),
        ({"prefix": "415", "country": "USA"}, "country", "maxLength"),
        ({"prefix": "415", "country": "ZZ"}, "country", "invalid"),
    ],
)
async def test_what_cannot_be_looked_for(query: dict[str, str], field: str, code: str, tenant: Tenant) -> None:
    refused = await tenant.root.get("/phone_numbers", query=query)
    assert refused.error()[:3] == (400, "400", "validation error")
    assert {name: list(codes) for name, codes in refused.data.items()} == {field: [code]}


async def test_visitors_of_a_shop(server: RunningServer, tenant: Tenant, master: Tenant, anonymous: Api) -> None:
    number = fresh()
    await stock(master, number)
    query = {"prefix": number[2:], "reseller_id": tenant.id}
    refused = await anonymous.get("/phone_numbers", query=query)
    assert refused.error() == (404, "404", "number search restricted", {})
    settings = {"default": {"unauthorized_numbers_lookup": True}}
    assert (await master.root.post("/system_configs/number_manager", settings)).status == 200
    try:
        nobody = await anonymous.get("/phone_numbers", query=query)
        await master.root.put(f"/accounts/{tenant.id}/reseller", {})
        found = await anonymous.get("/phone_numbers", query=query)
    finally:
        await master.root.delete("/system_configs/number_manager")
    assert nobody.error() == (404, "404", "nonexistent reseller_id", {})
    assert (found.status, found.data) == (200, [{"number": number, "state": "available"}])


async def test_the_resellers_reserve_is_for_its_customers(
    server: RunningServer, tenant: Tenant, master: Tenant
) -> None:
    await master.root.put(f"/accounts/{tenant.id}/reseller", {})
    child = await new_tenant(server, tenant, f"child{tenant.realm.partition('.')[0]}")
    number = fresh()
    await add(master, tenant, number, create_with_state="reserved", carrier_name="inventory")
    query = {"prefix": number[2:]}
    assert (await child.api.get("/phone_numbers", query=query)).data == [{"number": number, "state": "reserved"}]
    assert (await child.api.put(f"/phone_numbers/{number}/activate", {})).data["state"] == "in_service"


async def test_which_numbers_can_be_had(tenant: Tenant, master: Tenant) -> None:
    free, (taken,) = fresh(), await own(master, tenant, 1)
    await stock(master, free)
    answer = await tenant.api.post("/phone_numbers/check", {"numbers": [free[2:], taken, fresh()]})
    assert list(answer.data.values()) == ["success", "error", "error"]
    assert answer.data[free] == "success"


# What is known of numbers


async def test_area_codes_of_cities(tenant: Tenant, anonymous: Api) -> None:
    expected = {"SAN FRANCISCO": {"prefixes": ["415", "628"], "state": "CA"}}
    for api in (tenant.api, anonymous):
        assert (await api.get("/phone_numbers/prefix", query={"city": "san fr"})).data == expected
        assert (await api.get("/phone_numbers/prefix", query={"city": "Nowhere"})).data == {}
        missing = await api.get("/phone_numbers/prefix")
        assert missing.error() == (404, "404", "bad_identifier", {"message": "bad identifier"})


async def test_cities_of_numbers(tenant: Tenant) -> None:
    answer = await tenant.api.post("/phone_numbers/locality", {"numbers": ["4165550100", "+442079460000"]})
    assert answer.data == {
        "+14165550100": {
            "e164_number": "+14165550100",
            "status": "success",
            "locality": "TORONTO",
            "province": "ON",
            "country": "CA",
        },
        "+442079460000": {"e164_number": "+442079460000", "status": "error", "message": "locality unknown"},
    }


async def test_kinds_of_numbers(tenant: Tenant, master: Tenant) -> None:
    table = (await tenant.api.get("/phone_numbers/classifiers")).data
    assert list(table) == [
        "tollfree_us",
        "toll_us",
        "emergency",
        "caribbean",
        "did_us",
        "international",
        "unknown",
    ]
    did = {
        "name": "did_us",
        "friendly_name": "US DID",
        "pretty_print": "SS(###) ### - ####",
        "regex": r"^(\+?1)?([2-9][0-9]{2}[2-9][0-9]{6})$",
    }
    assert table["did_us"] == did
    kind = await tenant.api.get("/phone_numbers/classifiers/4155550100")
    assert kind.data == {**did, "number": "4155550100", "e164": "+14155550100"}
    london = {"default": {"classifiers": {"london": {"friendly_name": "London", "regex": r"^\+4420"}}}}
    assert (await master.root.post("/system_configs/number_manager", london)).status == 200
    nothing = {"default": {"classifiers": {"unknown": {"regex": "^nothing$"}}}}
    try:
        kind = await tenant.api.get("/phone_numbers/classifiers/442079460000")
        await master.root.post("/system_configs/number_manager", nothing)
        none = await tenant.api.get("/phone_numbers/classifiers/*97")
    finally:
        await master.root.delete("/system_configs/number_manager")
    assert (kind.data["name"], kind.data["friendly_name"]) == ("london", "London")
    assert none.data == {"number": "*97", "e164": "*97"}


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("8005550100", "tollfree_us"),
        ("9005550100", "toll_us"),
        ("911", "emergency"),
        ("2425550100", "caribbean"),
        ("+442079460000", "international"),
        ("*97", "unknown"),
    ],
)
async def test_the_first_kind_that_fits(number: str, name: str, tenant: Tenant) -> None:
    path = f"/phone_numbers/classifiers/{number.replace('+', '%2B')}"
    assert (await tenant.api.get(path)).data["name"] == name


async def test_what_can_be_chosen(tenant: Tenant, master: Tenant) -> None:
    info = (await tenant.api.get("/phone_numbers/carriers_info")).data
    assert (info["maximal_prefix_length"], info["usable_creation_states"]) == (10, [])
    assert {"local", "inventory", "telnyx"} <= set(info["usable_carriers"])
    states = ["aging", "available", "in_service", "port_in", "reserved"]
    assert (await master.api.get("/phone_numbers/carriers_info")).data["usable_creation_states"] == states


# Rules of the installation


@pytest.mark.parametrize(
    ("settings", "state"),
    [
        ({}, "available"),
        ({"should_age": True}, "aging"),
        ({"should_permanently_delete": True}, "deleted"),
        ({"released_state": "released"}, "released"),
        ({"released_state": "in_service"}, "available"),
    ],
)
async def test_where_released_numbers_go(settings: dict[str, Any], state: str, tenant: Tenant, master: Tenant) -> None:
    number = fresh()
    await add(master, tenant, number, carrier_name="inventory")
    assert (await master.root.post("/system_configs/number_manager", {"default": settings})).status == 200
    try:
        released = await tenant.api.delete(f"/phone_numbers/{number}")
    finally:
        await master.root.delete("/system_configs/number_manager")
    assert (released.status, released.data["state"]) == (200, state)
    if state == "released":
        refused = await tenant.api.put(f"/phone_numbers/{number}/activate", {})
        move = "from released to in_service"
        assert refused.error() == refusal(400, "invalid_state_transition", "invalid state transition", move)
