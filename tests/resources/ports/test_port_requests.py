# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/port_requests`: making, changing and finding port requests."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from crossbar import clock
from tests.harness import ABSENT, RunningServer, Tenant, new_person, new_tenant
from tests.numbers import add, fresh
from tests.ports import BILL, FORBIDDEN, Porting, decide, listed, made, stored

EXISTS = "Number exists on the system already"
ELSEWHERE = "Number is being ported for a different account"


def refused(*errors: tuple[str, str]) -> tuple[int, str, str, Any]:
    fields = {number: {"type": {"message": message, "cause": number}} for number, message in errors}
    return 400, "400", "validation error", fields


# One request


async def test_a_request_is_made_and_read(porting: Porting) -> None:
    number, customer = fresh(), porting.customer
    data = {"name": "Moving in", "numbers": {number[2:]: {"note": "main"}}, "bill": BILL, "ui_metadata": {"v": 1}}
    before = clock.now()
    created = await customer.api.put("/port_requests", {**data, "port_state": "completed", "sent": True, "id": "mine"})
    assert created.status == 201
    request_id = created.id
    assert request_id != "mine"
    assert created.headers["Location"].endswith(f"/port_requests/{request_id}")
    shown = dict(created.data)
    assert before <= shown.pop("created") == shown.pop("updated") <= clock.now()
    names = (customer, porting.agent)
    known = [(await porting.master.root.get(f"/accounts/{account.id}")).data["name"] for account in names]
    assert shown == {
        **data,
        "numbers": {number: {"note": "main"}},
        "id": request_id,
        "port_state": "unconfirmed",
        "sent": False,
        "uploads": {},
        "comments": [],
        "_read_only": {
            "account_id": customer.id,
            "account_name": known[0],
            "port_authority": porting.agent.id,
            "port_authority_name": known[1],
        },
    }
    read = await customer.api.get(f"/port_requests/{request_id}")
    assert (read.status, read.data, read.envelope["revision"]) == (200, created.data, created.envelope["revision"])


async def test_what_is_no_request(porting: Porting) -> None:
    for data, errors in (
        ({"numbers": {fresh(): {}}}, {"name": "required"}),
        ({"name": "", "numbers": {fresh(): {}}}, {"name": "minLength"}),
        ({"name": "a" * 129, "numbers": {fresh(): {}}}, {"name": "maxLength"}),
        ({"name": "port"}, {"numbers": "required"}),
        ({"name": "port", "numbers": {}}, {"numbers": "too_few_properties"}),
        ({"name": "port", "numbers": [fresh()]}, {"numbers": "type"}),
        ({"name": "port", "numbers": {"+14155550111": 5}}, {"numbers.+14155550111": "type"}),
        ({"name": "port", "numbers": {"1001": {}}}, {"1001": "type"}),
        ({"name": "port", "numbers": {"abc": {}}}, {"abc": "type"}),
        ({"name": "port", "numbers": {f"+{'2' * 40}": {}}}, {f"+{'2' * 40}": "type"}),
        ({"name": "port", "numbers": {fresh(): {}}, "bill": {"name": []}}, {"bill.name": "type"}),
        ({"name": "port", "numbers": {fresh(): {}}, "transfer_date": "soon"}, {"transfer_date": "type"}),
    ):
        answer = await porting.customer.api.put("/port_requests", data)
        assert answer.error()[:3] == (400, "400", "validation error"), data
        assert {field: next(iter(codes)) for field, codes in answer.data.items()} == errors
    assert (await porting.customer.api.get("/port_requests")).data == []


