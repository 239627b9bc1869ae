# SPDX-License-Identifier: MPL-2.0
"""Accounts that move from one server to others."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.harness import RunningServer, ServerWith
from tests.moving.world import World, furnished


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def server(server_with: ServerWith) -> AsyncIterator[RunningServer]:
    """The server that they leave; of the common one's other tests would show in what is compared."""
    async with server_with() as server:
        yield server


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def world(server: RunningServer) -> World:
    """An account with something of everything; tests leave it as it is."""
    return await furnished(server)
