# SPDX-License-Identifier: MPL-2.0
"""Work that the installation does again and again, on one worker at a time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from crossbar.documents.store import Store
from crossbar.errors import CrossbarError
from crossbar.ids import new_id

log = logging.getLogger(__name__)

LEASE_SECONDS: Final = 600.0
"""How long work stays with a worker that is gone, where its lease says nothing else."""
SHORT_LEASE_SECONDS: Final = 30.0
"""That of work somebody waits for."""


class PeriodicLease:
    """One worker's right to do a piece of work; long work asks for it again and again.

    `seconds` is how long it stays with a worker of which nothing is heard any more.
    """

    def __init__(self, store: Store, name: str, seconds: float = LEASE_SECONDS) -> None:
        self.name = name
        self._seconds = seconds
        self._store = store
        self._holder = new_id()

    async def held(self) -> bool:
        """Take or prolong it; False while another worker has it."""
        return await self._store.leases.take(self.name, self._holder, self._seconds)


async def keep_doing(
    lease: PeriodicLease, work: Callable[[PeriodicLease], Awaitable[object]], interval: Callable[[], float]
) -> None:
    """Do `work` whenever the lease is to be had, `interval()` seconds apart, until cancelled."""
    while True:
        try:
            if await lease.held():
                await work(lease)
        except CrossbarError as error:
            log.warning("%s: could not be done, it will be tried again: %s", lease.name, error)
        except Exception:  # nobody would begin with it again before the server is started anew
            log.exception("%s: could not be done, it will be tried again", lease.name)
        await asyncio.sleep(interval())
