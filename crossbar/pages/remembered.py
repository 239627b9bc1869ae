# SPDX-License-Identifier: MPL-2.0
"""Something that is found out again only after a while, however many ask for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Remembered(Generic[Value]):
    """What `find` returned, for so many seconds; those who ask meanwhile wait for one answer together."""

    def __init__(self, find: Callable[[], Awaitable[Value]], seconds: float) -> None:
        self._find = find
        self._seconds = seconds
        self._found: tuple[float, Value] | None = None
        self._lock = asyncio.Lock()

    async def get(self) -> Value:
        """The value. Raises what `find` raises, which is not remembered."""
        async with self._lock:
            now = time.monotonic()
            if self._found is None or now - self._found[0] > self._seconds:
                self._found = (now, await self._find())
            return self._found[1]
