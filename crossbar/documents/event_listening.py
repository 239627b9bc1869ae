# SPDX-License-Identifier: MPL-2.0
"""The events of the installation, as a worker offers them: who wants to listen, pages of the log, subscriptions.

Whoever builds something that listens (a feed, a socket, a webhook) does it in three steps:

1. *Have the events written.* A document whose shape says so (`Shape.listens`: an enabled webhook) does that as long as
   it is there. Whoever has no document calls `await events.listen(account_id)`, which keeps one for it as long as
   events are kept, and again every now and then (`RENEW_SECONDS`); it costs a write only when that is due.
   `EVERY_ACCOUNT` stands for all accounts. What is written is shared: many sockets of one account cost one document.
2. *Know where to begin.* `listen` returns a token; every change that is acknowledged after it returned comes after
   that token. A token that a client brings back goes through `await events.require(account_id, token)` first, which
   raises TooOld where events after it may be missing.
3. *Follow.* `async with events.subscribe(account_id, since) as subscription` and then `async for event in
   subscription`, or `await subscription.batch(patience)` to look at something else now and then. `batch` gives what has
   come in the order of the log, reads on from the log itself where the reader is slow, and never holds more than
   `INBOX` events. `below` adds the accounts below. Rights are for the caller to check, before each event goes out:
   an account may have been moved, a token revoked.

What is no change of a document is raised by `store.event_log.raise_event`, or in a transaction by
`transaction.raise_event`, and comes to the same listeners in the same order.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any, ClassVar, Final

from crossbar import clock
from crossbar.background import end
from crossbar.documents.document import SYSTEM_DATA, Document
from crossbar.documents.event import Event, token_of_second
from crossbar.documents.event_subscription import Subscription
from crossbar.documents.feed import Change, Feed
from crossbar.documents.shape import EVERY_ACCOUNT, Listening, Shape, Summary
from crossbar.documents.store import Store
from crossbar.documents.store.event_log import RELAY
from crossbar.errors import CrossbarError

log = logging.getLogger(__name__)

LISTENER: Final = "event_listener"
PAGE: Final = 500
LOOK_SECONDS: Final = 1.0
"""So often the log is looked at although nothing told of news."""
RENEW_SECONDS: Final = 600.0
HOUR: Final = timedelta(hours=1).total_seconds()


def _listening(listener: Document) -> Listening:
    account_id = EVERY_ACCOUNT if listener.partition == SYSTEM_DATA else listener.partition
    return Listening(account_id, until=listener.fields["pvt_until"])


LISTENER_SHAPE: Final = Shape(LISTENER, summary=Summary("id"), listens=_listening, moves=False)
"""Somebody asked for the events of an account lately: `pvt_since` is the token from which on they are whole."""


class TooOld(Exception):
    """Events after a token may be missing."""


class Events:
    """One worker's view of the event log. `hours` says how long events are kept."""

    SHAPES: ClassVar[tuple[Shape, ...]] = (LISTENER_SHAPE,)

    def __init__(self, store: Store, feed: Feed, hours: Callable[[], float]) -> None:
        self._store = store
        self._log = store.event_log
        self._hours = hours
        self._listening: dict[str, tuple[str, float]] = {}
        self._own: dict[str, set[Subscription]] = {}
        self._below: dict[str, set[Subscription]] = {}
        self._everything: set[Subscription] = set()
        self._news = asyncio.Event()
        self._position = ""
        self.reached = ""
        """The token up to which subscribers were offered everything."""
        self._task: asyncio.Task[None] | None = None
        self.ending = False
        """Whether the server ends, and with it whoever follows."""
        self._told: list[Callable[[Change], None]] = []
        feed.subscribe(RELAY, self._hear)
        for shape in store.shapes:
            if shape.listens is not None:
                feed.subscribe(shape.type, self._hear_of_listener)

    @property
    def hours(self) -> float:
        """How long events are kept."""
        return self._hours()

    def on_listener(self, told: Callable[[Change], None]) -> None:
        """Call `told` when a document changes that can listen."""
        self._told.append(told)

    # To have events written

    async def listen(self, account_id: str) -> str:
        """Have the events of an account written for as long as events are kept from now on.

        Returns a token before every change that is acknowledged after this returned.
        """
        since = await self._listen(account_id)
        state = await self._log.state()
        # All that was written to the log is committed, so what is acknowledged from now on comes after it.
        return max(since, state.position.token)

    async def require(self, account_id: str, token: str) -> None:
        """Raise TooOld where events of the account after a token may be missing in the log."""
        since = await self._listen(account_id)
        state = await self._log.state()
        if token < max(since, state.complete_since, token_of_second(clock.unix_now() - self.hours * HOUR)):
            raise TooOld

    async def _listen(self, account_id: str) -> str:
        """Keep the document that listens; returns the token from which on the account's events are whole."""
        now, kept = clock.unix_now(), self.hours * HOUR
        known = self._listening.get(account_id)
        if known is not None and known[1] > now + kept:
            return known[0]
        since = await self._log.now()
        partition = SYSTEM_DATA if account_id == EVERY_ACCOUNT else account_id
        # Each token is good for as long as events are kept, and no request after another writes.
        until = now + 1.5 * kept
        fields: dict[str, Any] = {"pvt_type": LISTENER, "pvt_since": since, "pvt_until": until}

        def renew(listener: Document) -> bool:
            nonlocal fields
            fields = listener.fields
            if fields["pvt_until"] < now + LOOK_SECONDS:
                fields["pvt_since"] = since
            due = bool(fields["pvt_until"] <= now + kept)
            if due:
                fields["pvt_until"] = until
            return due

        await self._store.create_or_update(Document(partition, LISTENER, "feed", fields), renew)
        self._listening[account_id] = (fields["pvt_since"], fields["pvt_until"])
        return str(fields["pvt_since"])

    # To read them

    async def page(self, account_id: str | None, since: str, limit: int) -> tuple[list[Event], str, bool]:
        """Events of an account (None: of all) after a token, where to go on from, and whether there are more by now."""
        state = await self._log.state()
        found = await self._log.after(since, limit + 1, account_id)
        events, more = found[:limit], len(found) > limit
        if events:
            return events, events[-1].token, more
        return events, max(since, state.position.token), more

    async def head(self) -> str:
        """The token up to which everything has been written."""
        state = await self._log.state()
        return state.position.token

    def subscribe(self, account_id: str | None, since: str, *, below: bool = False) -> Subscription:
        """Follow the events of an account, or of all; see the top of this file."""
        subscription = Subscription(self._log, account_id, since, below=below, leave=self._leave)
        self._subscribers(account_id, below=below, make=True).add(subscription)
        if self._task is None:
            self._task = asyncio.create_task(self._tail(), name="event log")
        return subscription

    async def stop(self) -> None:
        """Let nobody follow any more."""
        self.end()
        if self._task is not None:
            await end(self._task)
            self._task = None

    def end(self) -> None:
        """Say that the server ends; who waits for events is roused."""
        self.ending = True
        for subscription in self._all():
            subscription.rouse()

    def _subscribers(self, account_id: str | None, *, below: bool, make: bool = False) -> set[Subscription]:
        if account_id is None:
            return self._everything
        by_account = self._below if below else self._own
        return by_account.setdefault(account_id, set()) if make else by_account.get(account_id, set())

    def _leave(self, subscription: Subscription) -> None:
        account_id, below = subscription.account_id, subscription.below
        subscribers = self._subscribers(account_id, below=below)
        subscribers.discard(subscription)
        if account_id is not None and not subscribers:
            (self._below if below else self._own).pop(account_id, None)

    def _all(self) -> Iterator[Subscription]:
        for by_account in (self._own, self._below):
            for subscribers in by_account.values():
                yield from subscribers
        yield from self._everything

    # The tail of the log, read as long as somebody subscribes

    async def _tail(self) -> None:
        """Read what is added to the log and offer it to the subscribers, for as long as there are any."""
        begun = quiet = False
        while self._own or self._below or self._everything:
            self._news.clear()
            try:
                if not begun:
                    await self._begin()
                    begun = True
                head = await self.head() if quiet else ""
                events = await self._log.after(self._position, PAGE)
            except CrossbarError as error:
                log.warning("the event log cannot be read, it will be tried again: %s", error)
                await asyncio.sleep(LOOK_SECONDS)
                continue
            except Exception:  # whoever waits for events would wait for ever
                log.exception("the event log cannot be read, it will be tried again")
                await asyncio.sleep(LOOK_SECONDS)
                continue
            for event in events:
                self._offer(event)
            if events:
                self._position = events[-1].token
            quiet = not events
            self.reached = max(self.reached, self._position, head if quiet else "")
            if len(events) < PAGE:
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), LOOK_SECONDS)
        self._task = None

    async def _begin(self) -> None:
        """Begin at the end of the log. Who subscribed meanwhile may have read from it before, and reads again."""
        self._position = await self._log.last()
        for subscription in self._all():
            subscription.fall_behind()

    def _offer(self, event: Event) -> None:
        for subscription in self._own.get(event.account_id, ()):
            subscription.offer(event)
        for account_id in (event.account_id, *event.tree):
            for subscription in self._below.get(account_id, ()):
                subscription.offer(event)
        for subscription in self._everything:
            subscription.offer(event)

    def look(self) -> None:
        """There may be something new in the log."""
        self._news.set()

    def _hear(self, _: Change) -> None:
        self.look()

    def _hear_of_listener(self, change: Change) -> None:
        for told in self._told:
            told(change)
