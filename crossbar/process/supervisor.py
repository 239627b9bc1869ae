# SPDX-License-Identifier: MPL-2.0
"""Several worker processes on the same port, and the database beneath them.

The supervisor opens the listening sockets and every worker inherits them. With one queue of connections for all, a
worker that dies takes none with it: the others go on taking from the queue. Sockets of their own (SO_REUSEPORT) would
lose, or hold up until the restart, the connections that wait at the dead worker's. Measured, both spread connections
evenly.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import pickle
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Never

from crossbar.config import Config
from crossbar.documents.embedded import EmbeddedMongo
from crossbar.documents.embedded_trouble import embedded_folder
from crossbar.ids import new_id
from crossbar.logs import fields
from crossbar.metrics import FOLDER_VARIABLE, shared_folder
from crossbar.process.serving import Listener
from crossbar.process.stand_in import standing_in
from crossbar.process.worker import FAILED, READY, Assignment, Builder, work
from crossbar.shared import BucketTable, Shared, WriteMarks, memory_file

logger = logging.getLogger(__name__)

STOP_MARGIN_S = 5.0
"""What a worker may take to stop beyond waiting twice for its requests: once to finish, once to be cancelled."""


class WorkersFailed(Exception):
    """No worker comes up; the message is for a person."""


@dataclass(frozen=True, slots=True)
class Patience:
    """When a worker that died is replaced: at once, unless it had just started; then later and later."""

    first_delay_s: float = 0.5
    longest_delay_s: float = 30.0
    steady_s: float = 10.0
    """A worker that served for this long had come up well."""
    attempts: int = 5
    """Failed starts in a row after which a server gives up of which no worker has ever served."""
    stand_in_s: float = 5.0
    """How long connections wait for a worker, while there is none, before they are told so."""

    def delay(self, failures: int) -> float:
        """Seconds to wait before the next start after so many failed ones in a row."""
        return min(self.first_delay_s * 2 ** (failures - 1), self.longest_delay_s) if failures else 0.0


@asynccontextmanager
async def database(config: Config) -> AsyncIterator[str]:
    """The URI of the configured database, or of an embedded one that runs as long as the block.

    An embedded one that dies is started again.
    """
    if config.database.uri is not None:
        yield config.database.uri
        return
    mongo = EmbeddedMongo(embedded_folder(config), cache_gb=config.database.embedded_cache_gb)
    uri = await mongo.start()
    server = asyncio.current_task()
    assert server is not None  # noqa: S101 - a coroutine runs in a task

    def end(_: asyncio.Task[Never]) -> None:
        server.cancel()

    keeper = asyncio.create_task(mongo.keep_running(), name="embedded database")
    keeper.add_done_callback(end)
    try:
        yield uri
    except asyncio.CancelledError:
        if keeper.done():
            server.uncancel()
            await keeper
        raise
    finally:
        keeper.remove_done_callback(end)
        keeper.cancel()
        await mongo.stop()


async def serve(
    build: Builder,
    config: Config,
    *,
    database_uri: str,
    listeners: Sequence[Listener],
    ready: Callable[[], None],
    patience: Patience = Patience(),
) -> None:
    """Serve until cancelled, in this process or in `config.server.workers` processes of their own.

    `ready` is called when the first worker takes connections. Raises WorkersFailed when none ever does.
    """
    workers, slots = config.server.workers, config.buckets.slots
    if workers == 1:
        shared = Shared(BucketTable(slots), WriteMarks(), new_id())
        await work(build, config, database_uri=database_uri, listeners=listeners, shared=shared, ready=ready)
        return
    with (
        memory_file(BucketTable.size(slots)) as buckets,
        memory_file(WriteMarks.size(workers)) as marks,
        shared_folder(config.server.data) as counted,
    ):
        sockets = tuple((listener.socket.fileno(), listener.tls, listener.events) for listener in listeners)
        assignment = Assignment(build, config, database_uri, sockets, buckets.fileno(), marks.fileno(), new_id())
        environment = {FOLDER_VARIABLE: str(counted)}
        await _Supervisor(assignment, listeners, environment, patience, ready).run()


@dataclass(eq=False, repr=False)
class _Supervisor:
    """Keeps the workers running."""

    assignment: Assignment
    listeners: Sequence[Listener]
    environment: Mapping[str, str]
    patience: Patience
    ready: Callable[[], None]
    _served: bool = False
    _serving: set[int] = field(default_factory=set)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a worker begins or ends serving."""
    _reason: str = ""
    """Why a worker died last."""

    async def run(self) -> None:
        """Keep all workers running until cancelled, then stop them."""
        failure: BaseException | None = None
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._stand_in())
                for number in range(self.assignment.config.server.workers):
                    group.create_task(self._keep(number))
        except* WorkersFailed as failed:
            failure = failed.exceptions[0]
        if failure is not None:  # raised within `except*` it would come out wrapped on some releases of Python
            raise failure

    async def _stand_in(self) -> None:
        """Answer in place of the workers whenever there has been none for a while."""
        while True:
            await self._until(lambda: self._served and not self._serving)
            try:
                async with asyncio.timeout(self.patience.stand_in_s):
                    await self._until(lambda: bool(self._serving))
            except TimeoutError:
                logger.error("no worker serves", extra=fields(reason=self._reason))
                async with standing_in(self.listeners, self.assignment.config, lambda: self._reason):
                    await self._until(lambda: bool(self._serving))

    async def _until(self, condition: Callable[[], bool]) -> None:
        """Wait until workers came or went so that `condition` holds."""
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    async def _keep(self, number: int) -> None:
        """Run one worker after another in place `number`."""
        failures = 0
        while True:
            began = time.monotonic()
            async with self._process(number) as process:
                last_words = await self._watch(number, process)
                status = await process.wait()
            steady = time.monotonic() - began >= self.patience.steady_s
            failures = 0 if steady else failures + 1
            reason = last_words or f"a worker ended with {_ending(status)}; the log says more"
            self._reason = reason
            if failures >= self.patience.attempts and not self._served:
                raise WorkersFailed(f"no worker comes up, {failures} attempts in a row failed: {reason}")
            delay = self.patience.delay(failures)
            logger.error("worker died", extra=fields(worker=number, status=status, reason=reason, restart_in_s=delay))
            await asyncio.sleep(delay)

    async def _watch(self, number: int, process: Process) -> str:
        """Wait until a worker ends; what it said of the reason, empty if nothing."""
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        reason = ""
        try:
            async for line in process.stdout:
                if line == READY:
                    self._serving.add(number)
                    self._changed.set()
                    logger.info("worker ready", extra=fields(worker=number, pid=process.pid))
                    if not self._served:
                        self._served = True
                        self.ready()
                elif line.startswith(FAILED):
                    reason = line.removeprefix(FAILED).decode(errors="replace").strip()
        finally:
            self._serving.discard(number)
            self._changed.set()
        return reason

    @asynccontextmanager
    async def _process(self, number: int) -> AsyncIterator[Process]:
        """The process of a worker, stopped at the end of the block: by SIGTERM, and by SIGKILL if it does not end in
        time."""
        assignment = replace(self.assignment, number=number)
        inherited = [descriptor for descriptor, *_ in assignment.sockets] + [assignment.buckets, assignment.marks]
        # PyMongo wakes its clients in a forked child, where those that are closed but still there complain.
        gc.collect()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",  # modules are looked for where this process looks for them, and nowhere else
            "-m",
            "crossbar.process.worker",
            stdin=PIPE,
            stdout=PIPE,
            pass_fds=inherited,
            env={**os.environ, **self.environment, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,  # Ctrl-C is for the supervisor, which then stops the workers
        )
        try:
            assert process.stdin is not None  # noqa: S101 - it is a pipe
            process.stdin.write(pickle.dumps(assignment))
            yield process
        finally:
            await self._stop(process)

    async def _stop(self, process: Process) -> None:
        if process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(2 * self.assignment.config.server.shutdown_timeout_s + STOP_MARGIN_S):
                await process.wait()
        except TimeoutError:
            logger.error("worker does not stop, killing it", extra=fields(pid=process.pid))
            process.kill()
            await process.wait()


def _ending(status: int) -> str:
    """How a process ended, for a person."""
    return f"exit status {status}" if status >= 0 else signal.Signals(-status).name
