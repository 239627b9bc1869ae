# SPDX-License-Identifier: MPL-2.0
"""Registrations that run out by themselves: the notice `deregister`, as for those whose end a switch tells of.

It is raised in the transaction that notes the end, so once for each end, however many workers look and wherever one of
them is killed; and not for a registration that was renewed by then. It comes a minute after the end, so that a renewal
that is told late, or by a clock that is behind, is no alarm; a server that starts waits for as long for what switches
have kept for it meanwhile. KAZOO adds some time to each registration for the same reason.

Source: `ecallmgr_registrar.erl` (`expire_objects`, `maybe_send_deregister_notice`), `ecallmgr_util.erl`
(`maybe_add_expires_deviation`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from crossbar import clock
from crossbar.background import in_background
from crossbar.documents.periodic import SHORT_LEASE_SECONDS, PeriodicLease, keep_doing
from crossbar.documents.store import MICROSECONDS, Duplicate, Live, Store, Transaction
from crossbar.errors import JSON
from crossbar.resources.identity.domain.live_registrations import REGISTRATION, end_notice, is_silent
from crossbar.resources.records.domain.call_event import event_id_of, raise_if
from crossbar.runtime import Runtime

log = logging.getLogger(__name__)

NAME: Final = "registration ends"
LATE_SECONDS: Final = 60.0
"""How long after its end a registration may still be told to have been renewed."""
LOOK_SECONDS: Final = 5.0
"""How often it is looked for registrations that have run out."""
AT_A_TIME: Final = 200
"""Ends that are read in one query."""
TOGETHER: Final = 20
"""Ends that are told of at the same time."""


@asynccontextmanager
async def telling_of_ends(_: web.Application, runtime: Runtime) -> AsyncIterator[None]:
    """Tell of registrations that run out as long as the server runs."""
    async with in_background(_keep_telling(runtime.store), name=NAME):
        yield


async def _keep_telling(store: Store) -> None:
    await asyncio.sleep(LATE_SECONDS)

    async def look(lease: PeriodicLease) -> None:
        await tell_of_ends(store, lease)

    await keep_doing(PeriodicLease(store, NAME, SHORT_LEASE_SECONDS), look, lambda: LOOK_SECONDS)


async def tell_of_ends(store: Store, lease: PeriodicLease | None = None) -> int:
    """Tell of the registrations of all accounts that ran out; returns of how many this call did.

    With a lease it goes on only as long as that is held.
    """
    told = 0
    while True:
        before = int((clock.unix_now() - LATE_SECONDS) * MICROSECONDS)
        ended = await store.live.lapsed(REGISTRATION, before, AT_A_TIME)
        for start in range(0, len(ended), TOGETHER):
            some = ended[start : start + TOGETHER]
            told += sum(await asyncio.gather(*(_tell(store, registration) for registration in some)))
        if len(ended) < AT_A_TIME or (lease is not None and not await lease.held()):
            break
    if told:
        log.info("%d registrations ran out", told)
    return told


async def _tell(store: Store, registration: Live) -> bool:
    """Note an end and tell of it, unless the registration was renewed, or this was done, by now."""

    async def has_ended(transaction: Transaction) -> bool:
        return await transaction.note_lapse(registration)

    if is_silent(registration):
        await store.transact(has_ended)
        return False
    seconds = clock.gregorian((registration.until or 0) // MICROSECONDS)
    about: dict[str, JSON] = {"event_name": REGISTRATION, "timestamp": seconds}
    event_id = event_id_of(about, unique=f"{registration.id}/{registration.until}")
    try:
        return await raise_if(store, end_notice(registration, event_id), has_ended)
    except Duplicate:  # told of before live state was lost; records are not
        await store.transact(has_ended)
        return False
