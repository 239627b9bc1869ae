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
        if shape.sealed and self._sealer is not None:
            document = replace(document, fields=sealed(document.fields, shape.sealed, self._sealer))
        return layout.encode(document, shape)

    def decode(self, stored: Mapping[str, Any]) -> Document:
        """The document that was stored."""
        document = layout.decode(stored)
        if places := self.sealed_places(document.type):
            return replace(document, fields=self._opened(document.fields, places))
        return document

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
