# SPDX-License-Identifier: MPL-2.0
"""Tenants: accounts, as far as several dialects speak of them."""

from __future__ import annotations

from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.homes import ASIDE
from crossbar.documents.document import ACCOUNTS, Document
from crossbar.documents.document_types import ACCOUNT
from crossbar.resources.identity.domain.account_tree import descendants_of


def slug_of(account: Document) -> str:
    """The short name of a tenant: as it was given, else from the realm."""
    return str(account.at(f"{ASIDE}.slug") or account.text("realm").partition(".")[0])


async def own_and_below(context: DialectContext) -> list[Document]:
    """The account of the request, and those below it."""
    own = await context.store.get(ACCOUNTS, ACCOUNT, context.account.id)
    return ([own] if own else []) + await context.store.all(descendants_of(context.account.id))
