"""How many requests are worked on at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from crossbar.errors import Plain


def overloaded() -> Plain:
    """503: there is more to do than can be done at a time."""
    return Plain(503, "service unavailable", {"message": "the server is busy; try again shortly"})


class Admission:
    """Counts the requests under way and refuses (503) those beyond `largest()`, asked for at each use."""

    def __init__(self, largest: Callable[[], int]) -> None:
        self._largest = largest
        self._under_way = 0

    @contextmanager
    def counted(self) -> Iterator[None]:
        """A request is under way as long as this is open."""
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    @contextmanager
    def not_counted(self) -> Iterator[None]:
        """A request waits for its client as long as this is open, and keeps nobody else out."""
        self._under_way -= 1
        try:
            yield
        finally:
            self._under_way += 1

    def require(self) -> None:
        """Raise 503 where too many requests are under way."""
        if self._under_way > self._largest():
            raise overloaded()