async def test_a_request_is_replaced_and_changed(porting: Porting) -> None:
    api, first, second, third = porting.customer.api, fresh(), fresh(), fresh()
    request_id = (await porting.made(first, bill=BILL)).id
    path = f"/port_requests/{request_id}"
    replaced = await api.post(path, {"name": "other", "numbers": {first: {}, second: {}}})
    assert (replaced.status, replaced.data["name"], "bill" in replaced.data) == (200, "other", False)
    assert set(replaced.data["numbers"]) == {first, second}
    patch = {"bill": BILL, "numbers": {third[1:]: {}, first: None}, "reason": "not kept", "winning_carrier": "New"}
    changed = await api.patch(path, patch)
    assert (changed.status, changed.data["name"], changed.data["bill"]) == (200, "other", BILL)
    assert (set(changed.data["numbers"]), changed.data["winning_carrier"]) == ({second, third}, "New")
    assert "reason" not in changed.data
    assert (await api.get(path)).data == changed.data
    assert (await api.post(path, {"name": "no numbers"})).error()[0] == 400
    assert (await made(porting.customer, first)).status == 201, "what was let go is free"


async def test_a_request_is_replaced_only_while_it_waits_for_its_account(porting: Porting) -> None:
    number = fresh()
    request_id = (await porting.made(number)).id
    path, data = f"/port_requests/{request_id}", {"name": "other", "numbers": {number: {}}}
    await porting.moved(request_id, "submitted")
    for api in (porting.customer.api, porting.reseller.api, porting.agent.api):
        message = "Updating port requests not allowed in current port state"
        error = {"submitted": {"type": {"message": message, "cause": "submitted"}}}
        assert (await api.post(path, data)).invalid() == error
    assert (await porting.master.api.post(path, data)).data["name"] == "other"
    assert (await porting.customer.api.patch(path, {"name": "changed"})).data["name"] == "changed"
    await porting.moved(request_id, "rejected")
    assert (await porting.customer.api.post(path, data)).status == 200


async def test_preconditions_are_heard(porting: Porting) -> None:
    request = await porting.made()
    path, stale = f"/port_requests/{request.id}", {"If-Match": "1-none"}
    for verb, rest, data in (
        ("POST", "", {"name": "x", "numbers": request.data["numbers"]}),
        ("PATCH", "", {"name": "x"}),
        ("PATCH", "/submitted", {}),
        ("DELETE", "", ABSENT),
        ("PUT", "/comments", {"comments": [{"author": "a", "content": "c", "timestamp": 1}]}),
    ):
        assert (await porting.customer.api.request(verb, path + rest, data, headers=stale)).status == 412, (verb, rest)
    assert (await porting.customer.api.get(path)).envelope["revision"] == request.envelope["revision"]


@pytest.mark.parametrize(
    "state", ["unconfirmed", "submitted", "pending", "scheduled", "rejected", "canceled", "completed"]
)
async def test_what_is_with_no_carrier_is_deleted(porting: Porting, state: str) -> None:
    number = fresh()
    request_id = (await porting.made(number)).id
    way = {
        "unconfirmed": (),
        "rejected": ("submitted", "rejected"),
        "canceled": ("submitted", "canceled"),
        "completed": ("submitted", "pending", "completed"),
        "pending": ("submitted", "pending"),
        "scheduled": ("submitted", "pending", "scheduled"),
    }.get(state, (state,))
    if way:
        await porting.moved(request_id, *way)
    answer = await porting.customer.api.delete(f"/port_requests/{request_id}")
    if state not in ("unconfirmed", "rejected", "canceled"):
        assert answer.error() == (405, "405", "invalid_method", {"message": "invalid method"})
        assert (await porting.customer.api.get(f"/port_requests/{request_id}")).status == 200
        return
    assert (answer.status, answer.data["id"], answer.data["_read_only"]["deleted"]) == (200, request_id, True)
    gone = await porting.customer.api.get(f"/port_requests/{request_id}")
    assert gone.error() == (404, "404", "bad_identifier", {"message": "bad identifier", "cause": request_id})
    assert await listed(porting.customer.api, by_types="all") == set()
    assert (await porting.made(number)).status == 201


async def test_a_request_is_removed_for_good(porting: Porting, server: RunningServer) -> None:
    request = await porting.made()
    path = f"/port_requests/{request.id}"
    await porting.customer.api.put(f"{path}/attachments", body=b"bill", content_type="text/plain")
    kept = await stored(server, request.id)
    assert len(await server.runtime.attachments.all(kept)) == 1
    await porting.customer.api.delete(path, query={"should_soft_delete": "false"})
    assert await server.runtime.attachments.all(kept) == []
    found = await server.runtime.store.database["documents"].find_one({"_id": kept.key})
    assert found is None


