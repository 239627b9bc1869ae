"""Workers on a database of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from .town import StartWorker, Town, Worker


@pytest.fixture
async def start_worker(mongo_uri: str, database_name: str) -> AsyncIterator[StartWorker]:
    """Starts workers, and stops them at the end."""
    async with AsyncExitStack() as stack:

        async def start(*, listening: bool = True, **settings: Any) -> Worker:
            worker = Worker.on(mongo_uri, database_name, **settings)
            stack.callback(worker.store.close)
            await worker.store.prepare()
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
def town(worker: Worker) -> Town:
    """Makes accounts and users through the first worker's store."""
    return Town(worker.store)
