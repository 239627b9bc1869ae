# SPDX-License-Identifier: MPL-2.0
"""Carriers: numbers that are searched, ordered and given back over HTTP, and what goes wrong on the way."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from pymongo import MongoClient

from crossbar import clock
from crossbar.dialing import NUMBER, NUMBERS
from crossbar.documents.document import SYSTEM_DATA
from crossbar.documents.store import Store
from crossbar.errors import SystemFault
from crossbar.resources.numbers.domain import carrier_orders, carriers, found_number
from crossbar.resources.numbers.domain.carrier import BuiltInCarrier
from tests.carrier import LOG_IN, SellingCarrier, selling_carrier, server_with_carrier
from tests.harness import RunningServer, Tenant, new_tenant, set_options
from tests.numbers import NOT_FOUND, fresh, refusal, stock

SETTINGS = "/system_configs/number_manager.other"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(
    mongo_uri: str, mongo_client: MongoClient[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningServer]:
    data = str(tmp_path_factory.mktemp("data"))
    async with server_with_carrier(mongo_uri, mongo_client, data) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def carrier(server: RunningServer) -> AsyncIterator[SellingCarrier]:
    """The carrier `other`, configured as KAZOO is."""
    async with selling_carrier() as selling:
        settings = {"default": {"phonebook_url": selling.url, "endpoints": ["sip.example.com"]}}
        assert (await server.master.root.post(SETTINGS, settings)).status == 200
        yield selling
        await server.master.root.delete(SETTINGS)


async def search(tenant: Tenant, number: str, **query: str) -> list[dict[str, str]]:
    answer = await tenant.api.get("/phone_numbers", query={"prefix": number[2:], **query})
    assert answer.status == 200, answer.envelope
    return list(answer.data)


@pytest_asyncio.fixture(loop_scope="session")
async def number(tenant: Tenant, carrier: SellingCarrier) -> str:
    """A number that the carrier offers, and a search has found."""
    (number,) = carrier.fresh()
    await search(tenant, number)
    return number


async def notes(server: RunningServer, number: str) -> list[bool]:
    """Whether the number's note says that it goes back; nothing where there is no note."""
    note = await server.runtime.store.get(SYSTEM_DATA, carrier_orders.TYPE, number)
    return [] if note is None else [note.fields["returning"]]


async def repair(server: RunningServer, *, later: int = 7200) -> int:
    """What the server does by itself after a while."""
    with clock.frozen(clock.unix_now() + later):
        return await carrier_orders.repair(server.runtime)


def fault_of(number: str) -> tuple[int, str, str, Any]:
    return refusal(500, "unspecified_fault", "fault by carrier", number)


async def test_from_the_search_to_the_end(
    server: RunningServer, tenant: Tenant, stranger: Tenant, carrier: SellingCarrier
) -> None:
    (number,) = carrier.fresh()
    unsearched = await tenant.api.put(f"/phone_numbers/{number}/activate", {})
    assert unsearched.error() == NOT_FOUND
    assert await search(tenant, number) == [{"number": number, "state": "discovery"}]
    assert carrier.seen == [("GET", f"/phonebook/numbers/US/search?prefix=%2B{number[1:]}&limit=1&offset=0", None)]
    assert (await tenant.api.get(f"/phone_numbers/{number}")).error() == NOT_FOUND
    bought = await tenant.api.put(f"/phone_numbers/{number}/activate", {"note": "mine"})
    assert (bought.status, bought.data["state"], bought.data["note"]) == (201, "in_service", "mine")
    assert bought.data["_read_only"]["carrier_module"] == "other"
    assert carrier.asked("PUT") == [{"data": {"numbers": [number], "gateways": ["sip.example.com"]}}]
    assert (carrier.sold, carrier.log_ins) == ({number}, {LOG_IN})
    stored = await server.runtime.store.get(NUMBERS, NUMBER, number)
    assert stored is not None
    assert (stored.fields["pvt_carrier_data"], stored.at("pvt_locality.city")) == ({"order": f"o-{number}"}, "OAKLAND")
    assert (await tenant.api.get("/phone_numbers")).data["numbers"][number]["locality"] == {"city": "OAKLAND"}
    assert await notes(server, number) == []
    # Whoever else has seen it comes too late, and it is offered to nobody any more.
    assert (await stranger.api.put(f"/phone_numbers/{number}/activate", {})).status == 403
    assert await search(stranger, number) == []
    released = await tenant.api.delete(f"/phone_numbers/{number}")
    assert (released.status, released.data["state"]) == (200, "deleted")
    assert carrier.asked("DELETE") == [{"data": {"numbers": [number]}}]
    assert (carrier.sold, await notes(server, number)) == (set(), [])
    assert (await tenant.api.get(f"/phone_numbers/{number}")).error() == NOT_FOUND


