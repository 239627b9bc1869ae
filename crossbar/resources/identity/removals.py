"""Ending an account in two steps, so that a crash in between leaves nothing behind.

The account's definition goes in a transaction that also notes what is still to be cleared away; the clearing is
repeatable and is taken up again when a server starts.
"""

from __future__ import annotations

from typing import Final

from crossbar.documents.attachments import Attachments
from crossbar.documents.document import SYSTEM_DATA, Document
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Store

TYPE: Final = "account_removal"
SHAPE: Final = Shape(TYPE, summary=Summary("id"))


def pending(account_id: str) -> Document:
    """The note that everything of this account is to go."""
    return Document(SYSTEM_DATA, TYPE, account_id, {"pvt_type": TYPE})


async def finish(store: Store, attachments: Attachments, account_id: str) -> None:
    """Clear away everything an account owned, then the note."""
    await attachments.delete_database(account_id)
    await store.remove_database(account_id)
    await store.remove(pending(account_id))


async def finish_all(store: Store, attachments: Attachments) -> None:
    """Take up what an interrupted server left undone."""
    for note in await store.documents(Listing(SYSTEM_DATA, TYPE)):
        await finish(store, attachments, note.id)
