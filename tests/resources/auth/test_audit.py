# SPDX-License-Identifier: MPL-2.0
"""What was done in an account, and by whom."""

from __future__ import annotations

import hashlib
from typing import Any

from crossbar import clock
from tests.harness import RunningServer, Tenant, new_person


async def everything(tenant: Tenant, **query: str) -> list[dict[str, Any]]:
    """All pages, three rows each."""
    rows: list[dict[str, Any]] = []
    query = {"page_size": "3", **query}
    while True:
        page = await tenant.api.get("/audit", query=query)
        assert page.status == 200, page.envelope
        rows += page.data
        if "next_start_key" not in page.envelope:
            return rows
        query["start_key"] = page.envelope["next_start_key"]


async def test_all_changes_with_their_authors_page_by_page(tenant: Tenant, server: RunningServer) -> None:
    person = await new_person(server, tenant, "clerk")
    made = [await tenant.api.put("/skels", {"name": f"s{number}"}) for number in range(5)]
    one = f"/skels/{made[0].id}"
    await person.api.patch(one, {"name": "renamed"})
    await tenant.api.delete(one)
    await tenant.api.post(f"{one}/history/{made[0].envelope['revision']}", {"action": "restore"})
    await tenant.api.delete(f"/skels/{made[1].id}", query={"should_soft_delete": "false"})
    await tenant.api.patch("", {"name": "renamed account"})
    rows = await everything(tenant)
    assert len({(row["id"], row.get("revision")) for row in rows}) == len(rows)
    assert [row["timestamp"] for row in rows] == sorted((row["timestamp"] for row in rows), reverse=True)
    of_first = [(row["action"], row["author"]["user_id"]) for row in rows if row["id"] == made[0].id]
    assert of_first == [
        ("restored", tenant.admin_id),
        ("deleted", tenant.admin_id),
        ("changed", person.id),
        ("created", tenant.admin_id),
    ]
    assert [row["action"] for row in rows if row["id"] == made[1].id] == ["deleted", "created"]
    assert {row["id"] for row in rows if row["type"] == "skel"} == {skel.id for skel in made}
    [renamed] = [
        row for row in rows if row["type"] == "account" and row["action"] == "changed" and "name" in row["changed"]
    ]
    assert (renamed["name"], renamed["author"]["client_ip"]) == ("renamed account", "127.0.0.1")
    assert await everything(tenant, filter_type="skel", filter_user_id=person.id) == [
        row for row in rows if row["action"] == "changed" and row["id"] == made[0].id
    ]
    assert await everything(tenant, filter_id=made[2].id, filter_action="deleted") == []
    past = str(clock.now() - 1000)
    assert await everything(tenant, created_to=past, created_from=str(int(past) - 1000)) == []


async def test_log_ins_and_refusals(tenant: Tenant) -> None:
    for password in ("correct horse", "wrong horse"):
        digest = hashlib.md5(f"admin:{password}".encode()).hexdigest()
        about = {"credentials": digest, "account_realm": tenant.realm}
        await tenant.root.acting(None).put("/user_auth", about)
    rows = await everything(tenant, filter_type="login_attempt")
    assert sorted(row["action"] for row in rows) == ["logged_in", "login_refused"]
    assert {row["client_ip"] for row in rows} == {"127.0.0.1"}
    assert len(await everything(tenant, filter_action="login_refused")) == 1
    assert digest not in str(rows)


async def test_it_is_the_accounts_own_and_shows_no_secret(
    tenant: Tenant, stranger: Tenant, server: RunningServer
) -> None:
    person = await new_person(server, tenant)
    assert (await stranger.root.get(f"/accounts/{tenant.id}/audit")).status == 403
    assert (await person.api.get("/audit")).status == 403
    await tenant.api.patch(f"/users/{person.id}", {"password": "a new secret word"})
    assert person.id not in str(await everything(stranger))
    rows = await everything(tenant)
    assert [row["action"] for row in rows if row["id"] == person.id] == ["changed", "created"]
    assert "secret word" not in str(rows)
    assert "pvt_" not in str(rows)
