# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/port_requests` and `/port_requests`: lists, and finding by number."""

from __future__ import annotations

from crossbar import clock
from tests.harness import Api, RunningServer, Tenant, new_tenant
from tests.numbers import fresh
from tests.ports import FORBIDDEN, Porting, listed, made

# Lists


async def test_lists_are_by_account_and_state(porting: Porting, server: RunningServer) -> None:
    api, child = porting.customer.api, await new_tenant(server, porting.customer, f"c{porting.customer.id[:10]}")
    states = {
        "unconfirmed": (),
        "submitted": ("submitted",),
        "pending": ("submitted", "pending"),
        "scheduled": ("submitted", "pending", "scheduled"),
        "rejected": ("submitted", "rejected"),
        "canceled": ("submitted", "canceled"),
        "completed": ("submitted", "pending", "completed"),
    }
    by_state = {}
    for state, way in states.items():
        by_state[state] = (await porting.made()).id
        if way:
            await porting.moved(by_state[state], *way)
    below = (await made(child)).id
    own = {state: {request_id} for state, request_id in by_state.items()}
    active = set().union(*(own[state] for state in ("unconfirmed", "submitted", "pending", "scheduled", "rejected")))
    everything = set(by_state.values())
    finished = own["completed"] | own["canceled"]

    assert await listed(api) == await listed(api, by_types="active") == active
    assert await listed(api, paginate="false", page_size="1") == active
    assert await listed(api, by_types="all") == everything
    assert await listed(api, by_types="completed") == finished
    assert await listed(api, by_types="suspended") == own["unconfirmed"] | own["rejected"]
    progressing = own["submitted"] | own["pending"] | own["scheduled"]
    assert await listed(api, by_types="progressing") == progressing
    assert await listed(api, by_types="pending,canceled") == own["pending"] | own["canceled"]
    assert await listed(api, by_types=" rejected , pending") == own["rejected"] | own["pending"]
    for state in states:
        wanted = finished if state == "completed" else own[state]
        assert await listed(api, by_types=state) == await listed(api, f"/port_requests/{state}") == wanted
    assert await listed(api, "/descendants/port_requests", by_types="all") == {below}
    assert await listed(api, "/descendants/port_requests/unconfirmed") == {below}
    assert await listed(porting.reseller.api, "/descendants/port_requests", by_types="all") == {*everything, below}
    assert await listed(porting.reseller.api, by_types="all") == set()
    decided = await listed(porting.agent.root, "/port_requests", by_types="all")
    assert decided == {*everything, below}

    later = str(clock.now() + 1000)
    for query in ({"modified_from": later}, {"modified_to": "63000000000"}):
        far = {"modified_to": str(int(later) + 10)} if "modified_from" in query else {}
        assert await listed(api, by_types="all", **query, **far) == set()
    assert await listed(api, by_types="completed", modified_from=str(clock.now() - 1000)) == finished
    wrong = await api.get(
        "/port_requests", query={"by_types": "all", "modified_from": "5", "modified_to": "63900000000"}
    )
    assert list(wrong.data) == ["modified_from"]
    assert await listed(api, filter_name="none") == set()
    assert await listed(api, filter_name="port", has_key="numbers") == active

    group = (await api.get("/port_requests", query={"by_types": "pending"})).data[0]
    name = (await api.get("")).data["name"]
    assert (group["account_id"], group["account_name"]) == (porting.customer.id, name)
    [shown] = group["port_requests"]
    assert shown == {**(await api.get(f"/port_requests/{by_state['pending']}")).data, "account_id": porting.customer.id}


async def test_types_that_are_none(porting: Porting) -> None:
    for wanted in ("closed", "pending,closed", "pending,,rejected", ""):
        answer = await porting.customer.api.get("/port_requests", query={"by_types": wanted})
        if wanted == "":
            continue
        unknown = ", ".join(word for word in wanted.split(",") if word not in {"pending", "rejected"})
        message = f"query string by_types contained invalid values: {unknown}"
        assert answer.error() == (500, "500", "invalid_request", {"message": message})


async def test_requests_are_found_by_number(porting: Porting, stranger: Tenant) -> None:
    number, other = fresh(), fresh()
    request_id = (await porting.made(number, other)).id

    async def found(api: Api, path: str = "/port_requests", number: str = number) -> list[str]:
        answer = await api.get(path, query={"by_number": number})
        assert answer.status == 200, answer.envelope
        return [request["id"] for request in answer.data]

    api, reseller = porting.customer.api, porting.reseller.api
    assert await found(api) == await found(api, number=number[2:]) == await found(api, number=other) == [request_id]
    flat = (await api.get("/port_requests", query={"by_number": number})).data
    assert flat[0] == {**(await api.get(f"/port_requests/{request_id}")).data, "account_id": porting.customer.id}
    assert await found(reseller) == await found(reseller, "/descendants/port_requests") == [request_id]
    assert await found(api, "/descendants/port_requests") == await found(stranger.api) == []
    assert await found(porting.agent.root, "/port_requests") == await found(porting.master.root, "/port_requests")
    assert await found(porting.master.api) == [request_id]
    await porting.moved(request_id, "submitted", "pending", "completed")
    assert await found(api) == [request_id], "where its numbers went stays known"


async def test_the_bare_list_is_the_authoritys(porting: Porting, stranger: Tenant, anonymous: Api) -> None:
    request_id = (await porting.made()).id
    assert request_id in await listed(porting.agent.root, "/port_requests")
    assert request_id not in await listed(porting.master.root, "/port_requests")
    to_master = (await made(stranger)).id
    assert to_master in await listed(porting.master.root, "/port_requests")
    assert to_master not in await listed(porting.agent.root, "/port_requests")
    for tenant in (porting.customer, porting.reseller, stranger):
        assert (await tenant.root.get("/port_requests")).error() == FORBIDDEN
    data = {"name": "port", "numbers": {fresh(): {}}}
    for root in (stranger.root, porting.agent.root, porting.master.root):
        assert (await root.put("/port_requests", data)).error() == FORBIDDEN
        assert (await root.post("/port_requests", data)).status == 405
    assert (await anonymous.get("/port_requests")).status == 401


async def test_what_was_submitted_last(porting: Porting) -> None:
    waiting, sent = (await porting.made()).id, (await porting.made()).id
    await porting.moved(sent, "submitted", "rejected", "submitted")
    moves = list((await porting.customer.api.get(f"/port_requests/{sent}/timeline")).data)
    wanted = [{"id": sent, "transition": moves[-1]}]
    assert moves[-1]["transition"] == {"new": "submitted", "previous": "rejected"}
    api = porting.customer.api
    assert (await api.get("/port_requests/last_submitted", query={"paginate": "false"})).data == wanted
    assert (await api.get("/port_requests", query={"by_types": "last_submitted"})).data == wanted
    assert (await porting.reseller.api.get("/descendants/port_requests/last_submitted")).data == wanted
    assert (await api.get("/descendants/port_requests/last_submitted")).data == []
    assert waiting in await listed(api, by_types="unconfirmed")


async def test_nobody_looks_numbers_up(porting: Porting, stranger: Tenant) -> None:
    answer = await porting.customer.api.post("/port_requests/lnp_lookup", {"numbers": [fresh()]})
    assert answer.error() == (500, "500", "phonebook unavailable", {})
    elsewhere = f"/accounts/{porting.customer.id}/port_requests/lnp_lookup"
    assert (await stranger.root.post(elsewhere, {"numbers": []})).error() == FORBIDDEN
