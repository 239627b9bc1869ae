# SPDX-License-Identifier: MPL-2.0
"""What a resource of any dialect needs of the documents it speaks of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from crossbar.dialects.dialect_context import DialectContext
from crossbar.documents.document import Document
from crossbar.errors import JSON


class ResourceObjects(Protocol):
    """What documents do for a resource."""

    async def find(self, context: DialectContext, word: str) -> Document:
        """The document that a word of a path names. Raises NotFound."""

    async def create(self, context: DialectContext, values: dict[str, JSON]) -> Document:
        """A new document."""

    async def change(self, context: DialectContext, document: Document, values: dict[str, JSON]) -> None:
        """Other values for some properties."""

    async def remove(self, context: DialectContext, document: Document) -> None:
        """End a document. Refuses with 400 where something is associated with it that must not be."""

    async def worked_out(self, context: DialectContext, documents: Sequence[Document]) -> list[dict[str, JSON]]:
        """The properties of each document that live elsewhere."""
