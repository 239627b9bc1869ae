# SPDX-License-Identifier: MPL-2.0
"""The relay: turns the changes of the database into entries of the event log, on one worker of the installation.

It reads the database's change stream and writes the events of accounts that somebody listens to, together with how far
it has come in one transaction, which fails where another worker has taken over meanwhile. So each change that was
committed has its event, once, in the order of the changes; a worker that dies is followed by another within seconds,
which goes on where it was.

Who listens stands in the documents themselves (`Shape.listens`), so the relay learns of it from the same stream, in
order: what was changed after a listener was acknowledged has its event. While nobody listens it reads nothing. It then
looks now and again whether somebody does, having noted the time before it looked, and begins at that time.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from bson import Timestamp
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError

from crossbar.background import in_background
from crossbar.documents.change_translation import PROJECTION, Translation
from crossbar.documents.driver import ChangeStream, Session
from crossbar.documents.event import Event, token_at, token_behind
from crossbar.documents.event_interest import Interest
from crossbar.documents.store import RelayPosition, Store, TakenOver
from crossbar.errors import CrossbarError
from crossbar.ids import new_id

log = logging.getLogger(__name__)

LEASE_SECONDS: Final = 4.0
"""So long the work stays with a worker of which nothing is heard any more."""
KEEP_SECONDS: Final = 1.0
IDLE_SECONDS: Final = 1.0
TRY_SECONDS: Final = 1.0
LISTEN_MS: Final = 500
AHEAD: Final = 1000
"""Changes that are read before those read earlier are written."""
BATCH: Final = 500
"""Changes whose events are written in one transaction."""
LISTENER_GRACE_SECONDS: Final = 86_400.0
LOST_HISTORY: Final = frozenset({136, 260, 280, 286})
"""MongoDB's codes for a place in the changes that it cannot go on from any more."""


class RelayGauges(Protocol):
    """What is told of the relay's work."""

    def written(self, events: int, seconds: float) -> None:
        """So many events were written, the oldest so long after its change was committed."""

    def gap(self) -> None:
        """Changes are missing in the log."""


Change = Mapping[str, Any] | None
"""What the stream says; None that there was nothing new until its resume token."""
Item = tuple[Change, Mapping[str, Any]] | Exception


@dataclass(slots=True)
class EventRelay:
    """One worker's readiness to relay. `hours` says how long events are kept; `wake` is set when somebody listens.

    `told` is called when events were written, so that this worker need not wait to hear of it.
    """

    store: Store
    hours: Callable[[], float]
    gauges: RelayGauges
    told: Callable[[], None] = lambda: None
    node: str = "crossbar"
    wake: asyncio.Event = field(default_factory=asyncio.Event, init=False)

    async def run(self) -> None:
        """Relay whenever no other worker does, until cancelled."""
        while True:
            holder = new_id()
            try:
                async with await self.store.event_log.session() as session:
                    state = await self.store.event_log.take(holder, LEASE_SECONDS, session)
                    if state is not None:
                        await self._hold(holder, _Tenure(self.store, holder, session, state.position, self))
            except TakenOver:
                log.info("another worker writes the events from now on")
            except (CrossbarError, PyMongoError) as error:
                log.warning("events cannot be written, it will be tried again: %s", error)
            except Exception:
                log.exception("events cannot be written, it will be tried again")
            await asyncio.sleep(TRY_SECONDS)

    async def _hold(self, holder: str, tenure: _Tenure) -> None:
        """Relay, and let go of the work at the end, so that another worker need not wait."""
        try:
            await tenure.run()
        finally:
            try:
                await asyncio.shield(self.store.event_log.release(holder))
            except (CrossbarError, PyMongoError) as error:
                log.debug("the work of writing events ends by itself: %s", error)


