# SPDX-License-Identifier: MPL-2.0
"""The stages of a request, in the protocol's order: parse, authenticate, route, authorize, execute.

Source: `api_resource.erl` (the order of the checks), `api_util.erl`. What fails first is what the client hears of. Each
stage reads what the ones before it set in the context and sets what `Context` says; it raises the errors of the
protocol. An endpoint is found by the name of the path's last noun (a dictionary) and then in its own small table, so
that the cost does not grow with the number of endpoints.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from aiohttp import hdrs

from crossbar.access.authentication import Credential
from crossbar.access.authorization import tree_allows
from crossbar.access.directory import Account
from crossbar.access.identity import Identity
from crossbar.access.ingest_token import METHOD as INGEST
from crossbar.endpoint.admission import Admission
from crossbar.endpoint.body_reader import BodyReader
from crossbar.endpoint.context import Context
from crossbar.endpoint.dry_runs import dry, is_wanted
from crossbar.endpoint.endpoint import Endpoint
from crossbar.endpoint.heavy_requests import HeavyRequests
from crossbar.endpoint.magic_links import hidden_path
from crossbar.endpoint.reply import Binary, Reply
from crossbar.endpoint.routing import ANY_COLLECTION, PathPattern, Route, Who
from crossbar.endpoint.shielded_tasks import ShieldedTasks
from crossbar.errors import (
    Empty,
    Forbidden,
    InvalidCredentials,
    MethodNotAllowed,
    NotFound,
    Plain,
    UnknownPath,
)
from crossbar.runtime import Runtime
from crossbar.wire.body import RequestBody, is_heavy, parse_body
from crossbar.wire.conditions import check_preconditions, is_conditional
from crossbar.wire.decoding import BodyLimits
from crossbar.wire.headers import cors_headers, is_cors
from crossbar.wire.negotiation import DEFAULT_ACCEPTED, DEFAULT_PROVIDED, answer_type, check_content_type
from crossbar.wire.paths import HOOKS, Noun, Path, Words, check_account_id, parse_path
from crossbar.wire.query import Query
from crossbar.wire.request_values import Values, credential

METHODS: Final = frozenset({"GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"})
WRITING: Final = frozenset({"PUT", "POST", "PATCH"})

Endpoints = Mapping[str, Endpoint]
"""Endpoints by name."""


# Parse


async def parse(
    context: Context, words: Words, body_reader: BodyReader, admission: Admission, heavy: HeavyRequests
) -> None:
    """Read the request: path, query, body, options, credential, verb. No access decision is made here.

    Only `context.requested` is set, to None, for a path that is not the API's.
    """
    request = context.request
    raw_path, _, query_string = request.raw_path.partition("?")
    context.requested, context.is_magic = _path(context.runtime, raw_path, request.method, words)
    if context.requested is None:
        return
    context.query = Query.parse(query_string)
    context.body = await _body(context, body_reader, admission, heavy)
    context.values = Values(context.body.data, context.query, context.body.envelope)
    context.presented = None if context.is_magic else credential(request.headers, context.values)
    if request.method not in METHODS:
        raise Empty(501, "not implemented")
    context.verb = context.values.verb("POST") if request.method == "POST" else request.method


def _path(runtime: Runtime, raw_path: str, method: str, words: Words) -> tuple[Path | None, bool]:
    """What a URL path says, and whether it was hidden in a link that needs no token."""
    path = parse_path(raw_path, words)
    if path is None and method == "GET" and (hidden := hidden_path(runtime, raw_path)) is not None:
        return parse_path(hidden, words), True
    return path, False


async def _body(context: Context, body_reader: BodyReader, admission: Admission, heavy: HeavyRequests) -> RequestBody:
    request, config = context.request, context.config
    if not request.body_exists:
        return RequestBody()
    limits = BodyLimits(config.limits.max_upload_size, config.limits.max_json_depth, config.limits.max_json_values)
    with admission.not_counted:
        body = await body_reader.read(request, limits.size, config.server.idle_timeout_ms / 1000)
        if is_heavy(body, request.headers.get(hdrs.CONTENT_TYPE)):
            await heavy.begin()
            context.is_heavy = True
    admission.require()
    return parse_body(
        body,
        request.headers.get(hdrs.CONTENT_TYPE),
        transfer_encoding=request.headers.get("Content-Transfer-Encoding"),
        query=context.query,
        envelope_required=context.requested is None or context.requested.version != HOOKS,
        limits=limits,
    )


# Authenticate


async def authenticate(context: Context, client_ip: str) -> None:
    """Judge the credential, if there is one, before the path is looked at, and resolve the alias `account`.

    Raises 401 for a bad credential; 404 or 401 for a path whose first word is no endpoint's.
    """
    if context.requested is None:
        raise UnknownPath
    nouns = context.requested.nouns
    context.client_ip, context.nouns = client_ip, nouns
    context.caller = await context.runtime.access.authentication.early(offered(context), context)
    if context.requested.own_account:
        _add_cors(context, ())
        if context.caller is None:
            raise Plain(401, "invalid credentials")
        context.nouns = (Noun(nouns[0].name, (context.caller.account_id, *nouns[0].args)), *nouns[1:])
    if not context.nouns:
        raise InvalidCredentials if context.caller is None else UnknownPath


def offered(context: Context) -> Credential | None:
    """What the caller presented, as authentication takes it."""
    presented = context.presented
    if presented is None:
        return None
    account_id = context.request.headers.get("X-Auth-Account-ID")
    match presented.kind:
        case "token" | "bearer":
            return Credential("jwt", presented.value, account_id)
        case "basic":
            return Credential("basic", f"Basic {presented.value}", account_id)
        case _:
            return Credential("unusable", presented.value, account_id)


# Route


async def route(context: Context, endpoints: Endpoints) -> None:
    """Find what the path and the verb mean, and the account in the path.

    `context.route` is None where the endpoint has this path and verb, but not after these nouns; `authorize` says so
    after it has asked who calls. Raises 404 for an unknown path or account, 405 for a verb the path does not have.
    """
    last = context.nouns[-1]
    endpoint = endpoints.get(last.name)
    found = endpoint.routes.find(last.args) if endpoint is not None else None
    if _add_cors(context, found[0].methods if found else ()) and is_preflight(context):
        return
    if found is None:
        raise UnknownPath
    pattern, context.path = found
    if context.verb not in pattern.methods:
        raise MethodNotAllowed
    context.routes = _routes(context, pattern, endpoints)
    context.route = context.routes.get(context.verb)
    context.target = await _target(context)


def is_preflight(context: Context) -> bool:
    """Whether a browser asks if it may send a cross-origin request."""
    return context.request.method == "OPTIONS" and context.cors is not None


def _add_cors(context: Context, methods: tuple[str, ...]) -> bool:
    """Note which methods the path has; whether the request is a cross-origin one, whose answer says so."""
    headers = context.request.headers
    context.methods = methods
    context.requested_method = headers.get(hdrs.ACCESS_CONTROL_REQUEST_METHOD)
    if not is_cors(headers):
        return False
    context.cors = cors_headers(methods, context.requested_method)
    return True


def _routes(context: Context, pattern: PathPattern, endpoints: Endpoints) -> Mapping[str, Route]:
    """The routes that the path has after these nouns; none where the endpoint makes no sense there."""
    nouns = context.nouns
    routes = pattern.routes.get(_scope(nouns))
    if routes is None and _is_behind_document(context, endpoints):
        routes = pattern.routes.get(f"accounts/{ANY_COLLECTION}")
    return routes or {}


def _scope(nouns: tuple[Noun, ...]) -> str:
    """The names of the nouns before the last, as routes name their scope.

    Each of them names one thing (an account may have a word of its own after it, `descendants`); a path in which one
    does not is in a scope that no route has.
    """
    before = nouns[:-1]
    if all(len(noun.args) == 1 or (noun.args and noun.name == "accounts") for noun in before):
        return "/".join([noun.name for noun in before])
    return "?"


def _is_behind_document(context: Context, endpoints: Endpoints) -> bool:
    nouns = context.nouns
    if [len(noun.args) for noun in nouns[:-1]] != [1, 1] or context.named_account_id is None:
        return False
    endpoint = endpoints.get(nouns[1].name)
    return endpoint is not None and endpoint.document_type is not None


async def _target(context: Context) -> Account | None:
    """The account in the path: its id's form, then whether it exists, both told before who asks."""
    if context.named_account_id is None:
        return None
    account_id = check_account_id(context.nouns[0])
    account = await context.directory.account(account_id)
    if account is None:
        raise NotFound(account_id)
    return account


