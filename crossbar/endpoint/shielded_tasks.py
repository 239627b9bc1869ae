# SPDX-License-Identifier: MPL-2.0
"""Work that is done to its end, though nobody may wait for it any more."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from typing import Any, TypeVar

from crossbar.errors import CrossbarError

log = logging.getLogger(__name__)

Result = TypeVar("Result")


class ShieldedTasks:
    """Runs what must not stop between two of its steps.

    A request is cancelled when its client goes away. One that writes would leave behind what its later steps should
    have brought in order: an account without its parent's count, a document without its file.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Future[Any]] = set()

    async def __call__(self, work: Awaitable[Result]) -> Result:
        """Do the work and return what it returns. Who is cancelled here does not cancel the work."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_tell)
            raise

    async def settle(self, seconds: float) -> None:
        """Wait for all that was begun; cancel what is not done after so many seconds."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()


def _tell(task: asyncio.Future[Any]) -> None:
    """Log what went wrong when nobody waited; a refusal is nothing wrong."""
    error = None if task.cancelled() else task.exception()
    if error is not None and not isinstance(error, CrossbarError):
        log.error("a request that its client left failed", exc_info=error)
