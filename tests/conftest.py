# SPDX-License-Identifier: MPL-2.0
"""What every test may ask for: a real MongoDB, and in it a database of the test's own."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import settings
from pymongo import MongoClient

from crossbar.documents.embedded import EmbeddedMongo
from tests.harness import (
    Api,
    RunningServer,
    ServerWith,
    Tenant,
    Workers,
    kept_logging,
    new_tenant,
    own_server,
    two_workers,
)

settings.register_profile("quick", max_examples=40, deadline=None)
settings.register_profile("thorough", max_examples=500, deadline=None)
settings.load_profile("quick")  # `--hypothesis-profile=thorough` looks longer

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


@pytest.fixture(scope="session")
def scratch_database(mongo_client: MongoClient[dict[str, Any]]) -> Iterator[str]:
    """The name of a database for whoever wants one without other tests' documents; see `database_name`."""
    name = f"test-{uuid.uuid4().hex}"
    yield name
    mongo_client.drop_database(name)


@pytest.fixture
def database_name(mongo_client: MongoClient[dict[str, Any]], scratch_database: str) -> Iterator[str]:
    """The name of a database without a document; its collections and indexes may be there from tests before."""
    yield scratch_database
    database = mongo_client[scratch_database]
    for collection in database.list_collection_names():
        database[collection].delete_many({})


@pytest.fixture
def two_databases(mongo_client: MongoClient[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """Names of two databases that are not there yet: one to take from, one to bring to."""
    made = f"test-{uuid.uuid4().hex}", f"test-{uuid.uuid4().hex}"
    yield made
    for name in made:
        mongo_client.drop_database(name)


def _folder() -> Path:
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    return Path(tempfile.mkdtemp(prefix="crossbar-test-", dir=MEMORY if in_memory else None))


@pytest.fixture
def logging_put_back() -> Iterator[None]:
    """A root logger without handlers, and afterwards the one from before."""
    with kept_logging():
        yield


# The whole server


@pytest.fixture(scope="session")
def server_with(
    mongo_uri: str, mongo_client: MongoClient[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> ServerWith:
    """Makes running servers with options of their own, each on a port and in a database of its own."""

    def make(**options: str) -> AbstractAsyncContextManager[RunningServer]:
        dotted = {name.replace("__", "."): value for name, value in options.items()}
        return own_server(mongo_uri, mongo_client, tmp_path_factory.mktemp("data"), dotted)

    return make


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def server(server_with: ServerWith) -> AsyncIterator[RunningServer]:
    """One running server for all tests of this process."""
    async with server_with(access__recovery_hosts="ui.example.com") as server:
        yield server


@pytest.fixture
def master(server: RunningServer) -> Tenant:
    """The master account and its superduper administrator."""
    return server.master


@pytest_asyncio.fixture(loop_scope="session")
async def tenant(server: RunningServer) -> Tenant:
    """An account of the test's own, directly below the master account."""
    return await new_tenant(server, server.master, f"tenant{uuid.uuid4().hex[:12]}")


@pytest_asyncio.fixture(loop_scope="session")
async def stranger(server: RunningServer) -> Tenant:
    """Another account beside `tenant`, which must not get at it."""
    return await new_tenant(server, server.master, f"stranger{uuid.uuid4().hex[:12]}")


@pytest.fixture
def anonymous(server: RunningServer) -> Api:
    """A caller without a token."""
    return server.master.api.acting(None, "")


@pytest_asyncio.fixture(loop_scope="session")
async def workers(mongo_uri: str, mongo_client: MongoClient[dict[str, Any]], tmp_path: Path) -> AsyncIterator[Workers]:
    """Two workers with one database of their own."""
    async with two_workers(mongo_uri, mongo_client, tmp_path) as workers:
        yield workers
