# SPDX-License-Identifier: MPL-2.0
"""The dispatcher: takes every request of the API through its stages, and answers it whatever happens.

Source: `api_resource.erl`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

from aiohttp import web

from crossbar.endpoint import stages
from crossbar.endpoint.admission import Admission
from crossbar.endpoint.body_reader import BodyReader, Unreadable
from crossbar.endpoint.client_address import ClientAddress
from crossbar.endpoint.context import Context
from crossbar.endpoint.endpoint import Endpoint
from crossbar.endpoint.heavy_requests import HeavyRequests
from crossbar.endpoint.rendering import Rendering
from crossbar.endpoint.reply import Binary
from crossbar.endpoint.shielded_tasks import ShieldedTasks
from crossbar.errors import CrossbarError, SystemFault
from crossbar.ids import new_id
from crossbar.logs import request_log
from crossbar.metrics import Metrics
from crossbar.runtime import Runtime
from crossbar.wire.request_values import presented_request_id

log = logging.getLogger(__name__)
Result = TypeVar("Result")

BANNER: Final = """
  ___ _ __ ___  ___ ___| |__   __ _ _ __
 / __| '__/ _ \\/ __/ __| '_ \\ / _` | '__|
| (__| | | (_) \\__ \\__ \\ |_) | (_| | |
 \\___|_|  \\___/|___/___/_.__/ \\__,_|_|

The API lives under /v2.
"""


async def answered(
    answering: Awaitable[web.StreamResponse],
    refuse: Callable[[CrossbarError], web.StreamResponse],
    request_id: str,
) -> web.StreamResponse:
    """The answer, or whatever `refuse` makes of what went wrong; what nobody foresaw is logged."""
    try:
        return await answering
    except CrossbarError as error:
        return refuse(error)
    except Unreadable as error:
        response = refuse(error.answer)
        response.force_close()
        return response
    except asyncio.CancelledError:
        raise
    except Exception:
        log.exception("request %s failed", request_id)
        return refuse(SystemFault("unspecified_fault"))


class Dispatcher:
    """Answers requests with the endpoints it was given; `unserved` are further words that are names in a path.

    What all requests to a worker share (`admission`, `body_reader`, `shielded`, …) is there for whoever answers others
    beside these.
    """

    def __init__(
        self, runtime: Runtime, endpoints: Iterable[Endpoint], rendering: Rendering, *, unserved: Iterable[str] = ()
    ) -> None:
        self._runtime = runtime
        self._endpoints = {endpoint.name: endpoint for endpoint in endpoints}
        served = {endpoint.name: endpoint.takes_all_words for endpoint in self._endpoints.values()}
        self._words = dict.fromkeys(unserved, False) | served
        self._rendering = rendering
        self.client_address = ClientAddress(lambda: runtime.config.server)
        self.body_reader = BodyReader()
        self.shielded = ShieldedTasks()
        self._heavy = HeavyRequests()
        self.admission = Admission(lambda: runtime.config.limits.max_concurrent_requests)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, whatever happens."""
        context = Context(self._runtime, request, presented_request_id(request.headers) or new_id())
        started = time.perf_counter()
        try:
            with self.admission.counted:
                response = await answered(
                    self._answer(context), lambda error: self._rendering.error(error, context), context.request_id
                )
        finally:
            if context.is_heavy:
                self._heavy.end()
        if not request.content.is_eof() and not response.prepared:
            # What is still to come of the body nobody reads: the client must not send its next request behind it.
            response.force_close()
        self._tell(context, response, time.perf_counter() - started)
        return response

    @property
    def metrics(self) -> Metrics:
        """Where requests are counted."""
        return self._rendering.metrics

    async def settle(self) -> None:
        """Wait for the writes whose clients have gone, as long as requests may finish when the server ends."""
        await self.shielded.settle(self._runtime.config.server.shutdown_timeout_s)

    async def _answer(self, context: Context) -> web.StreamResponse:
        """The protocol's order of checks, from the path to the answer."""
        self.admission.require()
        await self._runtime.settings.fresh()
        self._runtime.store.require()
        parsed = stages.parse(context, self._words, self.body_reader, self.admission, self._heavy)
        await self._stage("parse", parsed)
        if context.requested is None:
            return web.Response(text=BANNER, content_type="text/plain", charset="UTF-8")
        client_ip = self.client_address.address(context.request)
        await self._stage("authenticate", stages.authenticate(context, client_ip))
        await self._stage("route", stages.route(context, self._endpoints))
        if stages.is_preflight(context):
            return self._rendering.preflight(context)
        await self._stage("authorize", stages.authorize(context))
        reply = await self._stage("execute", stages.execute(context, self._endpoints, self.shielded))
        if isinstance(reply, Binary) and reply.is_endless:
            with self.admission.not_counted:
                return await self._rendering.success(reply, context)
        return await self._stage("render", self._rendering.success(reply, context))

    def _stage(self, name: str, work: Awaitable[Result]) -> Awaitable[Result]:
        """A stage of a request, for who follows them by name."""
        return work

    def _tell(self, context: Context, response: web.StreamResponse, seconds: float) -> None:
        """Note the request in the metrics and the log."""
        method = context.request.method
        counted = method if method in stages.METHODS else "OTHER"
        self._rendering.metrics.observe(context.template, counted, response.status, seconds)
        target, caller = context.target, context.caller
        request_log(
            log,
            request_id=context.request_id,
            method=method,
            route=context.template,
            account_id=target.id if target else caller.account_id if caller else None,
            status=response.status,
            duration_ms=seconds * 1000,
        )