class _Tenure:
    """The time in which this worker relays, as `holder`."""

    def __init__(self, store: Store, holder: str, session: Session, position: RelayPosition, relay: EventRelay) -> None:
        self._log = store.event_log
        self._connection = store.connection
        self._holder = holder
        self._session = session
        self._position = position
        self._relay = relay
        self._interest = Interest()
        self._translation = Translation(store, relay.node)
        self._kept_at = 0.0

    async def run(self) -> None:
        """Read while somebody listens, and look for listeners while nobody does. Ends with an error only."""
        while True:
            self._relay.wake.clear()
            now = await self._log.cluster_time()
            listeners = await self._log.listeners()
            ended = now.time - LISTENER_GRACE_SECONDS
            if any(one.until is not None and one.until < ended for one in listeners):
                await self._log.forget_listeners(ended)
            self._interest = Interest(listeners, now.time)
            if self._interest:
                await self._relay_changes()
                continue
            # Whoever listens from now on was not acknowledged yet at that time.
            await self._keep(RelayPosition(now))
            try:
                await asyncio.wait_for(self._relay.wake.wait(), IDLE_SECONDS)
            except TimeoutError:
                continue

    async def _keep(self, position: RelayPosition, complete_since: str | None = None) -> None:
        await self._log.keep(self._holder, position, LEASE_SECONDS, complete_since=complete_since)
        self._position, self._kept_at = position, time.monotonic()

    async def _relay_changes(self) -> None:
        """Relay until nobody listens any more, or the stream has to be asked for more accounts."""
        queue: asyncio.Queue[Item] = asyncio.Queue(AHEAD)
        self._translation.forget()
        try:
            wanted = self._interest.stream_filter(self._position.time)
            async with in_background(self._read(wanted, queue), name="event relay: changes"):
                while self._interest and self._interest.covered:
                    await self._take_batch(queue)
        except OperationFailure as error:
            if error.code not in LOST_HISTORY:
                raise
            log.error(
                "the database does not know any more what changed since events were last written; "
                "the events of that time are missing: %s",
                error,
            )
            now = await self._log.cluster_time()
            await self._keep(RelayPosition(now), complete_since=token_behind(now))
            self._relay.gauges.gap()

    async def _take_batch(self, queue: asyncio.Queue[Item]) -> None:
        """Write the events of the changes that were read meanwhile."""
        events: list[Event] = []
        position = self._position
        item: Item | None = await queue.get()
        taken = 0
        while item is not None:
            if isinstance(item, Exception):
                raise item
            change, resume = item
            position = await self._place(change, resume, position, events)
            taken += 1
            if taken == BATCH or not self._interest.covered:
                break
            item = None if queue.empty() else queue.get_nowait()
        if events:
            await self._write(position, events)
        elif time.monotonic() - self._kept_at > KEEP_SECONDS:
            await self._keep(position)
        else:
            self._position = position

    async def _place(
        self, change: Change, resume: Mapping[str, Any], position: RelayPosition, events: list[Event]
    ) -> RelayPosition:
        """Give a change its place in the log, if somebody wants it there; returns how far that is."""
        if change is None:
            at = _time_of(resume) or position.time
            return RelayPosition(at, resume, position.number if at == position.time else 0)
        at = change["clusterTime"]
        number = position.number if at == position.time else 0
        event = await self._translation.event(change, token_at(at, number + 1), self._interest)
        if event is not None:
            events.append(event)
            number += 1
        self._interest.see(change)
        return RelayPosition(at, resume, number)

    async def _write(self, position: RelayPosition, events: list[Event]) -> None:
        try:
            hours = self._relay.hours()
            await self._log.write(self._holder, position, LEASE_SECONDS, events, hours, session=self._session)
        except DuplicateKeyError as error:
            # An earlier attempt of this worker went through after all; its state says so.
            raise TakenOver from error
        self._relay.told()
        self._position, self._kept_at = position, time.monotonic()
        self._relay.gauges.written(len(events), max(time.time() - events[0].unix_time, 0.0))

    async def _read(self, wanted: Mapping[str, Any], queue: asyncio.Queue[Item]) -> None:
        """Put what the stream says into the queue, at last why it ended."""
        try:
            async with await self._watch(wanted) as stream:
                while True:
                    change = await stream.try_next()
                    token = stream.resume_token
                    if token is not None:
                        await queue.put((change, token))
        except Exception as error:  # whoever waits for the queue learns why nothing comes any more
            await queue.put(error)

    async def _watch(self, wanted: Mapping[str, Any]) -> ChangeStream:
        connection = self._connection
        steps: list[dict[str, Any]] = [{"$match": wanted}, {"$project": PROJECTION}]
        return await connection.driver.watch(
            connection.database, steps, max_await_time_ms=LISTEN_MS, **self._position.begin
        )


def _time_of(resume: Mapping[str, Any]) -> Timestamp | None:
    """The cluster time in a resume token (a key string: the type of a timestamp, then its two halves)."""
    data = resume.get("_data")
    if not isinstance(data, str) or not data.startswith("82") or len(data) < 18:
        return None
    return Timestamp(int(data[2:10], 16), int(data[10:18], 16))
