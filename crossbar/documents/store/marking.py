# SPDX-License-Identifier: MPL-2.0
"""Telling the other workers which documents are being written, before they are and when it is done."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Final

from crossbar.documents.document import DocumentKey
from crossbar.documents.dry_run import is_dry
from crossbar.documents.store.sole_use import SoleUse
from crossbar.errors import SystemFault
from crossbar.shared import WriteMarks
from crossbar.shared.write_marks import SLOTS

UNSURE_SECONDS: Final = 60.0
"""So long after a write of which nobody knows whether it was done it may still be done."""


def listing_subject(partition: str, document_type: str) -> str:
    """What stands for all documents of a type in a partition, as a subject of marks."""
    return f"{partition}/{document_type}"


class Marking:
    """Marks what this worker writes."""

    def __init__(self, marks: WriteMarks) -> None:
        self._marks = marks
        self._sole_use: SoleUse | None = None

    def trust(self, sole_use: SoleUse) -> None:
        """Write, from now on, only when other servers know that this one is there."""
        self._sole_use = sole_use

    async def begin(self, keys: Iterable[str]) -> list[int]:
        """Mark documents, by their keys, as being written; returns the slots for `end`."""
        if is_dry():
            return []
        if self._sole_use is not None:
            await self._sole_use.permit_writing()
        slots = set()
        for key in keys:
            partition, document_type, _ = DocumentKey.parse(key)
            slots.add(self._marks.slot(key))
            slots.add(self._marks.slot(listing_subject(partition, document_type)))
        self._marks.begin(slots)
        return list(slots)

    def end(self, slots: list[int], error: BaseException | None = None) -> None:
        """Mark as written. After an error that leaves open whether it was done, that is told only after a while."""
        if isinstance(error, SystemFault | asyncio.CancelledError):
            asyncio.get_running_loop().call_later(UNSURE_SECONDS, self._marks.end, slots)
        else:
            self._marks.end(slots)

    @asynccontextmanager
    async def writing(self, keys: Iterable[str]) -> AsyncIterator[None]:
        """Mark documents as being written while the block runs."""
        slots = await self.begin(keys)
        async with self._until_end(slots):
            yield

    @asynccontextmanager
    async def writing_everything(self) -> AsyncIterator[None]:
        """Mark every document as being written while the block runs."""
        if is_dry():
            yield
            return
        slots = list(range(SLOTS))
        await self.begin(())
        self._marks.begin(slots)
        async with self._until_end(slots):
            yield

    @asynccontextmanager
    async def _until_end(self, slots: list[int]) -> AsyncIterator[None]:
        try:
            yield
        except BaseException as error:
            self.end(slots, error)
            raise
        self.end(slots)
