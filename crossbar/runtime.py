# SPDX-License-Identifier: MPL-2.0
"""What every endpoint and every piece of domain logic may need while the server runs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web

from crossbar.access.bundle import Access
from crossbar.config import Config
from crossbar.documents.attachments import Attachments
from crossbar.documents.event_listening import Events
from crossbar.documents.feed import Feed
from crossbar.documents.schemas import Schemas
from crossbar.documents.store import Store
from crossbar.errors import FieldErrors, Invalid
from crossbar.settings import Settings


@dataclass(frozen=True, slots=True)
class Runtime:
    """What every endpoint may need; a wing's own services stand in the application under their `web.AppKey`."""

    settings: Settings
    store: Store
    feed: Feed
    events: Events
    schemas: Schemas
    attachments: Attachments
    access: Access

    @property
    def config(self) -> Config:
        """The configuration in force, system settings included."""
        return self.settings.config

    def schema_errors(self, schema_id: str, data: dict[str, Any]) -> tuple[dict[str, Any], FieldErrors]:
        """`data` with defaults and casts, and what the schema finds wrong with it."""
        api = self.config.api
        return self.schemas.errors(
            schema_id, data, strict=api.schema_strict_validation, stability_level=api.stability_level
        )

    def valid(self, schema_id: str, data: dict[str, Any]) -> dict[str, Any]:
        """`data` with defaults and casts. Raises 400 with everything the schema finds wrong."""
        data, errors = self.schema_errors(schema_id, data)
        if errors:
            raise Invalid(errors)
        return data


SOCKET_PORT: Final = web.AppKey("socket port", web.Application)
"""What is served on the ports that are for sockets only."""
HTTP_RUNNER: Final = web.AppKey("http runner", web.AppRunner)
"""What serves an application, where it is served on ports."""

Lifespan = Callable[[web.Application, Runtime], AbstractAsyncContextManager[None]]
"""Something of a wing that runs as long as the server: it opens with the server and ends before its services do."""
