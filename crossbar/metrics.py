# SPDX-License-Identifier: MPL-2.0
"""What an operator watches, in Prometheus form.

Requests are counted and timed by route template, never by path: paths hold account ids and sometimes secrets. Each
worker counts in memory of its own that all can read, a file of one folder, so that each of them can answer for all,
those that died included; nobody waits for a lock to count.
"""

from __future__ import annotations

import mmap
import os
import shutil
import tempfile
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import accumulate
from operator import add
from pathlib import Path
from typing import Final, NamedTuple

import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

FOLDER_VARIABLE: Final = "CROSSBAR_METRICS_FOLDER"
"""Names the folder to a worker that is one of several."""
MEMORY: Final = Path("/dev/shm")  # noqa: S108 - the folder made there is private
BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

_BOUNDS: Final = (*map(str, BUCKETS), "+Inf")
_LABEL_BYTES: Final = 256
_CELLS: Final = len(BUCKETS) + 2
"""Doubles of a series: the sum of the seconds, then how many took up to each bound, and how many longer."""
_SERIES_BYTES: Final = _LABEL_BYTES + _CELLS * 8
_MOST_SERIES: Final = 8192
"""A series is a route, a method and a status. What comes beyond is counted together."""
_OTHERS: Final = ("other", "OTHER", 0)
_FIGURE: Final = -1
"""In place of the status: a series that counts no requests, of which method is the value of the one label, if any."""
_DATABASE: Final = -2
"""In place of the status: the series of calls of the database."""


class Figure(NamedTuple):
    """A number that is told beside those of requests; a gauge is that of the workers that are alive."""

    name: str
    help: str
    label: str = ""
    is_gauge: bool = False


EVENTS_WRITTEN: Final = Figure("crossbar_events_written", "Events written to the event log.")
EVENT_SECONDS: Final = Figure("crossbar_event_seconds", "Sum of the times from changes to their events in the log.")
EVENT_GAPS: Final = Figure("crossbar_event_gaps", "Times that changes were lost before their events were written.")
DELIVERIES: Final = Figure("crossbar_webhook_deliveries", "Requests to webhooks' servers.", "outcome")
DELIVERIES_WAITING: Final = Figure(
    "crossbar_webhook_deliveries_waiting", "Events read for webhooks and not delivered yet.", is_gauge=True
)
SOCKETS_OPEN: Final = Figure("crossbar_sockets_open", "Sockets that are open.", is_gauge=True)
SOCKET_FRAMES: Final = Figure("crossbar_socket_frames", "Frames with events sent to sockets.")
SOCKETS_DROPPED: Final = Figure("crossbar_sockets_dropped", "Sockets that the server closed.", "reason")
CONNECTIONS_OPEN: Final = Figure("crossbar_connections_open", "Connections of HTTP that are open.", is_gauge=True)
REQUESTS_UNDER_WAY: Final = Figure("crossbar_requests_under_way", "Requests that are worked on.", is_gauge=True)
DATABASE_CALLS_UNDER_WAY: Final = Figure(
    "crossbar_database_calls_under_way", "Calls of the database without an answer yet.", is_gauge=True
)
FIGURES: Final = {
    figure.name: figure
    for figure in (
        EVENTS_WRITTEN,
        EVENT_SECONDS,
        EVENT_GAPS,
        DELIVERIES,
        DELIVERIES_WAITING,
        SOCKETS_OPEN,
        SOCKET_FRAMES,
        SOCKETS_DROPPED,
        CONNECTIONS_OPEN,
        REQUESTS_UNDER_WAY,
        DATABASE_CALLS_UNDER_WAY,
    )
}


@contextmanager
def shared_folder(data: Path) -> Iterator[Path]:
    """A folder, gone at the end of the block, in which the workers of one server count.

    In memory where the system has a place for that: the files are mapped, and a write to one that a full disk has no
    room for ends the process. A link in the data folder leads there, so that the next server removes what a killed
    one left.
    """
    link = data / "metrics"
    _remove(link)
    folder = Path(tempfile.mkdtemp(prefix="crossbar-", dir=MEMORY if os.access(MEMORY, os.W_OK) else None))
    link.symlink_to(folder)
    try:
        yield folder
    finally:
        _remove(link)