async def test_reserved_numbers_are_ordered_too(tenant: Tenant, carrier: SellingCarrier, number: str) -> None:
    reserved = await tenant.api.put(f"/phone_numbers/{number}/reserve", {})
    assert (reserved.status, reserved.data["state"], carrier.sold) == (201, "reserved", {number})
    assert (await tenant.api.put(f"/phone_numbers/{number}/activate", {})).data["state"] == "in_service"
    assert len(carrier.asked("PUT")) == 1


async def test_the_inventory_comes_first(tenant: Tenant, server: RunningServer, carrier: SellingCarrier) -> None:
    first, second, third = "+15106660001", "+15106660002", "+15106660003"
    carrier.offers = {second: {}, third: {}}
    await stock(server.master, first)
    prefix = first[:9]
    states = {first: "available", second: "discovery", third: "discovery"}
    everything = [{"number": number, "state": state} for number, state in states.items()]
    assert await search(tenant, prefix, quantity="1") == everything[:1]
    assert carrier.seen == []
    found = await search(tenant, prefix, quantity="9")
    assert found == everything
    after = await search(tenant, prefix, quantity="1", offset="1")
    assert after == [entry for entry in found if entry["number"] != first][:1]
    assert [path.partition("?")[2].partition("&")[2] for _, path, _ in carrier.seen] == [
        "limit=8&offset=0",
        "limit=1&offset=0",
    ]


async def test_blocks(tenant: Tenant, carrier: SellingCarrier) -> None:
    start, end = "+15105550100", "+15105550199"
    carrier.blocks = [{"start_number": start, "end_number": end}]
    found = await search(tenant, start[:9], quantity="10", blocks="1")
    assert [entry["number"] for entry in found] == [start, end]
    assert carrier.seen[0][1].startswith("/phonebook/blocks/US/search?prefix=%2B1510")
    assert "size=10" in carrier.seen[0][1]


async def test_check(tenant: Tenant, server: RunningServer, carrier: SellingCarrier) -> None:
    (sold,), (offered,), house, nowhere = carrier.fresh(), carrier.fresh(), fresh(), fresh()
    await stock(server.master, house)
    await search(tenant, sold)
    await tenant.api.put(f"/phone_numbers/{sold}/activate", {})
    answer = await tenant.api.post("/phone_numbers/check", {"numbers": [house, offered[2:], sold, nowhere]})
    assert answer.data == {house: "success", offered: "success", sold: "error", nowhere: "error"}
    assert carrier.asked("POST") == [{"data": [offered[2:], nowhere[2:]]}]


@pytest.mark.parametrize("path", ["/system_configs/number_manager", "/accounts/{}/configs/number_manager"])
async def test_only_modules_that_are_chosen_are_searched(
    path: str, server: RunningServer, tenant: Tenant, carrier: SellingCarrier
) -> None:
    (number,), master, path = carrier.fresh(), server.master, path.format(server.master.id)
    for modules, expected in ((["knm_inventory"], []), (["knm_local", "knm_other"], ["discovery"])):
        chosen = {"carrier_modules": modules}
        assert (await master.root.post(path, {"default": chosen} if "system" in path else chosen)).status == 200
        try:
            found = await search(tenant, number)
        finally:
            await master.root.delete(path)
        assert [entry["state"] for entry in found] == expected


async def test_many_are_ordered_together(tenant: Tenant, carrier: SellingCarrier) -> None:
    numbers = carrier.fresh(5)
    carrier.refusing = {numbers[1]}
    await search(tenant, numbers[0][:9], quantity="100")
    unknown = fresh()
    bought = await tenant.api.put("/phone_numbers/collection/activate", {"numbers": [*numbers, unknown]})
    assert set(bought.data["success"]) == {*numbers} - {numbers[1]}
    assert bought.data["error"] == {numbers[1]: fault_of(numbers[1])[3], unknown: "not_found"}
    assert [body["data"]["numbers"] for body in carrier.asked("PUT")] == [numbers]
    released = await tenant.api.delete("/phone_numbers/collection", {"numbers": [*bought.data["success"]]})
    assert released.data["error"] == []
    assert carrier.sold == set()


# What goes wrong


