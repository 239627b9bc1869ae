# SPDX-License-Identifier: MPL-2.0
"""Workers that share a kind of work: who is there, and which of them is meant to do what."""

from __future__ import annotations

import time
import zlib
from typing import Final

from crossbar.documents.store import Store
from crossbar.ids import new_id

LOOK_SECONDS: Final = 2.0
"""So often a member says that it is there and looks who else is."""
LEASE_SECONDS: Final = 8.0
"""So long a member counts of which nothing is heard any more."""
TRUST_SECONDS: Final = 5.0
"""So long a member may act on its membership, counted from before it renewed it."""
FORGET_SECONDS: Final = 3600.0


class Membership:
    """This worker among those that do one kind of work, under an id of its own (`holder`)."""

    def __init__(self, store: Store, work: str) -> None:
        self.holder = new_id()
        self.members: tuple[str, ...] = ()
        self._leases = store.leases
        self._prefix = f"{work}/"
        self._trusted_until = 0.0

    @property
    def trusted(self) -> bool:
        """Whether nobody can have taken this worker for dead yet."""
        return time.monotonic() < self._trusted_until

    async def look(self) -> None:
        """Say that this worker is there, and see who else is."""
        began = time.monotonic()
        if not self.members:
            await self._leases.forget(self._prefix, FORGET_SECONDS)
        await self._leases.take(self._prefix + self.holder, self.holder, LEASE_SECONDS)
        self.members = tuple(await self._leases.holders(self._prefix))
        self._trusted_until = began + TRUST_SECONDS

    async def leave(self) -> None:
        """Say that this worker is not there any more."""
        self._trusted_until = 0.0
        if self.members:
            self.members = ()
            await self._leases.release(self._prefix + self.holder, self.holder)

    def is_mine(self, subject: str) -> bool:
        """Whether this worker is the one that is meant to do the work on a subject; all members agree who is.

        A member that comes or goes changes that for its own share only.
        """
        return self.holder == max(self.members, key=lambda member: zlib.crc32((member + subject).encode()), default="")
