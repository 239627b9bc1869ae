# SPDX-License-Identifier: MPL-2.0
"""A server that may reach this machine, and a receiver of webhooks there."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.harness import RunningServer, ServerWith
from tests.receiver import Receiver, receiving


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
