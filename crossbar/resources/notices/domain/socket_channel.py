# SPDX-License-Identifier: MPL-2.0
"""How sockets follow the event log: one reader for each account that any socket of a worker listens to.

What happened is put into words once, and each text made once, however many sockets get it. A socket that begins behind
the reader (it comes back with a token) reads the log by itself, at its own pace, until it has come as far.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Final, Protocol

from crossbar.background import end
from crossbar.documents.event import Event
from crossbar.documents.event_listening import PAGE, RENEW_SECONDS, Events
from crossbar.documents.event_subscription import Subscription
from crossbar.documents.shape import EVERY_ACCOUNT
from crossbar.errors import CrossbarError
from crossbar.resources.notices.domain.socket_binding import Binding
from crossbar.resources.notices.domain.socket_frame import Happening, event_json, happenings, text_frame

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 5.0
TRY_SECONDS: Final = 1.0
AT_ONCE: Final = 200
"""Sockets that are told before others have their turn on the loop."""


class Hearer(Protocol):
    """A socket that can be told something."""

    def push(self, frame: bytes) -> None:
        """Send a frame now, or drop the socket if it has too much to read already."""

    async def deliver(self, text: bytes) -> None:
        """Send a text once the socket has read enough of what came before."""


@dataclass(eq=False, slots=True)
class Ear:
    """A socket at one binding, from behind `since` on.

    `reach` is the account in whose tree an event's account has to be for the socket to hear of it (None: any),
    `documents` whether it is shown documents, `tokens` whether it is told the events' tokens.
    """

    hearer: Hearer
    since: str
    reach: str | None
    documents: bool
    tokens: bool
    left: bool = False

    def may_hear(self, event: Event) -> bool:
        """Whether the socket has not heard of it, and may: by the tree as it was when it happened."""
        if self.left or event.token <= self.since:
            return False
        return self.reach is None or self.reach == event.account_id or self.reach in event.tree


class _Frames:
    """The frames of one event for all who hear of it at one binding."""

    def __init__(self, event: Event, happening: Happening, binding: Binding) -> None:
        self._event = event
        self._happening = happening
        self._binding = binding
        self._made: dict[tuple[bool, bool], bytes] = {}

    def frame(self, ear: Ear) -> bytes:
        key = (ear.documents, ear.tokens)
        made = self._made.get(key)
        if made is None:
            token = self._event.token if ear.tokens else None
            text = event_json(self._binding, self._happening, documents=ear.documents, token=token)
            made = self._made[key] = text_frame(text)
        return made


class _Channel:
    """The reader of one account's events; `position` is the last one that the sockets are told of."""

    def __init__(self, events: Events, account_id: str, since: str) -> None:
        self._events = events
        self._account_id = account_id
        self.position = since
        self._ears: dict[str, dict[Binding, set[Ear]]] = {}
        self.task = asyncio.create_task(self._run(), name="socket events")

    def add(self, binding: Binding, ear: Ear) -> None:
        self._ears.setdefault(binding.kind, {}).setdefault(binding, set()).add(ear)

    def discard(self, binding: Binding, ear: Ear) -> bool:
        """Take an ear away; whether nobody listens any more."""
        of_kind = self._ears.get(binding.kind, {})
        ears = of_kind.get(binding, set())
        ears.discard(ear)
        if not ears:
            of_kind.pop(binding, None)
        if not of_kind:
            self._ears.pop(binding.kind, None)
        return not self._ears

    async def _run(self) -> None:
        account_id = None if self._account_id == EVERY_ACCOUNT else self._account_id
        async with self._events.subscribe(account_id, self.position) as subscription:
            renewed = time.monotonic()
            while True:
                for event in await self._batch(subscription):
                    try:
                        await self._tell(event)
                    except Exception:  # an event that cannot be told must not keep back those behind it
                        log.exception("sockets are not told of event %s", event.token)
                if time.monotonic() - renewed > RENEW_SECONDS and await self._renew():
                    renewed = time.monotonic()

    async def _batch(self, subscription: Subscription) -> list[Event]:
        try:
            found = await subscription.batch(LOOK_SECONDS)
        except CrossbarError as error:
            log.warning("sockets hear nothing, it will be tried again: %s", error)
        except Exception:  # nobody would read on for these sockets, which stay open
            log.exception("sockets hear nothing, it will be tried again")
        else:
            if not found:
                subscription.pass_over(self._events.reached)
            return found
        await asyncio.sleep(TRY_SECONDS)
        return []

    async def _renew(self) -> bool:
        try:
            await self._events.listen(self._account_id)
        except CrossbarError as error:
            log.debug("that sockets listen cannot be noted just now: %s", error)
            return False
        return True

    async def _tell(self, event: Event) -> None:
        # Who comes from here on has heard of it already: it has read the log this far.
        self.position = event.token
        told = 0
        for happening in happenings(event):
            for binding, ears in list(self._ears.get(happening.kind, {}).items()):
                if not binding.hears(happening.words):
                    continue
                frames = _Frames(event, happening, binding)
                for ear in list(ears):
                    if ear.may_hear(event):
                        ear.hearer.push(frames.frame(ear))
                        told += 1
                        if told % AT_ONCE == 0:
                            await asyncio.sleep(0)
        # What was written goes out before more is.
        await asyncio.sleep(0)


class Channels:
    """What the sockets of one worker listen to."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._channels: dict[str, _Channel] = {}

    async def begin(self, account_id: str) -> str:
        """Have the events of an account written; returns a token before all that is acknowledged from now on."""
        return await self._events.listen(account_id)

    async def require(self, account_id: str, token: str) -> None:
        """Raise TooOld where events of the account after a token may be missing."""
        await self._events.require(account_id, token)

    async def join(self, binding: Binding, ear: Ear) -> None:
        """Let a socket hear of everything behind `ear.since`, in order, until it leaves."""
        while not ear.left:
            channel = self._channels.get(binding.account_id)
            if channel is None:
                channel = self._channels[binding.account_id] = _Channel(self._events, binding.account_id, ear.since)
            if ear.since >= channel.position:
                channel.add(binding, ear)
                return
            await self._catch_up(binding, ear)

    async def _catch_up(self, binding: Binding, ear: Ear) -> None:
        """Tell the socket of the next events of the log."""
        account_id = None if binding.account_id == EVERY_ACCOUNT else binding.account_id
        events, token, _ = await self._events.page(account_id, ear.since, PAGE)
        for event in events:
            for happening in happenings(event):
                if binding.hears(happening.words) and ear.may_hear(event):
                    place = event.token if ear.tokens else None
                    await ear.hearer.deliver(event_json(binding, happening, documents=ear.documents, token=place))
        ear.since = token

    def leave(self, binding: Binding, ear: Ear) -> None:
        """Let a socket hear no more."""
        ear.left = True
        channel = self._channels.get(binding.account_id)
        if channel is not None and channel.discard(binding, ear):
            del self._channels[binding.account_id]
            channel.task.cancel()

    async def stop(self) -> None:
        """Read no more."""
        while self._channels:
            _, channel = self._channels.popitem()
            await end(channel.task)
