# SPDX-License-Identifier: MPL-2.0
"""Requests that nobody submits: their accounts are reminded of them each day, until they are too old to be kept.

Source: KAZOO `kt_port_requests.erl`. One worker of the installation does it.
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
from crossbar.documents.document import Document
from crossbar.documents.listing import Listing
from crossbar.documents.periodic import PeriodicLease, keep_doing
from crossbar.events.notices import update_telling
from crossbar.resources.numbers.domain.port_request import DATABASE, TYPE, PortState, everywhere_in
from crossbar.resources.ports.domain.port_notice import PortNotices
from crossbar.runtime import Runtime

log = logging.getLogger(__name__)

NAME: Final = "port requests"
REMINDED: Final = "pvt_reminded"
"""When a request's account was reminded of it last."""
FIRST_SECONDS: Final = 60
"""How long after the start requests are looked at first."""
INTERVAL_SECONDS: Final = 3600
USUAL_LIFETIME: Final = 30 * clock.DAY


@asynccontextmanager
async def port_upkeep(app: web.Application, runtime: Runtime) -> AsyncIterator[None]:
    """Look after unconfirmed requests as long as the server runs."""
    async with in_background(_keep_looking(runtime), name=NAME):
        yield


async def _keep_looking(runtime: Runtime) -> None:
    await asyncio.sleep(FIRST_SECONDS)

    async def look(lease: PeriodicLease) -> None:
        await look_after_unconfirmed(runtime, lease)

    await keep_doing(PeriodicLease(runtime.store, NAME), look, lambda: INTERVAL_SECONDS)


async def look_after_unconfirmed(runtime: Runtime, lease: PeriodicLease | None = None) -> None:
    """Remind of each request that is not submitted, once a day, and remove those that are too old.

    With a lease it goes on only as long as that is held.
    """
    unconfirmed = Listing(DATABASE, TYPE, tag=everywhere_in(PortState.UNCONFIRMED))
    notices = PortNotices(runtime)
    async for _, request in runtime.store.stream_documents(unconfirmed):
        if lease is not None and not await lease.held():
            return
        if _since(request, "pvt_modified") >= _lifetime(runtime):
            await _remove(runtime, request)
        elif _since(request, REMINDED, "pvt_created") >= clock.DAY:
            await _remind(runtime, notices, request)


def _since(request: Document, *fields: str) -> int:
    """Seconds since the time that the first of some fields tells; none where no field does."""
    times = [time for field in fields if isinstance(time := request.fields.get(field), int)]
    return clock.now() - times[0] if times else 0


def _lifetime(runtime: Runtime) -> int:
    """Seconds for which a request is kept that nobody changes nor submits."""
    wanted = runtime.settings.get("tasks", "unfinished_port_request_lifetime_s")
    return wanted if isinstance(wanted, int) and wanted > 0 else USUAL_LIFETIME


async def _remind(runtime: Runtime, notices: PortNotices, request: Document) -> None:
    told = await notices.unconfirmed(request)

    def note(stored: Document) -> list[Document]:
        stored.fields[REMINDED] = clock.now()
        return told

    await update_telling(runtime.store, (DATABASE, TYPE, request.id), note)


async def _remove(runtime: Runtime, request: Document) -> None:
    await runtime.store.remove(request)
    await runtime.attachments.delete(request)
    log.info(
        "removed port request %s of account %s, which was never submitted", request.id, request.text("pvt_account_id")
    )
