# SPDX-License-Identifier: MPL-2.0
"""The kinds of records that a switch hands in: how each is checked, made and kept."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from crossbar.documents.document import Document
from crossbar.documents.store import Store
from crossbar.resources.calls.messages.domain import message
from crossbar.resources.calls.queues.domain import acdc
from crossbar.resources.ingest.domain import live_events
from crossbar.resources.records.domain import call_event, cdr, sip_message


@dataclass(frozen=True, slots=True)
class RecordKind:
    """One kind of record.

    `make` turns checked data of an account into a document; `keep` keeps documents and says of each whether it was
    new. Both may be done again with the same data without harm. `told_by` is the private field, if there is one, that
    notes whose token handed a record in.
    """

    schema: str
    make: Callable[[str, dict[str, Any]], Document]
    keep: Callable[[Store, list[Document]], Awaitable[list[bool]]]
    told_by: str | None = None


KINDS: Final[Mapping[str, RecordKind]] = {
    "cdrs": RecordKind("ingest.cdr", cdr.cdr_of, cdr.keep_cdrs),
    "call_stats": RecordKind("ingest.call_stat", acdc.call_stat_of, acdc.keep_call_stats),
    "agent_statuses": RecordKind("ingest.agent_status", acdc.agent_status_of, acdc.keep_agent_statuses),
    "call_events": RecordKind(
        "ingest.call_event", call_event.call_event_of, live_events.keep_call_events, call_event.TOLD_BY
    ),
    "sms": RecordKind("ingest.sms", message.sms_of, message.keep_sms),
    "sip_messages": RecordKind("ingest.sip_message", sip_message.sip_message_of, sip_message.keep_sip_messages),
}
"""By the last part of the path."""
