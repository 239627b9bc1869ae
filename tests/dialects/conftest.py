# SPDX-License-Identifier: MPL-2.0
"""The dialects as an administrator of the test's own account speaks them."""

from __future__ import annotations

import pytest

from tests.dialects.speaker import Speaker
from tests.harness import RunningServer, Tenant


@pytest.fixture
def old(server: RunningServer, tenant: Tenant) -> Speaker:
    """XiVO REST 1.0."""
    return Speaker(tenant.api.session, f"{server.url}/1.0", tenant.token)


@pytest.fixture
def confd(server: RunningServer, tenant: Tenant) -> Speaker:
    """XiVO REST 1.1."""
    return Speaker(tenant.api.session, f"{server.url}/1.1", tenant.token)


@pytest.fixture
def auth(server: RunningServer, tenant: Tenant) -> Speaker:
    """wazo-auth."""
    return Speaker(tenant.api.session, f"{server.url}/0.1", tenant.token)
