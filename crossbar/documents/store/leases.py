"""Work that one worker of the installation does at a time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from pymongo.errors import DuplicateKeyError

from crossbar import clock
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
        now = datetime.fromtimestamp(clock.unix_now(), UTC)
        free = {"_id": name, "$or": [{"holder": holder}, {"until": {"$lte": now}}]}
        terms = {"holder": holder, "until": now + timedelta(seconds=seconds)}
        try:
            await self._run(lambda: self._leases.update_one(free, {"$set": terms}, upsert=True))
        except DuplicateKeyError:
            return False
        return True
