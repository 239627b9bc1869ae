# SPDX-License-Identifier: MPL-2.0
"""The dispatcher with a span for each stage of a request, below that of the request itself.

Only who wants traces imports this module.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, TypeVar

from aiohttp import web
from opentelemetry.trace import Tracer, get_current_span

from crossbar.endpoint.context import Context
from crossbar.endpoint.dispatcher import Dispatcher
from crossbar.errors import CrossbarError
from crossbar.metrics import Metrics

Result = TypeVar("Result")


class TracedMetrics(Metrics):
    """Metrics that tell the span of a request what they count of it."""

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count and time one request, and name its span after its route."""
        super().observe(route, method, status, seconds)
        span = get_current_span()
        span.update_name(f"{method} {route}")
        span.set_attribute("http.route", route)


class TracedDispatcher(Dispatcher):
    """Answers as any dispatcher, with spans."""

    def __init__(self, tracer: Tracer, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._tracer = tracer

    async def _stage(self, name: str, work: Awaitable[Result]) -> Result:
        with self._tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False) as span:
            try:
                return await work
            except CrossbarError as error:
                span.set_attribute("error.type", str(error.status))
                raise

    def _tell(self, context: Context, response: web.StreamResponse, seconds: float) -> None:
        super()._tell(context, response, seconds)
        if context.target is not None:
            get_current_span().set_attribute("crossbar.account_id", context.target.id)
