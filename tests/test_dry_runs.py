# SPDX-License-Identifier: MPL-2.0
"""Dry runs: every request that changes something, tried without being done."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
import pytest_asyncio
from bson import encode

from crossbar.app import ENDPOINTS
from crossbar.endpoint import Route, Who
from tests.harness import RunningServer, ServerWith, Tenant, letters, new_tenant
from trials.bodies import Bodies
from trials.fuzz import is_meant, path_of
from trials.worlds import handed_in, made_in

DRY: Final = {"dry_run": "true", "accept_charges": "true"}
WORK_OF_THE_SERVER: Final = {"leases", "servers", "event_cursors", "events"}
"""Collections in which something changes though nobody asks."""

WRITES: Final = [route for endpoint in ENDPOINTS for route in endpoint.routes if route.verb != "GET"]


async def contents(server: RunningServer) -> dict[str, str]:
    """A digest of each document in the database."""
    database = server.runtime.store.database
    found: dict[str, str] = {}
    for name in set(await database.list_collection_names()) - WORK_OF_THE_SERVER:
        async for stored in database[name].find({}):
            found[f"{name} {stored['_id']}"] = hashlib.sha256(encode(stored)).hexdigest()
    return found


@pytest_asyncio.fixture(loop_scope="session")
async def alone(server_with: ServerWith) -> AsyncIterator[RunningServer]:
    """A server that nobody else uses."""
    async with server_with() as server:
        yield server


async def test_no_request_changes_anything(alone: RunningServer) -> None:
    tenant = await new_tenant(alone, alone.master, "dry")
    ids = await made_in(tenant)
    await handed_in(alone, ids)
    spooled = len(await letters(alone))
    bodies = Bodies(random.Random(1), list(ids.values()))
    before = await contents(alone)
    answers: Counter[int] = Counter()
    for route in WRITES:
        body = bodies.body(route)
        url = f"{alone.url}{path_of(route, ids, 'f' * 32)}"
        answer = await alone.master.root.request(route.verb, url, body, query=DRY)
        answers[answer.status] += 1
        assert answer.status < 500 or is_meant(route, answer.raw), (route, body, answer.envelope)
        if answer.status < 400 and answer.envelope:
            assert answer.envelope["dry_run"] is True
    assert await contents(alone) == before
    assert len(await letters(alone)) == spooled
    assert answers[200] > 60
    assert answers[201] > 15


def is_open(route: Route) -> bool:
    return route.who is Who.ANONYMOUS or route.open_if is not None


@pytest.mark.parametrize("route", [*filter(is_open, WRITES)], ids=lambda route: f"{route.verb} {route.template}")
async def test_what_is_open_to_everybody_cannot_be_tried(route: Route, tenant: Tenant) -> None:
    path = path_of(route, {"account_id": tenant.id}, "f" * 32).removeprefix("/v2")
    refused = await tenant.root.acting(None).request(route.verb, path, {}, query=DRY)
    assert refused.status in (400, 401)
    assert refused.status == 401 or list(refused.data) == ["dry_run"]


async def test_the_answer_is_that_of_the_change(tenant: Tenant) -> None:
    tried = await tenant.api.put("/users", ANN, query=DRY)
    assert (tried.status, tried.envelope["dry_run"]) == (201, True)
    assert (await tenant.api.get(f"/users/{tried.id}")).status == 404
    made = await tenant.api.put("/users", ANN)
    assert {**tried.data, "id": made.id} == made.data
    assert "dry_run" not in made.envelope
    taken = await tenant.api.put("/users", ANN, query=DRY)
    assert taken.refusals() == {"username": ["unique"]}
    path = f"/users/{made.id}"
    assert (await tenant.api.patch(path, {"last_name": "B"}, query=DRY, headers={"If-Match": '"1-0"'})).status == 412
    tried = await tenant.api.patch(path, {"last_name": "B"}, query=DRY, headers={"If-Match": made.headers["ETag"]})
    assert (tried.data["last_name"], tried.headers["ETag"][:3]) == ("B", '"2-')
    assert (await tenant.api.delete(path, query=DRY)).data["_read_only"] == {"deleted": True}
    assert (await tenant.api.get(path)).data == made.data


ANN: Final[dict[str, Any]] = {"first_name": "Ann", "last_name": "A", "username": "ann", "password": "correct horse"}


async def test_claims_across_accounts_and_changes_of_several_documents(tenant: Tenant, stranger: Tenant) -> None:
    device = {"name": "phone", "sip": {"username": "sipuser", "password": "secret123", "realm": "shared.example.com"}}
    numbers = {"numbers": {"+12025550188": {}}}
    assert (await tenant.api.put("/devices", device, query=DRY)).status == 201
    assert (await stranger.api.put("/devices", device)).status == 201
    account = (await tenant.api.get("")).data
    below = await tenant.root.put(f"/accounts/{tenant.id}", {"name": "below", "realm": "dry.test"}, query=DRY)
    assert below.status == 201
    assert (await tenant.root.get(f"/accounts/{below.id}")).status == 404
    assert (await tenant.api.get("")).data == account
    assert (await tenant.root.put(f"/accounts/{tenant.id}", {"name": "below", "realm": "dry.test"})).status == 201
    assert (await tenant.api.put("/port_requests", {"name": "p", **numbers}, query=DRY)).status == 201
    assert (await tenant.api.get("/port_requests")).data == []


async def test_trials_and_changes_of_one_document_at_a_time(tenant: Tenant) -> None:
    made = await tenant.api.put("/skels", {"name": "x", "count": 0})
    path = f"/skels/{made.id}"

    async def change(number: int) -> int:
        dry = {} if number % 2 else DRY
        return (await tenant.api.patch(path, {f"f{number}": True}, query=dry)).status

    assert set(await asyncio.gather(*map(change, range(20)))) == {200}
    read = await tenant.api.get(path)
    assert {key for key in read.data if key.startswith("f")} == {f"f{number}" for number in range(1, 20, 2)}


@pytest.mark.parametrize("value", ["true", "1", "yes", ""])
async def test_anything_but_false_is_taken_for_a_trial(tenant: Tenant, value: str) -> None:
    tried = await tenant.api.put("/skels", {"name": "x"}, query={"dry_run": value})
    assert tried.envelope["dry_run"] is True
    assert (await tenant.api.get("/skels", query={"dry_run": value})).data == []
    assert (await tenant.api.put("/skels", {"name": "x"}, query={"dry_run": "false"})).status == 201
    assert len((await tenant.api.get("/skels")).data) == 1
