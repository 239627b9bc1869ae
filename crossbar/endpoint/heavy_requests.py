# SPDX-License-Identifier: MPL-2.0
"""Requests whose bodies hold many values, which take a worker's time and memory for a while."""

from __future__ import annotations

import asyncio
import ctypes
import gc
import sys
from collections.abc import Callable
from typing import Final

ROUNDS_BETWEEN: Final = 4
"""Rounds of the event loop between two of them: what a small request needs to be read and answered."""


class HeavyRequests:
    """Lets one heavy request at a time be worked on, from the reading of its body to its answer.

    Small requests are answered in between; what the others hold meanwhile is text.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._give_back = _trimmer()

    async def begin(self) -> None:
        """Wait for one's turn; `end` has to follow."""
        await self._turn.acquire()
        try:
            for _ in range(ROUNDS_BETWEEN):
                await asyncio.sleep(0)
        except BaseException:
            self._turn.release()
            raise

    def end(self) -> None:
        """Let the next one begin."""
        self._turn.release()
        # Errors and the frames they came through hold each other, and the body with them, until they are looked for.
        gc.collect()
        self._give_back()


def _trimmer() -> Callable[[], object]:
    """Gives memory that is free again back to the system, where the C library keeps it to itself (glibc does)."""
    if sys.platform == "linux":
        library = ctypes.CDLL(None)
        if hasattr(library, "malloc_trim"):
            return lambda: library.malloc_trim(0)
    return lambda: None
