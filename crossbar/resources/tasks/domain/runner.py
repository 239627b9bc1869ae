# SPDX-License-Identifier: MPL-2.0
"""The worker: takes jobs and does them, one batch after another, until their tasks are over.

Every server process has one. Which of them does a job does not matter; if it dies, another goes on after the last
batch that was kept.

Source: `applications/tasks/src/kz_tasks_scheduler.erl`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from aiohttp import web

from crossbar.background import end
from crossbar.documents.document import Document
from crossbar.documents.layout import decode
from crossbar.documents.listing import Listing
from crossbar.documents.store import Duplicate, Retries, Stale, Transaction
from crossbar.errors import CrossbarError, SystemFault
from crossbar.ids import new_id
from crossbar.resources.tasks.domain.action import Batch, Work
from crossbar.resources.tasks.domain.job import Lease, Lost, claim, start, stop
from crossbar.resources.tasks.domain.task import (
    CHUNK_SHAPE,
    CSV,
    OUTPUT,
    TASK,
    Status,
    changed,
    ended,
    outcome,
    piece_of_output,
    status_of,
)
from crossbar.resources.tasks.domain.task_catalog import CATALOG, Catalog
from crossbar.runtime import Runtime
from crossbar.wire.spreadsheet import Sheet

log = logging.getLogger(__name__)

TASKS_AT_ONCE: Final = 2
"""How many tasks one process works on at a time."""
LOOK_SECONDS: Final = 5.0
"""How often a process looks for jobs that others left behind."""
MOST_TRIES: Final = 5
"""A job taken so often without getting anywhere is given up: it may be what its workers die of."""
PIECES_AT_ONCE: Final = 20
"""Pieces of output that are removed together."""


class _Outrun(Exception):
    """Somebody else has written what a batch is to write."""


class Runner:
    """The worker of one process."""

    def __init__(self, runtime: Runtime, catalog: Catalog) -> None:
        self._runtime = runtime
        self._catalog = catalog
        self._worker = new_id()
        self._news = asyncio.Event()

    async def start(self, account_id: str, task_id: str) -> Document | None:
        """Begin a pending task, and return it; None if it is not pending."""
        task = await start(self._runtime.store, account_id, task_id, self._runtime.settings.node)
        self._news.set()
        return task

    async def stop(self, account_id: str, task_id: str) -> Document | None:
        """End an executing task, and return it with the output it has so far; None if it does not run."""
        stopped = await stop(self._runtime.store, account_id, task_id, self._worker)
        if stopped is None:
            return None
        task, lease = stopped
        await self.work(lease)
        return task

    async def run(self) -> None:
        """Work for as long as this runs."""
        while True:
            self._news.clear()
            try:
                await self.work_off()
            except CrossbarError as error:
                log.warning("jobs cannot be looked for: %s", error)
            except Exception:
                log.exception("a job broke its worker")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), LOOK_SECONDS)

    async def work_off(self) -> None:
        """Do jobs until none is free."""
        while (lease := await claim(self._runtime.store, self._worker)) is not None:
            await self.work(lease)

    async def work(self, lease: Lease) -> None:
        """Do a job to its end, or as far as can be."""
        try:
            await self._attempt(lease)
        except asyncio.CancelledError:
            with suppress(Lost, CrossbarError):
                await lease.release()
            raise

    async def _attempt(self, lease: Lease) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                beat = group.create_task(lease.keep())
                await self._finish(lease)
                await end(beat)
        except* Lost:
            log.info("task %s is no longer this worker's", lease.task_id)
        except* CrossbarError as errors:
            log.warning("task %s is put off: %s", lease.task_id, errors.exceptions[0])

    async def _finish(self, lease: Lease) -> None:
        task = await self._task(lease)
        if task is not None and status_of(task) is Status.EXECUTING and not lease["done"]:
            await self._execute(lease, task)
        await self._close(lease)

    async def _execute(self, lease: Lease, task: Document) -> None:
        """Do the rows that are left; whatever is wrong with the action ends the task."""
        try:
            if lease["tries"] > MOST_TRIES:
                raise RuntimeError("taken too often without getting anywhere")
            action = self._catalog.find(task.fields["category"], task.fields["action"])
            if action is None:
                raise LookupError("no such action")
            async for batch in action.batches(Work(self._runtime, task), lease["cursor"]):
                task = await self._keep(lease, task, batch)
        except Lost:
            raise
        except Exception as error:
            if isinstance(error, CrossbarError) and error.status >= 500:
                raise
            log.exception("task %s broke", task.id)
            failed, before = ended(task, Status.INTERNAL_ERROR), task
            await lease.commit(lambda transaction: transaction.replace(failed, before), done=True)

    async def _keep(self, lease: Lease, task: Document, batch: Batch) -> Document:
        """Keep a batch, worked out again as often as somebody else was faster with what it writes."""
        async for _ in Retries():
            try:
                return await self._keep_as_it_is(lease, task, batch)
            except _Outrun:
                batch = await batch.again() if batch.again is not None else batch
        raise SystemFault("datastore_conflict")

    @staticmethod
    async def _keep_as_it_is(lease: Lease, task: Document, batch: Batch) -> Document:
        """Keep a batch's output, what it writes, and what it adds to the task, which is returned."""
        sheet = Sheet(batch.columns)
        text = (b"" if lease["pieces"] else sheet.head) + sheet.rows(batch.rows)
        piece = piece_of_output(task, lease["pieces"], text) if text else None
        progressed = changed(
            task,
            success_count=task.fields.get("success_count", 0) + batch.succeeded,
            failure_count=task.fields.get("failure_count", 0) + batch.failed,
        )

        async def save(transaction: Transaction) -> Document:
            if batch.write is not None:
                try:
                    await batch.write(transaction)
                except (Stale, Duplicate) as error:
                    raise _Outrun from error
            if piece is not None:
                await transaction.insert(piece)
            return await transaction.replace(progressed, task)

        pieces = lease["pieces"] + (piece is not None)
        return await lease.commit(save, cursor=batch.cursor, pieces=pieces, done=batch.last)

    async def _close(self, lease: Lease) -> None:
        """Put the output together, say how the task ended, and clear away. May be done any number of times."""
        task = await self._task(lease)
        if task is None:
            await self._runtime.attachments.delete(Document(lease["account_id"], TASK, lease.task_id, {}))
        elif status_of(task) is Status.EXECUTING or (lease["pieces"] and OUTPUT not in task.fields["csvs"]):
            if lease["pieces"]:
                await self._runtime.attachments.put(task, OUTPUT, CSV, self._output(lease))
            whole = changed(task, csvs=[*task.fields["csvs"], OUTPUT] if lease["pieces"] else task.fields["csvs"])
            over = ended(whole, outcome(whole)) if status_of(task) is Status.EXECUTING else whole
            await lease.commit(lambda transaction: transaction.replace(over, task))
        while await self._runtime.store.remove_listed(self._pieces(lease, limit=PIECES_AT_ONCE)):
            pass
        await lease.end()

    async def _output(self, lease: Lease) -> AsyncIterator[bytes]:
        """The pieces, one after another. Raises Lost if not all are there: then somebody else has cleared them away."""
        left: int = lease["pieces"]
        async for row in self._runtime.store.stream(self._pieces(lease)):
            left -= 1
            yield decode(row.stored).fields["pvt_text"]
        if left:
            raise Lost

    def _pieces(self, lease: Lease, limit: int | None = None) -> Listing:
        account_id, task_id = lease["account_id"], lease.task_id
        return Listing(account_id, CHUNK_SHAPE.type, tag=task_id, descending=False, limit=limit, view="doc")

    async def _task(self, lease: Lease) -> Document | None:
        return await self._runtime.store.get(lease["account_id"], TASK, lease.task_id)


RUNNER: Final = web.AppKey("task runner", Runner)


@asynccontextmanager
async def task_runner(app: web.Application, runtime: Runtime) -> AsyncIterator[None]:
    """One process's worker; what it is at when the server ends is left to the next that looks."""
    runner = app[RUNNER] = Runner(runtime, CATALOG)
    running = [asyncio.create_task(runner.run(), name="tasks") for _ in range(TASKS_AT_ONCE)]
    try:
        yield
    finally:
        await asyncio.gather(*map(end, running), return_exceptions=True)
