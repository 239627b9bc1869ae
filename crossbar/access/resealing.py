# SPDX-License-Identifier: MPL-2.0
"""Sealing everything anew after a key was put in front of the others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from crossbar.access.pepper import Pepper
from crossbar.documents.document import Document, DocumentKey, is_private
from crossbar.documents.sealing import Unsealable, with_texts
from crossbar.documents.store import Store
from crossbar.errors import JSON

SEALED: Final = "gAAAA"
"""What Fernet's text begins with."""


async def reseal(store: Store, pepper: Pepper, told: Callable[[int], None]) -> int:
    """Seal under the current key what is sealed under another; returns how many documents were written.

    `told` hears how many documents have been looked at. It can be ended and begun again at any time.
    """
    written = looked_at = 0
    async for keys in store.keys():
        written += sum(await asyncio.gather(*(_reseal(store, pepper, key) for key in keys)))
        looked_at += len(keys)
        told(looked_at)
    return written


async def _reseal(store: Store, pepper: Pepper, key: DocumentKey) -> bool:
    document = await store.get(*key)
    if document is None:
        return False
    declared = key.type in store.shapes and bool(store.shapes[key.type].sealed)
    if not declared and _resealed(document.fields, pepper) == document.fields:
        return False

    def change(found: Document) -> None:
        found.fields.update(_resealed(found.fields, pepper))

    return await store.update(*key, change) is not None


def _resealed(fields: dict[str, JSON], pepper: Pepper) -> dict[str, JSON]:
    """The private fields with what is sealed in them under the current key; the others are the store's to seal."""
    return {key: _renewed(value, pepper) if is_private(key) else value for key, value in fields.items()}


def _renewed(value: JSON, pepper: Pepper) -> JSON:
    def renew(text: str) -> str:
        if not text.startswith(SEALED) or pepper.is_current(text):
            return text
        try:
            return pepper.seal(pepper.unseal(text))
        except Unsealable:  # no key opens it; it stays for the day when one does
            return text

    return with_texts(value, renew)
