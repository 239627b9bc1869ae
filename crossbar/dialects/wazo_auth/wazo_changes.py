# SPDX-License-Identifier: MPL-2.0
"""Changes of what wazo-auth alone knows of: policies and groups."""

from __future__ import annotations

from typing import Any

from crossbar.access.authorship import stamps
from crossbar.dialects.dialect_context import DialectContext
from crossbar.documents.document import Document


async def with_fields(context: DialectContext, document: Document, fields: dict[str, Any]) -> Document | None:
    """Keep other values of some fields; None where the document is gone meanwhile. Raises Duplicate."""
    author = context.asked_by().author

    def change(stored: Document) -> None:
        stored.fields.update(fields)
        stored.fields.update(stamps(author, stored))

    return await context.store.update(document.partition, document.type, document.id, change)
