"""The private fields of documents that come without them."""

from __future__ import annotations

from collections.abc import Mapping

from crossbar import clock
from crossbar.access.authorship import Author, stamps
from crossbar.documents.document import Document, account_database, is_private, private_fields
from crossbar.documents.document_types import ACCOUNT
from crossbar.errors import JSON
from crossbar.ids import new_id

MODIFIED = "pvt_modified"


def with_private(document: Document, before: Mapping[str, JSON] | None) -> dict[str, JSON]:
    """The fields of a document with the private ones that it has here, or that every save writes.

    What it brings goes before them; it was modified now if anything else than that changed.
    """
    if before is None:
        own = {"pvt_account_id": document.id, "pvt_account_db": account_database(document.id)}
        known = own if document.type == ACCOUNT else {}
        author = Author(new_id(), None)
        return {
            **stamps(author, Document(document.partition, document.type, document.id, document.fields)),
            **known,
        } | {key: value for key, value in document.fields.items() if value is not None}
    fields = {**private_fields(before), **document.fields}
    if fields != before and MODIFIED not in filter(is_private, document.fields):
        fields[MODIFIED] = clock.now()
    return fields
