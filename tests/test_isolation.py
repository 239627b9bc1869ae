# SPDX-License-Identifier: MPL-2.0
"""Tenant isolation, from outside: every route and verb of every endpoint, with every wrong caller."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from crossbar.app import ENDPOINTS
from crossbar.documents.listing import Listing
from crossbar.endpoint import Route, Who
from crossbar.resources.numbers.domain.port_request import DATABASE, TYPE, owned
from tests.harness import RunningServer, Tenant, expired_token, new_person, new_tenant
from trials.worlds import handed_in, made_in

MISSING = "f" * 32
"""Where nothing of the kind is there."""


def routes(*, account: bool) -> Iterator[Route]:
    for endpoint in ENDPOINTS:
        for route in endpoint.routes:
            if ("{account_id}" in route.template) is account:
                yield route


def label(route: Route) -> str:
    return f"{route.verb} {route.template}"


@dataclass
class Closed:
    """An account with something of everything, and tokens of everybody who must not do in it what they please."""

    target: Tenant
    ids: dict[str, str]
    strangers: dict[str, str]
    unknown: dict[str, str]
    """Tokens that are no longer good."""

    def path_of(self, route: Route) -> str:
        """A path of the route that leads to what is there."""
        path = re.sub(r"\{(\w+)\}", lambda name: self.ids.get(name[1], MISSING), route.template)
        return path.removeprefix("/v2")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def closed(server: RunningServer) -> AsyncIterator[Closed]:
    target = await new_tenant(server, server.master, "closed")
    ids = await made_in(target)
    await handed_in(server, ids)
    child = await new_tenant(server, target, "child")
    neighbour = await new_tenant(server, server.master, "neighbour")
    gone, person = await new_person(server, target, "gone", priv_level="admin"), await new_person(server, target)
    disabled = await new_person(server, target, "disabled", priv_level="admin")
    await target.api.patch(f"/users/{disabled.id}", {"enabled": False})
    await gone.api.request("DELETE", f"{server.url}/v2/token_auth")
    strangers = {"child": child.token, "neighbour": neighbour.token, "user": person.token}
    unknown = {"expired": await expired_token(server, target), "logged out": gone.token, "disabled": disabled.token}
    before = await revisions(server, target)
    yield Closed(target, ids, strangers, unknown)
    assert await revisions(server, target) == before


async def revisions(server: RunningServer, tenant: Tenant) -> dict[str, str]:
    """What is stored of an account: nothing of it may change by what strangers do."""
    database = server.runtime.store.database
    found = [
        stored
        for collection in ("documents", "records")
        for stored in await database[collection].find({"a": tenant.id}, {"rev": 1}).to_list(None)
    ]
    account = await server.runtime.store.get("accounts", "account", tenant.id)
    porting = await server.runtime.store.all(Listing(DATABASE, TYPE, tag=owned(tenant.id)))
    kept = {stored["_id"]: stored["rev"] for stored in found} | {"account": account.revision if account else ""}
    return kept | {request.id: request.revision or "" for request in porting}


IN_ACCOUNT = sorted(routes(account=True), key=label)
BARE_ROUTES = sorted(routes(account=False), key=label)


@pytest.mark.parametrize("route", IN_ACCOUNT, ids=label)
async def test_an_account_is_closed_to_others(route: Route, closed: Closed) -> None:
    target, strangers, path = closed.target, closed.strangers, closed.path_of(route)
    if route.who is Who.ANONYMOUS:
        return
    without = await target.root.acting(None).request(route.verb, path, {})
    assert without.error() == (401, "401", "invalid_credentials", {"message": "invalid credentials"})
    for who, token in closed.unknown.items():
        refused = await target.root.acting(token).request(route.verb, path, {})
        assert refused.error()[0] == 401, who
    for who in ("neighbour", "child"):
        refused = await target.root.acting(strangers[who]).request(route.verb, path, {})
        if callable(route.who) or route.who is Who.AUTHENTICATED:
            # An endpoint may open a route to others; what it gives must be nobody's property.
            assert refused.status in (200, 201, 400, 403, 404), refused.envelope
            assert target.realm.encode() not in refused.raw
        else:
            assert refused.error() == (403, "403", "forbidden", {"message": "forbidden"})
    if route.who is Who.ADMIN:
        refused = await target.root.acting(strangers["user"]).request(route.verb, path, {})
        assert refused.error()[0] == 403


@pytest.mark.parametrize("route", BARE_ROUTES, ids=label)
async def test_system_routes_are_closed(route: Route, closed: Closed) -> None:
    target, strangers, path = closed.target, closed.strangers, closed.path_of(route)
    if route.who is not Who.ANONYMOUS:
        without = await target.root.acting(None).request(route.verb, path, {})
        assert without.error() == (401, "401", "invalid_credentials", {"message": "invalid credentials"})
    if route.who in (Who.TREE, Who.SUPERDUPER, Who.INGEST):
        refused = await target.root.acting(strangers["neighbour"]).request(route.verb, path, {})
        assert refused.error() == (403, "403", "forbidden", {"message": "forbidden"})