# Numbers


async def test_a_number_is_on_one_open_request(porting: Porting, stranger: Tenant) -> None:
    number, other = fresh(), fresh()
    first = await porting.made(number)
    for given in (number, number[2:]):
        again = await porting.customer.api.put("/port_requests", {"name": "again", "numbers": {given: {}, other: {}}})
        assert again.error() == refused((given, f"Number is on a port request already: {first.id}"))
        theirs = await stranger.api.put("/port_requests", {"name": "theirs", "numbers": {given: {}}})
        assert theirs.error() == refused((given, ELSEWHERE))
    second = await porting.made(other)
    path = f"/port_requests/{second.id}"
    taken = refused((number, f"Number is on a port request already: {first.id}"))
    assert (await porting.customer.api.patch(path, {"numbers": {number: {}}})).error() == taken
    assert (await porting.customer.api.patch(f"{path}/submitted", {"numbers": {number: {}}})).error() == taken
    both = {"name": "both", "numbers": {other: {}, number: {}}}
    assert (await porting.customer.api.post(path, both)).error() == taken
    await porting.moved(first.id, "submitted", "canceled")
    assert (await porting.customer.api.patch(path, {"numbers": {number: {}}})).status == 200


async def test_a_number_that_the_installation_has_is_not_ported(
    porting: Porting, master: Tenant, tenant: Tenant
) -> None:
    own, others, mobile, free = fresh(), fresh(), fresh(), fresh()
    await add(master, porting.customer, own)
    await add(master, tenant, others)
    await add(master, master, free, carrier_name="inventory", create_with_state="available")
    device = await tenant.api.put("/devices", {"name": "m", "device_type": "mobile", "mobile": {"mdn": mobile}})
    assert device.status == 201
    data = {"name": "port", "numbers": {number: {} for number in (own, others, mobile, free)}}
    answer = await porting.customer.api.put("/port_requests", data)
    assert answer.error() == refused((own, EXISTS), (others, EXISTS), (mobile, EXISTS))
    assert (await porting.made(free)).status == 201, "a number that is nobody's can be ported"


async def test_of_sixteen_who_want_a_number_at_once_one_gets_it(porting: Porting, stranger: Tenant) -> None:
    number = fresh()
    data = {"name": "mine", "numbers": {number: {}}}
    apis = (porting.customer.api, stranger.api) * 8
    answers = await asyncio.gather(*(api.put("/port_requests", data) for api in apis))
    assert sorted(answer.status for answer in answers) == [201] + [400] * 15
    assert all(list(answer.data) == [number] for answer in answers if answer.status == 400)
    everywhere = await porting.master.root.get("/port_requests", query={"by_number": number})
    assert len(everywhere.data) == 1


# Who


async def test_who_gets_at_a_request(porting: Porting, stranger: Tenant, server: RunningServer) -> None:
    request_id = (await porting.made()).id
    beside = await new_tenant(server, porting.reseller, f"beside{request_id[:10]}")
    below = await new_tenant(server, porting.customer, f"under{request_id[:10]}")
    plain = await new_person(server, porting.customer)
    for api in (porting.customer.api, porting.reseller.api, porting.agent.api, porting.master.api, plain.api):
        assert (await api.get(f"/port_requests/{request_id}")).data["id"] == request_id
    missing = (404, "404", "bad_identifier", {"message": "bad identifier", "cause": request_id})
    changes: tuple[tuple[str, str, Any], ...] = (
        ("GET", "", ABSENT),
        ("POST", "", {"name": "x", "numbers": {fresh(): {}}}),
        ("PATCH", "", {"name": "x"}),
        ("DELETE", "", ABSENT),
        ("PATCH", "/submitted", {}),
        ("PATCH", "/canceled", {}),
        ("GET", "/attachments", ABSENT),
        ("GET", "/timeline", ABSENT),
        ("GET", "/loa", ABSENT),
        ("GET", "/comments", ABSENT),
        ("PUT", "/comments", {"comments": []}),
        ("DELETE", "/comments", ABSENT),
        ("GET", "/comments/0", ABSENT),
        ("GET", "/attachments/bill.pdf", ABSENT),
        ("DELETE", "/attachments/bill.pdf", ABSENT),
    )
    for verb, rest, data in changes:
        for api in (stranger.api, beside.api, below.api):
            answer = await api.request(verb, f"/port_requests/{request_id}{rest}", data)
            assert answer.error() == missing, (verb, rest)
            theirs = await api.acting(api.token, "").request(
                verb, f"/accounts/{porting.customer.id}/port_requests/{request_id}{rest}", data
            )
            assert theirs.error() == FORBIDDEN, (verb, rest)
    for kind in ("PUT", "POST"):
        name = "/bill.pdf" if kind == "POST" else ""
        upload = {"body": b"x", "content_type": "text/plain"}
        answer = await stranger.api.request(kind, f"/port_requests/{request_id}/attachments{name}", **upload)
        assert answer.error() == missing
    assert (await porting.customer.api.get(f"/port_requests/{request_id}")).data["port_state"] == "unconfirmed"


