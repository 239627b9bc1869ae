# SPDX-License-Identifier: MPL-2.0
"""Workers on a database that is empty when a test begins."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio

from crossbar.documents.document import Document
from crossbar.documents.shape import Shapes
from crossbar.documents.store import Store

from .installation import SHAPES, Installation, StartWorker, Worker


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def idle_stores() -> AsyncIterator[list[Store]]:
    """Stores that no worker has any more, for the next ones: to close a connection takes up to half a second."""
    stores: list[Store] = []
    yield stores
    for store in stores:
        await store.close()


@pytest.fixture
async def start_worker(mongo_uri: str, database_name: str, idle_stores: list[Store]) -> AsyncIterator[StartWorker]:
    """Starts workers, and stops them at the end."""
    async with AsyncExitStack() as stack:

        async def start(*, listening: bool = True, **settings: Any) -> Worker:
            store = idle_stores.pop() if idle_stores else Store.connect(mongo_uri, database_name, Shapes(SHAPES))
            stack.callback(idle_stores.append, store)
            await store.prepare()
            worker = Worker.on(store, **settings)
            if listening:
                await worker.feed.start()
                stack.push_async_callback(worker.feed.stop)
            return worker

        yield start


@pytest.fixture
async def worker(start_worker: StartWorker) -> Worker:
    """One worker, with feed."""
    return await start_worker()


@pytest.fixture
def installation(worker: Worker) -> Installation:
    """Makes accounts and users through the first worker's store."""
    return Installation(worker.store)


@pytest.fixture
async def other(start_worker: StartWorker) -> Worker:
    """Another worker, with feed."""
    return await start_worker()


@pytest.fixture
async def acme(installation: Installation) -> Document:
    """An account without ancestors."""
    return await installation.account("Acme")


@pytest.fixture
async def ann(installation: Installation, acme: Document) -> Document:
    """A user of `acme`."""
    return await installation.user(acme, "ann")


@pytest.fixture
async def bob(installation: Installation, acme: Document) -> Document:
    """A user of `acme`."""
    return await installation.user(acme, "bob")
