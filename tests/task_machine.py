# SPDX-License-Identifier: MPL-2.0
"""Tasks whose actions wait where a test wants them to."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Sequence
from typing import Any

from crossbar import clock
from crossbar.documents.document import SYSTEM_DATA, Document
from crossbar.errors import JSON
from crossbar.resources.tasks.domain.action import ERROR, Action, Cells, Dump, RowAction, Work
from crossbar.resources.tasks.domain.job import JOB_SHAPE, LEASE_SECONDS
from crossbar.resources.tasks.domain.runner import Runner
from crossbar.resources.tasks.domain.task import CHUNK_SHAPE, CSV, INPUT, OUTPUT, TASK, new_task
from crossbar.resources.tasks.domain.task_catalog import Catalog
from crossbar.runtime import Runtime

ACCOUNT = "a" * 32
ROWS = 250
"""Two batches of a hundred rows, and half of one."""


@dataclasses.dataclass
class Machine:
    """One process's action: notes each row (or page) it does, and waits when it has come to number `stops_at`."""

    stops_at: int | None = None
    did: list[int] = dataclasses.field(default_factory=list)
    there: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)
    go: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)

    async def note(self, number: int) -> None:
        if number == self.stops_at:
            self.there.set()
            await self.go.wait()
        self.did.append(number)

    @property
    def rows(self) -> Action:
        async def row(_: Work, cells: dict[str, str]) -> Cells:
            await self.note(int(cells["n"]))
            return {"square": int(cells["n"]) ** 2}

        return RowAction(category="test", name="rows", description="", doc="", columns=("square", ERROR), row=row)

    @property
    def pages(self) -> Action:
        async def columns(_: Work) -> Sequence[str]:
            return ("n",)

        async def page(_: Work, cursor: JSON) -> tuple[Sequence[Cells], JSON]:
            number = cursor or 0
            await self.note(number)
            return [{"n": number}], number + 1 if number < 4 else None

        return Dump(category="test", name="pages", description="", doc="", columns=columns, page=page)


def runner(runtime: Runtime, *actions: Action) -> Runner:
    return Runner(runtime, Catalog(actions))


async def given(runtime: Runtime, does: str = "rows", rows: int | None = ROWS) -> str:
    """The id of a started task; with `rows` None it has no input."""
    task = new_task(ACCOUNT, auth_account_id=ACCOUNT, category="test", action=does, total_count=rows)
    if rows is not None:
        text = "n\n" + "".join(f"{number}\n" for number in range(rows))
        await runtime.attachments.put(task, INPUT, CSV, text.encode())
    await runtime.store.insert(task)
    assert await runner(runtime).start(ACCOUNT, task.id)
    return task.id


async def now(runtime: Runtime, task_id: str) -> Document:
    task = await runtime.store.get(ACCOUNT, TASK, task_id)
    assert task is not None
    return task


def told(task: Document) -> tuple[Any, ...]:
    return tuple(task.fields.get(field) for field in ("status", "success_count", "failure_count"))


async def output(runtime: Runtime, task_id: str) -> list[str]:
    """The lines of the output, without the header."""
    found = await runtime.attachments.find(await now(runtime, task_id), OUTPUT)
    assert found is not None
    return (await runtime.attachments.read(found)).decode().splitlines()[1:]


def squares(count: int) -> list[str]:
    return [f"{number},{number**2}," for number in range(count)]


async def nothing_is_left(runtime: Runtime, task_id: str) -> bool:
    left = await runtime.store.get(SYSTEM_DATA, JOB_SHAPE.type, task_id)
    return left is None and not await runtime.store.exists(ACCOUNT, CHUNK_SHAPE.type)


async def at_work(worker: Runner, machine: Machine) -> asyncio.Task[None]:
    """A worker that has come to the row at which its machine waits."""
    working = asyncio.create_task(worker.work_off())
    await machine.there.wait()
    return working


async def halfway(runtime: Runtime, stops_at: int = 150) -> tuple[str, Machine, asyncio.Task[None]]:
    """A task that a worker has come to a row of: its id, the action and the worker."""
    task_id, machine = await given(runtime), Machine(stops_at=stops_at)
    return task_id, machine, await at_work(runner(runtime, machine.rows), machine)


async def check_whole(runtime: Runtime, task_id: str) -> None:
    """The task has succeeded, with all of its output."""
    assert told(await now(runtime, task_id)) == ("success", ROWS, 0)
    assert await output(runtime, task_id) == squares(ROWS)
    assert await nothing_is_left(runtime, task_id)


def later(leases: int = 1) -> Any:
    """When leases given now have run out."""
    return clock.frozen(time.time() + leases * (LEASE_SECONDS + 1))
