# SPDX-License-Identifier: MPL-2.0
"""Accounts that move from the common server to others."""

from __future__ import annotations

import pytest_asyncio

from tests.harness import RunningServer
from tests.moving.world import World, furnished


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def world(server: RunningServer) -> World:
    """An account with something of everything; tests leave it as it is."""
    return await furnished(server)
