# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/alerts`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest_asyncio

from crossbar import clock
from crossbar.documents.document import Document
from crossbar.documents.listing import Listing
from tests.harness import Answer, Api, RunningServer, Tenant, issue_token, new_tenant

Write = Callable[..., Awaitable[Answer]]


@pytest_asyncio.fixture(loop_scope="session")
async def write(server: RunningServer) -> AsyncIterator[Write]:
    """Writes an alert as the operator; all are gone after the test."""

    async def put(kind: str, value: Any, title: str = "Title", **fields: Any) -> Answer:
        data = {"title": title, "message": "Text", "from": [], "to": [{"type": kind, "value": value}], **fields}
        return await server.master.api.put("/alerts", data)

    yield put
    for alert in await server.runtime.store.all(Listing("alerts", "alert")):
        await server.runtime.store.remove(alert)


async def titles(api: Api, path: str = "/alerts") -> list[str]:
    """The titles of the alerts that somebody wrote; port requests of other tests raise some, too."""
    return sorted(row["title"] for row in (await api.get(path)).data if not row["title"].startswith("Port request"))


async def test_create_list_read_delete(write: Write, tenant: Tenant) -> None:
    created = await write(tenant.id, "all", category="news", level="info")
    assert created.status == 201
    listed = await tenant.api.get("/alerts")
    row = {"id": created.id, "title": "Title", "message": "Text", "from": [], "category": "news", "level": "info"}
    stamp = listed.data[0].pop("created")
    assert (listed.data, listed.envelope["page_size"], stamp > 0) == ([{**row, "clearable": True}], 1, True)
    read = await tenant.api.get(f"/alerts/{created.id}")
    assert read.data == {**row, "to": [{"type": tenant.id, "value": "all"}]}
    deleted = await tenant.api.delete(f"/alerts/{created.id}")
    assert (deleted.status, deleted.data["_read_only"]) == (200, {"deleted": True})
    assert (await tenant.api.get("/alerts")).data == []
    assert (await tenant.api.get(f"/alerts/{created.id}")).status == 404


async def test_only_the_operator_writes(server: RunningServer, tenant: Tenant) -> None:
    assert (await tenant.api.put("/alerts", {})).error() == (403, "403", "forbidden", {"message": "forbidden"})
    for missing, given in (
        ("title", {}),
        ("message", {"title": "a"}),
        ("to", {"title": "a", "message": "b", "from": []}),
    ):
        refused = await server.master.api.put("/alerts", given)
        assert refused.error()[3] == {missing: {"required": {"message": "missing property"}}}


async def test_alerts_may_be_disabled(server: RunningServer, write: Write) -> None:
    await server.master.root.patch("/system_configs/alerts", {"default": {"enabled": False}})
    assert (await write("all", "all")).error() == (400, "400", "disabled", {"message": "entity disabled"})
    await server.master.root.delete("/system_configs/alerts")


async def test_who_gets_which(server: RunningServer, write: Write, tenant: Tenant, stranger: Tenant) -> None:
    person = await tenant.api.put("/users", {"first_name": "P", "last_name": "U"})
    user = tenant.api.acting(await issue_token(server, tenant.id, person.id))
    await write("all", "all", "everybody")
    await write("all", "admins", "every admin")
    await write(tenant.id, "users", "users here")
    await write(tenant.id, tenant.admin_id, "Ada")
    await write("resellers", "all", "resellers")
    assert await titles(tenant.api) == ["Ada", "every admin", "everybody", "users here"]
    assert await titles(user) == ["everybody", "users here"]
    assert await titles(stranger.api) == ["every admin", "everybody"]
    assert await titles(server.master.api) == ["every admin", "everybody", "resellers"]


async def test_alerts_about_accounts_below(
    server: RunningServer, write: Write, tenant: Tenant, stranger: Tenant
) -> None:
    child = await new_tenant(server, tenant, f"child-{tenant.id[:8]}")
    await write("descendants", [child.id, "admins"], "below")
    assert (await titles(tenant.api), await titles(stranger.api)) == (["below"], [])


async def test_what_expired_is_gone(write: Write, tenant: Tenant) -> None:
    alert = await write(tenant.id, "all", expiration_date=clock.now() - 1)
    assert (await tenant.api.get("/alerts")).data == []
    assert (await tenant.api.get(f"/alerts/{alert.id}")).status == 404


async def test_means_of_payment(server: RunningServer, tenant: Tenant) -> None:
    """An account with service plans needs a payment method that lasts."""
    store = server.runtime.store
    about: dict[str, Any] = {"plans": {"p": {"vendor_id": server.master.id}}}

    async def category(tokens: dict[str, Any]) -> list[str]:
        await store.upsert(Document(tenant.id, "services", "services", {**about, "payment_tokens": tokens}))
        return [row["category"] for row in (await tenant.api.get("/alerts")).data]

    paid = await server.master.root.post(f"/accounts/{tenant.id}/services/topup", {"amount": 5})
    assert paid.status == 200
    assert await category({}) == ["no_payment_token"]
    assert await category({"b": {"t": {"default": True, "expiration": clock.now() + 86_400}}}) == [
        "expired_payment_token"
    ]
    assert await category({"b": {"t": {"default": True, "expiration": clock.now() + 90 * 86_400}}}) == []


async def test_low_balance(server: RunningServer, tenant: Tenant) -> None:
    """An account with service plans is told when its balance is below its threshold."""

    async def low() -> list[dict[str, Any]]:
        return [row for row in (await tenant.api.get("/alerts")).data if row["category"] == "low_balance"]

    async def with_threshold(**fields: Any) -> list[dict[str, Any]]:
        assert (await tenant.api.patch("", fields)).status == 200
        return await low()

    assert await low() == []
    plans = {"plans": {"p": {"vendor_id": server.master.id}}}
    await server.runtime.store.upsert(Document(tenant.id, "services", "services", plans))
    alert = {
        "id": tenant.id,
        "title": "Balance below threshold",
        "message": "The balance of the account is below its threshold",
        "category": "low_balance",
        "metadata": {"available": 0.0, "threshold": 5.0},
        "from": [{"type": "account", "value": tenant.id}],
        "clearable": False,
    }
    assert await low() == [alert]
    await tenant.api.post("/services/topup", {"amount": 7.5})
    assert await low() == []
    lower = await with_threshold(topup={"threshold": 8})
    assert lower == [{**alert, "metadata": {"available": 7.5, "threshold": 8}}]
    assert await with_threshold(notifications={"low_balance": {"threshold": 7.5}}) == []
    assert len(await with_threshold(notifications={"low_balance": {"threshold": 7.51}})) == 1
    await server.master.root.post("/system_configs/crossbar.alerts", {"default": {"check_low_balance": False}})
    try:
        assert await low() == []
    finally:
        await server.master.root.delete("/system_configs/crossbar.alerts")
