"""What an endpoint that stands behind any document speaks of: that document, or the account."""

from __future__ import annotations

from collections.abc import Callable

from crossbar.documents.document import ACCOUNTS, Document
from crossbar.endpoint import Call, stamps
from crossbar.errors import NotFound


async def subject(call: Call) -> Document:
    """The document in the path, else the account."""
    for document in call.parents.values():
        return document
    account = await call.store.get(ACCOUNTS, "account", call.account_id)
    if account is None:
        raise NotFound(call.account_id)
    return account


async def change_subject(call: Call, change: Callable[[Document], None]) -> Document:
    """Judge the request's preconditions, then change the document and return it as saved."""
    document = await subject(call)
    call.ready_to_write(document.revision)

    def stamped(stored: Document) -> None:
        change(stored)
        stored.fields.update(stamps(call, stored))

    saved = await call.store.change(document.database, document.type, document.id, stamped)
    if saved is None:
        raise NotFound(document.id)
    return saved
