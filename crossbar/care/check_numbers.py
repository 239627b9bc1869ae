# SPDX-License-Identifier: MPL-2.0
"""Numbers and places that follow from other documents, and what accounts that are gone left behind."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

from crossbar.care.check_documents import Seen
from crossbar.care.findings import (
    ACCOUNT_TREE,
    COUNT,
    FIRST_LEG,
    GONE_ACCOUNT,
    LEDGER_SUM,
    MISSING_DEBIT,
    PORT_TREE,
    QUEUE_TIMES,
    Finding,
    Findings,
)
from crossbar.documents.document import ACCOUNTS, SYSTEM_DATA, TREE, Document
from crossbar.documents.document_types import ACCOUNT
from crossbar.documents.inspection import Inspection, parsed
from crossbar.documents.listing import Listing
from crossbar.resources.billing.domain.call_charges import undebited
from crossbar.resources.billing.domain.ledger_recount import compare_month
from crossbar.resources.calls.queues.domain import acdc
from crossbar.resources.identity.domain import account_counts, account_removal, account_tree
from crossbar.resources.numbers.domain import port_request
from crossbar.resources.records.domain import cdr
from crossbar.runtime import Runtime

_ACCOUNT_ID: Final = re.compile(r"[0-9a-f]{32}")


async def check_trees(runtime: Runtime) -> Findings:
    """Accounts that do not hang where their parent is, those above before those below, and their port requests."""
    trees: dict[str, list[str]] = {}
    accounts = await _accounts(runtime)
    for account in sorted(accounts.values(), key=lambda one: len(one.fields.get("pvt_tree") or ())):
        tree, parent_id = account.fields.get("pvt_tree"), account_tree.parent_of(account)
        trees[account.id] = list(tree) if isinstance(tree, list) else []
        if parent_id is None:
            if tree != []:
                yield Finding(
                    ACCOUNT_TREE, account.key, "it has no place in the tree, and does not say below which account"
                )
            continue
        if parent_id not in accounts:
            yield Finding(ACCOUNT_TREE, account.key, f"the account {parent_id} above it is not there")
            continue
        wanted = [*trees.get(parent_id, accounts[parent_id].fields.get("pvt_tree") or []), parent_id]
        if tree != wanted or account.fields.get("pvt_parent_id") != parent_id:
            trees[account.id] = wanted
            repair = partial(account_tree.hang_right, runtime.store, account.id)
            yield Finding(ACCOUNT_TREE, account.key, f"its place is not below {parent_id}", repair)


async def _accounts(runtime: Runtime) -> dict[str, Document]:
    listing = Listing(ACCOUNTS, ACCOUNT)
    return {account.id: account async for _, account in runtime.store.stream_documents(listing)}


async def check_port_trees(runtime: Runtime) -> Findings:
    """Port requests that do not know the place of their account."""
    async for _, request in runtime.store.stream_documents(Listing(port_request.DATABASE, port_request.TYPE)):
        account = await runtime.store.get(ACCOUNTS, ACCOUNT, request.text(port_request.OWNER))
        if account is not None and request.fields.get(TREE) != account.fields.get(TREE):
            repair = _done(partial(account_tree.follow_right, runtime.store, account.id))
            yield Finding(PORT_TREE, request.key, "it has another place in the tree than its account", repair)


async def check_counts(runtime: Runtime) -> Findings:
    """Accounts that tell another number of accounts below them than there are."""
    for account_id, told, counted in await account_counts.miscounted(runtime.store):
        repair = _done(partial(account_tree.recount, runtime.store, account_id))
        yield Finding(COUNT, f"{ACCOUNTS}/{ACCOUNT}/{account_id}", f"descendants_count {told} for {counted}", repair)


async def check_gone_accounts(runtime: Runtime, seen: Seen) -> Findings:
    """What partitions of accounts hold that are not there, and of whose end no note says that it is to go."""
    for partition, documents in sorted(seen.partitions.items()):
        if not _ACCOUNT_ID.fullmatch(partition) or partition in seen.accounts:
            continue
        store = runtime.store
        if await store.get(ACCOUNTS, ACCOUNT, partition) is not None:  # made meanwhile
            continue
        if await store.get(SYSTEM_DATA, account_removal.TYPE, partition) is not None:
            continue
        detail = f"{documents} documents of an account that is not there"
        repair = _done(partial(account_removal.clear, runtime, partition))
        yield Finding(GONE_ACCOUNT, partition, detail, repair, destroys=True)


async def check_ledgers(runtime: Runtime, seen: Seen, *, repair: bool) -> Findings:
    """Sums of ledgers that are not those of the entries; each month is compared, and mended, in one transaction."""
    for account_id, month in sorted(seen.ledger_months):
        for detail in await compare_month(runtime.store, account_id, month, repair=repair):
            yield Finding(LEDGER_SUM, account_id, detail, mended=repair)


async def check_records(runtime: Runtime, inspection: Inspection) -> Findings:
    """Records from which something follows: legs of calls, and calls of queues."""
    async for batch in inspection.stored("records"):
        legs: list[Document] = []
        for stored in batch:
            key = parsed(str(stored["_id"]))
            if key is None or stored.get("deleted"):
                continue
            if key.type == cdr.CDR_SHAPE.type:
                legs.append(inspection.document(stored))
            elif key.type == acdc.CALL_STAT_SHAPE.type:
                stat = inspection.document(stored)
                if acdc.with_times(dict(stat.fields)) != stat.fields:
                    detail = "the times that follow from its others are missing"
                    yield Finding(QUEUE_TIMES, stat.key, detail, partial(_with_times, runtime, stat))
        for leg in await cdr.unnoted(runtime.store, legs):
            repair = _done(partial(cdr.note_again, runtime.store, leg))
            yield Finding(FIRST_LEG, leg.key, "its interaction does not know it", repair)
        for leg in await undebited(runtime.store, legs):
            yield Finding(MISSING_DEBIT, leg.key, "it is paid by the minute, and no entry of the ledger is about it")


async def _with_times(runtime: Runtime, stat: Document) -> bool:
    def complete(stored: Document) -> None:
        acdc.with_times(stored.fields)

    return await runtime.store.update(stat.partition, stat.type, stat.id, complete) is not None


def _done(repair: Callable[[], Awaitable[Any]]) -> Callable[[], Awaitable[bool]]:
    """A repair that says nothing of whether it was needed."""

    async def mend() -> bool:
        await repair()
        return True

    return mend
