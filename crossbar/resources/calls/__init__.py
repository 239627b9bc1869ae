"""What happens to a call, and what is left of it: flows, voicemail, media, conferences, queues, faxes, records."""

from __future__ import annotations

from typing import Final

from crossbar.documents.shape import Shape
from crossbar.resource import Part, Resource
from crossbar.resources.calls.acdc import AGENT_STATUS, CALL_STAT
from crossbar.resources.calls.call_events import CALL_EVENT
from crossbar.resources.calls.cdr import CDR, INTERACTION
from crossbar.resources.calls.cdrs import cdrs
from crossbar.resources.calls.freeswitch import CALL_ROOT, freeswitch
from crossbar.resources.calls.ingest import ingest
from crossbar.resources.calls.ingest_tokens import ingest_tokens
from crossbar.resources.calls.sip_messages import INSPECTION

RESOURCES: Final[tuple[Resource, ...]] = (
    cdrs,
    freeswitch,
    ingest,
    ingest_tokens,
)
SHAPES: Final[tuple[Shape, ...]] = (
    AGENT_STATUS,
    CALL_EVENT,
    CALL_ROOT,
    CALL_STAT,
    CDR,
    INSPECTION,
    INTERACTION,
)
PARTS: Final[tuple[Part, ...]] = ()
