# SPDX-License-Identifier: MPL-2.0
"""Workers of tasks: one at a time for each task, and another when one dies."""

from __future__ import annotations

import asyncio
import dataclasses
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from pymongo import MongoClient

from crossbar.app import open_runtime, open_store
from crossbar.background import end
from crossbar.config import Config
from crossbar.documents.attachments import Attachments
from crossbar.documents.document import SYSTEM_DATA, Document
from crossbar.documents.listing import Listing
from crossbar.errors import SystemFault
from crossbar.resources.tasks.domain import action, job
from crossbar.resources.tasks.domain.action import ERROR, Cells, RowAction, RowFailed, Work
from crossbar.resources.tasks.domain.job import JOB_SHAPE, claim
from crossbar.resources.tasks.domain.runner import MOST_TRIES
from crossbar.resources.tasks.domain.task import INPUT, OUTPUT, TASK
from crossbar.runtime import Runtime
from tests.task_machine import (
    ACCOUNT,
    ROWS,
    Machine,
    at_work,
    check_whole,
    given,
    halfway,
    later,
    nothing_is_left,
    now,
    output,
    runner,
    squares,
    told,
)


@pytest.fixture(scope="module")
def config(mongo_client: MongoClient[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Config]:
    name = f"test-{uuid.uuid4().hex}"
    yield Config.load(None, {}, {"server.data": str(tmp_path_factory.mktemp("data")), "database.name": name})
    mongo_client.drop_database(name)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def processes(mongo_uri: str, config: Config) -> AsyncIterator[tuple[Runtime, Runtime]]:
    """The services of two processes on one database."""
    async with (
        open_runtime(config, mongo_uri) as one,
        open_runtime(config, mongo_uri) as other,
    ):
        for process in (one, other):  # the first write of a process waits until the others know of it
            await process.store.remove_by_ids(SYSTEM_DATA, JOB_SHAPE.type, ["none"])
        yield one, other


@pytest_asyncio.fixture(loop_scope="session")
async def two(processes: tuple[Runtime, Runtime]) -> AsyncIterator[tuple[Runtime, Runtime]]:
    """The services of two processes that have no tasks yet."""
    yield processes
    store = processes[0].store
    await store.remove_listed(Listing(SYSTEM_DATA, JOB_SHAPE.type))
    await store.remove_partition(ACCOUNT)
    await processes[0].attachments.delete_partition(ACCOUNT)


async def test_a_task_has_one_worker_at_a_time(two: tuple[Runtime, Runtime]) -> None:
    one, other = two
    (task_id, first, working), second = await halfway(one), Machine()
    assert told(await now(other, task_id)) == ("executing", 100, 0)
    await runner(other, second.rows).work_off()
    assert second.did == []
    first.go.set()
    await working
    assert first.did == list(range(ROWS))
    await check_whole(other, task_id)


async def test_of_many_claims_one_succeeds(two: tuple[Runtime, Runtime]) -> None:
    one, other = two
    task_id = await given(one)
    leases = await asyncio.gather(*(claim(services.store, f"w{n}") for n, services in enumerate((one, other) * 8)))
    assert [lease.task_id for lease in leases if lease] == [task_id]


async def test_two_tasks_are_done_by_two_workers(two: tuple[Runtime, Runtime]) -> None:
    one, other = two
    slow = await given(one)
    first, second = Machine(stops_at=0), Machine()
    working = await at_work(runner(one, first.rows), first)
    quick = await given(one)
    await runner(other, second.rows).work_off()
    assert told(await now(one, quick))[0] == "success"
    first.go.set()
    await working
    assert told(await now(one, slow))[0] == "success"


async def test_another_goes_on_when_a_worker_dies(two: tuple[Runtime, Runtime], mongo_uri: str, config: Config) -> None:
    one, other = two
    task_id = await given(one)
    first, second = Machine(stops_at=150), Machine()
    store = open_store(config, mongo_uri)
    doomed = dataclasses.replace(one, store=store, attachments=Attachments(store))
    working = await at_work(runner(doomed, first.rows), first)
    await store.close()  # it cannot even say that it ends
    await end(working)
    await runner(other, second.rows).work_off()
    assert second.did == []
    with later():
        await runner(other, second.rows).work_off()
    assert second.did == list(range(100, ROWS))
    await check_whole(other, task_id)


async def test_a_worker_that_is_told_to_end_leaves_its_task_at_once(two: tuple[Runtime, Runtime]) -> None:
    one, other = two
    (task_id, _, working), second = await halfway(one), Machine()
    await end(working)
    await runner(other, second.rows).work_off()
    assert second.did == list(range(100, ROWS))
    assert await output(other, task_id) == squares(ROWS)


async def test_a_worker_that_was_thought_dead_changes_nothing(two: tuple[Runtime, Runtime]) -> None:
    one, other = two
    (task_id, first, working), second = await halfway(one), Machine()
    with later():
        await runner(other, second.rows).work_off()
    over = await now(other, task_id)
    assert told(over) == ("success", ROWS, 0)
    first.go.set()
    await working
    assert first.did == list(range(200))
    assert await now(other, task_id) == over
    assert await output(other, task_id) == squares(ROWS)


async def test_a_sign_of_life_keeps_the_task(two: tuple[Runtime, Runtime]) -> None:
    one, other = two
    task_id = await given(one)
    lease = await claim(one.store, "one")
    assert lease is not None
    with later():
        await lease.renew()
        assert await claim(other.store, "other") is None
    with later(2):
        assert (taken := await claim(other.store, "other")) is not None
        assert taken.task_id == task_id


async def test_a_stopped_task_has_what_was_done(two: tuple[Runtime, Runtime]) -> None:
    one, other = two
    task_id, first, working = await halfway(one)
    stopped = await runner(other).stop(ACCOUNT, task_id)
    assert stopped is not None
    assert told(stopped) == ("stopped", 100, 0)
    first.go.set()
    await working
    assert first.did == list(range(200))
    assert told(await now(other, task_id)) == ("stopped", 100, 0)
    assert (await now(other, task_id)).fields["csvs"] == [INPUT, OUTPUT]
    assert await output(other, task_id) == squares(100)
    assert await nothing_is_left(other, task_id)
    assert await runner(other).stop(ACCOUNT, task_id) is None


async def test_a_worker_that_is_at_a_row_lets_go_of_a_stopped_task(
    two: tuple[Runtime, Runtime], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = two
    monkeypatch.setattr(job, "BEAT_SECONDS", 0.01)
    task_id, first, working = await halfway(one)
    assert await runner(other).stop(ACCOUNT, task_id)
    await working
    assert first.did == list(range(150))
    assert told(await now(other, task_id)) == ("stopped", 100, 0)


@pytest.mark.parametrize(("limit", "value"), [("BATCH_ROWS", 1), ("BATCH_CHARACTERS", 0), ("BATCH_SECONDS", -1.0)])
async def test_what_is_done_is_kept_in_time(
    two: tuple[Runtime, Runtime], monkeypatch: pytest.MonkeyPatch, limit: str, value: float
) -> None:
    one, other = two
    monkeypatch.setattr(action, limit, value)
    task_id, _, working = await halfway(one, stops_at=5)
    assert told(await now(other, task_id)) == ("executing", 5, 0)
    await end(working)


async def test_a_dump_goes_on_at_the_page_it_was_at(two: tuple[Runtime, Runtime]) -> None:
    one, other = two
    task_id = await given(one, "pages", rows=None)
    first, second = Machine(stops_at=2), Machine()
    working = await at_work(runner(one, first.pages), first)
    await end(working)
    await runner(other, second.pages).work_off()
    assert (first.did, second.did) == ([0, 1], [2, 3, 4])
    assert told(await now(other, task_id)) == ("success", 5, 0)
    assert await output(other, task_id) == ["0", "1", "2", "3", "4"]


class Faltering(Attachments):
    """Attachments of a worker whose database goes away right after the output was put together."""

    async def put(self, *arguments: Any, **options: Any) -> Any:
        await super().put(*arguments, **options)
        raise SystemFault("datastore_unreachable")


async def test_another_ends_what_is_all_but_over(two: tuple[Runtime, Runtime]) -> None:
    one, other = two
    task_id = await given(one)
    first, second = Machine(), Machine()
    await runner(dataclasses.replace(one, attachments=Faltering(one.store)), first.rows).work_off()
    assert told(await now(other, task_id)) == ("executing", ROWS, 0)
    with later():
        await runner(other, second.rows).work_off()
    assert (first.did, second.did) == (list(range(ROWS)), [])
    await check_whole(other, task_id)


@pytest.mark.parametrize("whole", [True, False], ids=["task", "account"])
async def test_a_task_that_is_removed_leaves_nothing(two: tuple[Runtime, Runtime], whole: bool) -> None:
    one, other = two
    task_id, first, working = await halfway(one)
    if whole:
        await other.store.remove(await now(other, task_id))
    else:
        await other.store.remove_partition(ACCOUNT)
    first.go.set()
    await working
    with later():
        await runner(other).work_off()
    assert await nothing_is_left(other, task_id)
    assert await other.attachments.all(Document(ACCOUNT, TASK, task_id, {})) == []


async def test_a_row_that_fails_says_why(two: tuple[Runtime, Runtime]) -> None:
    one, _ = two

    async def row(_: Work, cells: dict[str, str]) -> Cells:
        if cells["n"] == "1":
            raise RowFailed("not this one")
        return {}

    picky = RowAction(
        category="test", name="rows", description="", doc="", row=row, checks={"n": lambda cell: cell != "2"}
    )
    task_id = await given(one, rows=4)
    await runner(one, picky).work_off()
    assert told(await now(one, task_id)) == ("partial", 2, 2)
    assert await output(one, task_id) == ["0,", "1,not this one", "2,bad fields(s) n", "3,"]


async def test_an_action_that_breaks_at_a_row_goes_no_further(two: tuple[Runtime, Runtime]) -> None:
    one, _ = two

    async def row(_: Work, cells: dict[str, str]) -> Cells:
        return {ERROR: 1 // (2 - int(cells["n"]))}

    task_id = await given(one, rows=4)
    await runner(one, RowAction(category="test", name="rows", description="", doc="", row=row)).work_off()
    assert told(await now(one, task_id)) == ("partial", 2, 1)
    assert await output(one, task_id) == ["0,0", "1,1", "2,applier crashed"]


async def test_a_task_is_put_off_while_the_database_is_away(two: tuple[Runtime, Runtime]) -> None:
    one, other = two
    away = True

    async def row(_: Work, cells: dict[str, str]) -> Cells:
        if away:
            raise SystemFault("datastore_unreachable")
        return {}

    task_id = await given(one, rows=4)
    shy = RowAction(category="test", name="rows", description="", doc="", row=row)
    await runner(one, shy).work_off()
    assert told(await now(one, task_id)) == ("executing", None, None)
    away = False
    with later():
        await runner(other, shy).work_off()
    assert told(await now(one, task_id)) == ("success", 4, 0)


async def test_what_cannot_be_done_is_an_internal_error(two: tuple[Runtime, Runtime]) -> None:
    one, _ = two
    without_action = await given(one, "unheard of")
    without_input = await given(one)
    await one.attachments.delete(await now(one, without_input))
    await runner(one, Machine().rows).work_off()
    for task_id in (without_action, without_input):
        task = await now(one, task_id)
        assert told(task) == ("internal_error", None, None)
        assert task.fields["end_timestamp"] >= task.fields["start_timestamp"]
        assert await nothing_is_left(one, task_id)


async def test_a_task_that_kills_its_workers_is_given_up(two: tuple[Runtime, Runtime]) -> None:
    one, other = two
    task_id = await given(one)
    for tries in range(MOST_TRIES):
        with later(tries):
            assert await claim(one.store, "doomed") is not None
    machine = Machine()
    with later(MOST_TRIES):
        await runner(other, machine.rows).work_off()
    assert (told(await now(other, task_id))[0], machine.did) == ("internal_error", [])
