# SPDX-License-Identifier: MPL-2.0
"""What the tests of the store have in common."""

from __future__ import annotations

from typing import cast

import pytest

from crossbar.documents.driver import DRIVERS, DriverName


@pytest.fixture(params=sorted(DRIVERS))
def driver(request: pytest.FixtureRequest) -> DriverName:
    """Each of the drivers in turn."""
    return cast(DriverName, request.param)
