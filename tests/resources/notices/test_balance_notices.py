# SPDX-License-Identifier: MPL-2.0
"""Who is told of an account's money: once for each time it runs short, and of credit that comes in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest_asyncio

from crossbar import clock
from crossbar.access.authorship import Author
from crossbar.resources.billing.domain import ledger_sum
from crossbar.resources.billing.domain.ledger import Charge, book, new_entry
from crossbar.resources.billing.domain.top_up import top_up_automatically
from crossbar.resources.notices.domain.balance_notice import BalanceNotices
from tests.billing import balance, enter
from tests.harness import RunningServer, Tenant, letters_to, text_of, until


async def subjects(server: RunningServer, account: Tenant) -> list[str]:
    """What the account's administrator was told, the oldest first."""
    return [str(letter["Subject"]) for letter in await letters_to(server, f"admin@{account.realm}")]


def short_of(account: Tenant) -> str:
    return f"The balance of {account.realm.removesuffix('.test')} is low"


def credited(account: Tenant) -> str:
    return f"Credit was added to {account.realm.removesuffix('.test')}"


@pytest_asyncio.fixture(loop_scope="session")
async def notices(server: RunningServer) -> BalanceNotices:
    """One that looks when it is told to."""
    return BalanceNotices(server.runtime)


@asynccontextmanager
async def automatic(master: Tenant) -> AsyncIterator[None]:
    """Accounts may be topped up by themselves during the block."""
    assert (await master.root.post("/system_configs/topup", {"default": {"enable": True}})).status == 200
    assert (await master.api.get("")).status == 200  # from the next request on it counts
    try:
        yield
    finally:
        await master.root.delete("/system_configs/topup")


async def marks(account: Tenant) -> Any:
    return (await account.api.get("")).data.get("notifications", {}).get("low_balance")


async def test_once_for_each_shortage(server: RunningServer, tenant: Tenant, master: Tenant) -> None:
    assert (await tenant.api.patch("", {"notifications": {"low_balance": {"threshold": 20}}})).status == 200

    async def told(count: int) -> None:
        async def so_often() -> bool:
            return await subjects(server, tenant) == [short_of(tenant)] * count

        await until(so_often)

    async def marked(sent: bool) -> None:
        async def so() -> bool:
            return (await marks(tenant) or {}).get("sent_low_balance", False) is sent

        await until(so)

    await enter(master, tenant, 20)
    await enter(master, tenant, -1)
    await told(1)
    text = text_of((await letters_to(server, f"admin@{tenant.realm}"))[0])
    assert "current_balance: 19.00" in text
    assert "threshold: 20.00" in text
    await marked(True)
    # However many entries follow, it is one shortage.
    await asyncio.gather(*(enter(master, tenant, -1) for _ in range(16)))
    await enter(master, tenant, 100)
    await marked(False)
    assert await marks(tenant) == {"threshold": 20, "sent_low_balance": False}
    await enter(master, tenant, -90)
    await told(2)


async def test_sixteen_at_once_are_told_of_once(
    server: RunningServer, tenant: Tenant, master: Tenant, notices: BalanceNotices
) -> None:
    await enter(master, tenant, -1)
    await asyncio.gather(*(notices.look_at(tenant.id) for _ in range(16)))

    async def is_told() -> bool:
        return bool(await subjects(server, tenant))

    await until(is_told)
    await notices.look_at(tenant.id)
    assert await subjects(server, tenant) == [short_of(tenant)]


async def test_what_a_worker_left_undone_is_found(
    server: RunningServer, tenant: Tenant, stranger: Tenant, master: Tenant, notices: BalanceNotices
) -> None:
    """An entry whose worker ended is found with all others; who has no ledger is not told of having nothing."""
    fields = {"pvt_months": {clock.year_month(): 1}}
    await server.runtime.store.database["documents"].update_one(
        {"_id": f"{tenant.id}/{ledger_sum.BALANCE}/{ledger_sum.BALANCE}"},
        {"$set": {"a": tenant.id, "rev": "1-0", "k": "x", "doc": fields, "json": b"{}", "row": b"{}"}},
        upsert=True,
    )
    said = {"default": {"should_crawl_for_low_balance": False}}
    await master.root.post("/system_configs/tasks", said)
    try:
        await notices.look_at_all()
        assert await subjects(server, tenant) == []
    finally:
        await master.root.delete("/system_configs/tasks")
    await notices.look_at_all()
    assert (await subjects(server, tenant), await subjects(server, stranger)) == ([short_of(tenant)], [])


