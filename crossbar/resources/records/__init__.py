# SPDX-License-Identifier: MPL-2.0
"""What calls leave behind: detail records, events, SIP messages, and how long they are kept."""

from __future__ import annotations

from typing import Final

from crossbar.documents.shape import Shape
from crossbar.endpoint import Endpoint
from crossbar.resources.records.call_inspector import call_inspector
from crossbar.resources.records.cdrs import cdrs
from crossbar.resources.records.domain.call_event import CALL_EVENT_SHAPE
from crossbar.resources.records.domain.cdr import CDR_SHAPE, INTERACTION_SHAPE
from crossbar.resources.records.domain.orphaned_chunks import orphaned_chunks
from crossbar.resources.records.domain.retention import retention
from crossbar.resources.records.domain.sip_message import INSPECTION_SHAPE
from crossbar.runtime import Lifespan

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    call_inspector,
    cdrs,
)
SHAPES: Final[tuple[Shape, ...]] = (
    CALL_EVENT_SHAPE,
    CDR_SHAPE,
    INSPECTION_SHAPE,
    INTERACTION_SHAPE,
)
LIFESPANS: Final[tuple[Lifespan, ...]] = (retention, orphaned_chunks)