def _remove(link: Path) -> None:
    if link.is_symlink():
        shutil.rmtree(link.readlink(), ignore_errors=True)
        link.unlink()
    elif link.exists():
        shutil.rmtree(link)


class Series(NamedTuple):
    """Requests to one route by one method with one status."""

    route: str
    method: str
    status: int
    cells: tuple[float, ...]


class WorkerCounts(NamedTuple):
    """What one worker has counted, alive or not.

    `figures` are by name and value of the label. `database` counts calls of the database, with cells like a series'.
    """

    pid: int
    is_alive: bool
    requests: list[Series]
    figures: dict[tuple[str, str], float]
    database: tuple[float, ...]


class _Table:
    """The series of one worker, in a file or in memory of its own."""

    def __init__(self, file: Path | None) -> None:
        size = _MOST_SERIES * _SERIES_BYTES
        if file is None:
            self._memory = mmap.mmap(-1, size)
        else:
            with file.open("w+b") as opened:
                opened.truncate(size)
                self._memory = mmap.mmap(opened.fileno(), size)
        self._doubles = memoryview(self._memory).cast("d")
        self._known: dict[tuple[str, str, int], int] = {}

    def count(self, route: str, method: str, status: int, seconds: float) -> None:
        key = (route, method, status)
        at = self._known.get(key)
        if at is None:
            at = self._add(key)
        doubles = self._doubles
        doubles[at] += seconds
        doubles[at + 1 + bisect_left(BUCKETS, seconds)] += 1

    def add(self, key: tuple[str, str, int], amount: float) -> None:
        """Add to a series that is one number."""
        at = self._known.get(key)
        self._doubles[self._add(key) if at is None else at] += amount

    def put(self, key: tuple[str, str, int], amount: float) -> None:
        """Set a series that is one number."""
        at = self._known.get(key)
        self._doubles[self._add(key) if at is None else at] = amount

    def _add(self, key: tuple[str, str, int]) -> int:
        """Where the cells of a new series begin."""
        label = orjson.dumps(key)
        if len(self._known) >= _MOST_SERIES - 1 or len(label) > _LABEL_BYTES:
            if _OTHERS in self._known:
                self._known[key] = self._known[_OTHERS]
                return self._known[key]
            key, label = _OTHERS, orjson.dumps(_OTHERS)
        start = len(set(self._known.values())) * _SERIES_BYTES
        self._memory[start : start + len(label)] = label
        self._known[key] = (start + _LABEL_BYTES) // 8
        return self._known[key]

    def read(self) -> bytes:
        return self._memory[:]


def _series(table: bytes) -> Iterator[Series]:
    """What a worker has counted, from its memory."""
    doubles = memoryview(table).cast("d")
    for start in range(0, len(table), _SERIES_BYTES):
        label = table[start : start + _LABEL_BYTES].rstrip(b"\0")
        if not label:
            return
        at = (start + _LABEL_BYTES) // 8
        try:
            route, method, status = orjson.loads(label)
        except orjson.JSONDecodeError:  # the worker is just writing it
            return
        yield Series(route, method, status, tuple(doubles[at : at + _CELLS]))


class _Requests(Collector):
    """The series of all workers as Prometheus has them."""

    def __init__(self, series: Iterable[Series]) -> None:
        self._counts: dict[tuple[str, str, str], float] = {}
        self._times: dict[tuple[str, str], list[float]] = {}
        for one in series:
            count = (one.method, one.route, str(one.status))
            self._counts[count] = self._counts.get(count, 0) + sum(one.cells[1:])
            times = self._times.setdefault(count[:2], [0.0] * _CELLS)
            times[:] = map(add, times, one.cells)

    def collect(self) -> Iterator[Metric]:
        """How many requests there were, and how long they took."""
        requests = CounterMetricFamily("crossbar_requests", "Requests answered.", labels=("method", "route", "status"))
        for labels, count in self._counts.items():
            requests.add_metric(labels, count)
        yield requests
        help_text = "Time from the request's headers to the answer."
        times = HistogramMetricFamily("crossbar_request_seconds", help_text, labels=("method", "route"))
        for places, (seconds, *counts) in self._times.items():
            times.add_metric(places, list(zip(_BOUNDS, accumulate(counts), strict=True)), seconds)
        yield times


