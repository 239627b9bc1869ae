# SPDX-License-Identifier: MPL-2.0
"""`GET /status.json`: what the page `/status` draws, for administrators of the master account.

| key | holds |
| --- | --- |
| `time`, `version`, `node`, `pid` | Unix seconds, the server's version, who answers |
| `requests` | `by_status` (`2xx` → how many since the start), `bounds` (s), `counts` (how many took up to each bound, last longer), `seconds` (their sum), `under_way` |
| `workers` | one object each: `pid`, `memory` (bytes), `started` (Unix seconds), `requests`, `under_way`, `connections`, `sockets`; `workers_ended` counts those that died |
| `database` | `ping` (s), `version`, `connections`, `members`, `oplog` (s), `pool_size`, `under_way`, `calls` (as `requests`: `bounds`, `counts`, `seconds`), `collections` |
| `queues` | how many wait: `webhooks`, `callbacks`, `notices`, `mails`, `mails_failed`, `tasks`, `files`, `files_to_delete` |
| `events` | `written`, `seconds` (sum of the times from change to event), `gaps`, `behind` (s) |

What the database does not tell is null. Counts are of all workers of this server and only grow, so that whoever asks
twice knows what happened in between. Requests for this path are not counted among them.
"""  # noqa: E501 - a table

from __future__ import annotations

import asyncio
import socket
import time
from collections import Counter
from dataclasses import asdict
from typing import Any, Final

from aiohttp import hdrs, web

from crossbar import __version__
from crossbar.access.identity import Identity
from crossbar.access.ingest_token import METHOD as INGEST
from crossbar.documents.store.database_state import collection_sizes, database_state
from crossbar.endpoint import Context, stages
from crossbar.endpoint.dispatcher import Dispatcher, answered
from crossbar.endpoint.rendering import Rendering
from crossbar.errors import Forbidden
from crossbar.ids import new_id
from crossbar.metrics import (
    BUCKETS,
    CONNECTIONS_OPEN,
    DATABASE_CALLS_UNDER_WAY,
    DELIVERIES_WAITING,
    EVENT_GAPS,
    EVENT_SECONDS,
    EVENTS_WRITTEN,
    REQUESTS_UNDER_WAY,
    SOCKETS_OPEN,
    Figure,
    Metrics,
    WorkerCounts,
    added,
)
from crossbar.pages.queue_lengths import queue_lengths, seconds_behind
from crossbar.pages.remembered import Remembered
from crossbar.pages.worker_figures import process_facts
from crossbar.runtime import Runtime
from crossbar.wire.json_text import json_text
from crossbar.wire.paths import Noun
from crossbar.wire.query import Query
from crossbar.wire.request_values import Values, credential, presented_request_id

PATH: Final = "/status.json"
COUNTS_SECONDS: Final = 0.9
QUEUES_SECONDS: Final = 1.8
DATABASE_SECONDS: Final = 1.8
SIZES_SECONDS: Final = 15.0
"""For so long what was found out is told again, however many look at it."""


