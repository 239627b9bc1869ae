"""`/accounts/{A}/phone_numbers`: lists, collections, and looking for numbers."""

from __future__ import annotations

import asyncio
import csv
from io import StringIO
from typing import Any

import pytest

from crossbar import clock
from crossbar.access.costs import CostSettings
from crossbar.documents.document import Document
from crossbar.resources.numbers.domain import number_inventory
from tests.harness import Api, RunningServer, Tenant, new_tenant
from tests.numbers import (
    FORBIDDEN,
    NOT_FOUND,
    add,
    allow_additions,
    fresh,
    refusal,
)

HANGUP = {"module": "hangup", "data": {}, "children": {}}


async def stock(master: Tenant, *numbers: str) -> None:
    """Fill the inventory."""
    body = {"numbers": list(numbers), "carrier_name": "inventory", "create_with_state": "available"}
    assert (await master.api.put("/phone_numbers/collection", body)).status == 201


async def own(master: Tenant, account: Tenant, count: int) -> list[str]:
    """Numbers of an account."""
    numbers = [fresh() for _ in range(count)]
    for number in numbers:
        await add(master, account, number)
    return numbers


# Lists


async def test_pages_go_down_unless_asked_otherwise(tenant: Tenant, master: Tenant) -> None:
    numbers = await own(master, tenant, 5)
    for query, order in (({}, numbers[::-1]), ({"ascending": "true"}, numbers)):
        seen: list[str] = []
        following: dict[str, str] = {}
        while True:
            page = await tenant.api.get("/phone_numbers", query={"page_size": "2", **query, **following})
            assert page.envelope["page_size"] == len(page.data["numbers"])
            seen += page.data["numbers"]
            if "next_start_key" not in page.envelope:
                break
            following = {"start_key": page.envelope["next_start_key"]}
        assert seen == order
    everything = await tenant.api.get("/phone_numbers", query={"paginate": "false"})
    assert list(everything.data["numbers"]) == numbers[::-1]
    assert "page_size" not in everything.envelope
    begun = await tenant.api.get("/phone_numbers", query={"start_key": numbers[2], "end_key": numbers[1]})
    assert list(begun.data["numbers"]) == [numbers[2], numbers[1]]