async def test_an_order_that_is_refused_leaves_nothing(
    server: RunningServer, tenant: Tenant, carrier: SellingCarrier, number: str
) -> None:
    carrier.refusing = {number}
    refused = await tenant.api.put(f"/phone_numbers/{number}/activate", {})
    assert refused.error() == fault_of(number)
    assert (await tenant.api.get(f"/phone_numbers/{number}")).error() == NOT_FOUND
    assert await notes(server, number) == []
    carrier.refusing.clear()
    carrier.failing = 403
    assert (await tenant.api.put(f"/phone_numbers/{number}/activate", {})).error() == fault_of(number)
    assert await notes(server, number) == []
    carrier.failing = 0
    assert (await tenant.api.put(f"/phone_numbers/{number}/activate", {})).status == 201


@pytest.mark.parametrize("trouble", ["silent", "failing", "garbled"])
async def test_an_order_that_may_have_been_done_is_given_back(
    trouble: str, server: RunningServer, tenant: Tenant, carrier: SellingCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    (number,) = carrier.fresh()
    await search(tenant, number)
    set_options(monkeypatch, server, "carrier", timeout_s=0.2)
    match trouble:
        case "silent":
            carrier.silent = {"PUT"}
        case "failing":
            carrier.failing = 502
        case _:
            carrier.body = b"{not JSON"
    assert (await tenant.api.put(f"/phone_numbers/{number}/activate", {})).error() == fault_of(number)
    assert await notes(server, number) == [True]
    carrier.silent, carrier.failing, carrier.body = set(), 0, None
    assert (await tenant.api.put(f"/phone_numbers/{number}/activate", {})).status == 409
    assert await repair(server) == 0
    assert (carrier.sold, await notes(server, number)) == (set(), [])
    assert (await tenant.api.put(f"/phone_numbers/{number}/activate", {})).status == 201


async def test_a_number_that_was_ordered_and_not_stored_is_given_back(
    server: RunningServer, tenant: Tenant, carrier: SellingCarrier, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    transact = Store.transact

    async def broken(*_: Any) -> None:
        raise SystemFault("datastore_unreachable")

    monkeypatch.setattr(Store, "transact", broken)
    failed = await tenant.api.put(f"/phone_numbers/{number}/activate", {})
    assert (failed.status, carrier.sold) == (503, {number})
    monkeypatch.setattr(Store, "transact", transact)
    assert await notes(server, number) == [True]
    assert (await tenant.api.get(f"/phone_numbers/{number}")).error() == NOT_FOUND
    assert await repair(server) == 0
    assert (carrier.sold, await notes(server, number)) == (set(), [])


async def test_a_process_that_ends_between_order_and_store(
    server: RunningServer, tenant: Tenant, carrier: SellingCarrier, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left of a process that was killed: the note, and nobody who would hasten it."""
    ended, over = asyncio.Event(), asyncio.Event()

    async def never(*_: Any) -> None:
        ended.set()
        await over.wait()
        raise SystemFault("datastore_unreachable")

    async def dead(*_: Any) -> None:
        return None

    monkeypatch.setattr(Store, "transact", never)
    monkeypatch.setattr(carrier_orders, "hasten", dead)
    request = asyncio.create_task(tenant.api.put(f"/phone_numbers/{number}/activate", {}))
    await ended.wait()
    monkeypatch.undo()
    assert (carrier.sold, await notes(server, number)) == ({number}, [False])
    assert await repair(server, later=10) == 0
    assert (carrier.sold, await notes(server, number)) == ({number}, [False]), "it may still be on its way"
    assert await repair(server) == 0
    assert (carrier.sold, await notes(server, number)) == (set(), [])
    over.set()
    assert (await request).status == 503


async def test_a_request_that_took_too_long_keeps_nothing(
    server: RunningServer, tenant: Tenant, carrier: SellingCarrier, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was given back in the meantime is not put into service."""
    transact = Store.transact

    async def late(store: Store, work: Any) -> Any:
        monkeypatch.setattr(Store, "transact", transact)
        assert await repair(server) == 0
        return await transact(store, work)

    monkeypatch.setattr(Store, "transact", late)
    assert (await tenant.api.put(f"/phone_numbers/{number}/activate", {})).error() == fault_of(number)
    assert (carrier.sold, await notes(server, number)) == (set(), [])
    assert (await tenant.api.get(f"/phone_numbers/{number}")).error() == NOT_FOUND


async def test_a_number_that_a_carrier_does_not_take_back_is_told_of_again(
    server: RunningServer, tenant: Tenant, carrier: SellingCarrier, number: str
) -> None:
    await tenant.api.put(f"/phone_numbers/{number}/activate", {})
    carrier.failing = 500
    assert (await tenant.api.delete(f"/phone_numbers/{number}")).data["state"] == "deleted"
    assert (carrier.sold, await notes(server, number)) == ({number}, [True])
    assert await repair(server) == 1
    carrier.failing = 0
    assert await repair(server, later=20_000) == 0
    assert (carrier.sold, await notes(server, number)) == (set(), [])


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_a_carrier_that_takes_nothing_back(
    status: int, server: RunningServer, tenant: Tenant, carrier: SellingCarrier, number: str
) -> None:
    await tenant.api.put(f"/phone_numbers/{number}/activate", {})
    carrier.failing = status
    assert (await tenant.api.delete(f"/phone_numbers/{number}")).data["state"] == "deleted"
    assert await notes(server, number) == []


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"[]", 0), (b'{"status": "error"}', 0), (b'{"status": "success", "data": {"+1": {}, "x": 1}}', 0), (None, 500)],
)
async def test_a_carrier_that_cannot_be_searched_has_nothing(
    body: bytes | None, status: int, tenant: Tenant, carrier: SellingCarrier
) -> None:
    (number,) = carrier.fresh()
    carrier.body, carrier.failing = body, status
    assert await search(tenant, number) == []
    assert (await tenant.api.post("/phone_numbers/check", {"numbers": [number]})).data == {number: "error"}


