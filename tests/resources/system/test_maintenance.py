# SPDX-License-Identifier: MPL-2.0
"""`/sup`, `/system_status` and `/accounts/{A}/migrations`."""

from __future__ import annotations

import socket

import pytest

from crossbar import __version__, clock
from crossbar.documents.document import ACCOUNTS
from tests.harness import RunningServer, Tenant, new_tenant


async def test_system_status(master: Tenant) -> None:
    told = await master.root.get("/system_status")
    node = f"crossbar@{socket.gethostname()}"
    state = told.data["local"]["kazoo_apps"][node]
    assert (told.status, state["node"], state["version"], state["kapps"]) == (200, node, __version__, ["crossbar"])
    assert state["used_memory"] > 1_000_000


async def test_sup_runs_what_is_on_its_list(master: Tenant, tenant: Tenant) -> None:
    told = await master.root.get(f"/sup/crossbar_maintenance/find_account_by_realm/{tenant.realm}")
    name = tenant.realm.removesuffix(".test")
    expected = f"Account ID: {tenant.id} ({name}, {tenant.realm})"
    assert (told.status, told.data) == (200, expected)
    assert (await master.root.get(f"/sup/crossbar_maintenance/find_account_by_name/{name}")).data == expected
    assert (await master.root.get(f"/sup/crossbar_maintenance/find_account_by_id/{tenant.id}")).data == expected
    unknown = await master.root.get("/sup/crossbar_maintenance/find_account_by_id/none")
    assert unknown.data == "failed to find account: not_found"
    assert (await master.root.get("/sup/kz_nodes")).data.startswith("used_memory: ")
    assert (await master.root.get("/sup/kapps_config/flush")).data == "ok"


@pytest.mark.parametrize("path", ["/sup/os/cmd/ls", "/sup/init/stop", "/sup/kz_nodes/status/more", "/sup/erlang"])
async def test_sup_runs_nothing_else(master: Tenant, path: str) -> None:
    assert (await master.root.get(path)).error()[:3] == (404, "404", "faulty_request")


async def test_migrations(server: RunningServer, tenant: Tenant) -> None:
    child = await new_tenant(server, tenant, f"child-{tenant.id[:8]}")
    listed = await tenant.api.get("/migrations")
    description = "Migrate account and all sub accounts to Teletype"
    assert (listed.status, listed.data) == (200, {"notify_to_teletype": description})
    path = "/migrations/notify_to_teletype"
    before = {"id": "notify_to_teletype", "description": description, "performed": False}
    assert (await tenant.api.get(path)).data == before
    assert (await tenant.api.get("/migrations/other")).status == 404

    late = await tenant.api.post(path, {"perform_migration": "later"})
    assert late.error()[3] == {"migration": {"failed": {"error": "invalid action time"}}}
    other = await tenant.api.post("/migrations/other", {"perform_migration": "now"})
    assert other.error()[3] == {"migration": {"invalid": {"migration": "not found"}}}

    done = await tenant.api.post(path, {"perform_migration": "now", "include_descendants": True})
    assert (done.status, done.data) == (200, {"performed_on": [tenant.id, child.id]})
    after = (await child.api.get(path)).data
    assert (after["performed"], after["performed_time"] <= clock.now()) == (True, True)
    account = await server.runtime.store.get(ACCOUNTS, "account", child.id)
    assert account is not None
    assert account.at("pvt_notification_preference") == "teletype"


async def test_resellers_are_migrated_only_where_asked(server: RunningServer, tenant: Tenant) -> None:
    child = await new_tenant(server, tenant, f"reseller-{tenant.id[:8]}")
    below = await new_tenant(server, child, f"below-{tenant.id[:8]}")

    await server.runtime.store.update(
        ACCOUNTS, "account", child.id, lambda account: account.fields.update(pvt_reseller=True)
    )
    order = {"perform_migration": "now", "include_descendants": True}
    path = "/migrations/notify_to_teletype"
    assert (await tenant.api.post(path, order)).data == {"performed_on": [tenant.id]}
    every = await tenant.api.post(path, {**order, "include_resellers": True})
    assert set(every.data["performed_on"]) == {tenant.id, child.id, below.id}
