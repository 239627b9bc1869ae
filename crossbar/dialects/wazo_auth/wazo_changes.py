# SPDX-License-Identifier: MPL-2.0
"""Changes of what wazo-auth alone knows of: policies and groups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crossbar.access.authorship import stamps
from crossbar.dialects.dialect_context import DialectContext
from crossbar.documents.document import Document

Fields = Callable[[Document], dict[str, Any]]
"""The fields that are to be others, by the document as it is stored."""


async def with_fields(context: DialectContext, document: Document, fields: Fields) -> Document | None:
    """Keep other values of some fields; None where the document is gone meanwhile. Raises Duplicate.

    `fields` is asked again where somebody else was faster, and may refuse.
    """
    author = context.asked_by().author

    def change(stored: Document) -> None:
        stored.fields.update(fields(stored))
        stored.fields.update(stamps(author, stored))

    return await context.store.update(document.partition, document.type, document.id, change)
