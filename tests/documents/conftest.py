# SPDX-License-Identifier: MPL-2.0
"""What the tests of the store have in common."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import cast

import pytest
import pytest_asyncio

from crossbar.documents.driver import DRIVERS, DriverName
from crossbar.documents.shape import Shapes
from crossbar.documents.store import Store


@pytest.fixture(params=sorted(DRIVERS))
def driver(request: pytest.FixtureRequest) -> DriverName:
    """Each of the drivers in turn."""
    return cast(DriverName, request.param)


@pytest_asyncio.fixture(loop_scope="session")
async def store(mongo_uri: str, database_name: str, driver: DriverName) -> AsyncIterator[Store]:
    """A store without documents of any type, with each of the drivers in turn."""
    store = Store.connect(mongo_uri, database_name, Shapes(()), driver=driver)
    await store.prepare()
    yield store
    await store.close()
