# SPDX-License-Identifier: MPL-2.0
"""The job: what is left to do of a started task, and the lease that gives it to one worker at a time.

A job exists from the start of its task until nothing is left to do. A worker takes it by writing itself into it, and
keeps it for `LEASE_SECONDS` after each renewal; then another may take it. Every step of progress replaces the job
at the revision the worker knows, in the transaction that keeps the step's results: whoever lost the job cannot write
anything more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final, TypeVar

from crossbar import clock
from crossbar.documents.document import SYSTEM_DATA, Document
from crossbar.documents.listing import Listing, Position
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Stale, Store, Transaction
from crossbar.errors import JSON
from crossbar.resources.tasks.domain.task import TASK, Status, ended, started, status_of

Result = TypeVar("Result")

JOB_SHAPE: Final = Shape("task_job", summary=Summary("id"), sort="expires", moves=False)
LEASE_SECONDS: Final = 30
BEAT_SECONDS: Final = 10.0
CANDIDATES: Final = 8
"""Free jobs that are looked at together: others may be faster with the first of them."""


class Lost(Exception):
    """The job is another worker's, or its task was changed by somebody else."""


async def start(store: Store, account_id: str, task_id: str, node: str) -> Document | None:
    """Let a pending task begin, and return it; None if it is not pending."""

    async def begin(transaction: Transaction) -> Document | None:
        task = await transaction.get(account_id, TASK, task_id)
        if task is None or status_of(task) is not Status.PENDING:
            return None
        await transaction.insert(_job(task))
        return await transaction.replace(started(task, node), task)

    return await store.transact(begin)


async def stop(store: Store, account_id: str, task_id: str, worker: str) -> tuple[Document, Lease] | None:
    """End an executing task where it is, and return it with what is left to do: its output; None if it does not run."""

    async def end(transaction: Transaction) -> tuple[Document, Document] | None:
        task = await transaction.get(account_id, TASK, task_id)
        job = await transaction.get(SYSTEM_DATA, JOB_SHAPE.type, task_id)
        if task is None or job is None or status_of(task) is not Status.EXECUTING:
            return None
        taken = await transaction.replace(_taken(job, worker), job)
        return await transaction.replace(ended(task, Status.STOPPED), task), taken

    found = await store.transact(end)
    return (found[0], Lease(store, found[1])) if found else None


async def claim(store: Store, worker: str) -> Lease | None:
    """Take the job that has been free for longest; None if there is none."""
    free = Listing(
        SYSTEM_DATA, JOB_SHAPE.type, end=Position.value(clock.now()), descending=False, limit=CANDIDATES, view="doc"
    )
    for job in await store.all(free):
        try:
            return Lease(store, await store.replace(_taken(job, worker), job))
        except Stale:
            continue
    return None


class Lease:
    """A job in the hands of a worker.

    Its fields: `account_id`; `cursor`, where to go on; `pieces`, how many there are of the output; `done`, whether all
    rows are; `tries`, how often it was taken since something was done.
    """

    def __init__(self, store: Store, job: Document) -> None:
        self._store = store
        self._job = job
        self._writing = asyncio.Lock()

    @property
    def task_id(self) -> str:
        """The id of the task, which is the job's too."""
        return self._job.id

    def __getitem__(self, field: str) -> Any:
        return self._job.fields[field]

    async def keep(self) -> None:
        """Renew the lease at intervals, for as long as this runs. Raises Lost."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            await self.renew()

    async def renew(self) -> None:
        """Keep the job for another `LEASE_SECONDS`. Raises Lost."""
        async with self._writing:
            await self._replace({"expires": clock.now() + LEASE_SECONDS})

    async def commit(self, work: Callable[[Transaction], Awaitable[Result]], **progress: JSON) -> Result:
        """Keep what `work` writes, and the job's progress, together or not at all. Raises Lost."""

        async def attempt(transaction: Transaction) -> tuple[Result, Document]:
            written = await work(transaction)
            fields = {"expires": clock.now() + LEASE_SECONDS, "tries": 0, **progress}
            return written, await transaction.replace(_changed(self._job, fields), self._job)

        async with self._writing:
            try:
                written, self._job = await self._store.transact(attempt)
            except Stale as stale:
                raise Lost from stale
        return written

    async def release(self) -> None:
        """Let any worker take the job at once. Raises Lost."""
        async with self._writing:
            await self._replace({"expires": clock.now()})

    async def end(self) -> None:
        """Nothing is left to do."""
        async with self._writing:
            await self._store.remove(self._job)

    async def _replace(self, fields: dict[str, JSON]) -> None:
        try:
            self._job = await self._store.replace(_changed(self._job, fields), self._job)
        except Stale as stale:
            raise Lost from stale


def _job(task: Document) -> Document:
    fields = {
        "pvt_type": JOB_SHAPE.type,
        "account_id": task.partition,
        "worker": None,
        "expires": clock.now(),
        "tries": 0,
        "cursor": None,
        "pieces": 0,
        "done": False,
    }
    return Document(SYSTEM_DATA, JOB_SHAPE.type, task.id, fields)


def _taken(job: Document, worker: str) -> Document:
    fields = {"worker": worker, "expires": clock.now() + LEASE_SECONDS, "tries": job.fields["tries"] + 1}
    return _changed(job, fields)


def _changed(job: Document, fields: dict[str, JSON]) -> Document:
    return replace(job, fields={**job.fields, **fields})
