"""Gathering calls that arrive together into one call of the database.

A driver call costs the server about as much Python time as everything else a request needs, and a hundred ids
cost it hardly more than one. So calls made in the same turn of the event loop, or while enough earlier ones are
still under way, travel together.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Coalescer(Generic[Question, Answer]):
    """Calls of one kind, answered in batches.

    `run` takes the questions of one batch and returns an answer, or an exception to raise, for each, in order. At most
    `largest` questions make a batch, and `concurrent` batches are under way at a time: one makes the largest batches,
    two keep one that waits from holding up all.
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
        self._waiting: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._due = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, question: Question) -> Answer:
        """Ask as part of the next batch."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((question, answer))
        if not self._due and self._under_way < self._concurrent:
            self._due = True
            loop.call_soon(self._send)
        return await answer

    def _send(self) -> None:
        self._due = False
        while self._waiting and self._under_way < self._concurrent:
            batch, self._waiting = self._waiting[: self._largest], self._waiting[self._largest :]
            self._under_way += 1
            task = asyncio.get_running_loop().create_task(self._answer(batch))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _answer(self, batch: list[tuple[Question, asyncio.Future[Answer]]]) -> None:
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
            self._send()
