# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/configs`: settings of an account over its reseller's and the system's."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.harness import Tenant

PATH = "/configs/webhooks"
DEFAULTS = {"id": "configs_webhooks", "attempt_failure_count": 6, "attempt_failure_expiry_ms": 60_000}


@pytest_asyncio.fixture(loop_scope="session")
async def above(master: Tenant) -> AsyncIterator[Tenant]:
    """The master account, reseller of every test's account; its settings are gone after the test."""
    yield master
    await master.api.delete(PATH)
    await master.root.delete("/system_configs/webhooks")


async def test_settings_lie_over_each_other(above: Tenant, tenant: Tenant) -> None:
    assert (await tenant.api.get(PATH)).data == DEFAULTS
    await above.root.patch("/system_configs/webhooks", {"default": {"attempt_failure_count": 7, "log": True}})
    assert (await tenant.api.get(PATH)).data == {**DEFAULTS, "attempt_failure_count": 7}
    saved = await above.api.post(PATH, {"attempt_failure_count": 8, "attempt_failure_expiry_ms": 9})
    assert (saved.status, saved.data) == (
        200,
        {**DEFAULTS, "attempt_failure_count": 8, "attempt_failure_expiry_ms": 9},
    )
    changed = await tenant.api.patch(PATH, {"attempt_failure_expiry_ms": 10})
    assert (changed.status, changed.data) == (
        200,
        {**DEFAULTS, "attempt_failure_count": 8, "attempt_failure_expiry_ms": 10},
    )
    deleted = await tenant.api.delete(PATH)
    assert (deleted.status, deleted.data) == (
        200,
        {"id": "configs_webhooks", "attempt_failure_expiry_ms": 10, "_read_only": {"deleted": True}},
    )
    assert (await tenant.api.get(PATH)).data["attempt_failure_expiry_ms"] == 9


async def test_nothing_is_stored_where_nothing_differs(tenant: Tenant) -> None:
    created = await tenant.api.put(PATH, {"attempt_failure_count": 5})
    assert (created.status, created.data) == (201, {**DEFAULTS, "attempt_failure_count": 5})
    same = await tenant.api.post(PATH, {"attempt_failure_count": 6})
    assert (same.status, same.data) == (200, DEFAULTS)
    missing = await tenant.api.delete(PATH)
    assert missing.error() == (
        404,
        "404",
        "bad_identifier",
        {"cause": "configs_webhooks", "message": "bad identifier"},
    )


async def test_the_schema_judges(tenant: Tenant) -> None:
    refused = await tenant.api.patch(PATH, {"attempt_failure_count": "often"})
    assert (refused.status, list(refused.data)) == (400, ["attempt_failure_count"])
    unknown = await tenant.api.patch("/configs/none", {})
    assert unknown.error()[2] == "schema account_config.none not found."


async def test_there_is_no_list(tenant: Tenant) -> None:
    assert (await tenant.api.get("/configs")).status == 404
