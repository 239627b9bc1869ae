"""Call events as a switch reports them: kept for a few days, and told to whoever listens to the change feed."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Any, Final

import orjson

from crossbar import clock
from crossbar.documents.document import Document, public_fields
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Store
from crossbar.events.notices import notice
from crossbar.resources.records.domain.cdr import insert_once, kept_fields

NOTICED: Final = frozenset(
    {
        "cf_notification",
        "denied_emergency_bridge",
        "deregister",
        "emergency_bridge",
        "first_occurrence",
        "inbound_fax_error",
        "missed_call",
        "outbound_fax_error",
        "outbound_smtp_fax_error",
        "register",
    }
)
"""Notifications that only a switch knows of; it tells of them as of other events, in capitals."""
CALL_EVENT_SHAPE: Final = Shape(
    "call_event",
    summary=Summary("id", "call_id", "event_name", "timestamp"),
    sort="timestamp",
    filters=("call_id",),
    stored_in="records",
)


def call_event_of(account_id: str, data: dict[str, Any]) -> Document:
    """An event; without an id of its own it gets one made of what it says, so that it is kept once."""
    fields = public_fields(data)
    event_id = fields.pop("id", None)
    if event_id is None:
        digest = hashlib.md5(orjson.dumps(fields, option=orjson.OPT_SORT_KEYS), usedforsecurity=False).hexdigest()
        event_id = f"{clock.year_month(fields.get('timestamp'))}-{digest}"
    at = fields.setdefault("timestamp", clock.now())
    return Document(
        account_id, CALL_EVENT_SHAPE.type, event_id, fields | kept_fields(account_id, CALL_EVENT_SHAPE.type, at)
    )


async def keep_call_events(store: Store, events: list[Document]) -> list[bool]:
    """Keep events; one told of twice is kept once, and gives rise to a notice once."""
    return await asyncio.gather(*(insert_once(store, event, _notices(event)) for event in events))


def _notices(event: Document) -> list[Document]:
    """What people may have to hear of, if the event is of that kind; its fields are what it tells."""
    name = event.text("event_name").lower()
    told = {key: value for key, value in public_fields(event.fields).items() if key != "event_name"}
    return [notice(name, event.partition, told)] if name in NOTICED else []
