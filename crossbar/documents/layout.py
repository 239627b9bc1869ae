# SPDX-License-Identifier: MPL-2.0
"""How a document lies in MongoDB, and how it comes back.

Every stored document carries, beside its fields, what reads need ready-made:

| key | holds |
| --- | --- |
| `_id` | `<partition>/<type>/<id>` |
| `a` | the partition: the account id for what an account owns; the shard key |
| `rev` | `N-<32 hex>` |
| `k` | type, sort key and id: the order of the type's listing |
| `tags` | `<type>/<word>` of each further listing that shows it |
| `uniq` | values that no other document of the partition may hold |
| `name`, `numbers` | under which `search` finds it; what has no name by its id |
| `doc` | all fields, public and `pvt_*`, for filters and for changes |
| `json` | the public document as the wire shows it, as bytes |
| `row` | the listing's row, as bytes |
| `listens` | of which account events are to be written because of it, see `Shape.listens` |
| `expires` | when the database forgets it, see `Shape.expires` |
| `deleted` | true once soft-deleted; such a document keeps no `k`, `tags`, `uniq`, `name`, `numbers` and `listens` |

`json` is the truth about the public part; `doc` mirrors it up to `MIRROR_DEPTH` levels, since MongoDB refuses
documents nested deeper than its own limit, and `cut` marks a mirror that is not whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from crossbar.documents.document import Document, DocumentKey, is_private
from crossbar.documents.shape import SEPARATOR, Shape, alphanumeric, stored_tag
from crossbar.errors import JSON
from crossbar.nesting import nests_deeper

MIRROR_DEPTH = 80
"""Levels of nesting that the queryable mirror keeps."""

Stored = dict[str, Any]
"""A document as the driver takes and gives it."""


def encode(document: Document, shape: Shape) -> Stored:
    """The stored form of `document`, whose `revision` is already the one to store."""
    body = orjson.dumps(document.public)
    mirror, cut = _mirror(document.fields, body)
    stored: Stored = {
        "_id": document.key,
        "a": document.partition,
        "rev": document.revision,
        "doc": mirror,
        "json": body,
    }
    if cut:
        stored["cut"] = True
    if document.fields.get("pvt_deleted"):
        stored["deleted"] = True
        return stored
    stored["row"] = orjson.dumps(shape.summary.of(document))
    stored["k"] = shape.listing_key(document)
    if tags := [stored_tag(shape.type, tag) for tag in shape.words(document)]:
        stored["tags"] = tags
    if claims := [claim.key for claim in shape.unique(document) if not claim.system]:
        stored["uniq"] = claims
    if shape.stored_in == "documents":
        stored["name"] = search_key(shape.type, document.fields.get("pvt_alphanum_name") or document.id, document.id)
    if shape.listens is not None and (listening := shape.listens(document)) is not None:
        stored["listens"] = listening.stored
    if shape.expires is not None and (end := shape.expires(document)) is not None:
        stored["expires"] = datetime.fromtimestamp(end, UTC)
    if numbers := [search_key(shape.type, number, document.id) for number in shape.numbers(document)]:
        stored["numbers"] = numbers
    return stored


def search_key(document_type: str, text: str, document_id: str = "") -> str:
    """The key by which `search` finds a document: type, text as lower-case letters and digits, id."""
    return SEPARATOR.join((document_type, alphanumeric(text), document_id))


def decode(stored: Mapping[str, Any]) -> Document:
    """The document that `encode` stored; needs `_id`, `rev`, `doc` and, where the mirror is cut, `json`."""
    partition, document_type, document_id = DocumentKey.parse(stored["_id"])
    fields: dict[str, JSON] = stored["doc"]
    if stored.get("cut"):
        public = orjson.loads(stored["json"])
        public.pop("id", None)
        fields = {**{key: value for key, value in fields.items() if is_private(key)}, **public}
    return Document(partition, document_type, document_id, fields, stored["rev"])


def _mirror(fields: dict[str, JSON], body: bytes) -> tuple[dict[str, JSON], bool]:
    """`fields` as MongoDB can hold them, and whether anything was left out."""
    if not nests_deeper(body, MIRROR_DEPTH):
        return fields, False
    cuts: list[bool] = []
    return {key: _clip(value, MIRROR_DEPTH - 1, cuts) for key, value in fields.items()}, bool(cuts)


def _clip(value: JSON, levels: int, cuts: list[bool]) -> JSON:
    if not isinstance(value, dict | list):
        return value
    if levels == 0:
        cuts.append(True)
        return None
    if isinstance(value, list):
        return [_clip(item, levels - 1, cuts) for item in value]
    return {key: _clip(item, levels - 1, cuts) for key, item in value.items()}
