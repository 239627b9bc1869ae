# SPDX-License-Identifier: MPL-2.0
"""A user who is no administrator, over every route."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from crossbar.app import ENDPOINTS
from crossbar.endpoint import Route, Who
from tests.harness import Answer, Api, Person, RunningServer, Tenant, issue_token, new_person, new_tenant, set_options

FORBIDDEN = (403, "403", "forbidden", {"message": "forbidden"})
MISSING = "f" * 32
NOBODYS = {
    "/v2/accounts/{account_id}": "PUT POST PATCH DELETE",
    "/v2/accounts": "PUT",
    "/v2/accounts/{account_id}/api_key": "GET PUT",
    "/v2/accounts/{account_id}/users": "PUT",
    "/v2/accounts/{account_id}/users/{user_id}": "DELETE",
    "/v2/accounts/{account_id}/security": "POST PATCH DELETE",
    "/v2/accounts/{account_id}/multi_factor": "PUT",
    "/v2/accounts/{account_id}/multi_factor/{config_id}": "POST PATCH DELETE",
    "/v2/accounts/{account_id}/token_restrictions": "POST DELETE",
    "/v2/accounts/{account_id}/configs/{category}": "PUT POST PATCH DELETE",
    "/v2/accounts/{account_id}/ingest_tokens": "PUT",
    "/v2/accounts/{account_id}/whitelabel": "PUT POST DELETE",
    "/v2/accounts/{account_id}/access_lists": "POST DELETE",
    "/v2/accounts/{account_id}/limits": "POST",
    "/v2/accounts/{account_id}/apps_store/{app_id}": "PUT POST DELETE",
    "/v2/accounts/{account_id}/allotments": "POST",
    "/v2/accounts/{account_id}/services/topup": "POST",
    "/v2/accounts/{account_id}/ips": "POST DELETE",
    "/v2/accounts/{account_id}/ips/{ip}": "POST DELETE",
    "/v2/accounts/{account_id}/resource_selectors": "GET",
    "/v2/accounts/{account_id}/resource_selectors/rules": "GET POST",
    "/v2/accounts/{account_id}/resource_selectors/{selector_id}": "GET POST DELETE",
    "/v2/accounts/{account_id}/resource_templates": "GET PUT",
    "/v2/accounts/{account_id}/resource_templates/{resource_template_id}": "GET POST PATCH DELETE",
    "/v2/accounts/{account_id}/resources": "GET PUT",
    "/v2/accounts/{account_id}/resources/collection": "PUT POST",
    "/v2/accounts/{account_id}/resources/jobs": "GET PUT",
    "/v2/accounts/{account_id}/resources/{resource_id}": "GET POST PATCH DELETE",
    "/v2/accounts/{account_id}/events": "GET",
    "/v2/accounts/{account_id}/audit": "GET",
    "/v2/accounts/{account_id}/storage": "GET PUT POST PATCH DELETE",
    "/v2/system_configs/{category}": "PUT POST PATCH DELETE",
}
"""What the page on compatibility says that no plain user may."""


def routes() -> Iterator[Route]:
    for endpoint in ENDPOINTS:
        yield from endpoint.routes


def label(route: Route) -> str:
    return f"{route.verb} {route.template}"


def path_of(route: Route, account_id: str) -> str:
    known = {"{account_id}": account_id, "{collection}": "devices", "{category}": "crossbar.auth"}
    steps = route.template.removeprefix("/v2").split("/")
    return "/".join(known.get(step, MISSING if step.startswith("{") else step) for step in steps)


def is_nobodys(route: Route) -> bool:
    return route.verb in NOBODYS.get(route.template, "").split()


def is_of_an_account(route: Route) -> bool:
    return is_nobodys(route) and "{account_id}" in route.template


def ends_tokens(route: Route) -> bool:
    """Whether the request ends the caller's own tokens."""
    return route.verb == "DELETE" and route.template == "/v2/token_auth"


@dataclass
class Callers:
    """An account below another one, and everybody who may do something in it. Ids in paths name nothing."""

    target: Tenant
    plain: Person
    above: Person
    others: dict[str, Api]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def callers(server: RunningServer) -> Callers:
    parent = await new_tenant(server, server.master, f"above{uuid.uuid4().hex[:8]}")
    target = await new_tenant(server, parent, f"below{uuid.uuid4().hex[:8]}")
    others = {
        "admin": (await new_person(server, target, "second", priv_level="admin")).root,
        "ancestor": parent.root,
        "API key": target.root.acting(await issue_token(server, target.id, None)),
    }
    return Callers(target, await new_person(server, target), await new_person(server, parent, "clerk"), others)


@pytest.mark.parametrize("route", sorted((route for route in routes() if not ends_tokens(route)), key=label), ids=label)
async def test_every_route_answers_a_plain_user(route: Route, callers: Callers) -> None:
    """No route fails, and what is nobody's is refused: in the own account and, from above, in one below."""
    for person in (callers.plain, callers.above):
        answer = await person.root.request(route.verb, path_of(route, callers.target.id), {})
        assert answer.status != 503 and answer.envelope.get("message") != "unspecified_fault", answer.envelope
        if is_nobodys(route):
            assert answer.error() == FORBIDDEN
        if route.who in (Who.ADMIN, Who.SUPERDUPER):
            assert answer.status == 403


@pytest.mark.parametrize("route", sorted(filter(is_of_an_account, routes()), key=label), ids=label)
async def test_others_get_kazoos_answer(
    route: Route, callers: Callers, server: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever else asks gets past the guard, and so does the plain user where all is as in KAZOO."""

    async def ask(api: Api) -> Answer:
        # What would be done fails at its precondition.
        return await api.request(route.verb, path_of(route, callers.target.id), {}, headers={"If-Match": '"nothing"'})

    answers = {name: await ask(api) for name, api in callers.others.items()}
    set_options(monkeypatch, server, "access", plain_users="as_kazoo")
    answers["as in KAZOO"] = await ask(callers.plain.root)
    for name, answer in answers.items():
        for_administrators = route.who is Who.ADMIN and name in ("API key", "as in KAZOO")
        assert answer.status not in (401, 500), (name, answer.envelope)
        assert (answer.envelope["status"] == "error" and answer.error() == FORBIDDEN) is for_administrators, name