async def test_a_slow_carrier_is_not_waited_for(
    server: RunningServer, tenant: Tenant, carrier: SellingCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, (number,) = fresh(), carrier.fresh()
    await stock(server.master, house)
    carrier.silent = {"GET"}
    set_options(monkeypatch, server, "carrier", search_timeout_ms=50)
    assert await search(tenant, house, quantity="9") == [{"number": house, "state": "available"}]
    assert await search(tenant, number) == []


async def test_a_carrier_inside_is_not_reached(
    server: RunningServer, tenant: Tenant, carrier: SellingCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    (number,) = carrier.fresh()
    set_options(monkeypatch, server, "storage", allowed_networks=())
    assert (await search(tenant, number), carrier.seen) == ([], [])


async def test_what_was_found_is_forgotten_after_an_hour(
    server: RunningServer, tenant: Tenant, carrier: SellingCarrier
) -> None:
    old, new = carrier.fresh(2)
    await search(tenant, old)
    with clock.frozen(clock.unix_now() + 3601):
        assert await found_number.found_numbers(server.runtime.store, [old]) == {}
        await found_number.remember(server.runtime.store, "other", [])
    assert await server.runtime.store.get(NUMBERS, found_number.TYPE, old) is None
    await search(tenant, new)
    assert (await tenant.api.put(f"/phone_numbers/{old}/activate", {})).error() == NOT_FOUND


async def test_a_carrier_that_is_not_configured_any_more(
    server: RunningServer, tenant: Tenant, carrier: SellingCarrier, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sells nothing of what it offered, and what it has sold is given back when it is there again."""
    bought, offered = carrier.fresh(2)
    for number in (bought, offered):
        await search(tenant, number)
    await tenant.api.put(f"/phone_numbers/{bought}/activate", {})
    module = carriers.MODULES["other"]
    monkeypatch.setitem(carriers.MODULES, "other", lambda _: None)
    refused = await tenant.api.put(f"/phone_numbers/{offered}/activate", {})
    assert refused.error() == fault_of(offered)
    await carrier_orders.begin(server.runtime, BuiltInCarrier("other"), [offered])
    assert await repair(server) == 1
    monkeypatch.setitem(carriers.MODULES, "other", module)
    assert await repair(server, later=20_000) == 0
    assert carrier.asked("DELETE") == [{"data": {"numbers": [offered]}}]
    assert (await tenant.api.delete(f"/phone_numbers/{bought}")).data["state"] == "deleted"
    assert carrier.sold == set()


async def test_sixteen_buyers_of_one_number(server: RunningServer, tenant: Tenant, carrier: SellingCarrier) -> None:
    (number,) = carrier.fresh()
    others = [tenant, *[await new_tenant(server, server.master, f"b{uuid.uuid4().hex[:12]}") for _ in range(3)]]
    await search(tenant, number)
    buyers = others * 4
    answers = await asyncio.gather(*(who.api.put(f"/phone_numbers/{number}/activate", {}) for who in buyers))
    owner = (await server.master.api.get(f"/phone_numbers/{number}/identify")).data["account_id"]
    assert {who.id for who, answer in zip(buyers, answers, strict=True) if answer.status == 201} == {owner}
    assert {answer.status for answer in answers} <= {201, 403, 409}
    assert [body["data"]["numbers"] for body in carrier.asked("PUT")] == [[number]]
    assert await notes(server, number) == []
