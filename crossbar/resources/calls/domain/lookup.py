"""Finding a document by its id alone, where a request does not say of which type it is."""

from __future__ import annotations

from crossbar.documents.document import Document
from crossbar.endpoint import Context


async def find_any(context: Context, document_id: str) -> Document | None:
    """The account's document of this id, whatever its type, without its fields; records are not looked for."""
    types = [shape.type for shape in context.store.shapes if shape.collection == "documents"]
    return next(iter(await context.store.find_by_ids(context.account_id, [document_id], types, ())), None)
