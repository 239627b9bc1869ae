# SPDX-License-Identifier: MPL-2.0
"""Writes that another write is in the way of, and how they are tried again."""

from __future__ import annotations

import asyncio
import random

ATTEMPTS = 20
"""How often a read-change-write is tried when somebody else writes in between."""
PAUSE_SECONDS = 0.005
"""What the pause between two tries grows by at most."""


class Duplicate(Exception):
    """A document of that id exists (`claim` is None), or another one holds the claimed value."""

    def __init__(self, claim: str | None = None) -> None:
        super().__init__(claim or "id")
        self.claim = claim


class Stale(Exception):
    """The document is not at the revision that was to be replaced."""


class Retries:
    """Tries of a read-change-write, each of which may be outrun.

    Between two of them is a pause that grows and is never the same: of many who change one document at a time, all
    get through.
    """

    __slots__ = ("_made",)

    def __init__(self) -> None:
        self._made = 0

    def __aiter__(self) -> Retries:
        return self

    async def __anext__(self) -> int:
        if self._made == ATTEMPTS:
            raise StopAsyncIteration
        await pause(self._made)
        self._made += 1
        return self._made


async def pause(made: int) -> None:
    """What is waited after so many tries; nothing before the first."""
    if made:
        await asyncio.sleep(random.uniform(0, PAUSE_SECONDS * min(made, ATTEMPTS)))  # noqa: S311 - no secret
