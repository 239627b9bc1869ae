"""What an operator watches, in Prometheus form.

Requests are counted and timed by route template, never by path: paths hold account ids and sometimes secrets.
Several workers count in files of one folder, so that each of them can answer for all, those that died included.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

FOLDER_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Set before the client library is imported, it makes the library count in files of that folder."""
MEMORY: Final = Path("/dev/shm")  # noqa: S108 - the folder made there is private
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


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


class Metrics:
    """The counters of one worker; with `FOLDER_VARIABLE` in its environment it tells those of all workers."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "crossbar_requests", "Requests answered.", ("route", "method", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "crossbar_request_seconds",
            "Time from the request's headers to the answer.",
            ("route", "method"),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count and time one request."""
        known = self._known.get((route, method, status))
        if known is None:
            known = self._known[route, method, status] = (
                self._requests.labels(route, method, str(status)),
                self._seconds.labels(route, method),
            )
        known[0].inc()
        known[1].observe(seconds)

    def render(self) -> bytes:
        """The exposition text. With many workers and routes this takes a while: call it off the loop."""
        registry = self.registry
        if FOLDER_VARIABLE in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry)