class StatusData:
    """Answers with the state of the server."""

    def __init__(self, runtime: Runtime, dispatcher: Dispatcher, rendering: Rendering, metrics: Metrics) -> None:
        self._runtime = runtime
        self._dispatcher = dispatcher
        self._rendering = rendering
        self._metrics = metrics
        connection = runtime.store.connection
        self._counts = Remembered(lambda: asyncio.to_thread(metrics.workers), COUNTS_SECONDS)
        self._queues = Remembered(lambda: queue_lengths(runtime), QUEUES_SECONDS)
        self._behind = Remembered(lambda: seconds_behind(runtime.store), QUEUES_SECONDS)
        self._database = Remembered(lambda: database_state(connection), DATABASE_SECONDS)
        self._sizes = Remembered(lambda: collection_sizes(connection), SIZES_SECONDS)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, whatever happens."""
        context = Context(self._runtime, request, presented_request_id(request.headers) or new_id())
        started = time.perf_counter()
        with self._dispatcher.admission.counted:
            response = await answered(
                self._answer(context), lambda error: self._rendering.error(error, context), context.request_id
            )
        response.headers[hdrs.CACHE_CONTROL] = "no-store"
        response.headers[hdrs.X_CONTENT_TYPE_OPTIONS] = "nosniff"
        self._metrics.observe(PATH, "GET", response.status, time.perf_counter() - started)
        return response

    async def _answer(self, context: Context) -> web.StreamResponse:
        self._dispatcher.admission.require()
        await self._runtime.settings.fresh()
        await self._admit(context)
        return web.Response(body=json_text(await self._data()), content_type="application/json")

    async def _admit(self, context: Context) -> None:
        """Raise 401 for nobody known, 403 for whoever is no administrator of the master account."""
        context.query = Query.parse(context.request.query_string)
        context.values = Values(None, context.query, {})
        context.presented = credential(context.request.headers, context.values)
        context.verb, context.nouns = "GET", (Noun("status", ()),)
        context.client_ip = self._dispatcher.client_address.address(context.request)
        offered, authentication = stages.offered(context), self._runtime.access.authentication
        context.caller = await authentication.early(offered, context)
        if context.caller is None:
            context.caller = await authentication.required(offered, context)
        if not _may_look(context.caller):
            raise Forbidden

    async def _data(self) -> dict[str, Any]:
        counts, queues, behind, database, sizes = await asyncio.gather(
            self._counts.get(), self._queues.get(), self._behind.get(), self._database.get(), self._sizes.get()
        )
        calls = _histogram(added(worker.database for worker in counts))
        return {
            "time": time.time(),
            "version": __version__,
            "node": f"crossbar@{socket.gethostname()}",
            "requests": _requests(counts),
            "workers": [_worker(one) for one in counts if one.is_alive],
            "workers_ended": sum(not one.is_alive for one in counts),
            "database": {
                **asdict(database),
                "pool_size": self._runtime.config.database.pool_size,
                "under_way": _now(counts, DATABASE_CALLS_UNDER_WAY),
                "calls": calls,
                "collections": [asdict(size) for size in sizes],
            },
            "queues": {"webhooks": _now(counts, DELIVERIES_WAITING), **queues},
            "events": {
                "written": _ever(counts, EVENTS_WRITTEN),
                "seconds": _ever(counts, EVENT_SECONDS),
                "gaps": _ever(counts, EVENT_GAPS),
                "behind": behind,
            },
        }


def _may_look(caller: Identity) -> bool:
    return caller.superduper and not caller.is_plain_user and caller.method != INGEST


def _requests(workers: list[WorkerCounts]) -> dict[str, Any]:
    counted = [one for worker in workers for one in worker.requests if one.route != PATH]
    by_status: Counter[str] = Counter()
    for one in counted:
        by_status[f"{one.status // 100}xx"] += int(sum(one.cells[1:]))
    return {
        "by_status": by_status,
        **_histogram(added(one.cells for one in counted)),
        "under_way": _now(workers, REQUESTS_UNDER_WAY),
    }


def _histogram(cells: list[float]) -> dict[str, Any]:
    seconds, *counts = cells
    return {"bounds": BUCKETS, "counts": [int(count) for count in counts], "seconds": seconds}


def _worker(counts: WorkerCounts) -> dict[str, Any]:
    return {
        "pid": counts.pid,
        **asdict(process_facts(counts.pid)),
        "requests": int(sum(sum(one.cells[1:]) for one in counts.requests if one.route != PATH)),
        "under_way": _now([counts], REQUESTS_UNDER_WAY),
        "connections": _now([counts], CONNECTIONS_OPEN),
        "sockets": _now([counts], SOCKETS_OPEN),
    }


def _now(workers: list[WorkerCounts], gauge: Figure) -> int:
    """A number that is that of the workers that are alive."""
    return int(sum(worker.figures.get((gauge.name, ""), 0) for worker in workers if worker.is_alive))


def _ever(workers: list[WorkerCounts], figure: Figure) -> float:
    """A number that was counted since the server started."""
    return sum(worker.figures.get((figure.name, ""), 0) for worker in workers)
