"""Ending an account in two steps, so that a crash in between leaves nothing behind.

The account's definition goes in a transaction that also notes what is still to be cleared away; the clearing is
repeatable and is taken up again when a server starts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from crossbar.documents.document import SYSTEM_DATA, Document
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Summary
from crossbar.resource import Services

TYPE: Final = "account_removal"
SHAPE: Final = Shape(TYPE, summary=Summary("id"))

Clearing = Callable[[Services, str], Awaitable[None]]
"""Clears away what an account has outside of its own database; it may be called again for the same account."""
_clearings: Final[list[Clearing]] = []


def also(clearing: Clearing) -> Clearing:
    """Have this done, too, when an account ends."""
    _clearings.append(clearing)
    return clearing


def pending(account_id: str) -> Document:
    """The note that everything of this account is to go."""
    return Document(SYSTEM_DATA, TYPE, account_id, {"pvt_type": TYPE})


async def finish(services: Services, account_id: str) -> None:
    """Clear away everything an account owned, then the note."""
    for clearing in _clearings:
        await clearing(services, account_id)
    await services.attachments.delete_database(account_id)
    await services.store.remove_database(account_id)
    await services.store.remove(pending(account_id))


async def finish_all(services: Services) -> None:
    """Take up what an interrupted server left undone."""
    for note in await services.store.documents(Listing(SYSTEM_DATA, TYPE)):
        await finish(services, note.id)
