"""Tenant isolation, from outside: every route and verb of every endpoint, with every wrong caller."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import pytest_asyncio

from crossbar.app import ENDPOINTS
from crossbar.endpoint import Route, Who
from tests.harness import RunningServer, Tenant, expired_token, new_person, new_tenant

SAMPLE = "f" * 32


def routes(*, account: bool) -> Iterator[Route]:
    for endpoint in ENDPOINTS:
        for route in endpoint.routes:
            if ("{account_id}" in route.template) is account:
                yield route


def path_of(route: Route, account_id: str) -> str:
    steps = route.template.removeprefix("/v2").split("/")
    known = {"{account_id}": account_id, "{collection}": "devices"}
    return "/".join(known.get(step, SAMPLE if step.startswith("{") else step) for step in steps)


def label(route: Route) -> str:
    return f"{route.verb} {route.template}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def closed(server: RunningServer) -> tuple[Tenant, dict[str, str]]:
    """An account, and tokens of everybody who must not do in it what they please."""
    target = await new_tenant(server, server.master, "closed")
    child = await new_tenant(server, target, "child")
    neighbour = await new_tenant(server, server.master, "neighbour")
    person = await new_person(server, target)
    return target, {
        "child": child.token,
        "neighbour": neighbour.token,
        "user": person.token,
        "expired": await expired_token(server, target),
    }


IN_ACCOUNT = sorted(routes(account=True), key=label)
BARE_ROUTES = sorted(routes(account=False), key=label)


@pytest.mark.parametrize("route", IN_ACCOUNT, ids=label)
async def test_an_account_is_closed_to_others(route: Route, closed: tuple[Tenant, dict[str, str]]) -> None:
    target, strangers = closed
    path = path_of(route, target.id)
    if route.who is Who.ANONYMOUS:
        return
    without = await target.root.acting(None).request(route.verb, path, {})
    assert without.error() == (401, "401", "invalid_credentials", {"message": "invalid credentials"})
    expired = await target.root.acting(strangers["expired"]).request(route.verb, path, {})
    assert expired.error() == (401, "401", "invalid credentials", {})
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
async def test_system_routes_are_closed(route: Route, closed: tuple[Tenant, dict[str, str]]) -> None:
    target, strangers = closed
    path = path_of(route, target.id)
    if route.who is not Who.ANONYMOUS:
        without = await target.root.acting(None).request(route.verb, path, {})
        assert without.error() == (401, "401", "invalid_credentials", {"message": "invalid credentials"})
    if route.who in (Who.TREE, Who.SUPERDUPER, Who.INGEST):
        refused = await target.root.acting(strangers["neighbour"]).request(route.verb, path, {})
        assert refused.error() == (403, "403", "forbidden", {"message": "forbidden"})
