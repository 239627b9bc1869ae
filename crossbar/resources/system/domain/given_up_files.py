# SPDX-License-Identifier: MPL-2.0
"""Files of outside stores whose documents are gone: a queue of what the stores are still to delete.

An entry is written before the file's own is removed, so that no crash leaves a file behind, and stands until the store
has deleted the file. It knows the handler by itself: the document that remembers it may go with its account.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from crossbar import clock
from crossbar.documents.attachments import Attachment, Attachments
from crossbar.documents.document import SYSTEM_DATA, Document, DocumentKey
from crossbar.documents.listing import Listing, Position
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Duplicate, Store
from crossbar.resources.system.domain.file_store import Handler, StoreFailure
from crossbar.resources.system.domain.storage_plan import STORAGE_HANDLER

log = logging.getLogger(__name__)

GIVEN_UP: Final = "given_up_attachment"
GIVEN_UP_SHAPE: Final = Shape(GIVEN_UP, summary=Summary("id"), sort="pvt_due", sealed=("settings.*",), moves=False)
"""A file that a store has still to delete; its id is that of the file's entry."""
LONGEST_S: Final = 30 * clock.DAY
"""For how long a store is asked that does not do it."""
AT_A_TIME: Final = 1000
"""Files whose turn it is at one look."""

Delete = Callable[[Handler, str], Awaitable[None]]
"""Delete what a handler has at a place. Raises StoreFailure."""


class GivenUpFiles:
    """The queue; `rest` says how many seconds to wait after so many tries, which is longer than a file's way takes."""

    def __init__(
        self, store: Store, attachments: Attachments, *, spooled_type: str, rest: Callable[[int], int]
    ) -> None:
        self._store = store
        self._attachments = attachments
        self._spooled_type = spooled_type
        self._rest = rest

    async def add(self, attachment: Attachment) -> None:
        """Remember a file that is about to lose its entry."""
        outside = attachment.outside or {}
        partition = DocumentKey.parse(attachment.owner).partition
        handler = await self._store.get(partition, STORAGE_HANDLER, str(outside.get("handler")))
        if handler is None:  # what it lay with is forgotten
            return
        now = clock.now()
        fields = {
            "owner": attachment.owner,
            "name": attachment.name,
            "place": str(outside.get("place")),
            "handler_id": handler.text("handler_id"),
            "handler": handler.text("handler"),
            "remembered": handler.id,
            "settings": handler.fields["settings"],
            "pvt_type": GIVEN_UP,
            "pvt_created": now,
            "pvt_due": now + self._rest(0),
            "pvt_tries": 0,
        }
        try:
            await self._store.insert(Document(SYSTEM_DATA, GIVEN_UP, str(attachment.file_id), fields))
        except Duplicate:  # given up before by a process that ended before the entry was gone
            return

    async def work(self, delete: Delete) -> bool:
        """Have stores delete what is due; says whether there is more to delete, now or later."""
        due = Listing(SYSTEM_DATA, GIVEN_UP, end=Position.value(clock.now()), descending=False, limit=AT_A_TIME)
        for given_up in await self._store.all(due):
            await self._finish(given_up, delete)
        return await self._store.exists(SYSTEM_DATA, GIVEN_UP)

    async def _finish(self, given_up: Document, delete: Delete) -> None:
        """Have a file deleted, unless it was not given up after all, or put that off."""
        needed = await self._is_needed(given_up)
        if needed is None:
            await self._put_off(given_up)
            return
        if not needed:
            handler = Handler(given_up.text("handler_id"), given_up.text("handler"), given_up.fields["settings"])
            try:
                await delete(handler, given_up.text("place"))
            except StoreFailure as failure:
                if clock.now() - given_up.fields["pvt_created"] < LONGEST_S:
                    log.warning("a file of %s is not deleted yet by its store: %s", given_up.text("owner"), failure)
                    await self._put_off(given_up)
                    return
                log.error("a file of %s stays in its store for good: %s", given_up.text("owner"), failure)
        await self._store.remove(given_up)

    async def _is_needed(self, given_up: Document) -> bool | None:
        """Whether somebody's file lies at the place by now; None while one may be on its way there."""
        owner = Document(*DocumentKey.parse(given_up.text("owner")), fields={})
        living = await self._attachments.find(owner, given_up.text("name"))
        if living is None:
            return False
        if str(living.file_id) == given_up.id:  # the process ended before it removed the entry
            return True
        if living.outside is None:
            spooled = await self._store.get(SYSTEM_DATA, self._spooled_type, str(living.file_id))
            return None if spooled is not None else False
        return bool(living.outside.get("place") == given_up.text("place"))

    async def _put_off(self, given_up: Document) -> None:
        def put_off(stored: Document) -> None:
            tries = stored.fields["pvt_tries"] + 1
            stored.fields |= {"pvt_tries": tries, "pvt_due": clock.now() + self._rest(tries)}

        await self._store.update(SYSTEM_DATA, GIVEN_UP, given_up.id, put_off)
