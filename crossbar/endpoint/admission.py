# SPDX-License-Identifier: MPL-2.0
"""How many requests are worked on at a time."""

from __future__ import annotations

from collections.abc import Callable

from crossbar.errors import Plain


def overloaded() -> Plain:
    """503: there is more to do than can be done at a time."""
    return Plain(503, "service unavailable", {"message": "the server is busy; try again shortly"})


class Admission:
    """Counts the requests under way and refuses (503) those beyond `largest()`, asked for at each use."""

    def __init__(self, largest: Callable[[], int]) -> None:
        self._largest = largest
        self._under_way = 0
        self.counted = _Counting(self, 1)
        """A request is under way as long as this is open."""
        self.not_counted = _Counting(self, -1)
        """A request waits for its client as long as this is open, and keeps nobody else out."""

    @property
    def under_way(self) -> int:
        """How many requests are worked on."""
        return self._under_way

    def require(self) -> None:
        """Raise 503 where too many requests are under way."""
        if self._under_way > self._largest():
            raise overloaded()

    def add(self, number: int) -> None:
        """So many more requests are under way."""
        self._under_way += number


class _Counting:
    """Counts a request one way when it is opened and the other way when it is closed, as often as one likes."""

    __slots__ = ("_admission", "_step")

    def __init__(self, admission: Admission, step: int) -> None:
        self._admission = admission
        self._step = step

    def __enter__(self) -> None:
        self._admission.add(self._step)

    def __exit__(self, *_: object) -> None:
        self._admission.add(-self._step)
