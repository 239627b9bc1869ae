# SPDX-License-Identifier: MPL-2.0
"""The stages of a request, each by itself."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import StreamReader
from aiohttp.base_protocol import BaseProtocol
from aiohttp.test_utils import make_mocked_request

from crossbar.app import ENDPOINTS
from crossbar.endpoint import Context, Reply, stages
from crossbar.endpoint.admission import Admission
from crossbar.endpoint.body_reader import BodyReader
from crossbar.endpoint.heavy_requests import HeavyRequests
from crossbar.endpoint.shielded_tasks import ShieldedTasks
from crossbar.errors import CrossbarError, Forbidden, InvalidCredentials, MethodNotAllowed, NotFound, Plain, UnknownPath
from tests.harness import RunningServer, Tenant

BY_NAME = {endpoint.name: endpoint for endpoint in ENDPOINTS}
WORDS = {endpoint.name: endpoint.takes_all_words for endpoint in ENDPOINTS}
ADDRESS = "192.0.2.1"


class Stages:
    """Makes contexts and takes them up to a stage."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server

    def context(self, method: str, path: str, token: str | None = None, body: bytes = b"", **headers: str) -> Context:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token is not None:
            sent["X-Auth-Token"] = token
        options: dict[str, Any] = {}
        if body:
            payload = StreamReader(BaseProtocol(None), 2**16)  # type: ignore[arg-type]
            payload.feed_data(body)
            payload.feed_eof()
            options["payload"] = payload
            sent |= {"Content-Type": "application/json", "Content-Length": str(len(body))}
        request = make_mocked_request(method, path, headers=sent, **options)
        return Context(self.server.runtime, request, "a request")

    async def parse(self, context: Context) -> Context:
        await stages.parse(context, WORDS, BodyReader(), Admission(lambda: 10), HeavyRequests())
        return context

    async def authenticate(self, context: Context) -> Context:
        await stages.authenticate(await self.parse(context), ADDRESS)
        return context

    async def route(self, context: Context) -> Context:
        await stages.route(await self.authenticate(context), BY_NAME)
        return context

    async def authorize(self, context: Context) -> Context:
        await stages.authorize(await self.route(context))
        return context


@pytest.fixture
def at(server: RunningServer) -> Stages:
    return Stages(server)


# Parse


async def test_parse_reads_path_query_body_verb_and_credential(at: Stages) -> None:
    context = at.context("POST", "/v2/users?page_size=5", "a token", b'{"data": {"name": "x"}, "verb": "patch"}')
    await at.parse(context)
    assert context.requested is not None
    assert context.requested.nouns == (("users", ()),)
    assert (context.query.get("page_size"), context.data, context.envelope) == ("5", {"name": "x"}, {"verb": "patch"})
    assert context.verb == "PATCH"
    assert context.presented is not None
    assert (context.presented.kind, context.presented.value) == ("token", "a token")
    assert (context.nouns, context.client_ip, context.caller) == ((), "", None)


async def test_parse_leaves_alone_what_is_not_the_apis(at: Stages) -> None:
    assert (await at.parse(at.context("GET", "/favicon.ico"))).requested is None


async def test_parse_refuses_methods_that_nobody_knows(at: Stages) -> None:
    with pytest.raises(CrossbarError) as refused:
        await at.parse(at.context("PURGE", "/v2/users"))
    assert refused.value.status == 501


# Authenticate


async def test_authenticate_finds_the_caller(at: Stages, tenant: Tenant) -> None:
    context = await at.authenticate(at.context("GET", f"/v2/accounts/{tenant.id}/users", tenant.token))
    assert context.identity.account_id == tenant.id
    assert context.named_account_id == tenant.id
    assert context.client_ip == ADDRESS


async def test_authenticate_lets_pass_who_presents_nothing(at: Stages) -> None:
    assert (await at.authenticate(at.context("GET", "/v2/users"))).caller is None


async def test_authenticate_resolves_the_callers_own_account(at: Stages, tenant: Tenant) -> None:
    context = await at.authenticate(at.context("GET", "/v2/account/users", tenant.token))
    assert context.nouns == (("accounts", (tenant.id,)), ("users", ()))
    with pytest.raises(Plain):
        await at.authenticate(at.context("GET", "/v2/account/users"))


