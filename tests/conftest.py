"""What every test may ask for: a real MongoDB, and in it a database of the test's own."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pymongo import MongoClient

from crossbar.documents.embedded import EmbeddedMongo

MEMORY = Path("/dev/shm")
ROOM = 2**30
"""Bytes of memory below which a disk is the better place (containers have 64 MB)."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def mongo_uri() -> AsyncIterator[str]:
    """The URI of CROSSBAR_TEST_MONGODB (a replica set), else of a `mongod` that lives as long as this test process."""
    if outside := os.environ.get("CROSSBAR_TEST_MONGODB"):
        yield outside
        return
    folder = _folder()
    mongo = EmbeddedMongo(folder, cache_gb=0.25)
    try:
        yield await mongo.start()
    finally:
        await mongo.stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def mongo_client(mongo_uri: str) -> Iterator[MongoClient[dict[str, Any]]]:
    """A blocking client, to look behind the store's back."""
    with MongoClient[dict[str, Any]](mongo_uri) as client:
        yield client


@pytest.fixture
def database_name(mongo_client: MongoClient[dict[str, Any]]) -> Iterator[str]:
    """The name of a database that exists for this test alone."""
    name = f"test-{uuid.uuid4().hex}"
    yield name
    mongo_client.drop_database(name)


def _folder() -> Path:
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    return Path(tempfile.mkdtemp(prefix="crossbar-test-", dir=MEMORY if in_memory else None))
