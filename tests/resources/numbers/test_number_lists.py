# SPDX-License-Identifier: MPL-2.0
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
from tests.harness import RunningServer, Tenant
from tests.numbers import (
    FORBIDDEN,
    NOT_FOUND,
    add,
    fresh,
    own,
    refusal,
    stock,
)

HANGUP = {"module": "hangup", "data": {}, "children": {}}


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
        assert refused.invalid() == errors


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
