# SPDX-License-Identifier: MPL-2.0
"""What was done in an account, and by whom."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from crossbar import clock
from crossbar.resources.auth.audit import AT_A_TIME
from crossbar.wire.list_options import encode_start_key
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


async def log_in(tenant: Tenant, password: str) -> str:
    """Try a password; returns the digest that was sent."""
    digest = hashlib.md5(f"admin:{password}".encode()).hexdigest()
    about = {"credentials": digest, "account_realm": tenant.realm}
    await tenant.root.acting(None).put("/user_auth", about)
    return digest


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


async def test_the_oldest_first(tenant: Tenant) -> None:
    await tenant.api.put("/skels", {"name": "one"})
    assert (await tenant.api.patch("", {"name": f"renamed {tenant.id}"})).status == 200
    await log_in(tenant, "correct horse")
    await tenant.api.put("/skels", {"name": "two"})
    for size in ("1", "2", "3", "100"):
        rows = await everything(tenant, page_size=size)
        assert await everything(tenant, page_size=size, ascending="true") == rows[::-1], size
        assert await everything(tenant, page_size=size, descending="false", filter_type="skel") == [
            row for row in rows[::-1] if row["type"] == "skel"
        ]


@pytest.mark.parametrize("ascending", ["true", "false"])
async def test_nothing_is_left_out_where_much_happened_in_one_second(tenant: Tenant, ascending: str) -> None:
    now, made = int(clock.unix_now()), []
    for second, number in ((now - 2, 4), (now - 1, 9), (now, 4)):
        with clock.frozen(second):
            made += [(await tenant.api.put("/skels", {"name": f"{second} {one}"})).id for one in range(number)]
            assert (await tenant.api.patch("", {"name": f"{tenant.id} {second}"})).status == 200
            await log_in(tenant, "wrong horse")
    between = {"created_from": str(clock.gregorian(now - 2)), "created_to": str(clock.gregorian(now))}
    for size in ("1", "3", "4"):
        rows = await everything(tenant, page_size=size, ascending=ascending, **between)
        assert sorted(row["id"] for row in rows if row["type"] == "skel") == sorted(made), size
        assert len([row for row in rows if row["type"] == "login_attempt"]) == 3, size
        assert len([row for row in rows if row["type"] == "account" and "name" in row["changed"]]) >= 3, size
        times = [row["timestamp"] for row in rows]
        assert times == sorted(times, reverse=ascending == "false"), size


async def test_an_account_that_was_changed_often(tenant: Tenant) -> None:
    for number in range(AT_A_TIME + 20):
        assert (await tenant.api.patch("", {"name": f"{tenant.id} {number}"})).status == 200
    rows = await everything(tenant, page_size="50", filter_type="account")
    assert {f"{tenant.id} {number}" for number in range(AT_A_TIME + 20)} <= {row["name"] for row in rows}


@pytest.mark.parametrize(
    "start", ["", "abc", "9" * 30, "063900000000", "063900000000\x01", "063900000000\x01x", "\uffff", 1, None]
)
async def test_a_start_key_of_somebody_elses_making(tenant: Tenant, start: object) -> None:
    for ascending in ("true", "false"):
        query = {"start_key": encode_start_key([start]), "ascending": ascending}
        assert (await tenant.api.get("/audit", query=query)).status == 200


async def test_log_ins_and_refusals(tenant: Tenant) -> None:
    for password in ("correct horse", "wrong horse"):
        digest = await log_in(tenant, password)
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
