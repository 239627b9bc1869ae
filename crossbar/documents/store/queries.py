# SPDX-License-Identifier: MPL-2.0
"""Pieces that the queries of several parts of the store have in common."""

from __future__ import annotations

from typing import Any

import bson
from bson.errors import BSONError
from bson.raw_bson import RawBSONDocument

from crossbar.documents.document import DocumentKey
from crossbar.documents.layout import Stored
from crossbar.documents.store.connection import too_large
from crossbar.errors import Invalid

KEYS_OF_A_QUERY = 1000
"""So many documents are asked for by id in one query."""
KEY_INDEX = "_id_"
"""MongoDB's own index, by which a document of known key is found however much more is asked of it."""
LONGEST_KEY = 4096
"""Characters. No stored key is longer; a longer one is not sent together with others, whose query it would spoil."""
LARGEST_DOCUMENT = 16 * 1024 * 1024 - 1024
"""Bytes of BSON that MongoDB stores as one document, with room for the command around it."""


def to_bson(stored: Stored) -> RawBSONDocument:
    """Encode one document by itself, so that one that cannot be stored never fails its batch."""
    try:
        encoded = bson.encode(stored)
    except (BSONError, OverflowError, RecursionError) as error:
        raise Invalid.field("", "invalid", f"The document cannot be stored: {error}") from error
    if len(encoded) > LARGEST_DOCUMENT:
        raise too_large()
    return RawBSONDocument(encoded)


def living(stored: Stored | None) -> Stored | None:
    """The stored document, or None where it is deleted."""
    return None if stored is None or stored.get("deleted") else stored


def by_keys(keys: list[str], *, sharded: bool) -> dict[str, Any]:
    """The condition that a document has one of the keys, of which there is at least one.

    A sharded cluster wants to know the partitions, too. Elsewhere they would make MongoDB weigh the indexes that begin
    with them, which takes longer than to read the documents.
    """
    query = {"_id": one_or_in(keys)}
    if sharded:
        query["a"] = one_or_in(list({DocumentKey.parse(key).partition for key in keys}))
    return query


def one_or_in(values: list[str]) -> Any:
    """The condition that a field is one of the values, of which there is at least one."""
    return values[0] if len(values) == 1 else {"$in": values}
