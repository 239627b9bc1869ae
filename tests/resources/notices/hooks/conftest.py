# SPDX-License-Identifier: MPL-2.0
"""Servers that may reach this machine, and a receiver of webhooks there."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from pymongo import MongoClient
from pymongo.database import Database

from crossbar.administration import Bootstrap
from crossbar.config import Config
from tests.harness import RunningServer, ServerWith, bootstrapped, client_session, worker
from tests.receiver import Receiver, receiving


@dataclass(frozen=True)
class Installation:
    """An installation whose server is started and ended by the test."""

    config: Config
    uri: str
    made: Bootstrap
    session: ClientSession
    database: Database[dict[str, Any]]

    def serving(self) -> AbstractAsyncContextManager[RunningServer]:
        """A server of it, which may reach this machine."""
        return worker(self.config, self.uri, self.session, self.made)


@pytest_asyncio.fixture(loop_scope="session")
async def installation(
    mongo_uri: str, mongo_client: MongoClient[dict[str, Any]], tmp_path: Path
) -> AsyncIterator[Installation]:
    """An installation that nobody serves yet."""
    name = f"test-{uuid.uuid4().hex}"
    options = {
        "server.data": str(tmp_path),
        "database.name": name,
        "log.level": "error",
        "security.blocked_hosts": "blocked.test",
    }
    config = Config.load(None, {}, options)
    made = await bootstrapped(config, mongo_uri)
    async with client_session() as session:
        yield Installation(config, mongo_uri, made, session, mongo_client[name])
    mongo_client.drop_database(name)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def server(server_with: ServerWith) -> AsyncIterator[RunningServer]:
    """A server that may reach this machine."""
    async with server_with(log__level="error", security__blocked_hosts="blocked.test") as server:
        yield server


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
def path() -> str:
    """A path of the receiver that no other test uses."""
    return f"/{uuid.uuid4().hex}"
