# SPDX-License-Identifier: MPL-2.0
"""What several tests of accounts need."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import Tenant


@pytest.fixture
async def settings(master: Tenant) -> Any:
    """Undoes what a test sets in `crossbar.accounts`."""
    yield
    await master.root.delete("/system_configs/crossbar.accounts")
