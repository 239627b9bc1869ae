# SPDX-License-Identifier: MPL-2.0
"""`/resource_selectors`: which calls take which carrier."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import Api, RunningServer, Tenant, new_person, set_options
from tests.tasks import output_of, run_task

FORBIDDEN = (403, "403", "forbidden", {"message": "forbidden"})
SHEET = (
    "name,selector,resource,value,start_time,stop_time\n"
    "day,^1415,r1,low,63900000000,63900003600\n"
    "day,^1408,r1,,,\n"
    "day,^44,r2,,,\n"
    "night,^1415,r1,,,\n"
)
PATHS = (
    "",
    "/rules",
    "/name",
    "/name/day",
    "/resource",
    "/resource/r1",
    "/name/day/resource/r1",
    "/resource/r1/name/day",
)


async def fill(api: Api, sheet: str = SHEET) -> None:
    assert (await run_task(api, "resource_selectors", "import", sheet))["status"] == "success"


def without_id(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = [{key: value for key, value in row.items() if key != "id"} for row in rows]
    return sorted(found, key=lambda row: (row["name"], row["selector"]))


async def test_help(anonymous: Api) -> None:
    told = await anonymous.get("/tasks", query={"category": "resource_selectors"})
    naming = ["name", "selector", "resource"]
    actions = told.data["tasks"]["resource_selectors"]
    assert [*actions] == ["import", "delete"]
    assert (actions["import"]["mandatory"], actions["import"]["optional"]) == (
        naming,
        ["value", "start_time", "stop_time"],
    )
    assert actions["delete"]["mandatory"] == naming
    assert actions["delete"].keys() == {"description", "doc", "expected_content", "mandatory"}


async def test_selectors_come_from_a_sheet_and_are_listed(tenant: Tenant) -> None:
    await fill(tenant.api)
    listed = await tenant.api.get("/resource_selectors")
    assert (listed.status, listed.envelope["page_size"]) == (200, 4)
    first = {
        "name": "day",
        "resource": "r1",
        "selector": "^1415",
        "value": "low",
        "start_time": 63900000000,
        "stop_time": 63900003600,
    }
    plain = {"name": "day", "resource": "r1", "selector": "^1408"}
    assert without_id(listed.data) == [
        plain,
        first,
        {"name": "day", "resource": "r2", "selector": "^44"},
        {"name": "night", "resource": "r1", "selector": "^1415"},
    ]
    for path, counts in (
        ("/name", [{"night": 1}, {"day": 3}]),
        ("/name/day", [{"r2": 1}, {"r1": 2}]),
        ("/name/dawn", []),
        ("/resource", [{"r2": 1}, {"r1": 3}]),
        ("/resource/r1", [{"night": 1}, {"day": 2}]),
    ):
        counted = await tenant.api.get(f"/resource_selectors{path}")
        assert (counted.status, counted.data) == (200, counts), path
    paged = await tenant.api.get("/resource_selectors/name", query={"page_size": 1})
    assert (paged.data, paged.envelope["page_size"]) == ([{"night": 1}], 1)
    rest = await tenant.api.get("/resource_selectors/name", query={"start_key": paged.envelope["next_start_key"]})
    assert rest.data == [{"day": 3}]
    for path in ("/name/day/resource/r1", "/resource/r1/name/day"):
        both = await tenant.api.get(f"/resource_selectors{path}")
        assert (both.status, without_id(both.data)) == (200, [plain, first]), path


async def test_words_in_paths_are_names_whatever_they_are(tenant: Tenant) -> None:
    sheet = 'name,selector,resource\nusers,x,devices\n"a/b ""c""",x,devices\n'
    await fill(tenant.api, sheet)
    assert (await tenant.api.get("/resource_selectors/name/users")).data == [{"devices": 1}]
    assert (await tenant.api.get("/resource_selectors/resource/devices")).data == [{"users": 1}, {'a/b "c"': 1}]
    odd = await tenant.api.get("/resource_selectors/name/a%2Fb%20%22c%22/resource/devices")
    assert without_id(odd.data) == [{"name": 'a/b "c"', "selector": "x", "resource": "devices"}]


async def test_one_selector(tenant: Tenant) -> None:
    await fill(tenant.api, "name,selector,resource\nday,^1,r1\n")
    [row] = (await tenant.api.get("/resource_selectors")).data
    path = f"/resource_selectors/{row['id']}"
    read = await tenant.api.get(path)
    assert (read.status, read.data) == (200, {"id": row["id"], "name": "day", "selector": "^1", "resource": "r1"})
    sent = {"name": "day", "selector": "^2", "resource": "r9", "start_time": 5}
    replaced = await tenant.api.post(path, sent)
    assert (replaced.status, replaced.data) == (200, {**sent, "id": row["id"]})
    assert (await tenant.api.get("/resource_selectors/resource")).data == [{"r9": 1}]
    refused = await tenant.api.post(path, {"name": "day", "start_time": "soon"})
    assert refused.refusals() == {
        "resource": ["required"],
        "selector": ["required"],
        "start_time": ["type"],
    }
    removed = await tenant.api.delete(path)
    assert (removed.status, removed.data) == (200, {**replaced.data, "_read_only": {"deleted": True}})
    missing = (404, "404", "bad_identifier", {"message": "bad identifier", "cause": row["id"]})
    for verb in ("GET", "POST", "DELETE"):
        assert (await tenant.api.request(verb, path, sent)).error() == missing
    for verb in ("PUT", "PATCH"):
        assert (await tenant.api.request(verb, path, sent)).error()[0] == 405
    assert (await tenant.api.put("/resource_selectors", sent)).error()[0] == 405


