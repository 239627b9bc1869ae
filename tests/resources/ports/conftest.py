# SPDX-License-Identifier: MPL-2.0
"""What the tests of port requests share."""

from __future__ import annotations

import pytest_asyncio

from tests.harness import RunningServer
from tests.ports import Porting, new_porting


@pytest_asyncio.fixture(loop_scope="session")
async def porting(server: RunningServer) -> Porting:
    """A customer, its reseller, and the agent that is their authority."""
    return await new_porting(server)
