# SPDX-License-Identifier: MPL-2.0
"""Gathering calls into batches."""

from __future__ import annotations

import asyncio

import pytest

from crossbar.documents import coalesce
from crossbar.documents.coalesce import Coalescer


class Database:
    """Answers batches when it is told to."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.gate = asyncio.Event()

    async def __call__(self, questions: list[int]) -> list[int | Exception]:
        self.batches.append(questions)
        await self.gate.wait()
        return [KeyError(question) if question < 0 else question * 10 for question in questions]


async def test_calls_of_one_turn_travel_together() -> None:
    database = Database()
    database.gate.set()
    ask = Coalescer(database)
    assert await asyncio.gather(*map(ask, range(5))) == [0, 10, 20, 30, 40]
    assert database.batches == [[0, 1, 2, 3, 4]]


async def test_while_enough_batches_are_under_way_calls_wait_for_the_next_one() -> None:
    database = Database()
    ask = Coalescer(database, concurrent=1)
    first = asyncio.gather(ask(1))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    others = asyncio.gather(ask(2), ask(3))
    await asyncio.sleep(0)
    database.gate.set()
    assert (await first, await others) == ([10], [20, 30])
    assert database.batches == [[1], [2, 3]]


async def test_a_slow_batch_no_longer_keeps_the_next_one_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coalesce, "SLOW_SECONDS", 0.01)
    database = Database()
    ask = Coalescer(database)
    tasks = []
    for number in (1, 2):  # the first is not answered when the second is sent
        tasks.append(asyncio.ensure_future(ask(number)))
        while len(database.batches) < number:  # noqa: ASYNC110 - nothing announces it
            await asyncio.sleep(0)
    assert database.batches == [[1], [2]]
    database.gate.set()
    assert await asyncio.gather(*tasks) == [10, 20]


async def test_a_batch_has_its_largest_size() -> None:
    database = Database()
    database.gate.set()
    ask = Coalescer(database, largest=2)
    assert await asyncio.gather(*map(ask, range(5))) == [0, 10, 20, 30, 40]
    assert [len(batch) for batch in database.batches] == [2, 2, 1]


async def test_one_answer_may_be_an_error_without_the_others() -> None:
    database = Database()
    database.gate.set()
    results = await asyncio.gather(*map(Coalescer(database), (1, -1, 2)), return_exceptions=True)
    assert (results[0], type(results[1]), results[2]) == (10, KeyError, 20)


async def test_a_batch_that_fails_fails_for_all_and_for_nobody_after_it() -> None:
    calls = 0

    async def once(questions: list[int]) -> list[int | Exception]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise OSError("gone")
        return list(questions)

    ask = Coalescer(once)
    failed = await asyncio.gather(ask(1), ask(2), return_exceptions=True)
    assert [type(error) for error in failed] == [OSError, OSError]
    assert await ask(3) == 3


async def test_who_gives_up_waiting_spoils_nobody_elses_answer() -> None:
    database = Database()
    ask = Coalescer(database)
    given_up, patient = asyncio.ensure_future(ask(1)), asyncio.ensure_future(ask(2))
    await asyncio.sleep(0)
    given_up.cancel()
    database.gate.set()
    assert await patient == 20
    with pytest.raises(asyncio.CancelledError):
        await given_up
