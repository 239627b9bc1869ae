# SPDX-License-Identifier: MPL-2.0
"""What answers the requests of one dialect, whatever happens.

The order of the checks is that of the phone systems: the path, the headers (406, 415), who calls (401), then what is
asked (404, 400). `dry_run` is refused with 400 wherever something could change: dialects cannot try a change.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, cast

from aiohttp import hdrs, web
from multidict import CIMultiDict

from crossbar.access.directory import Account
from crossbar.dialects import digest_logins
from crossbar.dialects.accesses import ACTIONS, required_access
from crossbar.dialects.callers import TOKEN_HEADER, Caller, Callers
from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.identifiers import undashed
from crossbar.dialects.refusals import Refusal, empty_answer, json_answer
from crossbar.dialects.routes import DialectRoute, RouteTable
from crossbar.endpoint.dispatcher import Dispatcher, answered
from crossbar.endpoint.dry_runs import OPTION as DRY_RUN
from crossbar.endpoint.dry_runs import says_dry
from crossbar.errors import CrossbarError, Empty, Invalid, InvalidCredentials, SystemFault
from crossbar.ids import new_id
from crossbar.logs import request_log
from crossbar.runtime import Runtime
from crossbar.wire.decoding import BodyLimits, decode_json
from crossbar.wire.query import Query
from crossbar.wire.request_values import line_end, presented_request_id
from crossbar.wire.text import clean, decode_token

log = logging.getLogger(__name__)

TENANT_HEADER: Final = "Wazo-Tenant"
PREFLIGHT_SECONDS: Final = "86400"
ALLOWED_HEADERS: Final = "Content-Type, Authorization, X-Auth-Token, Wazo-Tenant, Wazo-Session-Type"
JSON_TYPE: Final = "application/json"
READING: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True)
class Dialect:
    """A dialect: where it is reached, what it answers, and how it refuses.

    `prefixes` are the paths below which its routes lie, `service` the first word of the accesses they need. `refuse`
    makes a dialect's refusal of an error of the protocol. `cross_origin`: browsers may call it from other sites' pages.
    `tenants`: the header `Wazo-Tenant` selects an account. `basic`: administrators may send name and password.
    `digest`: whoever logs in may answer challenges, where `dialects.digest` is on. `title`: what its description is
    called, if not as it is.
    """

    name: str
    prefixes: tuple[str, ...]
    service: str
    refuse: Callable[[CrossbarError], Refusal]
    table: RouteTable = field(default_factory=RouteTable)
    cross_origin: bool = False
    tenants: bool = False
    basic: bool = False
    digest: bool = False
    title: str = ""


def admits_json(accept: str | None) -> bool:
    """Whether an `Accept` header admits JSON; a missing one does not."""
    for entry in (accept or "").split(","):
        name, *parameters = (part.strip().lower() for part in entry.split(";"))
        refused = any(parameter.replace(" ", "") in ("q=0", "q=0.0", "q=0.00") for parameter in parameters)
        if name in (JSON_TYPE, "application/*", "*/*") and not refused:
            return True
    return False


def is_json(content_type: str | None) -> bool:
    """Whether a `Content-Type` header says JSON, with parameters or without."""
    return (content_type or "").partition(";")[0].strip().lower() == JSON_TYPE


@dataclass(frozen=True, eq=False, repr=False)
class DialectDispatcher:
    """Answers the requests of one dialect. It shares limits and running writes with Crossbar's dispatcher."""

    runtime: Runtime
    dialect: Dialect
    dispatcher: Dispatcher
    callers: Callers

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, whatever happens."""
        client_ip = self.dispatcher.client_address.address(request)
        request_id = presented_request_id(request.headers) or new_id()
        context = DialectContext(self.runtime, request, request_id, client_ip)
        started = time.perf_counter()
        with self.dispatcher.admission.counted:
            response = await answered(
                self._admitted(context), lambda error: _refused(self.dialect.refuse(error)), request_id
            )
        if not request.content.is_eof() and not response.prepared:
            response.force_close()
        if isinstance(response, web.Response) and response.content_type == JSON_TYPE and response.body:
            response.body = cast(bytes, response.body) + line_end(request.headers)
        if response.status == 401 and self._challenges:
            response.headers["WWW-Authenticate"] = digest_logins.challenge(self.runtime, request)
        if self.dialect.cross_origin:
            response.headers["Access-Control-Allow-Origin"] = "*"
        self._tell(context, response, time.perf_counter() - started)
        return response

    @property
    def _challenges(self) -> bool:
        return self.dialect.digest and self.runtime.config.dialects.digest

    async def _admitted(self, context: DialectContext) -> web.StreamResponse:
        self.dispatcher.admission.require()
        await self.runtime.settings.fresh()
        self.runtime.store.require()
        try:
            return await self._answer(context)
        except Refusal as refusal:
            return _refused(refusal)

    async def _answer(self, context: DialectContext) -> web.StreamResponse:
        request, dialect = context.request, self.dialect
        raw_path, _, query = request.raw_path.partition("?")
        prefix = next(one for one in dialect.prefixes if raw_path == one or raw_path.startswith(f"{one}/"))
        context.base = f"{self.dispatcher.client_address.origin(request)}{prefix}"
        context.words = tuple(decode_token(word) for word in raw_path[len(prefix) :].strip("/").split("/"))
        context.query = {name: "" if value is True else value for name, value in Query.parse(query).first.items()}
        found = dialect.table.find(context.words)
        if request.method == "OPTIONS" and dialect.cross_origin:
            return _preflight(found[0] if found else {})
        if found is None:
            raise SystemFault("not_found")
        methods, context.args = found
        context.route = methods.get(request.method) or (methods.get("GET") if request.method == "HEAD" else None)
        if context.route is None:
            raise SystemFault("invalid_method")
        self._check_headers(context, context.route)
        await self._admit(context, context.route)
        _refuse_dry_run(context)
        context.body = await self._body(context, context.route)
        if request.method not in READING:
            return await self.dispatcher.shielded(context.route.handler(context))
        return await context.route.handler(context)

    def _check_headers(self, context: DialectContext, route: DialectRoute) -> None:
        headers = context.request.headers
        if route.answers_json and context.request.method != "HEAD" and not admits_json(headers.get(hdrs.ACCEPT)):
            raise Empty(406, "not acceptable")
        has_body = route.needs_body or bool(context.request.content_length or hdrs.TRANSFER_ENCODING in headers)
        if route.takes_json and has_body and not is_json(headers.get(hdrs.CONTENT_TYPE)):
            raise Empty(415, "unsupported media type")

    async def _admit(self, context: DialectContext, route: DialectRoute) -> None:
        """Find out who calls, whether the accesses allow it, and which account is meant."""
        if route.is_open:
            return
        caller = context.caller = await self.callers.of_request(
            context.asked(), basic=self.dialect.basic, digest=self._challenges
        )
        action = route.action or ACTIONS[context.request.method]
        required = required_access(self.dialect.service, context.words, action)
        if caller is None or not caller.accesses.allow(required):
            token = clean(context.request.headers.get(TOKEN_HEADER, ""))
            why = "missing_permission" if caller else "not_found_or_expired_token" if token else "empty"
            raise InvalidCredentials(None, required_access=required, invalid_token=token, reason=why)
        context.selected = await self._account(context, caller)

    async def _account(self, context: DialectContext, caller: Caller) -> Account:
        """The caller's own account, or the one below it that the request names."""
        own = caller.identity.account
        wanted = clean(context.request.headers.get(TENANT_HEADER, "")) if self.dialect.tenants else ""
        if not wanted:
            return own
        account = await self.runtime.access.directory.account(undashed(wanted))
        if account is None or not account.within(own.id):
            raise InvalidCredentials(None, tenant_uuid=wanted)
        return account

    async def _body(self, context: DialectContext, route: DialectRoute) -> object:
        if not context.request.body_exists:
            return None
        config = context.runtime.config
        limits = BodyLimits(config.limits.max_upload_size, config.limits.max_json_depth, config.limits.max_json_values)
        with self.dispatcher.admission.not_counted:
            body = await self.dispatcher.body_reader.read(
                context.request, limits.size, config.server.idle_timeout_ms / 1000
            )
        self.dispatcher.admission.require()
        return decode_json(body, limits) if body else None

    def _tell(self, context: DialectContext, response: web.StreamResponse, seconds: float) -> None:
        route = context.route
        template = f"{self.dialect.prefixes[0]}{route.template}" if route else "unmatched"
        method = context.request.method
        self.dispatcher.metrics.observe(template, method if method in ACTIONS else "OTHER", response.status, seconds)
        request_log(
            log,
            request_id=context.request_id,
            method=method,
            route=template,
            account_id=context.selected.id if context.selected else None,
            status=response.status,
            duration_ms=seconds * 1000,
        )


def _refuse_dry_run(context: DialectContext) -> None:
    if context.request.method not in READING and says_dry(context.query.get(DRY_RUN)):
        raise Invalid.field(DRY_RUN, "unsupported", "A change cannot be tried here without being made")


def _refused(refusal: Refusal) -> web.Response:
    if refusal.body is None:
        return empty_answer(refusal.status, refusal.headers)
    return json_answer(refusal.body, refusal.status, refusal.headers)


def _preflight(methods: Mapping[str, DialectRoute]) -> web.Response:
    headers: CIMultiDict[str] = CIMultiDict()
    headers["Access-Control-Allow-Methods"] = ", ".join(sorted({*methods, "OPTIONS"}))
    headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
    headers["Access-Control-Max-Age"] = PREFLIGHT_SECONDS
    return empty_answer(200, headers)
