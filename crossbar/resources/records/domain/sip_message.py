# SPDX-License-Identifier: MPL-2.0
"""SIP messages seen on the way, gathered by call: what the call inspector knows.

Source: `applications/call_inspector` (`ci_chunk`, `ci_datastore`).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import defaultdict
from typing import Any, Final

from crossbar import clock
from crossbar.documents.document import Document, public_fields
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Store
from crossbar.resources.records.domain.cdr import kept_fields

MOST_MESSAGES: Final = 1_000
"""Messages of one call that are kept: the first ones, which say how it came about."""

INSPECTION_SHAPE: Final = Shape("call_inspection", summary=Summary("id"), sort="pvt_created", stored_in="records")


def sip_message_of(account_id: str, data: dict[str, Any]) -> Document:
    """The entry of a call with one message."""
    message = public_fields(data)
    call_id = message.pop("call_id")
    digest = hashlib.md5("\0".join((message["src"], message["dst"], message["raw"])).encode(), usedforsecurity=False)
    message = {"id": digest.hexdigest(), "timestamp": clock.now(), **message}
    fields = {"messages": [message], **kept_fields(account_id, INSPECTION_SHAPE.type, int(message["timestamp"]))}
    return Document(account_id, INSPECTION_SHAPE.type, call_id, fields)


async def keep_sip_messages(store: Store, told: list[Document]) -> list[bool]:
    """Add messages to the entries of their calls; one told of twice is kept once."""
    calls: dict[str, list[Document]] = defaultdict(list)
    for entry in told:
        calls[entry.key].append(entry)
    fresh = dict(zip(calls, await asyncio.gather(*(_keep(store, told) for told in calls.values())), strict=True))
    return [entry.fields["messages"][0]["id"] in fresh[entry.key] for entry in told]


async def _keep(store: Store, told: list[Document]) -> set[str]:
    """Add messages to one call; says which ids were new."""
    fresh: set[str] = set()

    def change(entry: Document) -> bool:
        known = {message["id"]: message for message in entry.fields["messages"]}
        added = {message["id"]: message for one in told for message in one.fields["messages"]}
        fresh.clear()
        fresh.update(added.keys() - known.keys())
        messages = sorted((added | known).values(), key=lambda message: message["timestamp"])[:MOST_MESSAGES]
        entry.fields |= {"messages": messages, "pvt_created": int(messages[0]["timestamp"])}
        return bool(fresh)

    empty = Document(told[0].partition, told[0].type, told[0].id, {**told[0].fields, "messages": []})
    await store.create_or_update(empty, change)
    return fresh
