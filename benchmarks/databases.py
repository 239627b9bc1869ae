# SPDX-License-Identifier: MPL-2.0
"""The databases that servers are measured on: one `mongod`, or a replica set of three on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from crossbar.documents.embedded import EmbeddedMongo
from trials.replica_set import MEMBERS, ReplicaSet

CACHE_GB = 1.0
"""WiredTiger's cache of each member."""


@dataclass(frozen=True)
class Database:
    """A running database: where it is, and its processes."""

    uri: str
    pids: list[int]


@asynccontextmanager
async def database(members: int, folder: Path) -> AsyncIterator[Database]:
    """A replica set of one or three, ended when it is left."""
    if members == 1:
        mongo = EmbeddedMongo(folder, cache_gb=CACHE_GB)
        uri = await mongo.start()
        try:
            yield Database(uri, [int((folder / "mongod.pid").read_text())])
        finally:
            await mongo.stop()
        return
    if members != MEMBERS:
        raise ValueError(f"a set has one member or {MEMBERS}, not {members}")
    replicas = ReplicaSet(folder, cache_gb=CACHE_GB)
    try:
        await replicas.start()
        yield Database(replicas.uri, replicas.pids)
    finally:
        replicas.stop()
