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
from crossbar.resources.records.domain.cdr import insert_once, kept_fields

CALL_EVENT_SHAPE: Final = Shape(
    "call_event",
    summary=Summary("id", "call_id", "event_name", "timestamp"),
    sort="timestamp",
    filters=("call_id",),
    stored_in="records",
    announced=True,
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
    """Keep events; one told of twice is kept once."""
    return await asyncio.gather(*(insert_once(store, event) for event in events))
