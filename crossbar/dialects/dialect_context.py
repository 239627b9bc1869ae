# SPDX-License-Identifier: MPL-2.0
"""One request to a dialect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from crossbar.access.authorization import tree_allows
from crossbar.access.directory import Account
from crossbar.dialects.callers import Caller
from crossbar.dialects.routes import DialectRoute
from crossbar.documents.store import Store
from crossbar.endpoint import Context
from crossbar.errors import JSON, Forbidden, InvalidCredentials
from crossbar.runtime import Runtime
from crossbar.wire.body import RequestBody
from crossbar.wire.paths import Noun


@dataclass(slots=True)
class DialectContext:
    """A request, filled in by `DialectDispatcher` in the order of its fields.

    `base` is the address of the dialect as the client wrote it (`http://host:8000/1.1`), `words` the path below it,
    `args` what the names in the route's path stand for, `query` the first value of each parameter, `account` whom the
    request speaks of, `body` the JSON of a body, None without one.
    """

    runtime: Runtime
    request: web.Request
    request_id: str
    client_ip: str
    base: str = ""
    words: tuple[str, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)
    route: DialectRoute | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    caller: Caller | None = None
    selected: Account | None = None
    body: JSON = None

    @property
    def store(self) -> Store:
        """Where documents are kept."""
        return self.runtime.store

    @property
    def account(self) -> Account:
        """The account whose things the request speaks of."""
        if self.selected is None:
            raise InvalidCredentials
        return self.selected

    @property
    def object(self) -> dict[str, Any]:
        """The body as an object; an empty one for anything else."""
        return self.body if isinstance(self.body, dict) else {}

    def asked(self) -> Context:
        """The request as access control sees it before anybody knows what it asks."""
        context = Context(self.runtime, self.request, self.request_id)
        context.client_ip, context.verb = self.client_ip, self.request.method
        return context

    def asked_by(self) -> Context:
        """The same, once it is known who calls."""
        context = self.asked()
        context.caller = None if self.caller is None else self.caller.identity
        return context

    async def crossbar(self, verb: str, noun: str, *args: str, account: Account | None = None) -> Context:
        """The request of Crossbar's that says the same, after the same decision on whether the caller may send it.

        Its `data` is set by whoever saves something. Raises Forbidden.
        """
        caller = self.caller
        if caller is None:
            raise InvalidCredentials
        context = self.asked()
        context.target = account or self.account
        context.verb = verb
        context.nouns = (Noun("accounts", (context.target.id,)), Noun(noun, args))
        context.caller = caller.identity
        context.body = RequestBody()
        if caller.rights == "policies":
            return context
        access = self.runtime.access
        await access.restrictions.check(caller.identity, context, context.target)
        if not tree_allows(caller.identity, context, context.target):
            raise Forbidden
        if access.plain_users.refuses(caller.identity, context):
            raise Forbidden
        return context
