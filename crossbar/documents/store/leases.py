# SPDX-License-Identifier: MPL-2.0
"""Work that one worker of the installation does at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pymongo.errors import DuplicateKeyError

from crossbar import clock
from crossbar.documents.listing import LAST
from crossbar.documents.store.connection import Connection


class Leases:
    """Who does which piece of work, and until when unless it is prolonged."""

    def __init__(self, connection: Connection) -> None:
        self._run = connection.run
        self._leases = connection.database["leases"]

    async def take(self, name: str, holder: str, seconds: float) -> bool:
        """Take or prolong a piece of work that one worker of the installation does at a time.

        False while another holder has it; what is not prolonged within `seconds` is free again.
        """
        now = self._now()
        free = {"_id": name, "$or": [{"holder": holder}, {"until": {"$lte": now}}]}
        terms = {"holder": holder, "until": now + timedelta(seconds=seconds)}
        try:
            await self._run(lambda: self._leases.update_one(free, {"$set": terms}, upsert=True))
        except DuplicateKeyError:
            return False
        return True

    async def holders(self, prefix: str) -> list[str]:
        """Who holds the pieces of work whose names begin so, in the order of the names."""
        query = {"_id": {"$gte": prefix, "$lt": prefix + LAST}, "until": {"$gt": self._now()}}
        found = await self._run(lambda: self._leases.find(query, {"holder": 1}).sort("_id").to_list(None))
        return [stored["holder"] for stored in found]

    async def release(self, name: str, holder: str) -> None:
        """Let go of a piece of work."""
        await self._run(lambda: self._leases.delete_one({"_id": name, "holder": holder}))

    async def forget(self, prefix: str, seconds: float) -> None:
        """Forget the pieces of work whose names begin so and that nobody has held for so long."""
        query = {
            "_id": {"$gte": prefix, "$lt": prefix + LAST},
            "until": {"$lt": self._now() - timedelta(seconds=seconds)},
        }
        await self._run(lambda: self._leases.delete_many(query))

    @staticmethod
    def _now() -> datetime:
        return datetime.fromtimestamp(clock.unix_now(), UTC)
