# SPDX-License-Identifier: MPL-2.0
"""Apps that a plan charges for: asked about when they are opened to an account's users, and counted by these."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest_asyncio

from crossbar.documents.document import Document
from tests.billing import REJECTED, enforced, sell, told
from tests.harness import RunningServer, Tenant, new_person

PRICES = {"account_apps": {"_all": {"rate": 10}}, "user_apps": {"_all": {"rate": 1}}}


@pytest_asyncio.fixture(loop_scope="session")
async def app_id(server: RunningServer, master: Tenant) -> AsyncIterator[str]:
    """An app of the installation."""
    name = f"app{uuid4().hex[:8]}"
    saved = await server.runtime.store.insert(Document(master.id, "app", name, {"name": name, "published": True}))
    yield name
    await server.runtime.store.remove(saved)


async def counted(account: Tenant) -> tuple[Any, Any]:
    """What the account's apps count as: the apps, and their users."""
    quantities = (await account.api.get("/services/summary")).data["quantities"]["account"]
    return quantities.get("account_apps"), quantities.get("user_apps")


async def test_an_app_is_opened_for_a_price(server: RunningServer, tenant: Tenant, master: Tenant, app_id: str) -> None:
    people = [await new_person(server, tenant, name) for name in ("one", "two")]
    await new_person(server, tenant, "off", enabled=False)
    await sell(master, tenant, {"name": "Apps", "plan": PRICES})
    path = f"/apps_store/{app_id}"
    asked = told(await tenant.api.put(path, {"allowed_users": "all", "users": []}))
    assert {item: change["difference"]["quantity"] for item, change in asked.items()} == {
        ("account_apps", "_all"): 1,
        ("user_apps", "_all"): 3,
    }
    assert await counted(tenant) == (None, None)
    opened = await tenant.api.put(path, {"allowed_users": "admins", "accept_charges": True})
    assert (opened.status, opened.data) == (201, {"allowed_users": "admins", "name": app_id})
    assert await counted(tenant) == ({app_id: 1}, {app_id: 1})
    # More users cost more, fewer do not.
    some = {"allowed_users": "specific", "users": [people[0].id, {"id": people[1].id}, "nobody"]}
    assert told(await tenant.api.post(path, some))["user_apps", "_all"]["difference"] == {"quantity": 1, "billable": 1}
    assert (await tenant.api.post(path, some, accept_charges=True)).status == 200
    assert await counted(tenant) == ({app_id: 1}, {app_id: 2})
    assert (await tenant.api.post(path, {"allowed_users": "all"}, accept_charges=True)).status == 200
    assert await counted(tenant) == ({app_id: 1}, {app_id: 3})
    assert (await tenant.api.post(path, some)).status == 200
    # What is closed to the account costs it nothing; to open it again is asked of who opens it.
    blacklist = f"/accounts/{tenant.id}/apps_store/blacklist"
    assert (await master.root.post(blacklist, {"blacklist": [app_id]})).status == 200
    assert await counted(tenant) == (None, None)
    assert (await master.root.post(blacklist, {"blacklist": []})).status == 200
    assert (await tenant.api.delete(path)).status == 200
    assert await counted(tenant) == (None, None)


async def test_an_app_is_not_opened_without_credit(tenant: Tenant, master: Tenant, app_id: str) -> None:
    await sell(master, tenant, {"name": "Apps", "bookkeeper": {"type": "local"}, "plan": PRICES})
    opening = {"allowed_users": "all", "users": []}
    async with enforced(master):
        refused = await tenant.api.put(f"/apps_store/{app_id}", opening, accept_charges=True)
        assert refused.error() == REJECTED
    assert await counted(tenant) == (None, None)
    assert (await tenant.api.put(f"/apps_store/{app_id}", opening, accept_charges=True)).status == 201
