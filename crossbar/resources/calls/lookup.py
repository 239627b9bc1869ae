"""Finding a document by its id alone, where a request does not say of which type it is."""

from __future__ import annotations

import asyncio

from crossbar.documents.document import Document
from crossbar.resource import Call


async def find_any(call: Call, document_id: str) -> Document | None:
    """The account's document of this id, whatever its type; one of each month is not looked for."""
    shapes = [shape for shape in call.store.shapes if shape.room == "documents"]
    found = await asyncio.gather(*(call.store.get(call.account_id, shape.type, document_id) for shape in shapes))
    return next(filter(None, found), None)
