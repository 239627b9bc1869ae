# SPDX-License-Identifier: MPL-2.0
"""Numbers that are given once and never again."""

from __future__ import annotations

from pymongo import ReturnDocument

from crossbar.documents.document import SYSTEM_DATA
from crossbar.documents.store.connection import Connection


class Counters:
    """The last number of each kind that was given, for the whole installation."""

    def __init__(self, connection: Connection) -> None:
        self._run = connection.run
        self._counters = connection.database["counters"]

    async def take(self, kind: str, amount: int = 1) -> int:
        """Take so many numbers, one after another, and return the first: 1 for the first taker of a kind.

        Where the database has to be asked again some numbers may belong to nobody.
        """
        change = {"$inc": {"last": amount}, "$set": {"a": SYSTEM_DATA}}
        counter = await self._run(
            lambda: self._counters.find_one_and_update(
                {"_id": kind}, change, upsert=True, return_document=ReturnDocument.AFTER
            )
        )
        last: int = (counter or {})["last"]
        return last - amount + 1