# Authorize


async def authorize(context: Context) -> None:
    """Nobody gets past here unknown, except to public routes, nor without the right to call the route."""
    if context.caller is None and not await _is_open(context):
        context.caller = await context.runtime.access.authentication.required(offered(context), context)
    if context.caller is not None:
        await context.runtime.access.restrictions.check(context.caller, context, context.target)
        if not await _is_allowed(context, context.caller):
            raise Forbidden
        if context.route is not None and context.runtime.access.plain_users.refuses(context.caller, context):
            raise Forbidden
    if context.route is None:
        raise MethodNotAllowed if context.routes else Plain(404, "faulty request")


async def _is_open(context: Context) -> bool:
    """Whether the route is open to callers without a token."""
    return context.route is not None and (context.is_magic or await context.route.is_open(context))


async def _is_allowed(context: Context, identity: Identity) -> bool:
    who = context.route.who if context.route is not None else Who.TREE
    if who is Who.ANONYMOUS or (context.is_magic and context.route is not None):
        return True
    if identity.method == INGEST and who is not Who.INGEST:
        return False
    allowed = tree_allows(identity, context, context.target)
    match who:
        case Who.AUTHENTICATED:
            allowed = True
        case Who.SUPERDUPER:
            allowed = identity.superduper
        case Who.INGEST:
            allowed = identity.superduper or identity.method == INGEST
        case Who.ADMIN:
            allowed = allowed and identity.is_account_admin
        case Who():
            pass
        case rule:
            verdict = await rule(context)
            allowed = allowed if verdict is None else verdict
    return allowed


