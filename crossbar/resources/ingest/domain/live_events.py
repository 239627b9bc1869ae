# SPDX-License-Identifier: MPL-2.0
"""Events that a switch hands in become live state, and then events of the account.

The state comes first: a server that stops in between has not said that the event is kept, so it is told again, which
changes nothing of the state and raises what was not raised. Any number of events may be told at a time, in any order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from crossbar import clock
from crossbar.documents.document import Document
from crossbar.documents.store import MICROSECONDS, Store
from crossbar.resources.calls.channels.domain.live_channels import TOLD_ONLY, apply_channel_event
from crossbar.resources.calls.conferences.domain.running_conferences import CONFERENCE, apply_conference_event
from crossbar.resources.calls.queues.domain.queue_events import (
    AGENT_STATUS,
    QUEUE_CALL,
    apply_agent_status,
    apply_queue_call,
)
from crossbar.resources.identity.domain.live_presence import PRESENCE, SUBSCRIBED, apply_presence
from crossbar.resources.identity.domain.live_registrations import (
    DIRECTORY,
    REGISTERED,
    UNREGISTERED,
    apply_registration,
)
from crossbar.resources.records.domain.call_event import raise_call_event, switch_event_of
from crossbar.resources.system.domain.switch_event import CALL, SwitchEvent

OLDEST: Final = clock.DAY
"""What happened more than so many seconds ago is kept, and says nothing of what goes on just now."""

APPLY: Final[Mapping[str, Callable[[Store, SwitchEvent], Awaitable[list[SwitchEvent]]]]] = {
    CALL: apply_channel_event,
    CONFERENCE: apply_conference_event,
    DIRECTORY: apply_registration,
    PRESENCE: apply_presence,
    QUEUE_CALL: apply_queue_call,
    AGENT_STATUS: apply_agent_status,
}
"""What events of a category change, by category; each gives the events to raise."""


STATE_ONLY: Final = frozenset(
    {
        *((CALL, name) for name in TOLD_ONLY),
        *((DIRECTORY, name) for name in (*REGISTERED, *UNREGISTERED)),
        (PRESENCE, SUBSCRIBED),
    }
)
"""What changes live state, and is no event itself: by category and name."""


async def keep_call_events(store: Store, events: list[Document]) -> list[bool]:
    """Keep events that were handed in, in KAZOO's words; says of each whether it was new."""
    return await keep_switch_events(store, [switch_event_of(event) for event in events])


async def keep_switch_events(store: Store, events: list[SwitchEvent]) -> list[bool]:
    """Note what events say of what goes on, and raise them; says of each whether anything was raised just now."""
    newest = {event.switch: event for event in sorted(events, key=lambda event: event.at)}
    await asyncio.gather(*(store.live.hear(switch, event.at) for switch, event in newest.items()))
    raised = await asyncio.gather(*(_applied(store, event) for event in events))
    return await asyncio.gather(*(_raised(store, following) for following in raised))


async def _applied(store: Store, event: SwitchEvent) -> list[SwitchEvent]:
    apply = APPLY.get(event.category)
    if apply is not None and clock.unix_now() - event.at / MICROSECONDS < OLDEST:
        return await apply(store, event)
    return [] if (event.category, event.name) in STATE_ONLY else [event]


async def _raised(store: Store, events: list[SwitchEvent]) -> bool:
    fresh = [await raise_call_event(store, event) for event in events]
    return any(fresh)