async def test_rules(tenant: Tenant) -> None:
    rules_id = "resource_selector_rules"
    unset = await tenant.api.get("/resource_selectors/rules")
    assert unset.error() == (404, "404", "bad_identifier", {"message": "bad identifier", "cause": rules_id})
    made = await tenant.api.post("/resource_selectors/rules", {"order": ["name", "resource"]})
    expected = {"order": ["name", "resource"], "id": rules_id}
    assert (made.status, made.data, made.envelope["revision"][:2]) == (200, expected, "1-")
    replaced = await tenant.api.post("/resource_selectors/rules", {"any": True})
    assert (replaced.status, replaced.data) == (200, {"any": True, "id": rules_id})
    read = await tenant.api.get("/resource_selectors/rules")
    assert (read.status, read.data, read.envelope["revision"][:2]) == (200, {"any": True, "id": rules_id}, "2-")


async def test_paths_without_an_account_speak_of_the_master_account(master: Tenant) -> None:
    await fill(master.api, "name,selector,resource\nglobal,^1,r1\n")
    try:
        for path in PATHS:
            here, there = (
                await master.root.get(f"/resource_selectors{path}"),
                await master.api.get(f"/resource_selectors{path}"),
            )
            assert (here.status, here.data) == (there.status, there.data), path
        [row] = (await master.root.get("/resource_selectors")).data
        sent = {"name": "global", "selector": "^2", "resource": "r1"}
        assert (await master.root.post(f"/resource_selectors/{row['id']}", sent)).data == {**sent, "id": row["id"]}
        assert (await master.root.post("/resource_selectors/rules", {"a": 1})).status == 200
        assert (await master.api.get("/resource_selectors/rules")).data["a"] == 1
        assert (await master.root.delete(f"/resource_selectors/{row['id']}")).status == 200
    finally:
        await run_task(master.api, "resource_selectors", "delete", "name,selector,resource\nglobal,^1,r1\n")


async def test_an_import_done_twice_makes_nothing_twice(tenant: Tenant) -> None:
    await fill(tenant.api)
    before = (await tenant.api.get("/resource_selectors")).data
    await fill(tenant.api)
    assert (await tenant.api.get("/resource_selectors")).data == before
    [row] = (await tenant.api.get("/resource_selectors/name/day/resource/r2")).data
    await tenant.api.delete(f"/resource_selectors/{row['id']}")
    await fill(tenant.api)
    assert (await tenant.api.get("/resource_selectors")).data == before


async def test_cells_that_will_not_do(tenant: Tenant) -> None:
    sheet = "name,selector,resource,start_time\na,^1,r1,soon\na,^1,r1,5\n"
    task = await run_task(tenant.api, "resource_selectors", "import", sheet)
    assert [task[key] for key in ("status", "success_count", "failure_count")] == ["partial", 1, 1]
    assert [row["error"] for row in await output_of(tenant.api, task)] == ["bad fields(s) start_time", ""]


async def test_a_deletion(tenant: Tenant) -> None:
    await fill(tenant.api)
    sheet = "name,selector,resource\nday,^1415,r1\nday,^44,r1\n"
    for _ in range(2):
        task = await run_task(tenant.api, "resource_selectors", "delete", sheet)
        assert [task[key] for key in ("status", "success_count", "failure_count")] == ["success", 2, 0]
        assert [row["error"] for row in await output_of(tenant.api, task)] == ["", ""]
    left = without_id((await tenant.api.get("/resource_selectors")).data)
    assert [(row["name"], row["selector"]) for row in left] == [("day", "^1408"), ("day", "^44"), ("night", "^1415")]


async def test_who_may(
    server: RunningServer, tenant: Tenant, stranger: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(tenant.api, "name,selector,resource\nday,^1,r1\n")
    [row] = (await tenant.api.get("/resource_selectors")).data
    person = await new_person(server, tenant)
    requests = [("GET", path) for path in PATHS]
    requests += [("POST", "/rules"), *((verb, f"/{row['id']}") for verb in ("GET", "POST", "DELETE"))]
    sent = {"name": "x", "selector": "x", "resource": "x"}
    for verb, path in requests:
        whole = f"/accounts/{tenant.id}/resource_selectors{path}"
        assert (await stranger.root.request(verb, whole, sent)).error() == FORBIDDEN, path
        assert (await person.root.request(verb, whole, sent)).error() == FORBIDDEN, path
        assert (await tenant.root.request(verb, f"/resource_selectors{path}", sent)).error() == FORBIDDEN, path
    query = {"category": "resource_selectors", "action": "import"}
    assert (await person.api.put("/tasks", {"records": [sent]}, query=query)).error() == FORBIDDEN
    set_options(monkeypatch, server, "access", plain_users="as_kazoo")
    assert (await person.api.get("/resource_selectors")).data == [row]
