# SPDX-License-Identifier: MPL-2.0
"""What a switch hands in: records, files, and the tokens that let it."""

from __future__ import annotations

from typing import Final

from crossbar.documents.shape import Shape
from crossbar.endpoint import Endpoint
from crossbar.resources.calls.flows.domain.pivot_cdr import pivot_callbacks
from crossbar.resources.ingest.domain.missed_call import missed_calls
from crossbar.resources.ingest.domain.registration_ends import telling_of_ends
from crossbar.resources.ingest.freeswitch import CALL_ROOT_SHAPE, freeswitch, switch_events  # noqa: F401 - adds its path
from crossbar.resources.ingest.ingest import ingest, ingest_files, ingest_pivot  # noqa: F401 - add their paths to ingest
from crossbar.resources.ingest.ingest_tokens import ingest_tokens
from crossbar.resources.records.domain.cdr import also_told
from crossbar.runtime import Lifespan

ENDPOINTS: Final[tuple[Endpoint, ...]] = (
    freeswitch,
    ingest,
    ingest_tokens,
)
SHAPES: Final[tuple[Shape, ...]] = (CALL_ROOT_SHAPE,)
LIFESPANS: Final[tuple[Lifespan, ...]] = (telling_of_ends,)

also_told(missed_calls)
also_told(pivot_callbacks)