async def test_those_who_want_it_are_told_again_each_day_and_others_never(
    tenant: Tenant, stranger: Tenant, master: Tenant, server: RunningServer, notices: BalanceNotices
) -> None:
    for account, enabled in ((tenant, True), (stranger, False)):
        assert (await account.api.patch("", {"notifications": {"low_balance": {"enabled": enabled}}})).status == 200
        await enter(master, account, -1)
        await notices.look_at(account.id)
    first = (await marks(tenant))["last_notification"]
    for seconds, count in ((clock.DAY - 2, 1), (clock.DAY + 2, 2), (clock.DAY + 4, 2)):
        with clock.frozen(clock.unix(first) + seconds):
            await notices.look_at(tenant.id)
            await notices.look_at(stranger.id)
        assert await subjects(server, tenant) == [short_of(tenant)] * count
    assert await subjects(server, stranger) == []


async def test_a_top_up_is_told(server: RunningServer, tenant: Tenant) -> None:
    assert (await tenant.api.post("/services/topup", {"amount": 30})).status == 200

    async def is_told() -> bool:
        return await subjects(server, tenant) == [credited(tenant)]

    await until(is_told)
    [letter] = await letters_to(server, f"admin@{tenant.realm}")
    text = text_of(letter)
    assert "balance: 30.00" in text
    assert "transaction.amount: 30.00" in text


async def test_a_balance_is_topped_up_once_a_day(server: RunningServer, tenant: Tenant, master: Tenant) -> None:
    runtime, author = server.runtime, Author("request", None)
    wanted = {"topup": {"amount": 50, "threshold": 10}}
    assert (await tenant.api.patch("", wanted)).status == 200
    account = await runtime.access.directory.account(tenant.id)
    assert account is not None
    await enter(master, tenant, -5)
    assert await top_up_automatically(runtime, account, author) is None  # the installation does not allow it
    async with automatic(master):
        at_once = (top_up_automatically(runtime, account, author) for _ in range(16))
        await asyncio.gather(*at_once)

        async def is_raised() -> bool:
            return await balance(tenant) == 45

        await until(is_raised)
        [entry] = (await tenant.api.get("/ledgers/payments")).data
        assert (entry["amount"], entry["description"]) == (50.0, "Automatic top-up")
        assert entry["executor"] == {"trigger": "automatic", "module": "kz_services_topup"}
        await enter(master, tenant, -60)
        assert await top_up_automatically(runtime, account, author) is None
        with clock.frozen(clock.unix_now() + clock.DAY - 60):
            assert await top_up_automatically(runtime, account, author) is None
        with clock.frozen(clock.unix_now() + 2 * clock.DAY):
            assert await top_up_automatically(runtime, account, author) is not None
            assert await top_up_automatically(runtime, account, author) is None
    assert await balance(tenant) == 35


async def test_no_credit_without_a_payment_where_there_is_a_bookkeeper(
    server: RunningServer, tenant: Tenant, master: Tenant
) -> None:
    plan = {"name": "p", "bookkeeper": {"type": "local"}, "plan": {}}
    made = await master.api.put("/service_plans", plan)
    await master.root.post(f"/accounts/{tenant.id}/services/{made.id}", {})
    assert (await tenant.api.patch("", {"topup": {"amount": 50, "threshold": 10}})).status == 200
    account = await server.runtime.access.directory.account(tenant.id)
    assert account is not None
    async with automatic(master):
        entry = new_entry(
            account,
            Charge(-10_000, {"service": "a", "id": "1"}, {"type": "a", "quantity": 1, "unit": "b"}, {}),
            Author("request", None),
        )
        await book(server.runtime.store, [entry])
        assert await top_up_automatically(server.runtime, account, Author("request", None)) is None
    assert await balance(tenant) == -1
