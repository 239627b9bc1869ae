# SPDX-License-Identifier: MPL-2.0
"""How the database itself is, for those who look after it: what it may not be asked, or does not know, is None."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from bson import Timestamp
from pymongo import ASCENDING, DESCENDING
from pymongo.errors import PyMongoError

from crossbar.documents.driver import Collection
from crossbar.documents.indexes import INDEXES
from crossbar.documents.store.connection import Connection

Answer = TypeVar("Answer")

OPLOG: Final = "oplog.rs"
LEFT_OUT: Final = dict.fromkeys(("repl", "metrics", "locks", "tcmalloc", "wiredTiger", "transactions"), 0)
"""Parts of the server's state that cost it time and that nobody here reads."""


@dataclass(frozen=True, slots=True)
class CollectionSize:
    """How many documents a collection has, and the bytes of them, of what lies on disk, and of its indexes."""

    name: str
    documents: int
    bytes: int
    disk: int
    indexes: int


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """The database's server: `ping` in seconds, `oplog` the seconds that its log of changes reaches back.

    `connections` are those open at the server, `members` how many the replica set has.
    """

    ping: float | None
    version: str | None
    connections: int | None
    members: int | None
    oplog: float | None


async def database_state(connection: Connection) -> DatabaseState:
    """Ask the database how it is."""
    client = connection.client

    async def ping() -> float:
        began = time.perf_counter()
        await connection.database.command("ping")
        return time.perf_counter() - began

    hello = await _unless_refused(lambda: client.admin.command("hello"))
    if hello is None:  # it is away, and would be waited for with each further question
        return DatabaseState(None, None, None, None, None)
    status = await _unless_refused(lambda: client.admin.command({"serverStatus": 1, **LEFT_OUT})) or {}
    return DatabaseState(
        await _unless_refused(ping),
        status.get("version"),
        (status.get("connections") or {}).get("current"),
        len(hello["hosts"]) if "hosts" in hello else None,
        await _unless_refused(lambda: _oplog_seconds(client.get_database("local").get_collection(OPLOG))),
    )


async def collection_sizes(connection: Connection) -> list[CollectionSize]:
    """The size of each collection, in the order of their names; none where the database does not tell."""

    async def measured() -> list[CollectionSize]:
        sizes = []
        for name in sorted(INDEXES):
            found = await connection.database.command("collStats", name)
            kept = (found[key] for key in ("count", "size", "storageSize", "totalIndexSize"))
            sizes.append(CollectionSize(name, *kept))
        return sizes

    return await _unless_refused(measured) or []


async def _oplog_seconds(oplog: Collection) -> float | None:
    ends: list[Timestamp] = []
    for direction in (ASCENDING, DESCENDING):
        found = await oplog.find_one({}, {"ts": 1}, sort=[("$natural", direction)])
        if found is None:
            return None
        ends.append(found["ts"])
    return float(ends[1].time - ends[0].time)


async def _unless_refused(ask: Callable[[], Awaitable[Answer]]) -> Answer | None:
    """The answer, or None where the database refuses to give it, or is away."""
    try:
        return await ask()
    except PyMongoError:
        return None
