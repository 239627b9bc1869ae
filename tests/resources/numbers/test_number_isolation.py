# SPDX-License-Identifier: MPL-2.0
"""Numbers of an account, from outside: nobody beside it reads, changes or moves one, by whatever route or task."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from crossbar.dialing import NUMBER, NUMBERS
from crossbar.endpoint import Route
from crossbar.resources.numbers.domain.number_actions import ACTIONS
from crossbar.resources.numbers.phone_numbers import phone_numbers
from crossbar.resources.tasks.domain.action import Action
from tests.harness import Person, RunningServer, Tenant, new_person, new_tenant
from tests.numbers import add, allow_additions, fresh
from tests.tasks import output_of, run_task

OPEN = "identify"
"""Whose a number is may be asked by anybody, as in KAZOO."""
SECRET = "nobody else's business"


@dataclass
class Closed:
    """Numbers of an account in every state that has an owner, and who must not get at them."""

    target: Tenant
    numbers: dict[str, str]
    strangers: dict[str, Tenant]


async def revisions(server: RunningServer, closed: Closed) -> dict[str, str | None]:
    known = await server.runtime.store.get_many(NUMBERS, NUMBER, list(closed.numbers.values()))
    return {number: document.revision for number, document in known.items()}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def closed(server: RunningServer) -> AsyncIterator[Closed]:
    master = server.master
    parent = await new_tenant(server, master, "numbersabove")
    target = await new_tenant(server, parent, "numbersof")
    child = await new_tenant(server, target, "numbersbelow")
    neighbour = await new_tenant(server, master, "numbersbeside")
    sibling = await new_tenant(server, parent, "numberssibling")
    for who in (child, neighbour, sibling):
        await allow_additions(server, who)
    numbers = {state: fresh() for state in ("in_service", "port_in")}
    for state, number in numbers.items():
        await add(master, target, number, carrier_name="inventory", create_with_state=state, note=SECRET)
    whole = Closed(target, numbers, {"child": child, "neighbour": neighbour, "sibling": sibling})
    before = await revisions(server, whole)
    yield whole
    assert await revisions(server, whole) == before
    assert len(before) == len(numbers)


def label(route: Route) -> str:
    return f"{route.verb} {route.template}"


IN_ACCOUNT = sorted((route for route in phone_numbers.routes if "{account_id}" in route.template), key=label)


@pytest.mark.parametrize("route", IN_ACCOUNT, ids=label)
async def test_numbers_are_closed_to_others(route: Route, closed: Closed) -> None:
    """Through the owner's account nobody gets in; through their own, they get at nothing that is the owner's."""
    for who, stranger in closed.strangers.items():
        for number in closed.numbers.values():
            path = route.template.removeprefix("/v2").replace("{number}", number)
            data = {"numbers": [number], "note": "mine", "accept_charges": True}
            theirs = path.replace("{account_id}", closed.target.id)
            refused = await stranger.root.request(route.verb, theirs, data)
            assert refused.error() == (403, "403", "forbidden", {"message": "forbidden"}), who
            answer = await stranger.root.request(route.verb, path.replace("{account_id}", stranger.id), data)
            assert answer.status < 500, answer.envelope
            assert SECRET.encode() not in answer.raw
            if not route.template.endswith(OPEN):
                assert closed.target.id.encode() not in answer.raw
    anonymous = closed.target.root.acting(None)
    refused = await anonymous.request(route.verb, path.replace("{account_id}", closed.target.id), {})
    assert refused.error()[0] == 401


SHEETS = [action for action in ACTIONS if action.expected_content]
LISTS = [action for action in ACTIONS if not action.expected_content]


@pytest.mark.parametrize("action", SHEETS, ids=lambda action: action.name)
async def test_no_sheet_gets_at_them(action: Action, closed: Closed) -> None:
    rows = [f"{number},{account_id}" for number in closed.numbers.values() for account_id in ("", closed.target.id)]
    sheet = "\n".join(["e164,account_id", *rows, ""])
    for who, stranger in closed.strangers.items():
        task = await run_task(stranger.api, action.category, action.name, sheet)
        told = await output_of(stranger.api, task)
        assert (task["status"], len(told)) == ("failure", len(rows)), who
        assert all(row["error"] and row["state"] == "" and SECRET not in str(row) for row in told)


@pytest.mark.parametrize("action", LISTS, ids=lambda action: action.name)
async def test_no_list_shows_them(action: Action, closed: Closed) -> None:
    for stranger in closed.strangers.values():
        task = await run_task(stranger.api, action.category, action.name)
        output = await stranger.api.get(f"/tasks/{task['id']}/output")
        assert not any(number.encode() in output.raw for number in closed.numbers.values())


async def test_plain_users_order_nothing_in_bulk(server: RunningServer, closed: Closed) -> None:
    person: Person = await new_person(server, closed.target, "clerk")
    for action in ACTIONS:
        query = {"category": action.category, "action": action.name}
        refused = await person.api.request(
            "PUT", "/tasks", body=b"e164\n+14155550100\n", content_type="text/csv", query=query
        )
        assert refused.error() == (403, "403", "forbidden", {"message": "forbidden"})
