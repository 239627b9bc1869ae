# SPDX-License-Identifier: MPL-2.0
"""Reading selections."""

from __future__ import annotations

from crossbar.documents.document import Document
from crossbar.documents.layout import Stored
from crossbar.documents.selection import Selection
from crossbar.documents.store.connection import OverConnection


class Selecting(OverConnection):
    """Reads of selections."""

    async def select(self, selection: Selection) -> list[Document]:
        """The documents of a selection, from its place on and no more than its length."""
        collection = self._database[self._shapes[selection.types[0]].stored_in]

        async def read() -> list[Stored]:
            cursor = await self._driver.aggregate(
                collection, selection.pipeline(), hint=selection.index, allowDiskUse=True
            )
            return await cursor.to_list(None)

        return [self._codec.decode(stored) for stored in await self._run(read)]

    async def count(self, selection: Selection) -> int:
        """How many documents a selection has, whatever its place and length."""
        collection = self._database[self._shapes[selection.types[0]].stored_in]
        return await self._run(lambda: collection.count_documents(selection.query(), hint=selection.index))
