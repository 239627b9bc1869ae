# SPDX-License-Identifier: MPL-2.0
"""Traces by OpenTelemetry: a span for each request, sent to a receiver of OTLP over HTTP.

A trace that the caller began is taken up (W3C `traceparent`). Spans hold no paths, bodies or tokens: routes are told as
templates. Only who wants traces imports this module, and with it OpenTelemetry (the extra `telemetry`).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

UNTRACED: Final = frozenset({"/healthz", "/readyz", "/metrics", "/v2/websocket"})
"""Paths of which nobody wants a trace: asked for all the time, or open for hours."""
PATIENCE_S: Final = 2.0
"""How long a receiver may take when the server ends."""


class Tracing:
    """Makes spans and sends them, in a thread of its own, to `endpoint` (the part before `/v1/traces`)."""

    def __init__(
        self, endpoint: str, *, headers: Mapping[str, str], service: str, version: str, sample_ratio: float
    ) -> None:
        about = {"service.name": service, "service.version": version, "service.instance.id": str(os.getpid())}
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(sample_ratio)), resource=Resource.create(about)
        )
        exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces", headers=dict(headers))
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._context = TraceContextTextMapPropagator()
        self.tracer: Tracer = self._provider.get_tracer("crossbar", version)

    @property
    def middleware(self) -> Middleware:
        """What makes the span of each request, for an application."""

        @web.middleware
        async def traced(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.path in UNTRACED:
                return await handler(request)
            with self.tracer.start_as_current_span(
                request.method,
                context=self._context.extract(request.headers),
                kind=SpanKind.SERVER,
                attributes={"http.request.method": request.method, "url.scheme": request.scheme},
                record_exception=False,
            ) as span:
                response = await handler(request)
                span.set_attribute("http.response.status_code", response.status)
                if request_id := response.headers.get("X-Request-ID"):
                    span.set_attribute("crossbar.request_id", request_id)
                if size := response.headers.get(hdrs.CONTENT_LENGTH):
                    span.set_attribute("http.response.body.size", int(size))
                if response.status >= 500:
                    span.set_status(StatusCode.ERROR)
                return response

        return traced

    def end(self) -> None:
        """Send what is left. To be called beside the event loop: it waits for the receiver."""
        self._provider.force_flush(int(PATIENCE_S * 1000))
        self._provider.shutdown()
