# SPDX-License-Identifier: MPL-2.0
"""Which parts make up one server: the only file that knows them all."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from aiohttp import web

from crossbar import __version__, dialects, pages
from crossbar.access.bundle import Access
from crossbar.access.pepper import configured_pepper
from crossbar.config import Config
from crossbar.description.served import Descriptions
from crossbar.dialing import account_of
from crossbar.documents.attachments import Attachments
from crossbar.documents.embedded_trouble import Trouble, embedded_folder
from crossbar.documents.event_listening import Events
from crossbar.documents.feed import Feed
from crossbar.documents.schemas import ClientUrls, Schemas
from crossbar.documents.sealing import Sealer
from crossbar.documents.shape import Shapes
from crossbar.documents.store import Store
from crossbar.endpoint import Endpoint
from crossbar.endpoint.dispatcher import Dispatcher
from crossbar.endpoint.rendering import Rendering
from crossbar.errors import JSON, CrossbarError
from crossbar.metrics import METRICS, Metrics
from crossbar.resources import (
    UNSERVED,
    apps,
    auth,
    billing,
    calls,
    carriers,
    identity,
    ingest,
    notices,
    numbers,
    ports,
    records,
    system,
    tasks,
)
from crossbar.resources.notices.websockets.socket_connection import SOCKETS
from crossbar.runtime import SOCKET_PORT, Lifespan, Runtime
from crossbar.settings import Settings
from crossbar.shared import BucketTable, Shared
from crossbar.wire.envelope import Envelopes
from crossbar.wire.expectation import answer_expectations
from crossbar.wire.headers import JSON_TYPE

if TYPE_CHECKING:
    from crossbar.documents.driver_spans import DriverSpans
    from crossbar.telemetry import Tracing

WINGS: Final = (
    auth,
    apps,
    ports,
    notices,
    billing,
    carriers,
    numbers,
    ingest,
    tasks,
    calls,
    records,
    identity,
    system,
)
"""Each wing lists its `ENDPOINTS`, further `SHAPES`, and `LIFESPANS`: what runs as long as the server does."""
ENDPOINTS: Final[tuple[Endpoint, ...]] = tuple(endpoint for wing in WINGS for endpoint in wing.ENDPOINTS)
LIFESPANS: Final[tuple[Lifespan, ...]] = tuple(part for wing in WINGS for part in wing.LIFESPANS)
for _endpoint in ENDPOINTS:
    for _collection in _endpoint.collections:
        _collection.offer_history()
RUNTIME: Final = web.AppKey("services", Runtime)
LEAST_SLOTS: Final = 1024
"""Token buckets where nobody logs in: a command that opens the services and ends."""
PROMETHEUS_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"


def shapes() -> Shapes:
    """How documents of every type are kept."""
    known = Shapes()
    for endpoint in ENDPOINTS:
        for collection in endpoint.collections:
            known.add(collection.shape, announced=True)
            if collection.keeps_history:
                known.with_history.add(collection.shape.type)
    for shape in (*Access.SHAPES, *Events.SHAPES, *(shape for wing in WINGS for shape in wing.SHAPES)):
        known.add(shape)
    known.change(dialects.extended)
    for shape in dialects.SHAPES:
        known.add(shape)
    return known


def open_store(
    config: Config,
    database_uri: str,
    sealer: Sealer | None = None,
    shared: Shared | None = None,
    tracing: Tracing | None = None,
) -> Store:
    """The store of the configured database; without a sealer for those who look at no credentials.

    Only a worker, which has something to share, remembers what it read.
    """
    listeners: list[DriverSpans] = []
    if tracing is not None:
        from crossbar.documents.driver_spans import DriverSpans  # noqa: PLC0415 - only who traces has what it needs

        listeners = [DriverSpans(tracing.tracer)]
    return Store.connect(
        database_uri,
        config.database.name,
        shapes(),
        timeout=config.database.timeout_ms / 1000,
        pool_size=config.database.pool_size,
        reads=config.database.reads,
        driver=config.database.driver,
        sealer=sealer,
        shared=shared,
        memory=config.database.memory_mb * 2**20 if shared else 0,
        listeners=listeners,
    )


@asynccontextmanager
async def open_runtime(
    config: Config,
    database_uri: str,
    shared: Shared | None = None,
    tracing: Tracing | None = None,
    *,
    indexes: bool = True,
) -> AsyncIterator[Runtime]:
    """Everything that endpoints need, up and listening for changes; closed at the end.

    `shared` is what a worker shares with others; a command has none. Without `indexes` those that are missing are not
    made.
    """
    pepper = configured_pepper(config)
    store = open_store(config, database_uri, pepper, shared, tracing)
    buckets = BucketTable(LEAST_SLOTS) if shared is None else shared.buckets
    feed = Feed(store)
    schemas = Schemas.load(client_urls=ClientUrls.refusing(config.security.blocked_hosts))
    settings = Settings(config, store, feed, node=f"crossbar@{socket.gethostname()}")
    store.history.keep_days = lambda: settings.config.history.keep_days
    events = Events(store, feed, lambda: settings.config.events.keep_hours)
    access = Access.build(settings, store, feed, pepper, buckets, account_of_number=partial(account_of, store))
    try:
        await store.prepare(indexes=indexes)
        await store.register()
        await feed.start()
        await settings.fresh()
        yield Runtime(settings, store, feed, events, schemas, Attachments(store), access)
    finally:
        await access.trials.settle()
        await access.named_tokens.uses.settle()
        await events.stop()
        await feed.stop()
        await store.close()


async def build_app(
    config: Config, *, database_uri: str, shared: Shared, lifespans: Sequence[Lifespan] = LIFESPANS
) -> web.Application:
    """One worker's application. Its services, and `lifespans`, start and end with it."""
    app = web.Application(client_max_size=config.limits.max_upload_size + 1)
    tracing = open_tracing(config)
    metrics = app[METRICS] = _metrics_of(tracing)
    envelopes = Envelopes(socket.gethostname(), __version__)

    async def services(app: web.Application) -> AsyncIterator[None]:
        async with open_runtime(config, database_uri, shared, tracing) as opened:
            app[RUNTIME] = opened
            rendering = Rendering(envelopes, metrics)
            app[DISPATCHER] = _dispatcher(opened, rendering, tracing)
            dialects.open_dispatchers(app, opened, app[DISPATCHER])
            async with AsyncExitStack() as parts:
                await parts.enter_async_context(pages.opened(app, opened, app[DISPATCHER], rendering))
                for part in lifespans:
                    await parts.enter_async_context(part(app, opened))
                parts.push_async_callback(app[DISPATCHER].settle)
                yield

    if tracing is not None:
        app.middlewares.append(tracing.middleware)
        app.on_cleanup.append(lambda _: asyncio.to_thread(tracing.end))
    app.cleanup_ctx.append(services)
    app.on_shutdown.append(_end_streams)
    app.router.add_get("/healthz", _alive)
    app.router.add_get("/readyz", _ready)
    app.router.add_get("/metrics", _metrics)
    if config.api.describe:
        Descriptions(WINGS).mount(app)
    dialects.mount(app)
    pages.mount(app, config, _handle)
    app.router.add_get("/v2/websocket", _open_socket)
    app.router.add_route("*", r"/{path:[\s\S]*}", _handle)
    answer_expectations(app)
    app[SOCKET_PORT] = _socket_port(app)
    return app


