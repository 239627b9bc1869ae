# SPDX-License-Identifier: MPL-2.0
"""What an endpoint that stands behind any document speaks of: that document, or the account."""

from __future__ import annotations

from collections.abc import Callable

from crossbar.access.authorship import stamps
from crossbar.documents.document import ACCOUNTS, Document
from crossbar.endpoint import Context
from crossbar.errors import NotFound


async def subject(context: Context) -> Document:
    """The document in the path, else the account."""
    for document in context.parents.values():
        return document
    account = await context.store.get(ACCOUNTS, "account", context.account_id)
    if account is None:
        raise NotFound(context.account_id)
    return account


async def change_subject(context: Context, change: Callable[[Document], None]) -> Document:
    """Judge the request's preconditions, then change the document and return it as saved."""
    document = await subject(context)
    context.ready_to_write(document.revision)

    def stamped(stored: Document) -> None:
        change(stored)
        stored.fields.update(stamps(context.author, stored))

    saved = await context.store.update(document.partition, document.type, document.id, stamped)
    if saved is None:
        raise NotFound(document.id)
    return saved
