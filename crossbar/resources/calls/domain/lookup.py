# SPDX-License-Identifier: MPL-2.0
"""Finding a document by its id alone, where a request does not say of which type it is."""

from __future__ import annotations

from crossbar.documents.document import Document
from crossbar.documents.store import Store


async def find_any(store: Store, account_id: str, document_id: str) -> Document | None:
    """The account's document of this id, whatever its type, without its fields; records are not looked for."""
    types = [shape.type for shape in store.shapes if shape.stored_in == "documents"]
    return next(iter(await store.find_by_ids(account_id, [document_id], types, ())), None)
