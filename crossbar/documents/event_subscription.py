# SPDX-License-Identifier: MPL-2.0
"""Whoever follows the event log in one worker: events one after another, in bounded memory, without a gap."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

from crossbar.documents.event import Event
from crossbar.documents.store import EventLog

BATCH: Final = 100
"""Events that are read from the log at a time."""
INBOX: Final = 200
"""Events that wait in memory for one subscriber. Who is slower than that reads on from the log."""


@dataclass(slots=True, eq=False)
class Subscription:
    """The events of an account (None: of all) after a token, with `below` those of the accounts below it, too.

    While its reader keeps up events come from memory. Else they are read from the log again, so that a slow reader
    costs no more memory than a quick one and misses nothing. To be closed, best by `async with`.
    """

    event_log: EventLog
    account_id: str | None
    position: str
    """The token up to which events were given out."""
    below: bool
    leave: Callable[[Subscription], None]
    _behind: bool = field(default=True, init=False)
    _inbox: deque[Event] = field(default_factory=deque, init=False)
    _news: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hear of nothing any more."""
        self.leave(self)

    async def __aiter__(self) -> AsyncIterator[Event]:
        """The events as they come, for ever."""
        while True:
            for event in await self.batch():
                yield event

    async def batch(self, patience: float | None = None) -> list[Event]:
        """The next events, at least one, or none where there are none within `patience` seconds.

        Raises SystemFault (503) where the log cannot be read; the next call begins at the same place.
        """
        while True:
            events = await self._from_log() if self._behind else self._from_inbox()
            if events:
                return events
            if not self._behind:
                try:
                    await asyncio.wait_for(self._news.wait(), patience)
                except TimeoutError:
                    return []
                if not self._inbox and not self._behind:  # woken without news
                    self._news.clear()
                    return []

    def pass_over(self, token: str) -> None:
        """Everything up to a token was offered; if it was given out, too, the reader need not come back to it."""
        if not self._behind and not self._inbox:
            self.position = max(self.position, token)

    def offer(self, event: Event) -> None:
        """An event that was read from the log just now; in the order of the log."""
        if not self._behind:
            if len(self._inbox) >= INBOX:
                self._inbox.clear()
                self._behind = True
            else:
                self._inbox.append(event)
        self._news.set()

    def fall_behind(self) -> None:
        """Read from the log, whatever was offered: what came in between was not."""
        self._inbox.clear()
        self._behind = True
        self._news.set()

    def rouse(self) -> None:
        """Let a reader that waits see whether to go on."""
        self._news.set()

    async def _from_log(self) -> list[Event]:
        # What is offered from here on is remembered; what was offered before is in the log by now.
        self._behind = False
        self._inbox.clear()
        self._news.clear()
        try:
            events = await self.event_log.after(self.position, BATCH, self.account_id, below=self.below)
        except BaseException:
            self._behind = True
            raise
        if len(events) == BATCH:
            self._behind = True
        if events:
            self.position = events[-1].token
        return events

    def _from_inbox(self) -> list[Event]:
        self._news.clear()
        events = [event for event in self._inbox if event.token > self.position]
        self._inbox.clear()
        if events:
            self.position = events[-1].token
        return events
