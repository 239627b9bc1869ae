# SPDX-License-Identifier: MPL-2.0
"""The private fields of documents that come without them."""

from __future__ import annotations

from collections.abc import Mapping

from crossbar import clock
from crossbar.access.authorship import Author, stamps
from crossbar.documents.document import Document, account_database, private_fields
from crossbar.documents.document_types import ACCOUNT
from crossbar.errors import JSON
from crossbar.ids import new_id

MODIFIED = "pvt_modified"


def with_private(document: Document, before: Mapping[str, JSON] | None) -> dict[str, JSON]:
    """The fields of a document with the private ones that it has here, or that every save writes; its own go first."""
    if before is not None:
        return {**private_fields(before), **document.fields}
    own = {"pvt_account_id": document.id, "pvt_account_db": account_database(document.id)}
    written = stamps(Author(new_id(), None), document) | (own if document.type == ACCOUNT else {})
    return {**written, **document.fields}


def modified(document: Document) -> dict[str, JSON]:
    """What to write beside the changes of a document that does not tell itself when it was modified."""
    return {} if MODIFIED in document.fields else {MODIFIED: clock.now()}