class _DatabaseCalls(Collector):
    """The calls of the database by all workers."""

    def __init__(self, cells: Iterable[tuple[float, ...]]) -> None:
        self._cells = added(cells)

    def collect(self) -> Iterator[Metric]:
        """How long they took."""
        help_text = "Time that the database took for a call."
        times = HistogramMetricFamily("crossbar_database_seconds", help_text)
        seconds, *counts = self._cells
        times.add_metric((), list(zip(_BOUNDS, accumulate(counts), strict=True)), seconds)
        yield times


class _Figures(Collector):
    """The other numbers of all workers."""

    def __init__(self, workers: Iterable[WorkerCounts]) -> None:
        self._totals: dict[tuple[str, str], float] = {}
        for worker in workers:
            for key, amount in worker.figures.items():
                if worker.is_alive or not FIGURES[key[0]].is_gauge:
                    self._totals[key] = self._totals.get(key, 0) + amount

    def collect(self) -> Iterator[Metric]:
        """The numbers that were ever counted."""
        for figure in FIGURES.values():
            family = GaugeMetricFamily if figure.is_gauge else CounterMetricFamily
            metric = family(figure.name, figure.help, labels=(figure.label,) if figure.label else ())
            for (name, value), total in self._totals.items():
                if name == figure.name:
                    metric.add_metric((value,) if figure.label else (), total)
            if metric.samples:
                yield metric


class Metrics:
    """The counters of one worker; with `FOLDER_VARIABLE` in its environment it tells those of all workers."""

    def __init__(self) -> None:
        folder = os.environ.get(FOLDER_VARIABLE)
        self._folder = Path(folder) if folder else None
        self._table = _Table(self._folder and self._folder / str(os.getpid()))

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count and time one request."""
        self._table.count(route, method, status, seconds)

    def database_call(self, seconds: float) -> None:
        """Count and time one call of the database."""
        self._table.count("database", "", _DATABASE, seconds)

    def set(self, gauge: Figure, amount: float) -> None:
        """Tell what a number is at this moment, in this worker."""
        self._table.put((gauge.name, "", _FIGURE), amount)

    def add(self, figure: Figure, amount: float = 1.0, value: str = "") -> None:
        """Add to a number, for this `value` of its label if it has one."""
        self._table.add((figure.name, value, _FIGURE), amount)

    def written(self, events: int, seconds: float) -> None:
        """So many events were written, the oldest so long after its change was committed."""
        self.add(EVENTS_WRITTEN, events)
        self.add(EVENT_SECONDS, events * seconds)

    def gap(self) -> None:
        """Changes are missing in the event log."""
        self.add(EVENT_GAPS)

    def render(self) -> bytes:
        """The exposition text. With many workers and routes this takes a while: call it off the loop."""
        workers = self.workers()
        registry = CollectorRegistry()
        registry.register(_Requests(one for worker in workers for one in worker.requests))
        registry.register(_DatabaseCalls(worker.database for worker in workers))
        registry.register(_Figures(workers))
        return generate_latest(registry)

    def workers(self) -> list[WorkerCounts]:
        """What each worker has counted, those that died included. Call it off the loop, as `render`."""
        if self._folder is None:
            return [_counts(os.getpid(), True, self._table.read())]
        files = sorted(self._folder.iterdir(), key=lambda file: int(file.name))
        return [_counts(int(file.name), is_alive(int(file.name)), file.read_bytes()) for file in files]


def _counts(pid: int, alive: bool, table: bytes) -> WorkerCounts:
    counts = WorkerCounts(pid, alive, [], {}, (0.0,) * _CELLS)
    for one in _series(table):
        if one.status == _FIGURE:
            counts.figures[one.route, one.method] = one.cells[0]
        elif one.status == _DATABASE:
            counts = counts._replace(database=one.cells)
        else:
            counts.requests.append(one)
    return counts


def added(cells: Iterable[tuple[float, ...]]) -> list[float]:
    """The cells of several series together: the sum of the seconds, then how many took up to each of `BUCKETS`, then
    how many took longer."""
    total = [0.0] * _CELLS
    for one in cells:
        total[:] = map(add, total, one)
    return total


def is_alive(pid: int) -> bool:
    """Whether there is a process of this id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


METRICS: Final = web.AppKey("metrics", Metrics)
