"""A server that may reach this machine, and a receiver of webhooks there."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from pymongo import MongoClient

from crossbar.config import Config
from tests.harness import RunningServer, Tenant, new_tenant, running_server
from tests.receiver import Receiver, receiving


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(
    mongo_uri: str, mongo_client: MongoClient[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[RunningServer]:
    """A server that may reach this machine."""
    name = f"test-{uuid.uuid4().hex}"
    overrides = {
        "server.data": str(tmp_path_factory.mktemp("data")),
        "database.name": name,
        "buckets.token_costs": "0",
        "log.level": "error",
        "security.blocked_hosts": "blocked.test",
    }
    async with running_server(Config.load(None, {}, overrides), mongo_uri) as running:
        yield running
    mongo_client.drop_database(name)


@pytest_asyncio.fixture(loop_scope="session")
async def tenant(server: RunningServer) -> Tenant:
    return await new_tenant(server, server.master, f"hooks{uuid.uuid4().hex[:12]}")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
def path() -> str:
    """A path of the receiver that no other test uses."""
    return f"/{uuid.uuid4().hex}"
