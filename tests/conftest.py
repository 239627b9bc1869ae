# SPDX-License-Identifier: MPL-2.0
"""What every test may ask for: a real MongoDB, and in it a database of the test's own."""

from __future__ import annotations

import gc
import itertools
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

FIRST = ("trials", "e2e", "care", "moving", "description", "browser", "dialects", "process")
"""Folders whose tests take longest, most of it waiting for other processes. What begins last should be short."""
MEMORY = Path("/dev/shm")
ROOM = 2**30
"""Bytes of memory below which a disk is the better place (containers have 64 MB)."""


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """How many processes `-n auto` means: one more than there are cores, since tests that wait leave theirs idle."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ or config.option.numprocesses != "auto":
        return None
    return len(os.sched_getaffinity(0)) + 1 if hasattr(os, "sched_getaffinity") else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep a folder's tests together, so that what they share is made once, and begin with the long ones.

    Within that the order is the one that comes in: that of the files, or any of pytest-randomly's. Processes take a
    file at a time (`--dist loadfile`), in this order.
    """
    folders = {item.path.parent: None for item in items}
    long = [Path(__file__).parent / name for name in FIRST]
    ranks = {folder: rank for rank, folder in enumerate(dict.fromkeys(itertools.chain(long, folders)))}
    items.sort(key=lambda item: ranks[item.path.parent])


def pytest_collection_finish() -> None:
    """Keep the garbage collector from visiting ten thousand tests again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def fast_folder() -> Iterator[Path]:
    """A folder for data that is written again and again, in memory where there is room for it."""
    in_memory = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    with tempfile.TemporaryDirectory(prefix="crossbar-test-", dir=MEMORY if in_memory else None) as folder:
        yield Path(folder)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def mongo_uri(fast_folder: Path) -> AsyncIterator[str]:
    """The URI of CROSSBAR_TEST_MONGODB (a replica set), else of a `mongod` that lives as long as this test process."""
    if outside := os.environ.get("CROSSBAR_TEST_MONGODB"):
        yield outside
        return
    mongo = EmbeddedMongo(fast_folder / "mongo", cache_gb=0.25)
    try:
        yield await mongo.start()
    finally:
        await mongo.stop()


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


@pytest.fixture
def logging_put_back() -> Iterator[None]:
    """A root logger without handlers, and afterwards the one from before."""
    with kept_logging():
        yield


# The whole server


@pytest.fixture(scope="session")
def server_with(mongo_uri: str, mongo_client: MongoClient[dict[str, Any]], fast_folder: Path) -> ServerWith:
    """Makes running servers with options of their own, each on a port and in a database of its own."""

    def make(**options: str) -> AbstractAsyncContextManager[RunningServer]:
        dotted = {name.replace("__", "."): value for name, value in options.items()}
        return own_server(mongo_uri, mongo_client, Path(tempfile.mkdtemp(dir=fast_folder)), dotted)

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