async def test_a_long_list_is_read_in_parts(tenant: Tenant, master: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(number_inventory, "AT_A_TIME", 2)
    numbers = await own(master, tenant, 5)
    await tenant.api.put("/callflows", {"numbers": numbers[:3], "flow": HANGUP})
    listed = (await tenant.api.get("/phone_numbers", query={"paginate": "false", "ascending": "true"})).data["numbers"]
    assert [(number, row.get("used_by")) for number, row in listed.items()] == [
        *((number, "callflow") for number in numbers[:3]),
        *((number, None) for number in numbers[3:]),
    ]


async def test_filters_look_at_what_rows_show(tenant: Tenant, master: Tenant) -> None:
    spare, used = await own(master, tenant, 2)
    reserved = fresh()
    await add(master, tenant, reserved, create_with_state="reserved", carrier_name="inventory")
    await tenant.api.put("/callflows", {"numbers": [used], "flow": HANGUP})

    async def listed(**query: str) -> set[str]:
        return set((await tenant.api.get("/phone_numbers", query=query)).data["numbers"])

    assert await listed(filter_state='["in_service","port_in"]') == {spare, used}
    assert await listed(filter_state="reserved") == {reserved}
    assert await listed(filter_assigned_to=tenant.id) == {spare, used, reserved}
    assert await listed(filter_used_by="callflow") == {used}
    assert await listed(key_missing="used_by", filter_not_state="reserved") == {spare}
    assert await listed(filter_id=spare) == {spare}
    assert await listed(filter_pvt_state="reserved") == await listed(has_key="pvt_assigned_to") == set()


async def test_a_callflow_uses_its_numbers(tenant: Tenant, master: Tenant) -> None:
    (number,) = await own(master, tenant, 1)
    flow = await tenant.api.put("/callflows", {"numbers": [number[2:]], "flow": HANGUP})
    assert (await tenant.api.get(f"/phone_numbers/{number}")).data["used_by"] == "callflow"
    await tenant.api.delete(f"/callflows/{flow.id}")
    assert "used_by" not in (await tenant.api.get("/phone_numbers")).data["numbers"][number]


async def test_callflows_use_own_numbers_only(tenant: Tenant, stranger: Tenant, master: Tenant) -> None:
    (number,) = await own(master, stranger, 1)
    refused = await tenant.api.put("/callflows", {"numbers": [number], "flow": HANGUP})
    assert refused.error() == (403, "403", "forbidden", {"message": f"unauthorized to use {number}"})
    free = fresh()
    await stock(master, free)
    assert (await tenant.api.put("/callflows", {"numbers": [free], "flow": HANGUP})).status == 201


async def test_as_csv(tenant: Tenant, master: Tenant) -> None:
    numbers = await own(master, tenant, 2)
    sheet = await tenant.api.get("/phone_numbers", query={"accept": "csv"})
    rows = list(csv.DictReader(StringIO(sheet.raw.decode())))
    assert sheet.headers["Content-Type"] == "text/csv"
    assert list(rows[0])[:2] == ["number", "state"]
    assert [(row["number"], row["features"]) for row in rows] == [(number, "local") for number in numbers[::-1]]


async def test_numbers_of_mobile_devices(tenant: Tenant, stranger: Tenant, master: Tenant) -> None:
    mdn, (number,) = fresh(), await own(master, tenant, 1)
    device = await tenant.api.put("/devices", {"name": "M", "device_type": "mobile", "mobile": {"mdn": mdn}})
    listed = (await tenant.api.get("/phone_numbers", query={"ascending": "true"})).data["numbers"]
    assert list(listed) == [mdn, number]
    assert (listed[mdn]["state"], listed[mdn]["used_by"]) == ("in_service", "mobile")
    assert set((await tenant.api.get("/phone_numbers", query={"filter_used_by": "mobile"})).data["numbers"]) == {mdn}
    read = await tenant.api.get(f"/phone_numbers/{mdn}")
    assert (read.data["used_by"], read.data["_read_only"]["carrier_module"]) == ("mobile", "mdn")
    identified = await master.api.get(f"/phone_numbers/{mdn}/identify")
    assert identified.data == {"account_id": tenant.id, "number": mdn}
    assert (await stranger.api.get(f"/phone_numbers/{mdn}")).error() == NOT_FOUND
    taken = await master.api.put(f"/phone_numbers/{mdn}", {})
    assert taken.error() == refusal(409, "number_exists", f"number {mdn} already exists", mdn)
    assert (await tenant.api.delete(f"/phone_numbers/{mdn}")).error()[:3] == (403, "403", "forbidden")
    body = {"name": "M", "device_type": "mobile", "mobile": {"mdn": number}}
    refused = await tenant.api.put("/devices", body)
    message = "Mobile Device Number already exists in the system"
    assert refused.data == {"mobile.mdn": {"unique": {"message": message, "cause": number}}}
    await tenant.api.delete(f"/devices/{device.id}")
    assert list((await tenant.api.get("/phone_numbers")).data["numbers"]) == [number]
    assert (await master.api.put(f"/phone_numbers/{mdn}", {})).status == 201


@pytest.mark.parametrize("state", ["submitted", "unconfirmed"])
async def test_numbers_on_their_way_in(
    state: str, server: RunningServer, tenant: Tenant, stranger: Tenant, master: Tenant
) -> None:
    number, (kept,) = fresh(), await own(master, tenant, 1)
    fields: dict[str, Any] = {
        "name": "From elsewhere",
        "numbers": {number: {}, kept: {}},
        "pvt_account_id": tenant.id,
        "pvt_port_state": state,
        "pvt_created": clock.now(),
        "pvt_modified": clock.now(),
    }
    request = await server.runtime.store.insert(Document("port_requests", "port_request", f"port-{number[1:]}", fields))
    listed = (await tenant.api.get("/phone_numbers")).data["numbers"]
    under_way = state == "submitted"
    assert set(listed) == ({number, kept} if under_way else {kept})
    read = await tenant.api.get(f"/phone_numbers/{number}")
    if not under_way:
        assert read.error() == NOT_FOUND
        return
    port = {"port_id": request.id, "port_state": state}
    times = {"created": fields["pvt_created"], "updated": fields["pvt_modified"]}
    assert listed[number] == {"state": "port_in", "features": [], "assigned_to": tenant.id, **port, **times}
    assert (read.data["state"], read.data["_read_only"]["port_id"]) == ("port_in", request.id)
    assert (await stranger.api.get(f"/phone_numbers/{number}")).error() == NOT_FOUND
    identified = await tenant.api.get(f"/phone_numbers/{number}/identify")
    assert identified.data == {"account_id": tenant.id, "number": number}
    without = {"include_ports": "false"}
    assert set((await tenant.api.get("/phone_numbers", query=without)).data["numbers"]) == {kept}
    assert (await tenant.api.get(f"/phone_numbers/{number}", query=without)).error() == NOT_FOUND
    porting = refusal(400, "number_is_porting", f"number {number} is porting", number)
    assert (await master.api.put(f"/phone_numbers/{number}", {})).error() == porting


# Collections


@pytest.mark.parametrize(
    ("numbers", "errors"),
    [
        (None, {"numbers": {"required": {"message": "list of numbers missing"}}}),
        ([], {"numbers": {"minimum": {"message": "minimum 1 number required"}}}),
        ("4155550100", {"numbers": {"type": {"message": "numbers must be a list"}}}),
        (["4155550100", "+14155550100"], {"numbers": {"uniqueItems": {"message": "some numbers appear twice"}}}),
        (
            ["4155550100", 5],
            {"numbers.1": {"type": {"message": "Value did not match type(s): string", "target": "string", "value": 5}}},
        ),
    ],
)
async def test_what_is_no_collection(numbers: Any, errors: dict[str, Any], tenant: Tenant) -> None:
    for verb, path in (
        ("PUT", "collection"),
        ("POST", "collection"),
        ("PATCH", "collection"),
        ("DELETE", "collection"),
        ("PUT", "collection/activate"),
        ("POST", "check"),
        ("POST", "locality"),
    ):
        refused = await tenant.api.request(verb, f"/phone_numbers/{path}", {"numbers": numbers})
        assert refused.error() == (400, "400", "validation error", errors)


async def test_a_collection_from_beginning_to_end(tenant: Tenant, master: Tenant) -> None:
    first, second = fresh(), fresh()
    path = f"/accounts/{tenant.id}/phone_numbers/collection"
    created = await master.root.put(path, {"numbers": [first[2:], second, "600"], "note": "both"})
    assert created.status == 201
    assert {number: shown["note"] for number, shown in created.data["success"].items()} == {
        first: "both",
        second: "both",
    }
    assert created.data["error"] == {
        "600": refusal(404, "not_reconcilable", "number 600 is not reconcilable", "600")[3]
    }
    numbers = {"numbers": [first, second]}
    replaced = await tenant.api.post("/phone_numbers/collection", {**numbers, "label": "x"})
    assert (replaced.status, replaced.data["error"]) == (200, [])
    assert [("note" in shown, shown["label"]) for shown in replaced.data["success"].values()] == [(False, "x")] * 2
    merged = await tenant.api.patch("/phone_numbers/collection", {**numbers, "note": "again"})
    assert {shown["label"] + shown["note"] for shown in merged.data["success"].values()} == {"xagain"}
    unknown = fresh()
    mixed = await tenant.api.patch("/phone_numbers/collection", {"numbers": [first, unknown], "note": "more"})
    assert (mixed.status, list(mixed.data["success"]), mixed.data["error"]) == (200, [first], {unknown: "not_found"})
    assert (await tenant.api.get(f"/phone_numbers/{first}")).data["note"] == "more"
    released = await tenant.api.delete("/phone_numbers/collection", numbers)
    assert {shown["state"] for shown in released.data["success"].values()} == {"deleted"}
    assert (await tenant.api.get("/phone_numbers")).data["numbers"] == {}


async def test_a_collection_of_one_is_answered_as_one(tenant: Tenant, stranger: Tenant, master: Tenant) -> None:
    number = fresh()
    one = {"numbers": [number]}
    created = await master.root.put(f"/accounts/{tenant.id}/phone_numbers/collection", one)
    assert (created.status, created.data["id"], created.data["state"]) == (201, number, "in_service")
    assert created.envelope["metadata"] == created.data["_read_only"]
    assert (await stranger.api.delete("/phone_numbers/collection", one)).error() == FORBIDDEN
    with_newline = await master.api.put("/phone_numbers/collection", {"numbers": [f"{fresh()}\n"]})
    assert with_newline.error()[:3] == (404, "404", "not_reconcilable")
    assert (await stranger.api.patch("/phone_numbers/collection", {"numbers": [fresh()]})).error() == NOT_FOUND


async def test_numbers_are_bought_and_given_back(tenant: Tenant, stranger: Tenant, master: Tenant) -> None:
    numbers = [fresh(), fresh()]
    await stock(master, *numbers)
    bought = await tenant.api.put("/phone_numbers/collection/activate", {"numbers": numbers})
    assert (bought.status, list(bought.data["success"]), bought.data["error"]) == (201, numbers, [])
    assert {shown["state"] for shown in bought.data["success"].values()} == {"in_service"}
    taken = await stranger.api.put("/phone_numbers/collection/activate", {"numbers": [*numbers, fresh()]})
    assert (taken.status, taken.data["success"]) == (201, {})
    assert [taken.data["error"][number] for number in numbers] == [FORBIDDEN[3]] * 2
    await tenant.api.delete("/phone_numbers/collection", {"numbers": numbers})
    again = await stranger.api.put("/phone_numbers/collection/activate", {"numbers": numbers})
    assert set(again.data["success"]) == set(numbers)


async def test_only_one_of_many_at_once_gets_a_number(tenant: Tenant, stranger: Tenant, master: Tenant) -> None:
    number = fresh()
    await stock(master, number)
    buyers = [tenant, stranger] * 4
    answers = await asyncio.gather(*(who.api.put(f"/phone_numbers/{number}/activate", {}) for who in buyers))
    owner = (await master.api.get(f"/phone_numbers/{number}/identify")).data["account_id"]
    expected = [201 if who.id == owner else 403 for who in buyers]
    assert [answer.status for answer in answers] == expected


async def test_only_one_of_many_at_once_creates_a_number(tenant: Tenant, stranger: Tenant, master: Tenant) -> None:
    number = fresh()
    paths = [f"/accounts/{who.id}/phone_numbers/{number}" for who in (tenant, stranger) * 3]
    answers = await asyncio.gather(*(master.root.put(path, {}) for path in paths))
    assert sorted(answer.status for answer in answers) == [201] + [409] * 5


async def test_service_plans_count_numbers(tenant: Tenant, master: Tenant) -> None:
    await own(master, tenant, 1)
    for _ in range(2):
        await add(master, tenant, fresh(), carrier_name="inventory", force_outbound=True)
    counted = (await tenant.api.get("/services/summary")).data["quantities"]["account"]
    assert counted["phone_numbers"] == {"did_us": 2}
    assert counted["number_carriers"] == {"inventory": 2, "local": 1}
    assert counted["number_services"] == {"force_outbound": 2, "local": 1}


async def test_only_one_of_many_at_once_gives_a_number_back(tenant: Tenant, master: Tenant) -> None:
    (number,) = await own(master, tenant, 1)
    answers = await asyncio.gather(*(tenant.api.delete(f"/phone_numbers/{number}") for _ in range(6)))
    assert sorted(answer.status for answer in answers) == [200] + [404] * 5


async def test_each_purchase_costs(
    tenant: Tenant, master: Tenant, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [fresh(), fresh(), fresh()]
    await stock(master, *numbers)
    settings = CostSettings(token_costs={"phone_numbers": {"PUT": 60}}, rate_per_second=0.0)
    monkeypatch.setattr(server.runtime.access.costs, "_settings", lambda: settings)
    too_many = (429, "429", "too_many_requests", {"message": "too many requests"})
    bought = await tenant.api.put("/phone_numbers/collection/activate", {"numbers": numbers[:2]})
    assert len(bought.data["success"]) == 2
    assert (await tenant.api.put(f"/phone_numbers/{numbers[2]}/activate", {})).error() == too_many


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
