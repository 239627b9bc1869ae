# SPDX-License-Identifier: MPL-2.0
"""Documents of one installation into what MongoDB holds and back, with their credentials sealed in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from crossbar.documents import layout
from crossbar.documents.document import Document
from crossbar.documents.layout import Stored
from crossbar.documents.sealing import Sealer, opened, sealed
from crossbar.documents.shape import Shape, Shapes


class Codec:
    """Encodes and decodes documents; without a sealer nothing is sealed, and what is stays closed."""

    def __init__(self, shapes: Shapes, sealer: Sealer | None) -> None:
        self._shapes = shapes
        self._sealer = sealer

    def encode(self, document: Document, shape: Shape) -> Stored:
        """The stored form of a document, whose `revision` is already the one to store."""
        document = self._sealed(document, shape.sealed)
        stored = layout.encode(document, shape)
        if document.type in self._shapes.with_history and isinstance(when := document.fields.get("pvt_modified"), int):
            stored["m"] = when
        return stored

    def decode(self, stored: Mapping[str, Any]) -> Document:
        """The document that was stored."""
        return self.open(layout.decode(stored))

    def open(self, document: Document) -> Document:
        """A document whose credentials are sealed, with them open."""
        if places := self.sealed_places(document.type):
            return replace(document, fields=self._opened(document.fields, places))
        return document

    def closed(self, document: Document) -> dict[str, Any]:
        """The fields of a document with its credentials sealed."""
        return self._sealed(document, self.sealed_places(document.type)).fields

    def _sealed(self, document: Document, places: tuple[str, ...]) -> Document:
        if not places or self._sealer is None:
            return document
        return replace(document, fields=sealed(document.fields, places, self._sealer))

    def sealed_places(self, document_type: str) -> tuple[str, ...]:
        """Where documents of a type hold credentials."""
        return self._shapes[document_type].sealed if document_type in self._shapes else ()

    def shown(self, stored: list[Stored], document_type: str) -> list[Stored]:
        """Documents as a listing of whole ones shows them (`json`)."""
        if places := self.sealed_places(document_type):
            return [one | {"json": orjson.dumps(self._opened(orjson.loads(one["json"]), places))} for one in stored]
        return stored

    def _opened(self, fields: dict[str, Any], places: tuple[str, ...]) -> dict[str, Any]:
        return fields if self._sealer is None else opened(fields, places, self._sealer)
