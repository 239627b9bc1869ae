# SPDX-License-Identifier: MPL-2.0
"""`/acls` and `/accounts/{A}/acls`."""

from __future__ import annotations

from tests.harness import Tenant

NETWORKS = {"carrier": {"cidr": "10.1.2.0/24", "type": "allow", "network-list-name": "trusted"}}


async def test_the_networks_of_the_system_settings(master: Tenant, tenant: Tenant) -> None:
    unset = await master.root.get("/acls")
    assert (unset.status, "data" in unset.envelope) == (200, False)

    await master.root.post("/system_configs/ecallmgr/default", {"acls": NETWORKS})
    try:
        for path in ("/acls", f"/accounts/{tenant.id}/acls"):
            read = await master.root.get(path)
            assert (read.status, read.data) == (200, NETWORKS)
        for path in ("/acls", f"/accounts/{tenant.id}/acls"):
            refused = await tenant.root.get(path)
            assert refused.error() == (403, "403", "forbidden", {"message": "forbidden"})
    finally:
        assert (await master.root.delete("/system_configs/ecallmgr")).status == 200
    assert "data" not in (await master.root.get("/acls")).envelope
