# SPDX-License-Identifier: MPL-2.0
"""Every index of every collection, in one table.

Each index of documents begins with the partition (`a`), which is also the shard key, so that a query for one account's
documents reaches one shard and a unique index is one that a sharded cluster can enforce. The chunks of a file are found
by the file alone, which the index of the files has led to; what is live in all accounts, by its type and its
end. What expires is looked for by the database itself.
"""

from __future__ import annotations

from typing import Final

from pymongo import ASCENDING, IndexModel


def _index(*keys: str, unique: bool = False, where: str | None = None) -> IndexModel:
    options: dict[str, object] = {"unique": True} if unique else {}
    if where:
        options["partialFilterExpression"] = {where: {"$exists": True}}
    return IndexModel([(key, ASCENDING) for key in keys], name="_".join(keys), **options)


LISTING = _index("a", "k")
TAGGED = _index("a", "tags", "k", where="tags")
UNIQUE = _index("a", "uniq", unique=True, where="uniq")
BY_NAME = _index("a", "name", where="name")
BY_NUMBER = _index("a", "numbers", where="numbers")
CHANGED = _index("a", "m", where="m")
"""When the present versions of documents of which a history is kept were written."""
LISTENING = _index("listens", where="listens")
"""The few documents because of which events are written, whosever they are: the relay asks for all of them."""


def _expiring(key: str, seconds: int = 0, *, sparse: bool = False) -> IndexModel:
    options = {"partialFilterExpression": {key: {"$exists": True}}} if sparse else {}
    return IndexModel([(key, ASCENDING)], name=key, expireAfterSeconds=seconds, **options)


INDEXES: dict[str, list[IndexModel]] = {
    "documents": [LISTING, TAGGED, UNIQUE, BY_NAME, BY_NUMBER, LISTENING, CHANGED, _expiring("expires", sparse=True)],
    "records": [LISTING, TAGGED],
    "history": [_index("a", "at"), _expiring("expires")],
    "attachments.files": [_index("metadata.a", "metadata.document", "metadata.name")],
    "attachments.chunks": [_index("files_id", "n", unique=True)],
    "claims": [_index("holder")],
    "leases": [],
    "counters": [],
    "live": [_index("a", "t", "of"), _index("t", "until"), _expiring("kept")],
    "servers": [_expiring("until", 3600)],
    "revocations": [_expiring("expires")],
    "events": [_index("accounts", "_id"), _expiring("expires")],
    "raised_events": [_expiring("at", 3600)],
    "event_cursors": [_index("a")],
    "maintenance": [_expiring("at", 3600)],
}

MAINTENANCE: Final = "maintenance"
"""The collection of notes about the database as a whole."""
RESTORE: Final = "restore"
"""The note that a backup is being restored, or was not restored whole."""
NOT_COPIED: Final = frozenset({"leases", "servers", "live", "raised_events", MAINTENANCE})
"""What is true of one database and one moment only: who works on it, how far it has come with its own changes, and what
goes on just now, which is told again."""
