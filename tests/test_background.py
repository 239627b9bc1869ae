# SPDX-License-Identifier: MPL-2.0
"""Work beside the requests ends when it is told to."""

from __future__ import annotations

import asyncio

import pytest

from crossbar.background import end, in_background


async def test_a_cancellation_that_was_lost_is_repeated() -> None:
    lost: list[asyncio.CancelledError] = []
    started = asyncio.Event()

    async def deaf() -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:  # as `asyncio.wait_for` does when the result is there already
            lost.append(error)
        await asyncio.Event().wait()

    async with in_background(deaf(), name="deaf"):
        await started.wait()
    assert len(lost) == 1


async def test_what_a_task_failed_with_is_told() -> None:
    async def broken() -> None:
        raise ValueError("broken")

    task = asyncio.create_task(broken())
    await asyncio.sleep(0)
    with pytest.raises(ValueError, match="broken"):
        await end(task)
