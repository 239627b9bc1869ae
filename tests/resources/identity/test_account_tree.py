# SPDX-License-Identifier: MPL-2.0
"""Lists of accounts, their end, their place in the tree, resellers."""

from __future__ import annotations

import asyncio
from typing import Any

from crossbar import clock
from crossbar.documents.document import ACCOUNTS, SYSTEM_DATA, Document
from crossbar.resources.identity.domain import account_removal
from tests.accounts import FORBIDDEN, configure, unique
from tests.harness import RunningServer, Tenant, new_tenant

# Lists


async def family(tenant: Tenant) -> dict[str, str]:
    """Below the tenant: `b` with a child `c`, and `a`."""
    ids: dict[str, str] = {}
    for name, parent in (("b", tenant.id), ("c", "b"), ("a", tenant.id)):
        body = {"name": f"{name} {tenant.id[:8]}", "realm": f"{name}.{tenant.realm}"}
        ids[name] = (await tenant.root.put(f"/accounts/{ids.get(parent, parent)}", body)).id
    return ids


async def test_children_descendants_siblings(tenant: Tenant, master: Tenant) -> None:
    ids = await family(tenant)

    def row(name: str, **more: Any) -> dict[str, Any]:
        shown = {"id": ids[name], "name": f"{name} {tenant.id[:8]}", "realm": f"{name}.{tenant.realm}", "flags": []}
        return {**shown, **more}

    ascending = {"ascending": "true"}
    children = [row("a", descendants_count=0), row("b", descendants_count=1)]
    listed = await tenant.api.get("/children", query=ascending)
    assert (listed.status, listed.data, listed.envelope["page_size"]) == (200, children, 2)
    assert (await tenant.api.get("/children")).data == children[::-1]
    first = await tenant.api.get("/children", query={"page_size": 1})
    rest = await tenant.api.get("/children", query={"start_key": first.envelope["next_start_key"]})
    assert first.data + rest.data == children[::-1]

    descendants = await tenant.api.get("/descendants", query=ascending)
    assert descendants.data == [
        row("a", tree=[master.id, tenant.id]),
        row("b", tree=[master.id, tenant.id]),
        row("c", tree=[master.id, tenant.id, ids["b"]]),
    ]
    found = await tenant.api.get("/descendants", query={"filter_realm": f"c.{tenant.realm}"})
    assert [entry["id"] for entry in found.data] == [ids["c"]]

    siblings = await tenant.root.get(f"/accounts/{ids['b']}/siblings", query=ascending)
    assert siblings.data == children
    assert (await tenant.api.get("/siblings")).error() == FORBIDDEN
    everybody = await master.root.get(f"/accounts/{tenant.id}/siblings", query={"paginate": "false"})
    assert tenant.id in [entry["id"] for entry in everybody.data]
    assert (await master.api.get("/siblings")).data == []


async def test_siblings_as_configured(tenant: Tenant, master: Tenant, settings: None) -> None:
    ids = await family(tenant)
    await configure(master, allow_sibling_listing=False)
    assert (await tenant.root.get(f"/accounts/{ids['a']}/siblings")).error() == FORBIDDEN


async def test_parents_and_tree(tenant: Tenant, master: Tenant) -> None:
    ids = await family(tenant)
    below = [
        {"id": tenant.id, "name": (await tenant.api.get("")).data["name"]},
        {"id": ids["b"], "name": f"b {tenant.id[:8]}"},
    ]
    for path in ("parents", "tree"):
        listed = await tenant.root.get(f"/accounts/{ids['c']}/{path}")
        assert (listed.status, listed.data, listed.envelope["page_size"]) == (200, below, 2)
    top = {"id": master.id, "name": "Master"}
    assert (await master.root.get(f"/accounts/{ids['c']}/tree")).data == [top, *below]
    assert (await tenant.api.get("/parents")).data == [top]
    assert (await tenant.api.get("/tree")).data == []


# Leaving