# Execute


async def execute(context: Context, endpoints: Endpoints, shielded: ShieldedTasks) -> Reply | Binary:
    """Negotiate, load what the path names on the way, and let the endpoint answer.

    What writes is done to its end even if its client goes away.
    """
    found, headers = context.route, context.request.headers
    if found is None:
        raise MethodNotAllowed
    provided = (*found.provides, *DEFAULT_PROVIDED) if found.provides else DEFAULT_PROVIDED
    context.media = answer_type(headers, context.values, provided)
    await _load_parents(context, endpoints)
    if context.verb == "GET":
        return await found.handler(context)
    accepted = (*DEFAULT_ACCEPTED, *found.accepts) if found.accepts else DEFAULT_ACCEPTED
    context.gate = partial(_judge, headers, context.verb, accepted)
    if not found.checks_itself:
        # No one document stands behind the path: a condition on its revision is never met.
        _judge(headers, context.verb, accepted, None)
    handler = dry(found) if is_wanted(context) else found.handler
    return await shielded(handler(context))


async def _load_parents(context: Context, endpoints: Endpoints) -> None:
    """The documents of the nouns between the account and the endpoint; one that is missing is a 404."""
    for noun in context.nouns[:-1]:
        endpoint = endpoints.get(noun.name)
        if noun.name == "accounts" or endpoint is None or not noun.args or endpoint.document_type is None:
            continue
        document = await context.store.get(context.account_id, endpoint.document_type, noun.args[0])
        if document is None:
            raise NotFound(noun.args[0])
        context.parents[noun.name] = document


def _judge(headers: Mapping[str, str], verb: str, accepted: tuple[str, ...], revision: str | None) -> None:
    """Between checking and writing: preconditions (412), then the body's type (415)."""
    if is_conditional(headers):
        check_preconditions(headers, verb, revision)
    if verb in WRITING:
        check_content_type(headers.get(hdrs.CONTENT_TYPE), accepted)
