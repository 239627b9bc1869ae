# SPDX-License-Identifier: MPL-2.0
"""Those who change one document do so one after another."""

from __future__ import annotations

import asyncio

import pytest

from crossbar.documents.turns import Turns


async def test_one_key_has_one_turn_at_a_time_and_others_are_free() -> None:
    turns = Turns()
    at_work: list[str] = []
    most: dict[str, int] = {}

    async def work(key: str) -> None:
        async with turns.turn(key):
            at_work.append(key)
            most[key] = max(most.get(key, 0), at_work.count(key))
            most["all"] = max(most.get("all", 0), len(at_work))
            await asyncio.sleep(0)
            at_work.remove(key)

    await asyncio.gather(*(work(key) for key in "ab" * 10))
    assert most == {"a": 1, "b": 1, "all": 2}


async def test_turns_are_had_in_the_order_in_which_they_were_asked_for() -> None:
    turns = Turns()
    order: list[int] = []

    async def work(number: int) -> None:
        async with turns.turn("a"):
            order.append(number)
            await asyncio.sleep(0)

    await asyncio.gather(*map(work, range(8)))
    assert order == list(range(8))


async def test_who_fails_or_gives_up_holds_up_nobody() -> None:
    turns = Turns()
    began, go = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with turns.turn("a"):
            began.set()
            await go.wait()
        called.cancel()  # who has just been called

    async def work() -> str:
        async with turns.turn("a"):
            return "done"

    holder = asyncio.create_task(hold())
    await began.wait()
    given_up, called, patient = (asyncio.create_task(work()) for _ in range(3))
    await asyncio.sleep(0)
    given_up.cancel()
    go.set()
    await holder
    assert await patient == "done"
    with pytest.raises(asyncio.CancelledError):
        await called
    with pytest.raises(ValueError, match="broken"):
        async with turns.turn("a"):
            raise ValueError("broken")
    assert await work() == "done"
    assert turns._waiting == {}
