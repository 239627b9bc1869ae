"""A server that may reach this machine, and a receiver of webhooks there."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from pymongo import MongoClient

from tests.harness import RunningServer, own_server
from tests.receiver import Receiver, receiving


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(
    mongo_uri: str, mongo_client: MongoClient[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningServer]:
    """A server that may reach this machine."""
    options = {"log.level": "error", "security.blocked_hosts": "blocked.test"}
    async with own_server(mongo_uri, mongo_client, tmp_path_factory.mktemp("data"), options) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
def path() -> str:
    """A path of the receiver that no other test uses."""
    return f"/{uuid.uuid4().hex}"
