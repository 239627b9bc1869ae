# SPDX-License-Identifier: MPL-2.0
"""Of which accounts events are wanted, as documents say it (`Shape.listens`) in the order of their changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from bson import Timestamp

from crossbar.documents.document import ACCOUNTS
from crossbar.documents.shape import EVERY_ACCOUNT
from crossbar.documents.store.event_log import ListeningDocument

MOST_ACCOUNTS: Final = 100
"""Up to so many accounts the database picks their changes out; of more all changes are read."""
COLLECTIONS: Final = ("documents", "records", "raised_events")
OPERATIONS: Final = ("insert", "replace", "delete")


class Interest:
    """What the documents that listen want. `unix_time` is that of the changes to come."""

    def __init__(self, listeners: Iterable[ListeningDocument] = (), unix_time: float = 0.0) -> None:
        self._listeners: dict[str, ListeningDocument] = {}
        self._own: Counter[str] = Counter()
        self._below: Counter[str] = Counter()
        self._next_end = float("inf")
        self._asked: frozenset[str] | None = frozenset()
        for listener in listeners:
            self._add(listener)
        self._expire(unix_time)

    def __bool__(self) -> bool:
        return bool(self._listeners)

    @property
    def covered(self) -> bool:
        """Whether the stream that `stream_filter` was made for has all that is wanted."""
        return self._asked is None or (not self._below and self._asked.issuperset(self._own))

    @property
    def needs_trees(self) -> bool:
        """Whether somebody wants events of the accounts below one."""
        return bool(self._below)

    def wants(self, account_id: str, tree: Sequence[str] = ()) -> bool:
        """Whether somebody wants the events of an account that has these above it."""
        if account_id in self._own or EVERY_ACCOUNT in self._own:
            return True
        below = self._below
        return bool(below) and (account_id in below or any(above in below for above in tree))

    def see(self, change: Mapping[str, Any]) -> None:
        """A change of the stream: a document may listen from now on, no more, or to something else."""
        unix_time = change["clusterTime"].time
        key = change["documentKey"]["_id"]
        stored = (change.get("fullDocument") or {}).get("listens")
        if key in self._listeners:
            self._drop(key)
        if stored is not None:
            self._add(ListeningDocument.of(key, stored))
        if unix_time > self._next_end:
            self._expire(unix_time)

    def stream_filter(self, after: Timestamp) -> dict[str, Any]:
        """The condition for the changes that have to be read; `covered` goes by it from now on.

        The stream is to begin after a change of the time `after`, which the database must find in it.
        """
        condition: dict[str, Any] = {"ns.coll": {"$in": COLLECTIONS}, "operationType": {"$in": OPERATIONS}}
        wanted = {*self._own, *self._below}
        if self._below or EVERY_ACCOUNT in self._own or len(wanted) > MOST_ACCOUNTS:
            self._asked = None
            return condition
        self._asked = frozenset(self._own)
        accounts = sorted(self._asked)
        condition["$or"] = [
            {"clusterTime": after},
            {"operationType": "delete"},
            {"fullDocument.listens": {"$exists": True}},
            {"fullDocument.a": {"$in": [ACCOUNTS, *accounts]}},
            {"fullDocument.doc.pvt_account_id": {"$in": accounts}},
            {"fullDocument.doc.pvt_assigned_to": {"$in": accounts}},
            {"documentKey._id": {"$in": list(self._listeners)}},
        ]
        return condition

    def _add(self, listener: ListeningDocument) -> None:
        self._listeners[listener.key] = listener
        self._counted(listener)[listener.account_id] += 1
        if listener.until is not None:
            self._next_end = min(self._next_end, listener.until)

    def _drop(self, key: str) -> None:
        listener = self._listeners.pop(key)
        counted = self._counted(listener)
        counted[listener.account_id] -= 1
        if not counted[listener.account_id]:
            del counted[listener.account_id]

    def _counted(self, listener: ListeningDocument) -> Counter[str]:
        return self._below if listener.below else self._own

    def _expire(self, unix_time: float) -> None:
        ended = [one.key for one in self._listeners.values() if one.until is not None and one.until < unix_time]
        for key in ended:
            self._drop(key)
        ends = (one.until for one in self._listeners.values() if one.until is not None)
        self._next_end = min(ends, default=float("inf"))
