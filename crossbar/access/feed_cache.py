# SPDX-License-Identifier: MPL-2.0
"""What was read from the store, kept until the change feed says that it changed.

A look-up each request would cost more than the request. So what decides about access is remembered, and every
worker forgets it when any worker changes it. While the feed is down nobody would be told: then what is read is
believed for a second only.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from crossbar import clock
from crossbar.documents.dry_run import is_dry
from crossbar.documents.feed import Feed

Key = TypeVar("Key")
Value = TypeVar("Value")

BELIEVED_SECONDS = 1.0
"""How long something read is believed while no change would be heard of."""


class FeedCache(Generic[Key, Value]):
    """At most `limit` values by key, read by `load` when asked for; the one kept longest makes room.

    A missing value (None) is remembered only with `keep_absent`; without, it is looked for at each call, so that
    what was just created is found at once. Whoever owns the memory subscribes to the feed and calls `forget`.
    """

    def __init__(
        self, feed: Feed, load: Callable[[Key], Awaitable[Value | None]], *, limit: int, keep_absent: bool = False
    ) -> None:
        self._feed = feed
        self._load = load
        self._limit = limit
        self._keep_absent = keep_absent
        self._kept: dict[Key, tuple[Value | None, float | None]] = {}
        self._reading: dict[Key, object] = {}
        feed.on_loss(self.clear)

    async def get(self, key: Key) -> Value | None:
        """The value, from memory where that can be trusted."""
        kept = self.known(key)
        return await self.read(key) if kept is None else kept[0]

    def known(self, key: Key) -> tuple[Value | None, float | None] | None:
        """The value, first of two, if it is in memory and can be trusted: for whoever asks at every request."""
        kept = self._kept.get(key)
        return kept if kept is not None and (kept[1] is None or kept[1] > clock.unix_now()) else None

    async def read(self, key: Key) -> Value | None:
        """The value as the store has it now; what a dry run sees is remembered for nobody."""
        if is_dry():
            return await self._load(key)
        until = None if self._feed.live else clock.unix_now() + BELIEVED_SECONDS
        # A change that is heard of while we read takes the mark away: what we get may be older than the change.
        mark = self._reading[key] = object()
        try:
            value = await self._load(key)
        finally:
            untouched = self._reading.get(key) is mark
            if untouched:
                del self._reading[key]
        if untouched and (value is not None or self._keep_absent):
            if len(self._kept) >= self._limit and key not in self._kept:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = (value, until)
        return value

    def forget(self, key: Key) -> None:
        """The value changed."""
        self._kept.pop(key, None)
        self._reading.pop(key, None)

    def clear(self) -> None:
        """Any value may have changed."""
        self._kept.clear()
        self._reading.clear()
