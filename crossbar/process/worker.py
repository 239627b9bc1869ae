# SPDX-License-Identifier: MPL-2.0
"""One worker: builds the application and serves it.

With one worker this happens in the server's own process. With more, `crossbar.process.supervisor` runs
`python -m crossbar.process.worker` for each, sends it an `Assignment` through its standard input and learns from a
line on its standard output that it serves, or why it cannot. The input stays open: when it ends, the supervisor is
gone and the worker stops too.
"""

from __future__ import annotations

import asyncio
import logging
import os
import pickle
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from aiohttp import web

from crossbar import logs
from crossbar.config import Config
from crossbar.process.failures import told
from crossbar.process.serving import Listener, run, serve
from crossbar.shared import BucketTable, Shared, WriteMarks

logger = logging.getLogger(__name__)
ORPHAN_SECONDS: Final = 5.0
"""How long a worker may take to end once its server was killed."""

READY = b"ready\n"
FAILED = b"failed "


class Builder(Protocol):
    """Puts the application together; a module-level function, so that another process can find it by name."""

    def __call__(self, config: Config, *, database_uri: str, shared: Shared) -> Awaitable[web.Application]:
        """The application, not yet started."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a worker process is told: sockets and what it shares with the others by the descriptors it inherits."""

    build: Builder
    config: Config
    database_uri: str
    sockets: tuple[tuple[int, bool, bool], ...]
    """(descriptor, whether TLS, whether for events)"""
    buckets: int
    marks: int
    server_id: str
    number: int = 0
    """Which of the workers it is."""

    @property
    def shared(self) -> Shared:
        """What the worker shares with the others."""
        return Shared(
            BucketTable(self.config.buckets.slots, self.buckets),
            WriteMarks(self.config.server.workers, self.number, self.marks),
            self.server_id,
        )


async def work(
    build: Builder,
    config: Config,
    *,
    database_uri: str,
    listeners: Sequence[Listener],
    shared: Shared,
    ready: Callable[[], None],
) -> None:
    """Build the application and serve it until cancelled."""
    app = await build(config, database_uri=database_uri, shared=shared)
    await serve(app, listeners, config, ready=ready)


async def _work_for_supervisor(assignment: Assignment) -> None:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - a coroutine runs in a task
    loop = asyncio.get_running_loop()

    def orphaned() -> None:
        loop.remove_reader(sys.stdin.fileno())
        task.cancel()
        loop.call_later(ORPHAN_SECONDS, _end_now)

    loop.add_reader(sys.stdin.fileno(), orphaned)
    await work(
        assignment.build,
        assignment.config,
        database_uri=assignment.database_uri,
        listeners=[Listener(socket.socket(fileno=number), tls, events) for number, tls, events in assignment.sockets],
        shared=assignment.shared,
        ready=_report_ready,
    )


def _end_now() -> None:
    """End without what is still waited for: the database ended with the server, so that may be in vain."""
    logger.warning("ended at once: the server was killed")
    logging.shutdown()
    os._exit(1)


def _report_ready() -> None:
    _report(READY)


def _report(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def main() -> None:
    """Serve as the supervisor on the other end of standard input says."""
    assignment: Assignment = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the process that started this one
    logs.configure(assignment.config.log.format, assignment.config.log.level)
    try:
        run(_work_for_supervisor(assignment))
    except Exception as error:
        reason = told(error)
        if reason is None:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            logger.exception("worker failed")
        _report(FAILED + logs.scrubbed(reason).encode() + b"\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
