# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/skels`."""

from __future__ import annotations

from tests.harness import Tenant


async def test_plain_documents_with_a_list_of_ids(tenant: Tenant) -> None:
    created = await tenant.api.put("/skels", {"id": "s1", "name": "One", "deep": {"a": [1]}})
    assert (created.status, created.data) == (201, {"id": "s1", "name": "One", "deep": {"a": [1]}})
    await tenant.api.put("/skels", {"id": "s2"})

    listed = await tenant.api.get("/skels")
    assert (listed.data, listed.envelope["page_size"]) == (["s2", "s1"], 2)
    first = await tenant.api.get("/skels", query={"page_size": 1})
    assert first.data == ["s2"]
    rest = await tenant.api.get("/skels", query={"start_key": first.envelope["next_start_key"]})
    assert rest.data == ["s1"]

    merged = await tenant.api.patch("/skels/s1", {"deep": {"b": 2}})
    assert (merged.status, merged.data) == (200, {"id": "s1", "name": "One", "deep": {"a": [1], "b": 2}})
    replaced = await tenant.api.post("/skels/s1", {"name": "Two"})
    assert (replaced.status, replaced.data) == (200, {"id": "s1", "name": "Two"})
    assert (await tenant.api.get("/skels/s1")).data == {"id": "s1", "name": "Two"}

    deleted = await tenant.api.delete("/skels/s1")
    assert (deleted.status, deleted.data) == (200, {"id": "s1", "name": "Two", "_read_only": {"deleted": True}})
    assert (await tenant.api.get("/skels")).data == ["s2"]
