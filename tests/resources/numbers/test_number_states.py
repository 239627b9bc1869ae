# SPDX-License-Identifier: MPL-2.0
"""Which moves there are between the states of numbers, and which of them clients can make."""

from __future__ import annotations

import pytest
import pytest_asyncio

from crossbar.dialing import NUMBER, NUMBERS
from crossbar.documents.document import Document
from crossbar.resources.numbers.domain.number import HISTORY, STATE, State, state_of
from crossbar.resources.numbers.domain.number_rights import ALL_STATES, TAKEN_OVER
from tests.harness import RunningServer, Tenant, new_tenant
from tests.numbers import NOT_FOUND, add, fresh, refusal

REACHED = {
    ("PUT", ""): {
        "aging": {"aging", "available"},
        "available": {"available"},
        "in_service": {"aging", "available", "port_in"},
        "port_in": {"port_in"},
        "reserved": {"available"},
    },
    ("PUT", "/activate"): {"in_service": {"aging", "available", "discovery", "in_service", "port_in", "reserved"}},
    ("PUT", "/reserve"): {"reserved": {"available", "discovery", "in_service", "reserved"}},
    ("PUT", "/port"): {"port_in": {"port_in"}},
    ("DELETE", ""): {"released": {"in_service", "port_in", "released", "reserved"}},
}
"""Request → state that it asks for → states from which a number gets there, for whoever may act on it."""
STORED = sorted({*State} - {State.DELETED})
CASES = [
    (verb, way, wanted, str(state))
    for (verb, way), by_wanted in REACHED.items()
    for wanted in by_wanted
    for state in STORED
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def holder(server: RunningServer) -> Tenant:
    """Who has the numbers."""
    return await new_tenant(server, server.master, "holderofstates")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def other(server: RunningServer) -> Tenant:
    """For whom they are asked."""
    return await new_tenant(server, server.master, "otherofstates")


async def in_state(server: RunningServer, tenant: Tenant, state: str) -> str:
    """A number of the tenant's, or nobody's, that stands there."""
    number = fresh()
    owned = state in ("in_service", "reserved", "port_in", "port_out", "discovery")
    created = "reserved" if owned else "available"
    await add(server.master, tenant, number, create_with_state=created, carrier_name="inventory")

    def put(document: Document) -> None:
        document.fields |= {STATE: state, HISTORY: []}

    assert await server.runtime.store.update(NUMBERS, NUMBER, number, put)
    return number


@pytest.mark.parametrize("case", CASES, ids=" ".join)
async def test_every_move(
    case: tuple[str, str, str, str], server: RunningServer, holder: Tenant, other: Tenant
) -> None:
    """By the superduper admin, for another account than the one that has the number."""
    verb, way, wanted, state = case
    number = await in_state(server, holder, state)
    path = f"/accounts/{other.id}/phone_numbers/{number}{way}"
    answer = await server.master.root.request(verb, path, {"create_with_state": wanted} if way == "" else {})
    if state in REACHED[verb, way][wanted]:
        assert answer.status in (200, 201), answer.envelope
        assert answer.data["state"] == ("available" if verb == "DELETE" else wanted)
        return
    stored = await server.runtime.store.get(NUMBERS, NUMBER, number)
    assert stored is not None
    assert state_of(stored) == state
    recreated = way == "" and verb == "PUT"
    if verb == "DELETE" and state == "available":
        assert answer.error() == NOT_FOUND
    elif wanted == "port_in" or (recreated and State(state) not in TAKEN_OVER):
        assert answer.error() == refusal(409, "number_exists", f"number {number} already exists", number)
    else:
        move = f"from {state} to {wanted}"
        assert answer.error() == refusal(400, "invalid_state_transition", "invalid state transition", move)


def test_all_states_of_creation_are_covered() -> None:
    assert set(REACHED["PUT", ""]) == {str(state) for state in ALL_STATES}
