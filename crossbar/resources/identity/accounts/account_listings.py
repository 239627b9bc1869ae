# SPDX-License-Identifier: MPL-2.0
"""The accounts around one: below it, beside it, above it.

Source: KAZOO `cb_accounts`.
"""

from __future__ import annotations

from typing import Any

from crossbar.documents.document import ACCOUNTS
from crossbar.documents.document_types import ACCOUNT
from crossbar.endpoint import Context, Lists, Reply, answer_listing
from crossbar.resources.identity.accounts import accounts


@accounts.get("/accounts/{account_id}/children", lists=Lists.PAGES)
async def children(context: Context) -> Reply:
    """The accounts directly below."""
    return await _listing(context, f"child/{context.account_id}")


@accounts.get("/accounts/{account_id}/descendants", lists=Lists.PAGES)
async def descendants(context: Context) -> Reply:
    """All accounts below, at any depth, each with its `tree`."""
    return await _listing(context, f"descendant/{context.account_id}", without="descendants_count")


async def may_see_siblings(context: Context) -> bool | None:
    """Superduper admins may; others if the configuration allows it, and not for their own account."""
    if context.identity.superduper:
        return True
    allowed = context.config.accounts.allow_sibling_listing and context.account_id != context.identity.account_id
    return None if allowed else False


@accounts.get("/accounts/{account_id}/siblings", who=may_see_siblings, lists=Lists.PAGES)
async def siblings(context: Context) -> Reply:
    """The children of the account's parent, itself among them."""
    parent = context.account.tree[-1:]
    return await _listing(context, f"child/{parent[0]}") if parent else Reply.rows([], page_size=True)


async def _listing(context: Context, tag: str, *, without: str = "tree") -> Reply:
    async def leave_out(_: Context, rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row.pop(without, None)

    return await answer_listing(context, ACCOUNT, ACCOUNTS, tag=tag, rows_hooks=[leave_out])


@accounts.get("/accounts/{account_id}/parents")
async def parents(context: Context) -> Reply:
    """The accounts above, from the caller's own down to the parent; of the caller's own account, all of them."""
    own = context.account_id == context.identity.account_id
    return await _ancestors(context, context.account.tree if own else _below_caller(context))


@accounts.get("/accounts/{account_id}/tree")
async def tree(context: Context) -> Reply:
    """As `parents`, but nothing for the caller's own account."""
    return await _ancestors(
        context, () if context.account_id == context.identity.account_id else _below_caller(context)
    )


def _below_caller(context: Context) -> tuple[str, ...]:
    ancestors, own = context.account.tree, context.identity.account_id
    return ancestors[ancestors.index(own) :] if own in ancestors else ancestors


async def _ancestors(context: Context, ids: tuple[str, ...]) -> Reply:
    found = [await context.directory.account(account_id) for account_id in ids]
    rows = [{"id": account.id, "name": account.name} for account in found if account]
    return Reply.rows(rows, page_size=True)
