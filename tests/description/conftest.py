# SPDX-License-Identifier: MPL-2.0
"""A server of its own for requests to every operation, which change the installation, too."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.harness import RunningServer, ServerWith


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def server(server_with: ServerWith) -> AsyncIterator[RunningServer]:
    """A server that other tests do not see."""
    async with server_with() as server:
        yield server