async def test_delete(tenant: Tenant, server: RunningServer, master: Tenant) -> None:
    child = await new_tenant(server, tenant, unique("leaving"))
    device = await child.api.put("/devices", {"name": "x", "sip": {"username": "xx", "realm": "other.test"}})
    await child.api.post(f"/users/{child.admin_id}/photo", body=b"1", content_type="image/png")
    shown = (await tenant.root.get(f"/accounts/{child.id}")).data

    deleted = await tenant.root.delete(f"/accounts/{child.id}")
    assert (deleted.status, deleted.data["_read_only"]) == (200, {"deleted": True})
    assert not {"created", "superduper_admin", "enabled", "reseller_id"} & deleted.data.keys()
    assert {key: deleted.data[key] for key in ("id", "name", "realm")} == {
        key: shown[key] for key in ("id", "name", "realm")
    }
    gone = await tenant.root.get(f"/accounts/{child.id}")
    assert gone.error() == (404, "404", "bad_identifier", {"cause": child.id, "message": "bad identifier"})
    assert (await child.root.get("/token_auth")).status == 401
    assert (await tenant.api.get("")).data["descendants_count"] == 0
    assert await server.runtime.store.get(child.id, "device", device.id) is None
    freed = await tenant.api.put("/devices", {"name": "x", "sip": {"username": "xx", "realm": "other.test"}})
    assert freed.status == 201


async def test_what_comes_in_after_an_accounts_end_goes_too(tenant: Tenant, server: RunningServer) -> None:
    child, reborn = [(await tenant.api.put("", {"name": unique("leaving")})).id for _ in range(2)]
    late = {"name": "late", "sip": {"username": unique("late"), "realm": "other.test"}}
    for account_id in (child, reborn):
        assert (await tenant.root.delete(f"/accounts/{account_id}")).status == 200
    await server.runtime.store.insert(Document(child, "device", "late", late))
    await tenant.api.put("", {"name": unique("anew"), "id": reborn})
    kept = await tenant.root.put(f"/accounts/{reborn}/devices", {"name": "kept"})

    assert (await tenant.api.put("/devices", late)).status == 400
    with clock.frozen(clock.unix_now() + account_removal.GRACE_SECONDS):
        await account_removal.clear_all(server.runtime)
    assert (await tenant.api.put("/devices", late)).status == 201
    assert (await tenant.root.get(f"/accounts/{reborn}/devices/{kept.id}")).status == 200
    assert await server.runtime.store.get(SYSTEM_DATA, account_removal.TYPE, child) is None
    assert (await tenant.root.delete(f"/accounts/{reborn}")).status == 200


async def test_what_is_not_deleted(tenant: Tenant, master: Tenant) -> None:
    await tenant.api.put("", {"name": unique("a")})
    refused = await tenant.api.delete("")
    assert refused.error() == (500, "500", "account_has_descendants", {"message": "account has descendants"})
    assert (await master.api.delete("")).error()[:3] == (405, "405", "invalid_method")
    assert (await tenant.api.get("")).status == 200


async def test_an_accounts_end_takes_nothing_of_others(tenant: Tenant, stranger: Tenant) -> None:
    claim = {"name": "x", "sip": {"username": "xx", "realm": f"{tenant.id}.test"}}
    assert (await stranger.api.put("/devices", claim)).status == 201
    child = await tenant.api.put("", {"name": unique("a"), "id": "." * 32})
    assert (await tenant.root.delete(f"/accounts/{child.id}")).status == 200
    assert (await tenant.api.put("/devices", claim)).status == 400


async def test_a_child_born_while_its_parent_leaves(tenant: Tenant) -> None:
    for _ in range(5):
        parent = await tenant.api.put("", {"name": unique("parent")})
        path = f"/accounts/{parent.id}"
        born, left = await asyncio.gather(tenant.root.put(path, {"name": unique("child")}), tenant.root.delete(path))
        assert (born.status, left.status) in ((201, 500), (404, 200)), (born.envelope, left.envelope)
        children = [row["id"] for row in (await tenant.api.get("/descendants")).data]
        assert ((born.data.get("id") in children), parent.id in children) == ((born.status == 201),) * 2


# Moving


