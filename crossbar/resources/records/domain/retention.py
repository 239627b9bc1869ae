# SPDX-License-Identifier: MPL-2.0
"""Retention: records that are older than the configuration keeps them are removed, a batch at a time.

One worker of the installation does it. Between two batches it pauses, so that a backlog of any size never gets in the
way of requests.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Final

from aiohttp import web

from crossbar import clock
from crossbar.background import in_background
from crossbar.documents.document import ACCOUNTS
from crossbar.documents.document_types import ACCOUNT
from crossbar.documents.listing import Listing, Position
from crossbar.documents.periodic import PeriodicLease, keep_doing
from crossbar.runtime import Runtime

log = logging.getLogger(__name__)

COMPANIONS: Final = {"cdr": ("cdr_interaction", "call_root")}
"""Records that are kept for the sake of others, and go with them."""


@asynccontextmanager
async def retention(_: web.Application, runtime: Runtime) -> AsyncIterator[None]:
    """Remove what is too old as long as the server runs."""
    async with in_background(_keep_removing(runtime), name="retention"):
        yield


async def _keep_removing(runtime: Runtime) -> None:
    known = {shape.type for shape in runtime.store.shapes if shape.stored_in == "records"}
    for term in runtime.config.retention.days:
        if term.type not in known:
            log.warning("retention.days names %r, which is no type of records; it has no effect", term.type)
    lease = PeriodicLease(runtime.store, "retention")
    await keep_doing(lease, partial(remove_expired, runtime), lambda: runtime.config.retention.interval_s)


async def remove_expired(runtime: Runtime, lease: PeriodicLease | None = None) -> int:
    """Remove, in every account, what is older than the configuration keeps it; returns how many records went.

    With a lease it goes on only as long as that is held.
    """
    removed = 0
    async for account in runtime.store.stream(Listing(ACCOUNTS, ACCOUNT)):
        for document_type, before in _limits(runtime).items():
            while count := await _remove_batch(runtime, account.id, document_type, before):
                removed += count
                if lease is not None and not await lease.held():
                    return removed
                await asyncio.sleep(runtime.config.retention.pause_ms / 1000)
    if removed:
        log.info("removed %d records that were too old", removed)
    return removed


def _limits(runtime: Runtime) -> dict[str, int]:
    """Document type → the Gregorian second before which its records go. Only records ever do."""
    records = {shape.type for shape in runtime.store.shapes if shape.stored_in == "records"}
    limits: dict[str, int] = {}
    for term in runtime.config.retention.days:
        before = clock.now() - term.days * clock.DAY
        limits |= dict.fromkeys(records.intersection((*COMPANIONS.get(term.type, ()), term.type)), before)
    return limits


async def _remove_batch(runtime: Runtime, account_id: str, document_type: str, before: int) -> int:
    """Remove the oldest records of a type, with their files; returns how many there were."""
    store = runtime.store
    listing = Listing(
        account_id,
        document_type,
        end=Position.value(before - 1),
        descending=False,
        limit=runtime.config.retention.batch,
    )
    ids = [row.id async for row in store.stream(listing)]
    if ids:
        await runtime.attachments.delete_many(account_id, document_type, ids)
        await store.remove_by_ids(account_id, document_type, ids)
    return len(ids)
