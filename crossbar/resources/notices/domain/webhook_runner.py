# SPDX-License-Identifier: MPL-2.0
"""One webhook at work: what happens is delivered one by one, in order, and where that has come to is kept.

The log is the queue. A runner reads on from its cursor, holds the cursor while it has something to deliver, and moves
it when that is done. A worker that dies is followed by one that begins at the cursor: some events may be delivered
again then, none is left out.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import Final

from crossbar.background import end
from crossbar.documents.event import Event
from crossbar.documents.event_subscription import Subscription
from crossbar.documents.membership import Membership
from crossbar.errors import JSON, CrossbarError
from crossbar.metrics import DELIVERIES_WAITING, Metrics
from crossbar.resources.notices.domain.webhook_hook import Webhook
from crossbar.resources.notices.domain.webhook_sender import Failures, WebhookSender
from crossbar.runtime import Runtime

log = logging.getLogger(__name__)

AGAIN_SECONDS: Final = 1.0
LOOK_SECONDS: Final = 30.0
KEEP_SECONDS: Final = 0.5
"""After so long among many deliveries the cursor is moved, so that few are made again after a kill."""
GRACE_SECONDS: Final = 5.0
"""How long the delivery in hand may take when the server ends; cut off, it is made again."""


@dataclass(slots=True, eq=False, kw_only=True)
class WebhookRunner:
    """The deliveries of one hook in this worker. `slot` is shared with the account's other hooks."""

    runtime: Runtime
    hook: Webhook
    sender: WebhookSender
    membership: Membership
    slot: asyncio.Semaphore
    metrics: Metrics
    _failures: Failures = field(default_factory=Failures, init=False)
    _recalled: bool = field(default=False, init=False)
    _held: str = field(default="", init=False)
    _subscription: Subscription | None = field(default=None, init=False)
    _stopping: bool = field(default=False, init=False)
    _task: asyncio.Task[None] = field(init=False)

    def __post_init__(self) -> None:
        self._task = asyncio.create_task(self._run(), name=f"webhook {self.hook.id}")

    @property
    def done(self) -> bool:
        """Whether it has come to its end."""
        return self._task.done()

    def change(self, hook: Webhook) -> None:
        """The hook was changed, but not whose events it wants."""
        self.hook = hook
        self._failures.forget()

    def stop(self) -> None:
        """End after the delivery in hand."""
        self._stopping = True
        if self._subscription is not None:
            self._subscription.rouse()

    async def ended(self, seconds: float = GRACE_SECONDS) -> None:
        """Return when it has ended; it is cut off where that takes longer."""
        await asyncio.wait({self._task}, timeout=seconds)
        await end(self._task)

    async def _run(self) -> None:
        try:
            while not self._stopping:
                try:
                    await self._follow()
                except CrossbarError as error:
                    log.warning("webhook %s: deliveries are held up: %s", self.hook.id, error)
                except Exception:
                    log.exception("webhook %s: deliveries are held up", self.hook.id)
                if not self._stopping:
                    await asyncio.sleep(AGAIN_SECONDS)
        finally:
            await self._let_go()

    async def _let_go(self) -> None:
        """Let the next worker begin at once."""
        if self._held:
            try:
                await asyncio.shield(self.runtime.store.cursors.release(self.hook.key, self._held))
            except CrossbarError as error:
                log.debug("webhook %s: the cursor is free when this worker counts as gone: %s", self.hook.id, error)

    async def _follow(self) -> None:
        """Deliver from the cursor on, until this worker is not the one to do it."""
        hook = self.hook
        since = max(await self.runtime.store.cursors.position(hook.key), hook.since)
        events = self.runtime.events
        async with events.subscribe(hook.account_id, since, below=hook.below) as subscription:
            self._subscription = subscription
            while not self._stopping:
                found = await subscription.batch(LOOK_SECONDS)
                due = [(event, payload) for event in found if (payload := self.hook.payload(event)) is not None]
                if due and not await self._deliver_all(due):
                    return

    async def _deliver_all(self, due: list[tuple[Event, dict[str, JSON]]]) -> bool:
        """Deliver a batch; whether it is done, and this worker may go on."""
        place = await self._hold()
        if place is None:
            return False
        waiting = len(due)
        self.metrics.add(DELIVERIES_WAITING, waiting)
        kept, done = time.monotonic(), ""
        try:
            for event, payload in due:
                if not self._may_go_on():
                    if done:
                        await self._advance(done)
                    return False
                if event.token > place:
                    await self.sender.deliver(self.hook, event, payload, self._failures, self.slot)
                waiting, done = waiting - 1, event.token
                self.metrics.add(DELIVERIES_WAITING, -1)
                if time.monotonic() - kept > KEEP_SECONDS:
                    if not await self._advance(event.token):
                        return False
                    kept = time.monotonic()
            return await self._advance(due[-1][0].token)
        finally:
            self.metrics.add(DELIVERIES_WAITING, -waiting)

    def _may_go_on(self) -> bool:
        return self.membership.trusted and not (self._stopping or self._failures.were_too_many)

    async def _hold(self) -> str | None:
        """Hold the cursor: its place, or None while another worker has it."""
        membership = self.membership
        if not membership.trusted:
            return None
        place = await self.runtime.store.cursors.take(self.hook.key, membership.holder, membership.members)
        self._held = membership.holder if place is not None else ""
        if place is not None and not self._recalled:
            await self.sender.recall(self.hook, self._failures)
            self._recalled = True
        return place

    async def _advance(self, token: str) -> bool:
        """Move the cursor; False where another worker has it by now."""
        if await self.runtime.store.cursors.advance(self.hook.key, self._held, token):
            return True
        self._held = ""
        return False
