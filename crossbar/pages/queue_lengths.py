# SPDX-License-Identifier: MPL-2.0
"""How much waits to be done: mail, tasks, files on their way to stores, events not written yet."""

from __future__ import annotations

import asyncio
from typing import Final

from crossbar.documents.document import SYSTEM_DATA
from crossbar.documents.document_types import NOTICE
from crossbar.documents.selection import Selection
from crossbar.documents.store import Store
from crossbar.events.callbacks import CALLBACK
from crossbar.events.mail import spool_folder
from crossbar.events.notices import NOTICES
from crossbar.events.spool import Spool
from crossbar.resources.system.domain.given_up_files import GIVEN_UP
from crossbar.resources.system.domain.outside_files import SPOOLED
from crossbar.resources.tasks.domain.job import JOB_SHAPE
from crossbar.runtime import Runtime

WAITING: Final = {
    "callbacks": Selection((SYSTEM_DATA,), CALLBACK),
    "notices": Selection((NOTICES,), NOTICE),
    "tasks": Selection((SYSTEM_DATA,), JOB_SHAPE.type),
    "files": Selection((SYSTEM_DATA,), SPOOLED),
    "files_to_delete": Selection((SYSTEM_DATA,), GIVEN_UP),
}
"""Documents that are there as long as there is something to do: a web server that is to be told of a call or a fax, a
notice that is to become mail, a task that is worked on, a file that a store is to be given, one that it is to
delete."""


async def queue_lengths(runtime: Runtime) -> dict[str, int]:
    """How many wait in each queue. The spool of mail is this server's own."""
    entries = await asyncio.to_thread(Spool(spool_folder(runtime.config)).entries)
    counts = await asyncio.gather(*(runtime.store.count(selection) for selection in WAITING.values()))
    failed = sum(entry.failed for entry in entries)
    return {**dict(zip(WAITING, counts, strict=True)), "mails": len(entries) - failed, "mails_failed": failed}


async def seconds_behind(store: Store) -> float:
    """How old the newest change is that has its event already: how far the relay is behind, in whole seconds."""
    now, state = await asyncio.gather(store.event_log.cluster_time(), store.event_log.state())
    return float(max(now.time - state.position.time.time, 0))
