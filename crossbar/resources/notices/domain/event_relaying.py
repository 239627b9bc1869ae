# SPDX-License-Identifier: MPL-2.0
"""The relay of events, for as long as the server runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

from crossbar.background import in_background
from crossbar.documents.document import Document
from crossbar.documents.event_relay import EventRelay
from crossbar.metrics import METRICS
from crossbar.runtime import Runtime


@asynccontextmanager
async def relaying(app: web.Application, runtime: Runtime) -> AsyncIterator[None]:
    """Be ready to write the events of the installation, which one worker does at a time."""
    if await runtime.store.event_log.begin():
        await _listen_to_old_documents(runtime)
    relay = EventRelay(
        runtime.store,
        lambda: runtime.config.events.keep_hours,
        app[METRICS],
        runtime.events.look,
        node=runtime.settings.node,
    )
    runtime.events.on_listener(lambda _: relay.wake.set())
    async with in_background(relay.run(), name="event relay"):
        yield


async def _listen_to_old_documents(runtime: Runtime) -> None:
    """Save anew what was saved before documents said that they listen."""
    listening = {shape.type for shape in runtime.store.shapes if shape.listens is not None}

    def unchanged(_: Document) -> None:
        """It is stored as documents are by now."""

    async for keys in runtime.store.keys():
        for key in keys:
            if key.type in listening:
                await runtime.store.update(*key, unchanged)
