# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/dialplans`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.harness import Tenant

LOCAL = {"prefix": "+1415", "description": "San Francisco"}
OUTSIDE = {"name": "Outside line", "prefix": "+1"}
SHORT = {"name": "Short", "suffix": "0"}


@pytest_asyncio.fixture(loop_scope="session")
async def plans(master: Tenant) -> AsyncIterator[None]:
    """Dial plans as an operator writes them, gone after the test."""
    stored = {"default": {r"^(\d{7})$": LOCAL, r"^9(\d{10})$": [OUTSIDE, SHORT]}}
    assert (await master.root.put("/system_configs/dialplans", stored)).status == 201
    yield
    await master.root.delete("/system_configs/dialplans")


async def test_none(tenant: Tenant) -> None:
    read = await tenant.api.get("/dialplans")
    assert (read.status, read.data) == (200, {})


async def test_plans_by_name(tenant: Tenant, plans: None) -> None:
    expected = {
        r"^(\d{7})$": {**LOCAL, "name": r"^(\d{7})$"},
        "Outside line": {**OUTSIDE, "regex": r"^9(\d{10})$"},
        "Short": {**SHORT, "regex": r"^9(\d{10})$"},
    }
    for path in ("/dialplans", f"/users/{tenant.admin_id}/dialplans"):
        read = await tenant.api.get(path)
        assert (read.status, read.data) == (200, expected)
    written = await tenant.api.put("/dialplans", {})
    assert written.error() == (405, "405", "invalid_method", {"message": "method not allowed"})
