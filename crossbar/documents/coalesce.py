# SPDX-License-Identifier: MPL-2.0
"""Gathering calls that arrive together into one call of the database.

A driver call costs the server about as much Python time as everything else a request needs, and a hundred ids
cost it hardly more than one. So calls that are made while earlier ones are under way, or in turns of the event loop
that follow each other, travel together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

from crossbar.documents.dry_run import is_dry

Question = TypeVar("Question")
Answer = TypeVar("Answer")

SLOW_SECONDS: Final = 0.05
"""A batch that takes longer no longer keeps the next one waiting."""
MOST_TURNS: Final = 8
"""For so many turns of the event loop a batch waits for more questions at most; it ends with the first without one."""


class Coalescer(Generic[Question, Answer]):
    """Calls of one kind, answered in batches.

    `run` takes the questions of one batch and returns an answer, or an exception to raise, for each, in order. At most
    `largest` questions make a batch. One batch is under way at a time, which makes them large; while one is slow,
    because it waits for a lock of the database perhaps, up to `concurrent` are.
    """

    def __init__(
        self,
        run: Callable[[list[Question]], Awaitable[list[Answer | Exception]]],
        *,
        largest: int = 200,
        concurrent: int = 2,
    ) -> None:
        self._run = run
        self._largest = largest
        self._concurrent = concurrent
        self._under_way = 0
        self._began = 0.0
        self._waiting: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._due = False
        self._alarm: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, question: Question) -> Answer:
        """Ask as part of the next batch; in a dry run, alone."""
        if is_dry():
            [alone] = await self._run([question])
            if isinstance(alone, Exception):
                raise alone
            return alone
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((question, answer))
        if not self._under_way:
            self._call(loop)
        elif self._alarm is None and self._under_way < self._concurrent:
            self._alarm = loop.call_at(self._began + SLOW_SECONDS, self._sound, loop)
        return await answer

    def _sound(self, loop: asyncio.AbstractEventLoop) -> None:
        """The batch under way is slow, if it still is the one for which the alarm was set."""
        self._alarm = None
        if self._waiting and self._under_way < self._concurrent:
            if loop.time() - self._began >= SLOW_SECONDS:
                self._send(loop)
            else:
                self._alarm = loop.call_at(self._began + SLOW_SECONDS, self._sound, loop)

    def _call(self, loop: asyncio.AbstractEventLoop) -> None:
        """Send what waits, together with what the next turns of the loop bring."""
        if not self._due:
            self._due = True
            loop.call_soon(self._gather, loop, 0, MOST_TURNS)

    def _gather(self, loop: asyncio.AbstractEventLoop, before: int, turns: int) -> None:
        count = len(self._waiting)
        if before < count < self._largest and turns:
            loop.call_soon(self._gather, loop, count, turns - 1)
            return
        self._due = False
        if not self._under_way:
            self._send(loop)

    def _send(self, loop: asyncio.AbstractEventLoop) -> None:
        batch, self._waiting = self._waiting[: self._largest], self._waiting[self._largest :]
        self._under_way += 1
        self._began = loop.time()
        task = loop.create_task(self._answer(batch, loop))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(
        self, batch: list[tuple[Question, asyncio.Future[Answer]]], loop: asyncio.AbstractEventLoop
    ) -> None:
        try:
            answers = await self._run([question for question, _ in batch])
        except Exception as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
        else:
            for (_, future), answer in zip(batch, answers, strict=True):
                if future.done():
                    continue
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
        finally:
            self._under_way -= 1
            if self._waiting and not self._under_way:
                self._call(loop)
