# SPDX-License-Identifier: MPL-2.0
"""Ending an account in steps, so that neither a crash in between nor a late write leaves anything behind.

The account's definition goes in a transaction that also notes what is still to be cleared away. The clearing is
repeatable. It is done at once, when a server starts, and once more when no request that was let in before the end can
still be writing; then the note goes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from crossbar import clock
from crossbar.background import in_background
from crossbar.documents.document import ACCOUNTS, SYSTEM_DATA, Document, document_key
from crossbar.documents.document_types import ACCOUNT
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Transaction
from crossbar.errors import CrossbarError
from crossbar.registry import Registry
from crossbar.runtime import Runtime

log = logging.getLogger(__name__)

TYPE: Final = "account_removal"
ACCOUNT_REMOVAL_SHAPE: Final = Shape(TYPE, summary=Summary("id"))
GRACE_SECONDS: Final = 60
"""How long after an account's end a request that was let in before may still write."""

Clearing = Callable[[Runtime, str], Awaitable[None]]
"""Clears away what an account has outside of its own partition; it may be called again for the same account."""
also: Final[Registry[Clearing]] = Registry()
"""What is to be done, too, when an account ends."""
Refusal = Callable[[Transaction, str], Awaitable[None]]
"""Raises where an account must not end."""
unless: Final[Registry[Refusal]] = Registry()
"""What is to be asked, too, in the transaction that ends an account."""


async def check_may_end(transaction: Transaction, account_id: str) -> None:
    """Raise where something speaks against the end of an account."""
    for refusal in unless:
        await refusal(transaction, account_id)


async def note(transaction: Transaction, account_id: str) -> None:
    """Note that everything of this account is to go."""
    fresh = Document(SYSTEM_DATA, TYPE, account_id, {"pvt_type": TYPE, "pvt_created": clock.now()})
    previous = await transaction.get(SYSTEM_DATA, TYPE, account_id)
    if previous is None:
        await transaction.insert(fresh)
    else:  # an earlier account of the same id
        await transaction.replace(fresh, previous)


async def clear(runtime: Runtime, account_id: str) -> None:
    """Clear away everything an account owned."""
    for clearing in also:
        await clearing(runtime, account_id)
    await runtime.attachments.delete_partition(account_id)
    await runtime.store.remove_partition(account_id)
    await runtime.store.history.forget(document_key(ACCOUNTS, ACCOUNT, account_id))


async def clear_all(runtime: Runtime) -> None:
    """Clear away what is left of all accounts that ended, and forget those that ended long enough ago."""
    for ended in await runtime.store.all(Listing(SYSTEM_DATA, TYPE)):
        is_last = ended.fields["pvt_created"] + GRACE_SECONDS <= clock.now()
        if await runtime.store.get(ACCOUNTS, ACCOUNT, ended.id) is None:  # else it was made anew under its id
            await clear(runtime, ended.id)
        if is_last:
            await runtime.store.remove(ended)


@asynccontextmanager
async def clearing_accounts(_: web.Application, runtime: Runtime) -> AsyncIterator[None]:
    """Take up what an interrupted server left undone, and go on as long as this one runs."""
    await clear_all(runtime)
    async with in_background(_keep_clearing(runtime), name="account removals"):
        yield


async def _keep_clearing(runtime: Runtime) -> None:
    while True:
        await asyncio.sleep(GRACE_SECONDS)
        try:
            await clear_all(runtime)
        except CrossbarError as error:
            log.warning("what is left of ended accounts is not cleared away: %s", error)
