"""Finding a document by its id alone, where a request does not say of which type it is."""

from __future__ import annotations

from crossbar.documents.document import Document
from crossbar.endpoint import Call


async def find_any(call: Call, document_id: str) -> Document | None:
    """The account's document of this id, whatever its type, without its fields; records are not looked for."""
    types = [shape.type for shape in call.store.shapes if shape.room == "documents"]
    return next(iter(await call.store.find(call.account_id, [document_id], types, ())), None)
