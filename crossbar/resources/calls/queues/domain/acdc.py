# SPDX-License-Identifier: MPL-2.0
"""Statistics of queues and agents, as a queue service reports them.

Source: `applications/acdc/src/acdc_stats.erl`, `acdc_agent_stats.erl`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

from crossbar import clock
from crossbar.documents.document import Document, as_list, as_object, public_fields
from crossbar.documents.listing import Listing, Position
from crossbar.documents.shape import Shape, Summary, filter_tag
from crossbar.documents.store import Store
from crossbar.errors import JSON
from crossbar.resources.records.domain.cdr import insert_once, kept_fields

ANSWERED: Final = frozenset({"handled", "processed"})
"""States of a queue's call in which an agent has talked to the caller."""

_ADVANCE: Final = {"waiting": 0, "handled": 1, "abandoned": 2, "processed": 2}


def _or_empty(name: str) -> Callable[[Document], JSON]:
    return lambda stat: stat.fields.get(name, "")


COLUMNS: Final = (
    "id",
    "handled_timestamp",
    "caller_id_number",
    "caller_id_name",
    "entered_position",
    "status",
    "agent_id",
    "wait_time",
    "talk_time",
    "queue_id",
)
"""The columns of a row of `acdc_call_stats`; what a call lacks is an empty text."""

CALL_STAT_SHAPE: Final = Shape(
    "call_stat",
    summary=Summary("id", **{name: _or_empty(name) for name in COLUMNS[1:]}),
    sort="entered_timestamp",
    filters=("agent_id", "queue_id", "status"),
    stored_in="records",
    announced=True,
)
AGENT_STATUS_SHAPE: Final = Shape(
    "agent_status", summary=Summary("id"), sort="timestamp", filters=("agent_id",), stored_in="records", announced=True
)


def call_stat_of(account_id: str, data: dict[str, Any]) -> Document:
    """What became of one call in one queue; its id is made of month, call and queue."""
    fields = public_fields(data)
    entered = fields["entered_timestamp"]
    fields.pop("id", None)
    stat_id = f"{clock.year_month(entered)}-{fields['call_id']}::{fields['queue_id']}"
    fields |= kept_fields(account_id, CALL_STAT_SHAPE.type, entered)
    return Document(account_id, CALL_STAT_SHAPE.type, stat_id, with_times(fields))


async def keep_call_stats(store: Store, stats: list[Document]) -> list[bool]:
    """Merge what is told onto what is known; an earlier state that comes late only fills gaps."""
    newest: dict[str, Document] = {}
    for stat in stats:
        known = newest.get(stat.key)
        newest[stat.key] = stat if known is None else _merged(known, stat)
    saved = await asyncio.gather(*(_keep_call_stat(store, stat) for stat in newest.values()))
    fresh = dict(zip(newest, saved, strict=True))
    return [fresh.pop(stat.key, False) for stat in stats]


async def _keep_call_stat(store: Store, stat: Document) -> bool:
    def change(known: Document) -> bool:
        before, known.fields = known.fields, _merged(known, stat).fields
        return {**known.fields, "pvt_modified": 0} != {**before, "pvt_modified": 0}

    return await store.create_or_update(stat, change)


def _merged(known: Document, told: Document) -> Document:
    """What both say; where they differ the one counts in which the call has come further, else the one told last."""
    first, last = known.fields, told.fields
    if _ADVANCE.get(last.get("status", ""), 0) < _ADVANCE.get(first.get("status", ""), 0):
        first, last = last, first
    misses = list(first.get("misses") or [])
    misses += [miss for miss in last.get("misses") or [] if miss not in misses]
    fields = {**first, **last} | ({"misses": misses} if misses else {})
    return Document(known.partition, known.type, known.id, with_times(fields))


def with_times(fields: dict[str, Any]) -> dict[str, Any]:
    """`fields` with the seconds that follow from its times: how long the caller waited, how long they talked."""
    ended = fields.get("handled_timestamp") or fields.get("abandoned_timestamp")
    if ended:
        fields.setdefault("wait_time", max(0, ended - fields["entered_timestamp"]))
    if fields.get("handled_timestamp") and fields.get("processed_timestamp"):
        fields.setdefault("talk_time", max(0, fields["processed_timestamp"] - fields["handled_timestamp"]))
    return fields


def agent_status_of(account_id: str, data: dict[str, Any]) -> Document:
    """What an agent does from a time on; its id is made of month, agent, time and status."""
    fields = public_fields(data)
    fields.pop("id", None)
    since = fields.setdefault("timestamp", clock.now())
    status_id = f"{clock.year_month(since)}-{fields['agent_id']}::{since}::{fields['status']}"
    fields |= kept_fields(account_id, AGENT_STATUS_SHAPE.type, since)
    return Document(account_id, AGENT_STATUS_SHAPE.type, status_id, fields)


async def keep_agent_statuses(store: Store, statuses: list[Document]) -> list[bool]:
    """Keep what agents did; a status told of twice is kept once."""
    return await asyncio.gather(*(insert_once(store, status) for status in statuses))


async def call_stats(
    store: Store, account_id: str, first: int, last: int, *, agent_id: str | None = None, status: str | None = None
) -> list[Document]:
    """The calls that entered a queue between two times (Gregorian seconds, inclusive), newest first."""
    listing = _between(account_id, CALL_STAT_SHAPE, first, last)
    found = await store.all(replace(listing, tag=filter_tag("status", status) if status else None))
    return [stat for stat in found if agent_id is None or stat.fields.get("agent_id") == agent_id]


async def agent_statuses(
    store: Store, account_id: str, first: int, last: int, *, agent_id: str | None = None
) -> list[Document]:
    """What agents, or one of them, did from a time between two on, newest first."""
    listing = _between(account_id, AGENT_STATUS_SHAPE, first, last)
    return await store.all(replace(listing, tag=filter_tag("agent_id", agent_id) if agent_id else None))


async def latest_status(store: Store, account_id: str, agent_id: str) -> Document | None:
    """What an agent does now, as far as is known."""
    listing = Listing(account_id, AGENT_STATUS_SHAPE.type, tag=filter_tag("agent_id", agent_id), limit=1)
    return next(iter(await store.all(listing)), None)


def totals_by_agent(stats: list[Document]) -> dict[str, dict[str, Any]]:
    """`{agent_id: {total_calls, answered_calls, missed_calls, queues: {queue_id: {the same}}}}`.

    A call counts for the agent who took it, and each miss for the agent who missed it; what is zero is left out.
    """
    totals: dict[str, dict[str, Any]] = {}

    def count(agent_id: str, queue_id: str, *names: str) -> None:
        agent = totals.setdefault(agent_id, {"queues": {}})
        for counted in (agent, agent["queues"].setdefault(queue_id, {})):
            for name in names:
                counted[name] = counted.get(name, 0) + 1

    for stat in stats:
        queue_id = str(stat.fields.get("queue_id"))
        if agent_id := stat.fields.get("agent_id"):
            count(str(agent_id), queue_id, "total_calls", *(("answered_calls",) if _answered(stat.fields) else ()))
        for miss in map(as_object, as_list(stat.fields.get("misses"))):
            count(str(miss.get("agent_id")), queue_id, "total_calls", "missed_calls")
    return totals


def _answered(stat: Mapping[str, JSON]) -> bool:
    return str(stat.get("status")) in ANSWERED


def _between(account_id: str, shape: Shape, first: int, last: int) -> Listing:
    return Listing(account_id, shape.type, start=Position.value(last), end=Position.value(first))
