# SPDX-License-Identifier: MPL-2.0
"""Whether this server is the only one that uses the database, and so may trust its memory.

Every server, and every command that writes, is registered in the collection `servers`, each for `LEASE_SECONDS` by the
clock of the database, again and again. A server that sees nobody else there may trust its memory for `TRUST_SECONDS`,
counted from before it looked. Who registers and sees others waits that long before the first write. So at the time of
that write nobody trusts what was read before it: who looked before the registration trusts no more, and who looked
after it saw it. Trust that was lost, or has run out, begins anew with nothing remembered.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import pymongo
from pymongo.errors import PyMongoError

from crossbar.background import end
from crossbar.documents.driver import Collection, Driver
from crossbar.errors import CrossbarError
from crossbar.ids import new_id

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.5
TRUST_SECONDS: Final = 1.5
LEASE_SECONDS: Final = 5.0
"""Clocks of the members of a replica set may differ by less than this."""
LEAVE_SECONDS: Final = 1.0
RENEW_SECONDS: Final = 3.0
"""A registration that ends within this time is renewed."""


Run = Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]]
"""Makes a driver call, as `Connection.run` does."""


class SoleUse:
    """The registration of a worker, which `server_id` names together with all of its server, or of a command."""

    def __init__(self, run: Run, driver: Driver, servers: Collection, server_id: str) -> None:
        self._run = run
        self._driver = driver
        self._servers = servers
        self._server_id = server_id
        self._id = f"{server_id}/{new_id()}"
        self._loop = asyncio.get_running_loop()
        self._trusted_until = 0.0
        self._may_write_at = 0.0
        self._task: asyncio.Task[None] | None = None
        self.era = 0
        """Another number whenever trust began anew."""

    async def start(self) -> None:
        """Register. Returns when it is known whether there are others."""
        await self._register()
        registered = self._loop.time()
        alone = await self._look()
        self._may_write_at = 0.0 if alone else registered + TRUST_SECONDS
        self._task = asyncio.create_task(self._keep(), name="sole use")

    async def stop(self) -> None:
        """End the registration."""
        if self._task is not None:
            await end(self._task)
        self._trusted_until = 0.0
        # Where the database is away it ends by itself.
        with suppress(PyMongoError), pymongo.timeout(LEAVE_SECONDS):
            await self._servers.delete_one({"_id": self._id})

    @property
    def trusted(self) -> bool:
        """Whether what was read since `era` began is as good as what the database has."""
        return self._loop.time() < self._trusted_until

    async def permit_writing(self) -> None:
        """Return when nobody trusts any more what was read before this server, or command, was there."""
        if self._may_write_at:
            await asyncio.sleep(self._may_write_at - self._loop.time())
            self._may_write_at = 0.0

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self._look()
            except CrossbarError as error:
                log.debug("the servers of the database are not known: %s", error)

    async def _register(self) -> None:
        until = {"$add": ["$$NOW", int(LEASE_SECONDS * 1000)]}
        await self._run(lambda: self._servers.update_one({"_id": self._id}, [{"$set": {"until": until}}], upsert=True))

    async def _look(self, *, renewed: bool = False) -> bool:
        """Renew the registration where that is due and see whether there are others; returns whether there are none.

        Only a registration that lasts longer than the trust keeps others from writing meanwhile.
        """
        began = self._loop.time()
        steps: list[dict[str, Any]] = [
            {"$match": {"$expr": {"$gt": ["$until", "$$NOW"]}}},
            {"$project": {"lasts": {"$gt": ["$until", {"$add": ["$$NOW", int(RENEW_SECONDS * 1000)]}]}}},
        ]
        found = {stored["_id"]: stored["lasts"] for stored in await self._run(lambda: self._find(steps))}
        others = [one for one in found if not one.startswith(self._server_id)]
        if not found.get(self._id, False) and not renewed:
            await self._register()
            return await self._look(renewed=True)
        if others or not found.get(self._id, False):
            self._trusted_until = 0.0
            return False
        if began > self._trusted_until:
            self.era += 1
        self._trusted_until = began + TRUST_SECONDS
        return True

    async def _find(self, steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return await (await self._driver.aggregate(self._servers, steps)).to_list(None)
