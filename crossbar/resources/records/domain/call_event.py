# SPDX-License-Identifier: MPL-2.0
"""Events that switches report: kept for a few days, and told to whoever listens to the account's events.

Source: `webhooks_channel_util.erl` (`base_hook_event`) for what is told of a channel beside what its switch says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import orjson

from crossbar import clock
from crossbar.documents.document import Document, public_fields
from crossbar.documents.event import NOTIFICATION
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import MICROSECONDS, Store, Switch, Transaction
from crossbar.errors import JSON, Invalid
from crossbar.events.notices import notice, tell
from crossbar.resources.records.domain.cdr import insert_once, kept_fields
from crossbar.resources.system.domain.switch_event import CALL, SwitchEvent, believed
from crossbar.wire.request_values import is_true

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
_NOT_TOLD: Final = ("id", "event_category", "event_name", "account_id")
"""What a record of an event has that is the same in the notice itself."""
CALL_EVENT_SHAPE: Final = Shape(
    "call_event",
    summary=Summary("id", "call_id", "event_name", "timestamp"),
    sort="timestamp",
    filters=("call_id",),
    stored_in="records",
    announced=True,
)
TOLD_BY: Final = "pvt_told_by"
"""The account whose token, or whose administrator, handed an event in."""
ONCE_A_CALL: Final = frozenset({"CHANNEL_DESTROY", "PARK_ABANDONED"})
"""What happens to a call once, however often and in whatever words it is reported."""

_OF_VARIABLES: Final = ("authorizing_id", "authorizing_type", "inception", "owner_id", "reseller_id")
_SWITCHES: Final = ("media_server", "switch_hostname", "switch_nodename", "node")
_UNKNOWN_SWITCH: Final = "-"


def call_event_of(account_id: str, data: dict[str, Any]) -> Document:
    """An event; without an id of its own it gets one made of what it says, so that it is kept once."""
    fields = public_fields(data)
    if fields.get("event_category", CALL) == CALL and not fields.get("call_id"):
        raise Invalid.field("call_id", "required", "Field is required but missing", value="call_id")
    event_id = fields.pop("id", None) or event_id_of(fields)
    at = fields.setdefault("timestamp", clock.now())
    return Document(
        account_id, CALL_EVENT_SHAPE.type, event_id, fields | kept_fields(account_id, CALL_EVENT_SHAPE.type, at)
    )


def event_id_of(fields: dict[str, Any], unique: str = "") -> str:
    """The id of an event: its month and a digest of what tells it from all others, else of all it says."""
    told_apart: JSON = fields
    if fields.get("event_name") in ONCE_A_CALL:
        told_apart = [fields["event_name"], fields.get("call_id")]
    elif unique:
        told_apart = [unique, fields.get("event_category"), fields.get("event_name")]
    digest = hashlib.md5(orjson.dumps(told_apart, option=orjson.OPT_SORT_KEYS), usedforsecurity=False).hexdigest()
    return f"{clock.year_month(fields.get('timestamp'))}-{digest}"


def switch_event_of(document: Document) -> SwitchEvent:
    """What a kept event, or one that is about to be kept, says happened."""
    fields = document.public
    named = next((str(fields[name]) for name in _SWITCHES if fields.get(name)), _UNKNOWN_SWITCH)
    return SwitchEvent(
        account_id=document.partition,
        id=document.id,
        category=str(fields.pop("event_category", CALL)),
        name=str(fields.pop("event_name")),
        at=believed(_microseconds(fields)),
        fields={name: value for name, value in fields.items() if name != "id"},
        about={},
        switch=Switch(str(document.fields.get(TOLD_BY, document.partition)), named),
    )


def _microseconds(fields: dict[str, JSON]) -> int:
    """When it happened; the id of KAZOO's message is that time, where it is one of its switches' events."""
    seconds = clock.unix(int(fields["timestamp"]))
    message_id = str(fields.get("msg_id", ""))
    if message_id.isdecimal() and len(message_id) < 18 and abs(int(message_id) // MICROSECONDS - seconds) <= 1:
        return int(message_id)
    return seconds * MICROSECONDS


async def raise_call_event(store: Store, event: SwitchEvent) -> bool:
    """Raise what happened at a switch as an event of its account; says whether it was raised just now.

    This is the one place where that is done, whatever was told and in whichever form. An event is told apart by its
    id and raised once. It is kept as a record of type `call_event`, and to insert that is to raise it: the relay of
    the event log finds it among the changes of documents. The record's public fields are the event's body, with
    `event_category` and `event_name`, as listeners get it. What people may have to hear of (`NOTICED`) gives rise to a
    notice with it.
    """
    record = _record_of(event)
    return await insert_once(store, record, _notices(record))


async def raise_if(store: Store, event: SwitchEvent, condition: Callable[[Transaction], Awaitable[bool]]) -> bool:
    """As `raise_call_event`, in one step with what the condition looks at and notes; False where it does not hold.

    Raises Duplicate where the event was raised before, and notes nothing then.
    """
    record = _record_of(event)

    async def insert(transaction: Transaction) -> bool:
        if not await condition(transaction):
            return False
        await transaction.insert(record)
        await tell(transaction, _notices(record))
        return True

    return await store.transact(insert)


def _record_of(event: SwitchEvent) -> Document:
    """The record that an event is kept as."""
    fields = dict(event.fields)
    if event.category == CALL and event.name.startswith("CHANNEL_"):
        fields = {**_facts(fields, event.variables), **fields}
    fields |= {"event_category": event.category, "event_name": event.name}
    fields.setdefault("timestamp", event.seconds)
    fields["account_id"] = event.account_id
    kept = kept_fields(event.account_id, CALL_EVENT_SHAPE.type, int(fields["timestamp"]))
    return Document(event.account_id, CALL_EVENT_SHAPE.type, event.id, fields | kept)


def _notices(record: Document) -> list[Document]:
    """What people may have to hear of, if the event is of that kind; its fields are what it tells."""
    name = record.text("event_name")
    told = {key: value for key, value in record.public.items() if key not in _NOT_TOLD}
    if name.lower() in NOTICED:
        return [notice(name.lower(), record.partition, told)]
    if record.text("event_category") == NOTIFICATION:  # who raised it elsewhere has written the letters, too
        return [notice(name, record.partition, told, letters=[])]
    return []


def _facts(fields: Mapping[str, JSON], variables: Mapping[str, JSON]) -> dict[str, JSON]:
    """What follows from a channel's variables, for listeners who do not know them."""
    is_global = is_true(variables.get("global_resource"))
    facts: dict[str, JSON] = {name: variables.get(name) for name in _OF_VARIABLES}
    facts |= {
        "call_forwarded": is_true(variables.get("call_forward")),
        "emergency_resource_used": is_true(variables.get("emergency_resource")),
        "is_internal_leg": is_true(fields.get("channel_is_loopback")),
        "local_resource_id": None if is_global else variables.get("resource_id"),
        "local_resource_used": not is_global,
    }
    return {name: value for name, value in facts.items() if value is not None}
