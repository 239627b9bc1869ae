# SPDX-License-Identifier: MPL-2.0
"""Writers that keep account of what the server acknowledged, and check afterwards that it is so.

Each writer owns what it writes. A write whose answer was lost, or was 503, may or may not have been done; what counts
as a loss is only what was acknowledged and is not there, what is there without ever having been asked for, and what is
there by half.
"""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from trials.client import Client, Tally


@dataclass
class Held:
    """What may be stored under one key: one value after an acknowledged write, several after a lost answer."""

    possible: set[Any]
    history: list[tuple[Any, int]] = field(default_factory=list)
    """What was written, and the status of the answer."""

    def __str__(self) -> str:
        return f"acknowledged {self.possible} after {self.history[-4:]}"

    async def write(self, value: Any, request: Callable[[], Awaitable[tuple[int, Any]]]) -> tuple[int, Any]:
        """Send a write that, if it is done, leaves `value`."""
        before = set(self.possible)
        self.possible = before | {value}
        status, found = await request()
        self.history.append((value, status))
        if 200 <= status < 300:
            self.possible = {value}
        elif 400 <= status < 500:
            self.possible = before
        return status, found


@dataclass
class Writer:
    """Base of the writers: `step` does one thing, `check` compares what is there with what was acknowledged."""

    client: Client
    tally: Tally
    name: str
    count: Iterator[int] = field(default_factory=itertools.count)

    async def step(self) -> None:
        """Do one thing."""
        raise NotImplementedError

    async def check(self) -> None:
        """Note in the tally what is not as it should be."""
        raise NotImplementedError

    def expect(self, holds: bool, complaint: str) -> None:
        """Note one comparison."""
        self.tally.checked[type(self).__name__] += 1
        if not holds:
            self.tally.wrong.append(f"{self.name}: {complaint}")
