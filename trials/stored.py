# SPDX-License-Identifier: MPL-2.0
"""Documents that are stored wrongly already: wrong values are written past the API, and everything is read."""

from __future__ import annotations

import logging
import random
from typing import Final

from crossbar.app import ENDPOINTS
from crossbar.documents.document import ACCOUNTS, Document, is_private
from crossbar.documents.listing import Listing
from crossbar.documents.store import Duplicate, Store
from crossbar.endpoint import Collection
from crossbar.errors import Conflict
from trials.bodies import Bodies, words_of

log = logging.getLogger(__name__)

WORDS: Final = {
    collection.shape.type: sorted(
        {
            word
            for route in endpoint.routes
            for word in words_of(getattr(route.handler, "__module__", ""))
            if not is_private(word)
        }
    )
    for endpoint in ENDPOINTS
    for collection in endpoint.collections
    if isinstance(collection, Collection)
}
"""Type of document → the words of the modules that serve it, which may be fields that they read."""


async def spoil(store: Store, account_id: str, chance: random.Random, many: int) -> tuple[list[str], dict[str, str]]:
    """Change documents of an account, public fields only.

    Says what was done, and which shapes cannot bear a value at all: the error and what it came of.
    """
    bodies = Bodies(chance, [])
    found = [document for shape in store.shapes for document in await _documents(store, account_id, shape.type)]
    done: list[str] = []
    unbearable: dict[str, str] = {}
    for _ in range(many):
        document = chance.choice(found)
        words = WORDS.get(document.type, [])
        public = {key: value for key, value in document.fields.items() if not is_private(key)}
        for _ in range(chance.randint(1, 3)):
            bodies.spoil(public, words)

        def change(stored: Document, public: dict[str, object] = public) -> None:
            stored.fields.update(public)

        done.append(f"{document.type} {document.id} := {public}"[:1000])
        try:
            await store.update(document.partition, document.type, document.id, change)
        except (Duplicate, Conflict):  # a claim that somebody holds
            continue
        except Exception as error:
            log.exception("%s cannot bear a value", document.type)
            unbearable[f"stored {document.type} {error!r}"[:300]] = done[-1]
    return done, unbearable


async def _documents(store: Store, account_id: str, document_type: str) -> list[Document]:
    if document_type == "account":
        account = await store.get(ACCOUNTS, "account", account_id)
        return [account] if account else []
    return await store.all(Listing(account_id, document_type, limit=20))
