# SPDX-License-Identifier: MPL-2.0
"""A span for each command that the driver sends to MongoDB while a request is traced.

What is asked for together (`documents/coalesce.py`) stands below the request that asked first. Only names are told, of
commands and MongoDB collections: commands hold people's data. Only who wants traces imports this module.
"""

from __future__ import annotations

from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, get_current_span
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent


class DriverSpans(CommandListener):
    """Hears of the driver's commands."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._open: dict[int, Span] = {}

    def started(self, event: CommandStartedEvent) -> None:
        """A command was sent."""
        if not get_current_span().is_recording():
            return
        named = event.command.get(event.command_name)
        collection = named if isinstance(named, str) else event.command.get("collection")
        self._open[event.request_id] = self._tracer.start_span(
            f"{event.command_name} {collection or ''}".rstrip(),
            kind=SpanKind.CLIENT,
            attributes={
                "db.system.name": "mongodb",
                "db.namespace": event.database_name,
                "db.operation.name": event.command_name,
                "db.collection.name": collection or "",
            },
        )

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """It was answered."""
        if span := self._open.pop(event.request_id, None):
            span.end()

    def failed(self, event: CommandFailedEvent) -> None:
        """It was refused, or nobody answered."""
        if span := self._open.pop(event.request_id, None):
            span.set_attribute("error.type", str(event.failure.get("code", "")))
            span.set_status(StatusCode.ERROR)
            span.end()
