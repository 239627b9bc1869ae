# SPDX-License-Identifier: MPL-2.0
"""Turns: of those in one process who change the same document, one does at a time.

Without them all read the same state, the first to write wins and the others read again, which costs the database most
where it is busiest. Workers still meet there: a turn spares retries, it does not replace the check of the revision.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """Who has a turn, and who waits for one, by key."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[None]:
        """Wait for one's turn, and have it while the block runs. Not to be taken for a key within its own turn."""
        await self._begin(key)
        try:
            yield
        finally:
            self._end(key)

    async def _begin(self, key: str) -> None:
        waiting = self._waiting.get(key)
        if waiting is None:
            self._waiting[key] = deque()
            return
        called = asyncio.get_running_loop().create_future()
        waiting.append(called)
        try:
            await called
        except asyncio.CancelledError:
            if called.done() and not called.cancelled():  # called and cancelled at once: the turn goes to the next
                self._end(key)
            raise

    def _end(self, key: str) -> None:
        waiting = self._waiting[key]
        while waiting:
            called = waiting.popleft()
            if not called.done():
                called.set_result(None)
                return
        del self._waiting[key]
