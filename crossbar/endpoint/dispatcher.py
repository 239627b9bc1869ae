"""The front door: every request of the API, from the first byte to the last.

Source: `api_resource.erl` (the order of the checks), `api_util.erl`. The order is the protocol's: what fails first is
what the client hears of. A path is found by its last noun's name (a dictionary) and then in that endpoint's own small
table, so that the cost does not grow with the number of endpoints.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from aiohttp import hdrs, web

from crossbar.access.authentication import Credential
from crossbar.access.authorization import tree_allows
from crossbar.access.directory import Account
from crossbar.access.identity import Identity
from crossbar.access.ingest_token import METHOD
from crossbar.endpoint.body_reader import BodyReader, overloaded
from crossbar.endpoint.client_address import ClientAddress
from crossbar.endpoint.context import Context, RequestFacts
from crossbar.endpoint.rendering import Rendering
from crossbar.endpoint.routing import ANY_DOCUMENT, PathPattern, Resource, Route, Who
from crossbar.endpoint.shielded_tasks import ShieldedTasks
from crossbar.errors import (
    CrossbarError,
    Empty,
    Forbidden,
    InvalidCredentials,
    MethodNotAllowed,
    NotFound,
    Plain,
    SystemFault,
    UnknownPath,
)
from crossbar.ids import new_id
from crossbar.logs import request_log
from crossbar.runtime import Runtime
from crossbar.wire.body import RequestBody, parse_body
from crossbar.wire.conditions import check_preconditions, is_conditional
from crossbar.wire.decoding import BodyLimits
from crossbar.wire.envelope import Exchange
from crossbar.wire.headers import cors_headers, is_cors
from crossbar.wire.magic_paths import reveal
from crossbar.wire.negotiation import DEFAULT_ACCEPTED, DEFAULT_PROVIDED, check_content_type
from crossbar.wire.paths import HOOKS, Noun, Path, check_account_id, parse_path
from crossbar.wire.query import Query
from crossbar.wire.request_values import PresentedCredential, Values, credential, presented_request_id

log = logging.getLogger(__name__)

METHODS: Final = frozenset({"GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"})
WRITING: Final = frozenset({"PUT", "POST", "PATCH"})
BANNER: Final = """
  ___ _ __ ___  ___ ___| |__   __ _ _ __
 / __| '__/ _ \\/ __/ __| '_ \\ / _` | '__|
| (__| | | (_) \\__ \\__ \\ |_) | (_| | |
 \\___|_|  \\___/|___/___/_.__/ \\__,_|_|

The API lives under /v2.
"""


@dataclass(slots=True)
class RequestState:
    """How far a request has come: what the log, the metrics and the answer to a failure need."""

    request_id: str
    template: str = "unmatched"
    verb: str = ""
    cors: Mapping[str, str] | None = None
    methods: tuple[str, ...] = ()
    requested_method: str | None = None
    presented: PresentedCredential | None = None
    identity: Identity | None = None
    target: Account | None = None
    values: Values = field(default_factory=Values)
    asked: RequestFacts | None = None


class Dispatcher:
    """Answers requests with the endpoints it was given."""

    def __init__(self, runtime: Runtime, resources: Iterable[Resource], rendering: Rendering) -> None:
        self._runtime = runtime
        self._access = runtime.access
        self._client_address = ClientAddress(lambda: runtime.config.server)
        self._resources = {resource.name: resource for resource in resources}
        self._names = frozenset(self._resources) | UNSERVED
        self._rendering = rendering
        self._body_reader = BodyReader()
        self._shielded = ShieldedTasks()
        self._under_way = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, whatever happens."""
        progress = RequestState(presented_request_id(request.headers) or new_id())
        started = time.perf_counter()
        self._under_way += 1
        try:
            response = await self._guarded(request, progress)
        finally:
            self._under_way -= 1
        duration = time.perf_counter() - started
        target, identity = progress.target, progress.identity
        method = request.method if request.method in METHODS else "OTHER"
        self._rendering.metrics.observe(progress.template, method, response.status, duration)
        request_log(
            log,
            request_id=progress.request_id,
            method=request.method,
            route=progress.template,
            account_id=target.id if target else identity.account_id if identity else None,
            status=response.status,
            duration_ms=duration * 1000,
        )
        return response

    async def settle(self) -> None:
        """Wait for the writes whose clients have gone, as long as requests may finish when the server ends."""
        await self._shielded.settle(self._runtime.config.server.shutdown_timeout_s)

    async def _guarded(self, request: web.Request, progress: RequestState) -> web.StreamResponse:
        try:
            self._refuse_overload()
            return await self._answer(request, progress)
        except CrossbarError as error:
            return self._refuse(request, progress, error)
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("request %s failed", progress.request_id)
            return self._refuse(request, progress, SystemFault("unspecified_fault"))

    def _refuse_overload(self) -> None:
        if self._under_way > self._runtime.config.limits.max_concurrent_requests:
            raise overloaded()

    def _refuse(self, request: web.Request, progress: RequestState, error: CrossbarError) -> web.StreamResponse:
        cors = progress.cors or cors_headers(progress.methods, progress.requested_method)
        return self._rendering.error(error, self._exchange(progress), cors, progress.values, request)

    def _exchange(self, progress: RequestState) -> Exchange:
        """What the envelope repeats about the request, and what the caller may still spend."""
        echo = progress.presented.echo if progress.presented else None
        tokens, asked, costs = (0, 100), progress.asked, self._access.costs
        if asked is not None:
            tokens = (costs.cost(asked), costs.remaining(asked))
        return Exchange(progress.request_id, echo, progress.identity is not None, tokens)

    async def _answer(self, request: web.Request, progress: RequestState) -> web.StreamResponse:
        """The protocol's order of checks, from the path to the answer."""
        await self._runtime.settings.fresh()
        self._runtime.store.require()
        raw_path, _, query_string = request.raw_path.partition("?")
        path, hidden = self._path(raw_path, request.method)
        if path is None:
            return web.Response(text=BANNER, content_type="text/plain", charset="UTF-8")
        query = Query.parse(query_string)
        body = await self._body(request, query, envelope_required=path.version != HOOKS)
        values = progress.values = Values(body.data, query, body.envelope)
        progress.presented = None if hidden else credential(request.headers, values)
        if request.method not in METHODS:
            raise Empty(501, "not implemented")
        progress.verb = values.verb("POST") if request.method == "POST" else request.method
        offered = _offered(progress.presented, request.headers)
        asked = await self._early(request, progress, path, offered)
        resource = self._resources.get(asked.nouns[-1].name)
        found = resource.find(asked.nouns[-1].args) if resource is not None else None
        if self._add_cors(request, progress, found[0].methods if found else ()) and request.method == "OPTIONS":
            return self._rendering.preflight(progress.request_id, progress.cors or {})
        if found is None:
            raise UnknownPath
        shape, names = found
        routes = self._routes(asked, shape)
        route = self._route(progress, routes, shape)
        if hidden and route is not None:
            route = replace(route, who=Who.ANONYMOUS)
        progress.target = await self._target(asked)
        context = Context(
            self._runtime, request, progress.request_id, progress.verb, asked.nouns, names, body.data, body.envelope,
            body.files, query, values, asked, progress.identity, progress.target,
        )  # fmt: skip
        await self._identify(progress, route, offered, context)
        if progress.identity is not None:
            await self._authorize(context, route, progress.identity)
        if route is None:
            raise MethodNotAllowed if routes else Plain(404, "faulty request")
        return await self._execute(context, route, progress)

    def _path(self, raw_path: str, method: str) -> tuple[Path | None, bool]:
        """What a URL path says, and whether it was hidden in a link that needs no token."""
        path = parse_path(raw_path, self._names)
        if path is None and method == "GET" and (hidden := reveal(raw_path)) is not None:
            return parse_path(hidden, self._names), True
        return path, False

    async def _early(
        self, request: web.Request, progress: RequestState, path: Path, offered: Credential | None
    ) -> RequestFacts:
        """Judge what was presented before the path is looked at, and resolve the alias of the caller's account."""
        asked = progress.asked = RequestFacts(self._client_address.address(request), progress.verb, path.nouns)
        progress.identity = await self._access.authentication.early(offered, asked)
        if path.own_account:
            self._add_cors(request, progress, ())
            if progress.identity is None:
                raise Plain(401, "invalid credentials")
            first = path.nouns[0]
            asked.nouns = (Noun(first.name, (progress.identity.account_id, *first.args)), *path.nouns[1:])
        if not asked.nouns:
            raise InvalidCredentials if progress.identity is None else UnknownPath
        return asked

    @staticmethod
    def _add_cors(request: web.Request, progress: RequestState, methods: tuple[str, ...]) -> bool:
        """Note which methods the path has; whether the request is a cross-origin one, whose answer says so."""
        progress.methods = methods
        progress.requested_method = request.headers.get(hdrs.ACCESS_CONTROL_REQUEST_METHOD)
        if not is_cors(request.headers):
            return False
        progress.cors = cors_headers(methods, progress.requested_method)
        return True

    def _routes(self, asked: RequestFacts, shape: PathPattern) -> Mapping[str, Route]:
        """The routes that the path has after these nouns; none where the endpoint makes no sense there."""
        routes = shape.routes.get(asked.scope)
        if routes is None and self._is_behind_document(asked):
            routes = shape.routes.get(ANY_DOCUMENT)
        return routes or {}

    def _is_behind_document(self, asked: RequestFacts) -> bool:
        if [len(noun.args) for noun in asked.nouns[:-1]] != [1, 1] or asked.account_id is None:
            return False
        collection = self._resources.get(asked.nouns[1].name)
        return collection is not None and bool(collection.shapes)

    @staticmethod
    def _route(progress: RequestState, routes: Mapping[str, Route], shape: PathPattern) -> Route | None:
        """The route, or None where the endpoint has this path and verb, but not after these nouns."""
        if progress.verb not in shape.methods:
            raise MethodNotAllowed
        route = routes.get(progress.verb)
        if route is not None:
            progress.template = route.template
        return route

    async def _identify(
        self, progress: RequestState, route: Route | None, offered: Credential | None, context: Context
    ) -> None:
        """Nobody gets past here unknown, except to public routes."""
        if progress.identity is None and (route is None or not await route.is_open(context)):
            context.caller = progress.identity = await self._access.authentication.required(offered, context.asked)

    async def _execute(self, context: Context, route: Route, progress: RequestState) -> web.StreamResponse:
        """Negotiate, load what the path names on the way, and let the endpoint answer."""
        provided = (*route.provides, *DEFAULT_PROVIDED) if route.provides else DEFAULT_PROVIDED
        context.media = self._rendering.negotiate(context.request.headers, context.values, provided)
        await self._load_parents(context)
        if context.verb != "GET":
            accepted = (*DEFAULT_ACCEPTED, *route.accepts) if route.accepts else DEFAULT_ACCEPTED
            context.gate = partial(_judge, context.request.headers, context.verb, accepted)
            if not route.checks_itself and context.verb in WRITING:
                check_content_type(context.request.headers.get(hdrs.CONTENT_TYPE), accepted)
        work = route.handler(context)
        reply = await (work if context.verb == "GET" else self._shielded(work))
        return await self._rendering.success(reply, context, self._exchange(progress), progress.cors)

    async def _body(self, request: web.Request, query: Query, *, envelope_required: bool) -> RequestBody:
        if not request.body_exists:
            return RequestBody()
        config = self._runtime.config
        limits = BodyLimits(config.limits.max_upload_size, config.limits.max_json_depth)
        # Who is slow to send keeps nobody else out.
        self._under_way -= 1
        try:
            body = await self._body_reader.read(request, limits.size, config.server.idle_timeout_ms / 1000)
        finally:
            self._under_way += 1
        self._refuse_overload()
        return parse_body(
            body,
            request.headers.get(hdrs.CONTENT_TYPE),
            transfer_encoding=request.headers.get("Content-Transfer-Encoding"),
            query=query,
            envelope_required=envelope_required,
            limits=limits,
        )

    async def _target(self, asked: RequestFacts) -> Account | None:
        """The account in the path: its id's form, then whether it exists, both told before who asks."""
        if asked.account_id is None:
            return None
        account_id = check_account_id(asked.nouns[0])
        account = await self._access.directory.account(account_id)
        if account is None:
            raise NotFound(account_id)
        return account

    async def _authorize(self, context: Context, route: Route | None, identity: Identity) -> None:
        await self._access.restrictions.check(identity, context.asked, context.target)
        if route is not None and route.who is Who.ANONYMOUS:
            return
        who = route.who if route is not None else Who.TREE
        if identity.method == METHOD and who is not Who.INGEST:
            raise Forbidden
        allowed = tree_allows(identity, context.asked, context.target)
        match who:
            case Who.AUTHENTICATED:
                allowed = True
            case Who.SUPERDUPER:
                allowed = identity.superduper
            case Who.INGEST:
                allowed = identity.superduper or identity.method == METHOD
            case Who.ADMIN:
                allowed = allowed and identity.is_account_admin
            case Who():
                pass
            case rule:
                verdict = await rule(context)
                allowed = allowed if verdict is None else verdict
        if not allowed:
            raise Forbidden

    async def _load_parents(self, context: Context) -> None:
        """The documents of the nouns between the account and the endpoint; one that is missing is a 404."""
        for noun in context.nouns[:-1]:
            resource = self._resources.get(noun.name)
            if noun.name == "accounts" or resource is None or not noun.args or not resource.shapes:
                continue
            document = await self._runtime.store.get(context.account_id, resource.shapes[0].type, noun.args[0])
            if document is None:
                raise NotFound(noun.args[0])
            context.parents[noun.name] = document


def _offered(presented: PresentedCredential | None, headers: Mapping[str, str]) -> Credential | None:
    """What the caller presented, as authentication takes it."""
    if presented is None:
        return None
    account_id = headers.get("X-Auth-Account-ID")
    match presented.kind:
        case "token" | "bearer":
            return Credential("jwt", presented.value, account_id)
        case "basic":
            return Credential("basic", f"Basic {presented.value}", account_id)
        case _:
            return Credential("unusable", presented.value, account_id)


def _judge(headers: Mapping[str, str], verb: str, accepted: tuple[str, ...], revision: str | None) -> None:
    """Between checking and writing: preconditions (412), then the body's type (415)."""
    if is_conditional(headers):
        check_preconditions(headers, verb, revision)
    if verb in WRITING:
        check_content_type(headers.get(hdrs.CONTENT_TYPE), accepted)


UNSERVED: Final = frozenset({"noauthn", "noauthz", "simple_authz", "profile", "basic_auth"})
"""Endpoint names of KAZOO that have no routes of their own: known words of a path, answered 404."""
