# SPDX-License-Identifier: MPL-2.0
"""Counts of descendants, compared with the accounts that there are when a server starts.

Every change of the tree counts in its own transaction (`account_tree`); what another program stored, or an older
version, is put right here.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import orjson
from aiohttp import web

from crossbar.background import in_background
from crossbar.documents.document import ACCOUNTS
from crossbar.documents.document_types import ACCOUNT
from crossbar.documents.listing import Listing
from crossbar.documents.store import Store
from crossbar.errors import JSON, CrossbarError
from crossbar.ids import new_id
from crossbar.resources.identity.domain import account_tree
from crossbar.runtime import Runtime

log = logging.getLogger(__name__)

LEASE: Final = "account counts"
LEASE_SECONDS: Final = 600.0
"""For how long no other worker does it again."""


@asynccontextmanager
async def counting_accounts(_: web.Application, runtime: Runtime) -> AsyncIterator[None]:
    """Put the counts right beside the first requests."""
    async with in_background(_begin(runtime), name="account counts"):
        yield


async def _begin(runtime: Runtime) -> None:
    try:
        if await runtime.store.leases.take(LEASE, new_id(), LEASE_SECONDS):
            await put_right(runtime)
    except CrossbarError as error:
        log.warning("the counts of accounts were not compared: %s", error)


async def put_right(runtime: Runtime) -> int:
    """Count anew where an account tells another number than there are accounts below it; returns how many did."""
    wrong = await miscounted(runtime.store)
    for account_id, *_ in wrong:
        await account_tree.recount(runtime.store, account_id)
    if wrong:
        log.info("counted the accounts below %d accounts anew", len(wrong))
    return len(wrong)


async def miscounted(store: Store) -> list[tuple[str, JSON, int]]:
    """The accounts that tell another number than there are accounts below them, with both numbers."""
    counts = await store.count_by_tag(Listing(ACCOUNTS, ACCOUNT), prefix="descendant/")
    found: list[tuple[str, JSON, int]] = []
    async for row in store.stream(Listing(ACCOUNTS, ACCOUNT)):
        told, counted = orjson.loads(row.body).get("descendants_count"), counts.get(f"descendant/{row.id}", 0)
        if told != counted:
            found.append((row.id, told, counted))
    return found
