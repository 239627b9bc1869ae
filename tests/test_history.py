# SPDX-License-Identifier: MPL-2.0
"""Versions of documents: kept, listed, compared and restored, for every collection that has a history."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import pytest
import pytest_asyncio

from crossbar.app import ENDPOINTS
from crossbar.documents.store.history import position
from crossbar.wire.list_options import encode_start_key
from tests.every_document import World, new_world
from tests.harness import RunningServer, ServerWith, Tenant, new_person, new_tenant, until

RESTORE: Final = {"action": "restore"}
FIRST: Final[dict[str, Any]] = {"name": "first", "deep": {"a": [1, {"b": None}]}}


def restored_paths() -> list[str]:
    """The paths of documents in accounts whose versions can be restored."""
    suffixes = ("/history/{revision}", "/versions/{revision}")
    found = {
        route.template.removeprefix("/v2").rsplit("/", 2)[0]
        for endpoint in ENDPOINTS
        for route in endpoint.routes
        if route.verb == "POST" and route.template.endswith(suffixes) and "{account_id}" in route.template
    }
    return sorted(found)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(server: RunningServer) -> World:
    return await new_world(server, "remembering")


@pytest.mark.parametrize("template", restored_paths())
async def test_every_document_comes_back(world: World, template: str) -> None:
    api, path = world.api, world.path(template)
    below = f"{path}/{'versions' if 'clicktocall' in path else 'history'}"
    first = await api.get(path)
    before = await api.get(f"{below}/{first.envelope['revision']}")
    assert (first.status, before.status) == (200, 200), before.envelope
    changed = await api.post(path, first.data)
    assert changed.status == 200, changed.envelope
    listed = await api.get(below)
    revisions = [row["revision"] for row in listed.data]
    assert revisions[:2] == [changed.envelope["revision"], first.envelope["revision"]]
    assert listed.data[0]["author"]["account_id"] == listed.data[0]["author"]["account_id"]
    assert (await api.get(f"{below}/{revisions[1]}")).data == before.data
    restored = await api.post(f"{below}/{revisions[1]}", RESTORE)
    assert restored.status == 200, restored.envelope
    assert [row["revision"] for row in (await api.get(below)).data][1:3] == revisions[:2]


async def test_versions_with_authors_and_differences(tenant: Tenant, server: RunningServer) -> None:
    made = await tenant.api.put("/skels", FIRST)
    path = f"/skels/{made.id}"
    person = await new_person(server, tenant)
    await person.api.patch(path, {"name": "second", "deep": {"c/d": 1}})
    await server.master.root.patch(f"/accounts/{tenant.id}{path}", {"deep": None})
    listed = await tenant.api.get(f"{path}/history")
    third, second, first = listed.data
    assert [row["changed"] for row in listed.data] == [["deep"], ["deep", "name"], ["deep", "name"]]
    assert third["author"] == {"account_id": server.master.id}  # who is above is not told of
    assert second["author"]["user_id"] == person.id
    assert (second["author"]["user_name"], second["author"]["client_ip"]) == ("plain", "127.0.0.1")
    assert first["author"]["user_id"] == tenant.admin_id
    assert [row.get("present", False) for row in listed.data] == [True, False, False]
    shown = await tenant.api.get(f"{path}/history/{second['revision']}", query={"diff": "true"})
    assert shown.data["changes"] == [
        {"op": "add", "path": "/deep/c~1d", "value": 1},
        {"op": "replace", "path": "/name", "value": "second", "was": "first"},
    ]
    assert (await tenant.api.get(f"{path}/history/{first['revision']}")).data == made.data


async def test_pages(tenant: Tenant) -> None:
    made = await tenant.api.put("/skels", {"n": 0})
    path = f"/skels/{made.id}"
    for number in range(1, 12):
        await tenant.api.patch(path, {"n": number})

    async def numbers(**query: str) -> list[int]:
        seen = []
        while True:
            page = await tenant.api.get(f"{path}/history", query=query)
            assert all(row["changed"] == ["n"] for row in page.data)
            assert page.envelope["page_size"] == len(page.data)
            seen += [int(row["revision"].partition("-")[0]) for row in page.data]
            if "next_start_key" not in page.envelope:
                return seen
            query["start_key"] = page.envelope["next_start_key"]

    for size in ("1", "5", "12", "50", str(2**31 - 2)):
        assert await numbers(page_size=size) == list(range(12, 0, -1)), size
        assert await numbers(page_size=size, ascending="true") == list(range(1, 13)), size
    whole = await tenant.api.get(f"{path}/history", query={"paginate": "false", "descending": "false"})
    assert [row.get("present", False) for row in whole.data] == [False] * 11 + [True]


async def test_no_start_key_leads_to_anothers_versions(tenant: Tenant, stranger: Tenant) -> None:
    for whose in (tenant, stranger):
        made = await whose.api.put("/skels", {"n": 0})
        await whose.api.patch(f"/skels/{made.id}", {"n": 1})
        await whose.api.delete(f"/skels/{made.id}", query={"should_soft_delete": "false"})
    own = {row["revision"] for row in (await stranger.api.get(f"/skels/{made.id}/history")).data}
    for start in ("", "0", "\uffff", f"{tenant.id}/skel/", f"{stranger.id}/skel/{made.id}\x01\uffff"):
        for ascending in ("true", "false"):
            query = {"start_key": encode_start_key([start]), "ascending": ascending}
            page = await stranger.api.get(f"/skels/{made.id}/history", query=query)
            assert {row["revision"] for row in page.data} <= own, (start, ascending)


async def test_restoring_is_an_update_like_any_other(tenant: Tenant, server: RunningServer) -> None:
    made = await tenant.api.put("/callflows", {"numbers": ["2001"], "flow": {"module": "hangup", "data": {}}})
    path = f"/callflows/{made.id}"
    await tenant.api.patch(path, {"numbers": ["2002"]})
    await tenant.api.put("/callflows", {"numbers": ["2001"], "flow": {"module": "hangup", "data": {}}})
    back = f"{path}/history/{made.envelope['revision']}"
    assert (await tenant.api.post(back, RESTORE)).status == 400  # the number is another's by now
    assert (await tenant.api.post(back, {"action": "burn"})).refusals() == {"action": ["enum"]}
    assert (await tenant.api.post(f"{path}/history/1-{'0' * 32}", RESTORE)).status == 404
    skel = await tenant.api.put("/skels", FIRST)
    changed = await tenant.api.post(f"/skels/{skel.id}", {"name": "second"})
    stale = {"If-Match": skel.headers["ETag"]}
    back = f"/skels/{skel.id}/history/{skel.envelope['revision']}"
    assert (await tenant.api.post(back, RESTORE, headers=stale)).status == 412
    assert (await tenant.api.post(back, RESTORE, query={"dry_run": "true"})).data == skel.data
    assert (await tenant.api.get(f"/skels/{skel.id}")).data == changed.data
    person = await new_person(server, tenant)
    user = await tenant.api.patch(f"/users/{person.id}", {"priv_level": "admin"})
    await tenant.api.patch(f"/users/{person.id}", {"priv_level": "user"})
    assert (await person.api.post(f"/users/{person.id}/history/{user.envelope['revision']}", RESTORE)).status == 403


async def test_what_was_deleted_comes_back(tenant: Tenant) -> None:
    for path, data, query in (
        ("/skels", {"name": "x", "id": "soft"}, {}),
        ("/skels", {"name": "x", "id": "hard"}, {"should_soft_delete": "false"}),
        ("/users", {"first_name": "A", "last_name": "B", "username": "ab", "password": "correct horse"}, {}),
        ("/devices", {"name": "d", "sip": {"username": "sipuser1", "password": "secret123"}}, {}),
    ):
        made = await tenant.api.put(path, data)
        one = f"{path}/{made.id}"
        assert (await tenant.api.delete(one, query=query)).status == 200
        assert (await tenant.api.get(one)).status == 404
        ended, begun = (await tenant.api.get(f"{one}/history")).data
        assert (ended["deleted"], ended["author"]["user_id"], begun["revision"]) == (
            True,
            tenant.admin_id,
            made.envelope["revision"],
        )
        restored = await tenant.api.post(f"{one}/history/{begun['revision']}", RESTORE)
        assert (restored.status, restored.data) == (200, made.data), restored.envelope
        assert (await tenant.api.get(one)).data == made.data
        assert made.id in (await tenant.api.get(path)).raw.decode()
        assert len((await tenant.api.get(f"{one}/history")).data) == 3


@pytest.mark.parametrize("whole", [True, False])
async def test_who_ends_the_entries_of_a_list_is_told(tenant: Tenant, server: RunningServer, whole: bool) -> None:
    owner = (await tenant.api.put("/lists", {"name": "list"})).id
    entry = (await tenant.api.put(f"/lists/{owner}/entries", {"number": "100"})).id
    person = await new_person(server, tenant, "clearing", priv_level="admin")
    assert (await person.api.delete(f"/lists/{owner}" if whole else f"/lists/{owner}/entries")).status == 200
    rows = (await tenant.api.get("/audit", query={"filter_id": entry})).data
    assert [(row["action"], row["author"]["user_id"]) for row in rows] == [
        ("deleted", person.id),
        ("created", tenant.admin_id),
    ]


async def test_who_takes_a_rate_out_is_told(server: RunningServer, tenant: Tenant) -> None:
    root = server.master.root
    rate = (await root.put("/rates", {"prefix": "49", "rate_cost": 0.1})).id
    other = await new_person(server, server.master, f"rates{tenant.id[:8]}", priv_level="admin")
    acting = root.acting(other.token)
    assert (await acting.delete(f"/rates/{rate}")).status == 200
    ended, made = (await root.get(f"/rates/{rate}/history")).data
    assert (ended["author"]["user_id"], made["author"]["user_id"]) == (other.id, server.master.admin_id)


async def test_nobody_else_sees_or_restores_it(tenant: Tenant, stranger: Tenant) -> None:
    made = await tenant.api.put("/skels", FIRST)
    path = f"/accounts/{tenant.id}/skels/{made.id}/history"
    assert (await stranger.root.get(path)).status == 403
    assert (await stranger.api.get(f"/skels/{made.id}/history")).status == 404
    assert (await stranger.root.post(f"{path}/{made.envelope['revision']}", RESTORE)).status == 403


async def test_no_version_is_lost_to_many_at_a_time(tenant: Tenant) -> None:
    made = await tenant.api.put("/skels", {"name": "x"})
    path = f"/skels/{made.id}"
    answers = await asyncio.gather(*(tenant.api.patch(path, {f"f{n}": n}) for n in range(30)))
    listed = await tenant.api.get(f"{path}/history", query={"page_size": "100"})
    revisions = {row["revision"] for row in listed.data}
    assert {answer.envelope["revision"] for answer in answers} | {made.envelope["revision"]} == revisions
    for answer in answers:
        assert (await tenant.api.get(f"{path}/history/{answer.envelope['revision']}")).data == answer.data


async def test_what_a_failed_write_left_behind_is_no_version(tenant: Tenant, server: RunningServer) -> None:
    made = await tenant.api.put("/skels", {"name": "x"})
    history = server.runtime.store.history
    document = await server.runtime.store.get(tenant.id, "skel", made.id)
    assert document is not None
    await history.keep([entry for entry in [history.entry(document, None)] if entry])
    path = f"/skels/{made.id}"
    assert len((await tenant.api.get(f"{path}/history")).data) == 1
    await tenant.api.patch(path, {"name": "y"})
    assert len((await tenant.api.get(f"{path}/history")).data) == 2


async def test_secrets_are_sealed_and_changes_of_the_server_are_no_versions(
    tenant: Tenant, server: RunningServer
) -> None:
    hook = {"name": "hook", "uri": "https://hooks.example.com/x", "hook": "channel_create"}
    new = await tenant.api.put("/webhooks", hook)
    made = await tenant.api.patch(f"/webhooks/{new.id}", {"secret": True})
    assert (await tenant.api.patch(f"/webhooks/{made.id}", {"name": "other"})).status == 200
    place = position(f"{tenant.id}/webhook/{made.id}", made.envelope["revision"])
    stored = await server.runtime.store.database["history"].find_one({"_id": place})
    assert stored is not None
    assert made.data["secret"].encode() not in stored["json"]
    assert b"sealed:" in stored["json"]
    shown = await tenant.api.get(f"/webhooks/{made.id}/history/{made.envelope['revision']}")
    assert (shown.status, "secret" in shown.data) == (200, False)
    await server.runtime.store.update(
        tenant.id, "webhook", made.id, lambda found: found.fields.update(pvt_noted_by_the_server=1)
    )
    assert len((await tenant.api.get(f"/webhooks/{made.id}/history")).data) == 3


async def test_the_change_feed_hears_of_documents_alone(tenant: Tenant, server: RunningServer) -> None:
    heard: list[str] = []
    server.runtime.feed.subscribe("user", lambda change: heard.append(change.id))
    for number in range(3):
        await tenant.api.patch(f"/users/{tenant.admin_id}", {"last_name": f"n{number}"})
    last = await new_person(server, tenant, "last")

    async def told() -> bool:
        return heard.count(last.id) > 1  # by the worker itself, and by the database

    await until(told)
    assert {one for one in heard if one.startswith(tenant.admin_id)} == {tenant.admin_id}


async def test_it_can_be_switched_off(server_with: ServerWith) -> None:
    async with server_with(history__keep_days="0") as server:
        tenant = await new_tenant(server, server.master, "forgetful")
        made = await tenant.api.put("/skels", {"name": "x"})
        await tenant.api.patch(f"/skels/{made.id}", {"name": "y"})
        assert await server.runtime.store.database["history"].count_documents({}) == 0
        assert len((await tenant.api.get(f"/skels/{made.id}/history")).data) == 1
