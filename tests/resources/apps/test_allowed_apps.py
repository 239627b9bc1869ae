# SPDX-License-Identifier: MPL-2.0
"""Which apps a user may open, as log-ins tell."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from crossbar.access.directory import Account, User
from crossbar.documents.document import Document
from crossbar.documents.listing import Listing
from crossbar.resources.apps.domain.app_catalog import allowed_apps
from tests.harness import RunningServer, Tenant

APPS: dict[str, dict[str, Any]] = {
    "accounts": {"i18n": {"en-US": {"label": "Accounts"}, "fr-FR": {"label": "Comptes"}}, "api_url": "http://x.test/"},
    "port": {"i18n": {"en-US": {"label": "Port"}}},
    "draft": {"published": False},
}


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def installed(server: RunningServer) -> AsyncIterator[None]:
    """Three apps in the master account."""
    store, master_id = server.runtime.store, server.master.id
    for name, fields in APPS.items():
        await store.insert(Document(master_id, "app", name, {"pvt_type": "app", "name": name, **fields}))
    yield
    for app in await store.all(Listing(master_id, "app")):
        await store.remove(app)


async def decide(server: RunningServer, tenant: Tenant, **decisions: Any) -> None:
    await server.runtime.store.upsert(Document(tenant.id, "apps_store", "apps_store", decisions))


async def names(server: RunningServer, account: Account, user: User | None) -> list[str]:
    return [app["name"] for app in await allowed_apps(server.runtime, account, user, "en-US")]


async def people(server: RunningServer, tenant: Tenant) -> tuple[Account, User, User]:
    directory = server.runtime.access.directory
    person = await tenant.api.put("/users", {"first_name": "P", "last_name": "U"})
    account, admin = await directory.account(tenant.id), await directory.user(tenant.id, tenant.admin_id)
    user = await directory.user(tenant.id, person.id)
    assert account is not None
    assert admin is not None
    assert user is not None
    return account, admin, user


async def test_an_app_is_labelled_in_the_language_of_the_log_in(server: RunningServer, tenant: Tenant) -> None:
    account, admin, _ = await people(server, tenant)
    await decide(server, tenant, apps={"accounts": {"allowed_users": "all"}})
    french = await allowed_apps(server.runtime, account, admin, "fr-FR")
    assert french == [{"id": "accounts", "name": "accounts", "api_url": "http://x.test/", "label": "Comptes"}]
    assert (await allowed_apps(server.runtime, account, admin, "de-DE"))[0]["label"] == "Accounts"


async def test_what_nobody_installed_is_closed(server: RunningServer, tenant: Tenant) -> None:
    account, admin, _ = await people(server, tenant)
    assert await names(server, account, admin) == []


async def test_only_admins(server: RunningServer, tenant: Tenant) -> None:
    account, admin, user = await people(server, tenant)
    await decide(server, tenant, apps={"port": {"allowed_users": "admins"}})
    assert (await names(server, account, admin), await names(server, account, user)) == (["port"], [])


async def test_specific_users_as_text_or_as_objects(server: RunningServer, tenant: Tenant) -> None:
    account, admin, user = await people(server, tenant)
    apps = {
        "port": {"allowed_users": "specific", "users": [{"id": user.id}]},
        "accounts": {"allowed_users": "specific", "users": [admin.id]},
    }
    await decide(server, tenant, apps=apps)
    assert (await names(server, account, admin), await names(server, account, user)) == (["accounts"], ["port"])


async def test_the_blacklist_closes_what_is_installed(server: RunningServer, tenant: Tenant) -> None:
    account, admin, _ = await people(server, tenant)
    await decide(server, tenant, apps={"port": {"allowed_users": "all"}}, blacklist=["port"])
    assert await names(server, account, admin) == []


async def test_a_service_plan_overrules_what_an_app_says_of_itself(server: RunningServer, tenant: Tenant) -> None:
    account, admin, _ = await people(server, tenant)
    await decide(server, tenant, apps={name: {"allowed_users": "all"} for name in APPS})
    plan = {"name": "Plan", "applications": {"draft": {"enabled": True}, "port": {"enabled": False}}}
    store = server.runtime.store
    await store.insert(Document(server.master.id, "service_plan", f"plan-{tenant.id}", plan))
    assigned = {"plans": {f"plan-{tenant.id}": {"vendor_id": server.master.id}}}
    await store.insert(Document(tenant.id, "services", "services", assigned))
    assert await names(server, account, admin) == ["accounts", "draft"]


async def test_the_whitelabel_of_the_reseller_hides_porting(server: RunningServer, tenant: Tenant) -> None:
    account, admin, _ = await people(server, tenant)
    await decide(server, tenant, apps={"port": {"allowed_users": "all"}})
    shown = await server.master.api.put("/whitelabel", {"hide_port": True})
    assert shown.status == 201
    assert await names(server, account, admin) == []
    assert (await server.master.api.delete("/whitelabel")).status == 200
    assert await names(server, account, admin) == ["port"]


async def test_the_master_account_has_every_app(server: RunningServer) -> None:
    directory = server.runtime.access.directory
    account = await directory.account(server.master.id)
    assert account is not None
    assert await names(server, account, await directory.user(account.id, server.master.admin_id)) == [
        "accounts",
        "draft",
        "port",
    ]