async def test_the_authority_is_whom_the_accounts_above_name(
    server: RunningServer, master: Tenant, stranger: Tenant
) -> None:
    async def authority(account: Tenant) -> str:
        return str((await made(account)).data["_read_only"]["port_authority"])

    reseller = await new_tenant(server, master, f"top{stranger.id[:10]}")
    middle = await new_tenant(server, reseller, f"mid{stranger.id[:10]}")
    low = await new_tenant(server, middle, f"low{stranger.id[:10]}")
    assert await authority(master) == await authority(reseller) == await authority(low) == master.id
    await decide(reseller, reseller.id)
    assert (await authority(reseller), await authority(low)) == (master.id, reseller.id)
    await decide(middle, stranger.id)
    assert (await authority(middle), await authority(low)) == (stranger.id, stranger.id)
    await decide(low, low.id)
    assert await authority(low) == stranger.id
    assert (await middle.api.delete("/whitelabel")).status == 200
    assert (await master.root.put(f"/accounts/{middle.id}/reseller")).status == 201
    assert await authority(low) == master.id, "above a reseller is the master account"


# Accounts that move or end


async def test_requests_go_where_their_account_goes(porting: Porting, tenant: Tenant) -> None:
    request_id = (await porting.made()).id
    moved = await porting.master.root.post(f"/accounts/{porting.customer.id}/move", {"to": tenant.id})
    assert moved.status == 200
    assert await listed(tenant.api, "/descendants/port_requests") == {request_id}
    assert await listed(porting.reseller.api, "/descendants/port_requests") == set()
    assert (await tenant.api.get(f"/port_requests/{request_id}")).status == 200
    assert (await porting.reseller.api.get(f"/port_requests/{request_id}")).status == 404
    again = await porting.master.root.post(f"/accounts/{porting.customer.id}/move", {"to": porting.reseller.id})
    assert again.status == 200
    assert await listed(porting.reseller.api, "/descendants/port_requests") == {request_id}


async def test_an_account_does_not_end_while_numbers_are_on_their_way(porting: Porting) -> None:
    number, unconfirmed = fresh(), fresh()
    request_id = (await porting.made(number)).id
    await porting.made(unconfirmed)
    root, account = porting.master.root, f"/accounts/{porting.customer.id}"
    for state in ("submitted", "rejected", "submitted", "pending", "scheduled"):
        await porting.moved(request_id, state)
        refusal = await root.delete(account)
        message = {"message": "Account has active port request"}
        assert refusal.error() == (500, "500", "account_has_active_port", message)
        assert (await root.get(account)).status == 200
    await porting.moved(request_id, "canceled")
    assert (await root.delete(account)).status == 200
    rows = (await porting.agent.root.get("/port_requests", query={"by_types": "all"})).data
    assert [(row["account_name"], len(row["port_requests"])) for row in rows] == [("unknown", 1)]
    assert (await made(porting.reseller, number, unconfirmed)).status == 201
