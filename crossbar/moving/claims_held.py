# SPDX-License-Identifier: MPL-2.0
"""What documents that come in claim, and others here hold already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from crossbar.documents.document import Document, document_key
from crossbar.documents.shape import Unique
from crossbar.documents.store import Store


async def held_by_others(store: Store, documents: Sequence[Document]) -> dict[str, str]:
    """Why documents cannot be written, by key; those that can are left out."""
    claims = {document.key: list(store.shapes[document.type].unique(document)) for document in documents}
    wanted: dict[str, list[Unique]] = defaultdict(list)
    for document in documents:
        wanted[document.partition] += claims[document.key]
    holders = {
        partition: await store.claims.holders(partition, some) if some else {} for partition, some in wanted.items()
    }
    taken: dict[str, str] = {}
    for document in documents:
        for claim in claims[document.key]:
            holder = holders[document.partition].get(claim.key)
            if holder is not None and document_key(*holder) != document.key:
                taken[document.key] = f"{claim.field} {claim.cause or claim.value} is held by {document_key(*holder)}"
    return taken