async def test_authenticate_tells_of_unknown_first_words_by_who_asks(at: Stages, tenant: Tenant) -> None:
    with pytest.raises(InvalidCredentials):
        await at.authenticate(at.context("GET", "/v2/nothing"))
    with pytest.raises(UnknownPath):
        await at.authenticate(at.context("GET", "/v2/nothing", tenant.token))


# Route


async def test_route_finds_the_route_and_the_account(at: Stages, tenant: Tenant) -> None:
    context = await at.route(at.context("GET", f"/v2/accounts/{tenant.id}/users/{tenant.admin_id}/devices"))
    assert context.route is not None
    assert context.route.template == "/v2/accounts/{account_id}/users/{user_id}/devices"
    assert (context.account.id, context.template) == (tenant.id, context.route.template)
    assert context.methods == ("GET", "PUT")


@pytest.mark.parametrize(
    ("method", "path", "error"),
    [
        ("GET", "/v2/accounts/{id}/users/a/b/c/d", UnknownPath),
        ("PATCH", "/v2/accounts/{id}/users", MethodNotAllowed),
        ("GET", f"/v2/accounts/{'f' * 32}/users", NotFound),
        ("GET", "/v2/accounts/short/users", Plain),
    ],
)
async def test_route_refuses(at: Stages, tenant: Tenant, method: str, path: str, error: type[CrossbarError]) -> None:
    with pytest.raises(error):
        await at.route(at.context(method, path.format(id=tenant.id)))


async def test_route_notes_what_browsers_ask(at: Stages, tenant: Tenant) -> None:
    asked = {"Origin": "https://ui.test", "Access_Control_Request_Method": "PUT"}
    context = await at.route(at.context("OPTIONS", f"/v2/accounts/{tenant.id}/users", **asked))
    assert stages.is_preflight(context)
    assert context.cors is not None
    assert context.cors["Access-Control-Allow-Methods"] == "OPTIONS, GET, PUT"


# Authorize


async def test_authorize_wants_a_caller(at: Stages, tenant: Tenant) -> None:
    with pytest.raises(InvalidCredentials):
        await at.authorize(at.context("GET", f"/v2/accounts/{tenant.id}/users"))


async def test_authorize_keeps_strangers_out(at: Stages, tenant: Tenant, stranger: Tenant) -> None:
    with pytest.raises(Forbidden):
        await at.authorize(at.context("GET", f"/v2/accounts/{tenant.id}/users", stranger.token))


async def test_authorize_lets_anybody_call_public_routes(at: Stages) -> None:
    assert (await at.authorize(at.context("GET", "/v2/schemas"))).caller is None


async def test_authorize_tells_last_of_paths_that_make_no_sense(at: Stages, tenant: Tenant) -> None:
    with pytest.raises(Plain) as refused:
        await at.authorize(at.context("GET", f"/v2/accounts/{tenant.id}/devices/x/menus", tenant.token))
    assert (refused.value.status, refused.value.message) == (404, "faulty request")


# Execute


async def test_execute_answers_by_the_handler(at: Stages, tenant: Tenant) -> None:
    context = await at.authorize(at.context("GET", f"/v2/accounts/{tenant.id}/users", tenant.token))
    reply = await stages.execute(context, BY_NAME, ShieldedTasks())
    assert isinstance(reply, Reply)
    assert reply.page is not None
    assert reply.page.page_size == 1


async def test_execute_loads_the_documents_on_the_way(at: Stages, tenant: Tenant) -> None:
    path = f"/v2/accounts/{tenant.id}/users/{tenant.admin_id}/devices"
    context = await at.authorize(at.context("GET", path, tenant.token))
    await stages.execute(context, BY_NAME, ShieldedTasks())
    assert context.parents["users"].id == tenant.admin_id
    missing = await at.authorize(at.context("GET", f"/v2/accounts/{tenant.id}/users/{'f' * 32}/devices", tenant.token))
    with pytest.raises(NotFound):
        await stages.execute(missing, BY_NAME, ShieldedTasks())