def open_tracing(config: Config) -> Tracing | None:
    """What traces requests, where that is wanted; nothing of it is loaded where it is not."""
    wanted = config.telemetry
    if wanted.endpoint is None:
        return None
    from crossbar.telemetry import Tracing  # noqa: PLC0415

    return Tracing(
        wanted.endpoint,
        headers=dict(header.split("=", 1) for header in wanted.headers),
        service=wanted.service_name,
        version=__version__,
        sample_ratio=wanted.sample_ratio,
    )


def _metrics_of(tracing: Tracing | None) -> Metrics:
    if tracing is None:
        return Metrics()
    from crossbar.endpoint.traced_dispatcher import TracedMetrics  # noqa: PLC0415

    return TracedMetrics()


def _dispatcher(runtime: Runtime, rendering: Rendering, tracing: Tracing | None) -> Dispatcher:
    if tracing is None:
        return Dispatcher(runtime, ENDPOINTS, rendering, unserved=UNSERVED)
    from crossbar.endpoint.traced_dispatcher import TracedDispatcher  # noqa: PLC0415

    return TracedDispatcher(tracing.tracer, runtime, ENDPOINTS, rendering, unserved=UNSERVED)


def _socket_port(app: web.Application) -> web.Application:
    """What a port for sockets only serves, whatever the path, beside the application."""

    async def opened(request: web.Request) -> web.StreamResponse:
        return await app[SOCKETS].handle(request)

    async def end(_: web.Application) -> None:
        await app[SOCKETS].shut_down()

    port = web.Application()
    port.router.add_route("*", r"/{path:[\s\S]*}", opened)
    answer_expectations(port)
    port.on_shutdown.append(end)
    return port


DISPATCHER: Final = web.AppKey("dispatcher", Dispatcher)


async def _end_streams(app: web.Application) -> None:
    """Answers that never end, end now, so that nobody waits for them."""
    app[RUNTIME].events.end()
    if SOCKETS in app:
        await app[SOCKETS].shut_down()


async def _open_socket(request: web.Request) -> web.StreamResponse:
    return await request.app[SOCKETS].handle(request)


async def _handle(request: web.Request) -> web.StreamResponse:
    return await request.app[DISPATCHER].handle(request)


async def _alive(_: web.Request) -> web.Response:
    return _health({"status": "alive"})


async def _ready(request: web.Request) -> web.Response:
    services = request.app[RUNTIME]
    try:
        await services.store.ping()
    except CrossbarError as error:
        trouble = "" if services.config.database.uri else Trouble(embedded_folder(services.config)).told()
        reason = trouble or str(error)
        return _health({"status": "not ready", "reason": reason}, status=503)
    return _health({"status": "ready", "change_feed": services.feed.live})


def _health(told: Mapping[str, JSON], status: int = 200) -> web.Response:
    return web.Response(text=json.dumps(told) + "\n", status=status, content_type=JSON_TYPE)


async def _metrics(request: web.Request) -> web.Response:
    text = await asyncio.to_thread(request.app[METRICS].render)
    return web.Response(body=text, headers={"Content-Type": PROMETHEUS_TEXT})
