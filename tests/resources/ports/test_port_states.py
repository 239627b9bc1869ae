# SPDX-License-Identifier: MPL-2.0
"""`PATCH /accounts/{A}/port_requests/{ID}/{state}`: from a draft to numbers in service, and who may do what."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any, Final

import pytest
import pytest_asyncio

from crossbar import clock
from crossbar.resources.numbers.domain.number_settings import CATEGORY
from tests.harness import Answer, Api, RunningServer, Tenant, issue_token
from tests.numbers import fresh
from tests.ports import NO_WAY, NOT_ALLOWED, Porting, made, new_porting, stored

STATES: Final = ("unconfirmed", "submitted", "pending", "scheduled", "completed", "rejected", "canceled")
WAYS: Final[dict[str, tuple[str, ...]]] = {
    "unconfirmed": (),
    "submitted": ("submitted",),
    "pending": ("submitted", "pending"),
    "scheduled": ("submitted", "pending", "scheduled"),
    "completed": ("submitted", "pending", "completed"),
    "rejected": ("submitted", "rejected"),
    "canceled": ("submitted", "canceled"),
}
FROM: Final = {
    "submitted": {"unconfirmed", "rejected"},
    "pending": {"submitted"},
    "scheduled": {"pending"},
    "completed": {"pending", "scheduled", "rejected"},
    "rejected": {"submitted", "pending", "scheduled"},
    "canceled": {"unconfirmed", "submitted", "pending", "scheduled", "rejected"},
}
DATE: Final = 63_900_000_000


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def porting(server: RunningServer) -> Porting:
    """The same accounts for all tests here, each of which makes requests of its own."""
    return await new_porting(server)


def refusal(message: str, to: str) -> tuple[int, str, str, Any]:
    return 400, "400", "validation error", {"port_state": {"enum": {"message": message, "cause": to}}}


async def reached(porting: Porting, state: str) -> str:
    """A request that stands there."""
    request_id = (await porting.made()).id
    if WAYS[state]:
        await porting.moved(request_id, *WAYS[state])
    return request_id


async def move(api: Api, request_id: str, to: str, **data: Any) -> Answer:
    return await api.patch(f"/port_requests/{request_id}/{to}", {"scheduled_date": DATE, **data})


@pytest.mark.parametrize("state", STATES)
async def test_every_move_of_everybody(porting: Porting, state: str) -> None:
    callers = {
        "customer": porting.customer.api,
        "reseller": porting.reseller.api,
        "agent": porting.agent.api,
        "master": porting.master.api,
    }
    request_id = await reached(porting, state)
    for to, states in FROM.items():
        for who, api in callers.items():
            deciding = who in ("agent", "master")
            may = deciding or to == "submitted" or (to == "canceled" and state == "unconfirmed")
            answer = await move(api, request_id, to)
            if may and state in states:
                assert (answer.status, answer.data["port_state"]) == (200, to), (who, to)
                request_id = await reached(porting, state)
            else:
                assert answer.error() == refusal(NO_WAY if may else NOT_ALLOWED, to), (who, to)
                assert (await porting.customer.api.get(f"/port_requests/{request_id}")).data["port_state"] == state


async def test_there_are_no_other_moves(porting: Porting) -> None:
    request_id = await reached(porting, "submitted")
    for word in ("unconfirmed", "closed", "SUBMITTED"):
        assert (await porting.master.api.patch(f"/port_requests/{request_id}/{word}", {})).status == 404
    for verb in ("GET", "PUT", "POST", "DELETE"):
        assert (await porting.master.api.request(verb, f"/port_requests/{request_id}/pending", {})).status == 405


async def test_what_is_noted_of_a_move(porting: Porting, server: RunningServer) -> None:
    request_id = (await porting.made()).id
    first = await porting.customer.api.patch(f"/port_requests/{request_id}/submitted", {"reason": "Please"})
    assert first.status == 200
    assert "reason" not in first.data
    path = f"/port_requests/{request_id}/pending"
    await porting.agent.api.patch(path, {}, query={"reason": "On it"})
    by_key = porting.customer.api.acting(await issue_token(server, porting.customer.id, None))
    await porting.agent.api.patch(f"/port_requests/{request_id}/rejected", {})
    assert (await by_key.patch(f"/port_requests/{request_id}/submitted", {})).status == 200

    async def account(tenant: Tenant) -> dict[str, str]:
        return {"id": tenant.id, "name": (await tenant.api.get("")).data["name"]}

    def user(tenant: Tenant) -> dict[str, str]:
        return {"id": tenant.admin_id, "first_name": "Ada", "last_name": "Admin", "full_name": "Ada Admin"}

    timeline = (await porting.customer.api.get(f"/port_requests/{request_id}/timeline")).data
    times = [entry.pop("timestamp") for entry in timeline]
    assert times == sorted(times)
    assert clock.now() - 100 < times[0] <= times[-1] <= clock.now()
    customer, agent = await account(porting.customer), await account(porting.agent)
    assert timeline == [
        {
            "type": "transition",
            "transition": {"new": "unconfirmed"},
            "authorization": {"account": customer, "user": user(porting.customer)},
        },
        {
            "type": "transition",
            "reason": "Please",
            "transition": {"new": "submitted", "previous": "unconfirmed"},
            "authorization": {"account": customer, "user": user(porting.customer), "reason": "Please"},
        },
        {
            "type": "transition",
            "reason": "On it",
            "transition": {"new": "pending", "previous": "submitted"},
            "authorization": {"account": agent, "user": user(porting.agent), "reason": "On it"},
        },
        {
            "type": "transition",
            "transition": {"new": "rejected", "previous": "pending"},
            "authorization": {"account": agent, "user": user(porting.agent)},
        },
        {
            "type": "transition",
            "transition": {"new": "submitted", "previous": "rejected"},
            "authorization": {"account": customer},
        },
    ]
    newest = (await stored(server, request_id)).fields["pvt_transitions"][0]
    assert newest["transition"]["new"] == "submitted"


async def test_a_move_changes_fields_that_fit(porting: Porting) -> None:
    request_id = (await porting.made()).id
    path = f"/port_requests/{request_id}/submitted"
    refused = await porting.customer.api.patch(path, {"name": 5, "bill": {"name": 5}})
    assert set(refused.data) == {"name", "bill.name"} or "bill.name" in refused.data
    assert (await porting.customer.api.get(f"/port_requests/{request_id}")).data["port_state"] == "unconfirmed"
    moved = await porting.customer.api.patch(path, {"signee_name": "Ann", "port_state": "completed", "sent": True})
    assert (moved.data["signee_name"], moved.data["port_state"], moved.data["sent"]) == ("Ann", "submitted", False)


# Dates


@pytest.mark.parametrize(
    ("given", "date"),
    [
        ({"scheduled_date": DATE}, DATE),
        ({"scheduled_date": str(DATE)}, DATE),
        ({"schedule_on": {"timezone": "UTC", "date_time": "2026-07-01 12:30"}}, 63_950_128_200),
        ({"schedule_on": {"timezone": "America/Los_Angeles", "date_time": "2026-07-01 05:30"}}, 63_950_128_200),
        ({"schedule_on": {"timezone": "Europe/Rome", "date_time": "2026-01-01 00:00"}}, 63_934_441_200),
    ],
)
async def test_a_date_is_given(porting: Porting, given: dict[str, Any], date: int) -> None:
    request_id = await reached(porting, "pending")
    answer = await porting.agent.api.patch(f"/port_requests/{request_id}/scheduled", given)
    assert (answer.status, answer.data["scheduled_date"], answer.data["port_state"]) == (200, date, "scheduled")
    assert answer.data.get("schedule_on") == given.get("schedule_on")


@pytest.mark.parametrize(
    ("given", "field", "code"),
    [
        ({}, "scheduled_date", "required"),
        ({"scheduled_date": "soon"}, "scheduled_date", "type"),
        ({"scheduled_date": None}, "scheduled_date", "required"),
        ({"schedule_on": "soon"}, "schedule_on", "type"),
        ({"schedule_on": {}}, "schedule_on.timezone", "required"),
        ({"schedule_on": {"date_time": "2026-07-01 12:30"}}, "schedule_on.timezone", "required"),
        ({"schedule_on": {"timezone": "UTC"}}, "schedule_on.date_time", "required"),
        (
            {"schedule_on": {"timezone": "Mars/Olympus", "date_time": "2026-07-01 12:30"}},
            "schedule_on.timezone",
            "enum",
        ),
        ({"schedule_on": {"timezone": "America", "date_time": "2026-07-01 12:30"}}, "schedule_on.timezone", "enum"),
        ({"schedule_on": {"timezone": "../x", "date_time": "2026-07-01 12:30"}}, "schedule_on.timezone", "invalid"),
        ({"schedule_on": {"timezone": "UTC", "date_time": "2026-02-30 12:30"}}, "schedule_on.date_time", "invalid"),
        ({"schedule_on": {"timezone": "UTC", "date_time": "tomorrow"}}, "schedule_on.date_time", "invalid"),
        ({"schedule_on": {"timezone": "UTC", "date_time": "1999-07-01 12:30"}}, "schedule_on.date_time", "pattern"),
        ({"schedule_on": {"timezone": "UTC", "date_time": 5}}, "schedule_on.date_time", "type"),
    ],
)
async def test_a_date_is_needed(porting: Porting, given: dict[str, Any], field: str, code: str) -> None:
    request_id = await reached(porting, "pending")
    path = f"/port_requests/{request_id}"
    refused = await porting.agent.api.patch(f"{path}/scheduled", given)
    assert (refused.status, refused.data.get(field, {}).keys()) == (400, {code}), refused.envelope
    assert (await porting.customer.api.get(path)).data["port_state"] == "pending"
    if "schedule_on" in given:
        refused = await porting.customer.api.patch(path, given)
        assert (refused.status, refused.data.get(field, {}).keys()) == (400, {code}), "wherever it is sent"


async def test_a_date_may_be_given_before(porting: Porting) -> None:
    request_id = (await porting.made(scheduled_date=DATE)).id
    await porting.moved(request_id, "submitted", "pending")
    answer = await porting.agent.api.patch(f"/port_requests/{request_id}/scheduled", {})
    assert (answer.status, answer.data["scheduled_date"]) == (200, DATE)


async def test_an_installation_may_schedule_at_once(porting: Porting, master: Tenant) -> None:
    request_id = await reached(porting, "submitted")
    assert (await move(porting.agent.api, request_id, "scheduled")).error() == refusal(NO_WAY, "scheduled")
    setting = {"default": {"allow_port_transition_from_submitted_to_scheduled": True}}
    assert (await master.root.post(f"/system_configs/{CATEGORY}", setting)).status == 200
    try:
        assert (await move(porting.agent.api, request_id, "scheduled")).status == 200
    finally:
        await master.root.delete(f"/system_configs/{CATEGORY}")


async def test_sixteen_who_move_a_request_at_once(porting: Porting) -> None:
    number = fresh()
    request_id = (await porting.made(number)).id
    await porting.moved(request_id, "submitted", "pending")
    path = f"/port_requests/{request_id}"
    moves = ["completed", "rejected", "canceled", "scheduled"] * 4
    answers = await asyncio.gather(*(move(porting.agent.api, request_id, to) for to in moves))
    assert {answer.status for answer in answers} <= {200, 400}, [answer.envelope for answer in answers]
    won = sum(answer.status == 200 for answer in answers)
    timeline = (await porting.customer.api.get(f"{path}/timeline")).data
    states = [entry["transition"] for entry in timeline]
    assert len(states) == 3 + won
    for before, after in pairwise(states):
        assert after["previous"] == before["new"]
        assert before["new"] in FROM[after["new"]]
    state = (await porting.customer.api.get(path)).data["port_state"]
    assert state == states[-1]["new"]
    listed = (await porting.customer.api.get("/phone_numbers")).data["numbers"]
    assert listed.get(number, {}).get("state") == {"completed": "in_service", "canceled": None}.get(state, "port_in")


async def test_sixteen_who_comment_and_change_at_once(porting: Porting) -> None:
    request_id = (await porting.made()).id
    path = f"/port_requests/{request_id}"
    await porting.moved(request_id, "submitted")
    now = clock.now()

    async def act(index: int) -> Answer:
        if index % 4 == 3:
            return await porting.agent.api.patch(path, {f"field{index}": index})
        comment = {"author": "x", "content": f"comment {index}", "timestamp": now - index % 2}
        api = (porting.customer.api, porting.agent.api)[index % 2]
        return await api.put(f"{path}/comments", {"comments": [comment]})

    answers = await asyncio.gather(*map(act, range(16)), move(porting.agent.api, request_id, "pending"))
    assert [answer.status for answer in answers if answer.status not in (200, 201)] == []
    timeline = (await porting.customer.api.get(f"{path}/timeline")).data
    said = {entry["content"] for entry in timeline if "content" in entry}
    assert said == {f"comment {index}" for index in range(16) if index % 4 != 3}
    assert [entry["transition"]["new"] for entry in timeline if "transition" in entry] == [
        "unconfirmed",
        "submitted",
        "pending",
    ]
    read = (await porting.customer.api.get(path)).data
    assert all(read[f"field{index}"] == index for index in (3, 7, 11, 15))


async def test_sixteen_who_port_and_take_numbers_at_once(porting: Porting, master: Tenant, tenant: Tenant) -> None:
    numbers = [fresh() for _ in range(8)]
    requests = [(await made(porting.customer, number)).id for number in numbers]
    for request_id in requests:
        await porting.moved(request_id, "submitted", "rejected")

    async def take(number: str) -> Answer:
        return await master.root.put(f"/accounts/{tenant.id}/phone_numbers/{number}", {})

    completions = (move(porting.agent.api, request_id, "completed") for request_id in requests)
    done = await asyncio.gather(*completions, *map(take, numbers))
    assert {answer.status for answer in done} <= {200, 201, 400, 409, 500}
    ours = (await porting.customer.api.get("/phone_numbers", query={"include_ports": "false"})).data["numbers"]
    theirs = (await tenant.api.get("/phone_numbers")).data["numbers"]
    assert not set(ours) & set(theirs)
    for request_id, number, answer in zip(requests, numbers, done, strict=False):
        shown = (await porting.customer.api.get(f"/port_requests/{request_id}")).data
        assert (shown["port_state"] == "completed") is (answer.status == 200) is (number in ours)
