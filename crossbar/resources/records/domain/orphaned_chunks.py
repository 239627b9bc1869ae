# SPDX-License-Identifier: MPL-2.0
"""Uploads that never became whole: a worker was killed, or lost the database, while it stored the chunks of a file."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Final

from aiohttp import web

from crossbar import clock
from crossbar.background import in_background
from crossbar.documents.periodic import PeriodicLease, keep_doing
from crossbar.runtime import Runtime

log = logging.getLogger(__name__)

INTERVAL_S: Final = 6 * 3600.0
LONGEST_UPLOAD: Final = timedelta(days=1)
"""Chunks without a file that are younger may belong to an upload under way."""


@asynccontextmanager
async def orphaned_chunks(_: web.Application, runtime: Runtime) -> AsyncIterator[None]:
    """Remove them as long as the server runs."""

    async def remove(_: PeriodicLease) -> None:
        before = datetime.fromtimestamp(clock.unix_now(), UTC) - LONGEST_UPLOAD
        if count := await runtime.attachments.remove_orphans(before):
            log.info("removed the chunks of %d files that were never stored whole", count)

    lease = PeriodicLease(runtime.store, "orphaned chunks")
    async with in_background(keep_doing(lease, remove, lambda: INTERVAL_S), name=lease.name):
        yield
