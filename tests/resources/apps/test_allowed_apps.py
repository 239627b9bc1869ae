"""Which apps a user may open, as log-ins tell."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from crossbar.access.directory import Account, User
from crossbar.documents.document import Document
from crossbar.documents.listing import Listing
from crossbar.resources.apps.domain.app_catalog import allowed_apps
from tests.harness import House, Tenant

APPS: dict[str, dict[str, Any]] = {
    "accounts": {"i18n": {"en-US": {"label": "Accounts"}, "fr-FR": {"label": "Comptes"}}, "api_url": "http://x.test/"},
    "port": {"i18n": {"en-US": {"label": "Port"}}},
    "draft": {"published": False},
}


@pytest_asyncio.fixture(loop_scope="session", autouse=True)
async def installed(house: House) -> AsyncIterator[None]:
    """Three apps in the master account."""
    store, master_id = house.services.store, house.master.id
    for name, fields in APPS.items():
        await store.insert(Document(master_id, "app", name, {"pvt_type": "app", "name": name, **fields}))
    yield
    for app in await store.documents(Listing(master_id, "app")):
        await store.remove(app)


async def decide(house: House, tenant: Tenant, **decisions: Any) -> None:
    await house.services.store.put(Document(tenant.id, "apps_store", "apps_store", decisions))


async def names(house: House, account: Account, user: User | None) -> list[str]:
    return [app["name"] for app in await allowed_apps(house.services, account, user, "en-US")]


async def people(house: House, tenant: Tenant) -> tuple[Account, User, User]:
    directory = house.services.access.directory
    person = await tenant.api.put("/users", {"first_name": "P", "last_name": "U"})
    account, admin = await directory.account(tenant.id), await directory.user(tenant.id, tenant.admin_id)
    user = await directory.user(tenant.id, person.id)
    assert account is not None
    assert admin is not None
    assert user is not None
    return account, admin, user


async def test_an_app_is_labelled_in_the_language_of_the_log_in(house: House, tenant: Tenant) -> None:
    account, admin, _ = await people(house, tenant)
    await decide(house, tenant, apps={"accounts": {"allowed_users": "all"}})
    french = await allowed_apps(house.services, account, admin, "fr-FR")
    assert french == [{"id": "accounts", "name": "accounts", "api_url": "http://x.test/", "label": "Comptes"}]
    assert (await allowed_apps(house.services, account, admin, "de-DE"))[0]["label"] == "Accounts"


async def test_what_nobody_installed_is_closed(house: House, tenant: Tenant) -> None:
    account, admin, _ = await people(house, tenant)
    assert await names(house, account, admin) == []


async def test_only_admins(house: House, tenant: Tenant) -> None:
    account, admin, user = await people(house, tenant)
    await decide(house, tenant, apps={"port": {"allowed_users": "admins"}})
    assert (await names(house, account, admin), await names(house, account, user)) == (["port"], [])


async def test_specific_users_as_text_or_as_objects(house: House, tenant: Tenant) -> None:
    account, admin, user = await people(house, tenant)
    apps = {
        "port": {"allowed_users": "specific", "users": [{"id": user.id}]},
        "accounts": {"allowed_users": "specific", "users": [admin.id]},
    }
    await decide(house, tenant, apps=apps)
    assert (await names(house, account, admin), await names(house, account, user)) == (["accounts"], ["port"])


async def test_the_blacklist_closes_what_is_installed(house: House, tenant: Tenant) -> None:
    account, admin, _ = await people(house, tenant)
    await decide(house, tenant, apps={"port": {"allowed_users": "all"}}, blacklist=["port"])
    assert await names(house, account, admin) == []


async def test_a_service_plan_overrules_what_an_app_says_of_itself(house: House, tenant: Tenant) -> None:
    account, admin, _ = await people(house, tenant)
    await decide(house, tenant, apps={name: {"allowed_users": "all"} for name in APPS})
    plan = {"name": "Plan", "applications": {"draft": {"enabled": True}, "port": {"enabled": False}}}
    store = house.services.store
    await store.insert(Document(house.master.id, "service_plan", f"plan-{tenant.id}", plan))
    assigned = {"plans": {f"plan-{tenant.id}": {"vendor_id": house.master.id}}}
    await store.insert(Document(tenant.id, "services", "services", assigned))
    assert await names(house, account, admin) == ["accounts", "draft"]


async def test_the_whitelabel_of_the_reseller_hides_porting(house: House, tenant: Tenant) -> None:
    account, admin, _ = await people(house, tenant)
    await decide(house, tenant, apps={"port": {"allowed_users": "all"}})
    shown = await house.master.api.put("/whitelabel", {"hide_port": True})
    assert shown.status == 201
    assert await names(house, account, admin) == []
    assert (await house.master.api.delete("/whitelabel")).status == 200
    assert await names(house, account, admin) == ["port"]


async def test_the_master_account_has_every_app(house: House) -> None:
    directory = house.services.access.directory
    account = await directory.account(house.master.id)
    assert account is not None
    assert await names(house, account, await directory.user(account.id, house.master.admin_id)) == [
        "accounts",
        "draft",
        "port",
    ]