async def test_move(tenant: Tenant, stranger: Tenant, master: Tenant, server: RunningServer) -> None:
    ids = await family(tenant)
    path = f"/accounts/{ids['b']}/move"
    missing = await master.root.post(path, {})
    assert missing.invalid() == {"to": {"required": {"message": "Field 'to' is required"}}}
    assert (await tenant.root.post(path, {"to": ids["a"]})).error() == FORBIDDEN
    unknown = await master.root.post(path, {"to": "0" * 32})
    assert unknown.error() == (404, "404", "bad_identifier", {"cause": "0" * 32, "message": "bad identifier"})
    for below in (ids["b"], ids["c"]):
        assert (await master.root.post(path, {"to": below})).error() == FORBIDDEN
    assert (await master.api.post("/move", {"to": ids["a"]})).error() == FORBIDDEN

    await master.root.put(f"/accounts/{stranger.id}/reseller")
    moved = await master.root.post(path, {"to": stranger.id})
    assert (moved.status, moved.id, moved.data["reseller_id"]) == (200, ids["b"], stranger.id)
    tree = [row["id"] for row in (await master.root.get(f"/accounts/{ids['c']}/tree")).data]
    assert tree == [master.id, stranger.id, ids["b"]]
    stored = await server.runtime.store.get(ACCOUNTS, "account", ids["c"])
    assert stored is not None
    assert stored.fields["pvt_previous_tree"] == [master.id, tenant.id, ids["b"]]
    assert (await stranger.root.get(f"/accounts/{ids['c']}")).data["reseller_id"] == stranger.id
    assert (await tenant.root.get(f"/accounts/{ids['c']}")).error() == FORBIDDEN
    assert [row["id"] for row in (await tenant.api.get("/descendants")).data] == [ids["a"]]


async def test_move_within_the_tree_as_configured(
    tenant: Tenant, stranger: Tenant, master: Tenant, settings: None
) -> None:
    ids = await family(tenant)
    await configure(master, allow_move="tree")
    assert (await tenant.root.post(f"/accounts/{ids['c']}/move", {"to": ids["a"]})).status == 200
    assert (await tenant.root.post(f"/accounts/{ids['c']}/move", {"to": stranger.id})).error() == FORBIDDEN
    assert (await stranger.root.post(f"/accounts/{ids['c']}/move", {"to": stranger.id})).error() == FORBIDDEN


# Resellers


async def test_promote_and_demote(tenant: Tenant, master: Tenant) -> None:
    ids = await family(tenant)
    middle, leaf = f"/accounts/{ids['b']}", f"/accounts/{ids['c']}"
    for verb in ("PUT", "DELETE"):
        assert (await tenant.root.request(verb, f"{middle}/reseller")).error() == FORBIDDEN
        assert (await master.api.request(verb, "/reseller")).error() == FORBIDDEN

    promoted = await master.root.put(f"{middle}/reseller")
    assert (promoted.status, promoted.data["is_reseller"]) == (201, True)
    assert (await master.root.get(leaf)).data["reseller_id"] == ids["b"]
    assert (await tenant.root.get(leaf)).data["billing_mode"] == "manual"
    refused = await master.root.put(f"/accounts/{tenant.id}/reseller")
    assert refused.error() == (500, "500", "account_has_descendants", {"message": "account has descendants"})

    demoted = await master.root.delete(f"{middle}/reseller")
    assert (demoted.status, demoted.data["is_reseller"], demoted.data["_read_only"]) == (200, False, {"deleted": True})
    assert (await master.root.get(leaf)).data["reseller_id"] == master.id

    await master.root.put(f"/accounts/{tenant.id}/reseller")
    assert (await tenant.root.get(leaf)).data["billing_mode"] == "limits_only"
    created = await tenant.root.put(middle, {"name": unique("x")})
    assert created.data["reseller_id"] == tenant.id


async def test_the_master_account(master: Tenant) -> None:
    shown = (await master.api.get("")).data
    assert (shown["superduper_admin"], shown["wnm_allow_additions"], shown["is_reseller"]) == (True, True, True)
    assert (shown["reseller_id"], shown["billing_mode"]) == (master.id, "limits_only")


async def test_a_child_born_while_its_parent_moves(tenant: Tenant, stranger: Tenant, master: Tenant) -> None:
    parent = await tenant.api.put("", {"name": unique("parent")})
    path = f"/accounts/{parent.id}"
    for target in (stranger, tenant, stranger):
        born, moved = await asyncio.gather(
            master.root.put(path, {"name": unique("child")}), master.root.post(f"{path}/move", {"to": target.id})
        )
        assert (born.status, moved.status) == (201, 200)
        rows = (await master.root.get(f"/accounts/{born.id}/tree")).data
        assert [row["id"] for row in rows] == [master.id, target.id, parent.id]
