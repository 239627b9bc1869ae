# SPDX-License-Identifier: MPL-2.0
"""Listing: order, pages, filters, projections and sheets, the same at every collection."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from crossbar import clock
from tests.harness import Answer, RunningServer, Tenant, new_tenant

ASCENDING = {"ascending": "true"}


async def menus(tenant: Tenant, *names: str, **more: Any) -> list[str]:
    return [(await tenant.api.put("/menus", {"name": name, **more})).id for name in names]


async def people(tenant: Tenant, *names: str) -> None:
    for name in names:
        first, last = name.split()
        assert (await tenant.api.put("/users", {"first_name": first, "last_name": last})).status == 201


def names(answer: Answer) -> list[str]:
    return [f"{row['first_name']} {row['last_name']}" for row in answer.data]


async def pages(tenant: Tenant, path: str, query: dict[str, Any]) -> AsyncIterator[Answer]:
    """Every page, as a client turns them."""
    query = dict(query)
    while True:
        page = await tenant.api.get(path, query=query)
        assert page.status == 200, page.envelope
        assert page.envelope["page_size"] == len(page.data)
        assert page.envelope.get("start_key") == query.get("start_key")
        yield page
        if "next_start_key" not in page.envelope:
            return
        query["start_key"] = page.envelope["next_start_key"]


# Order


async def test_descending_unless_ascending_is_asked_for(tenant: Tenant) -> None:
    await people(tenant, "Bob Beta", "Cy alpha", "Al Gamma")
    up = ["Ada Admin", "Cy alpha", "Bob Beta", "Al Gamma"]
    for query, expected in (
        ({}, up[::-1]),
        ({"ascending": "true"}, up),
        ({"ascending": ""}, up),
        ({"ascending": "yes"}, up),
        ({"ascending": "false"}, up[::-1]),
        ({"descending": "true"}, up[::-1]),
        ({"descending": "false"}, up),
        ({"ascending": "true", "descending": "true"}, up[::-1]),
    ):
        assert names(await tenant.api.get("/users", query=query)) == expected


# Pages


@pytest.mark.parametrize("query", [{}, ASCENDING], ids=["descending", "ascending"])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 50])
async def test_pages_have_every_row_once(query: dict[str, str], size: int, tenant: Tenant) -> None:
    ids = await menus(tenant, *"abcdefg")
    turned = [page async for page in pages(tenant, "/menus", {**query, "page_size": size})]
    rows = [row["id"] for page in turned for row in page.data]
    assert rows == sorted(ids, reverse=not query)
    assert [len(page.data) for page in turned] == [size] * (7 // size) + ([7 % size] if 7 % size else [])


@pytest.mark.parametrize("query", [{}, ASCENDING], ids=["descending", "ascending"])
async def test_pages_of_rows_that_pass_a_filter_are_full(query: dict[str, str], tenant: Tenant) -> None:
    for number in range(12):
        await menus(tenant, f"m{number:02}", kind="odd" if number % 2 else "even")
    filtered = {**query, "filter_kind": "odd", "page_size": 4}
    turned = [page async for page in pages(tenant, "/menus", filtered)]
    assert [len(page.data) for page in turned] == [4, 2]
    found = {row["name"] for page in turned for row in page.data}
    assert found == {"m01", "m03", "m05", "m07", "m09", "m11"}


async def test_rows_with_equal_keys_are_not_lost_between_pages(tenant: Tenant) -> None:
    await people(tenant, *["Same Name"] * 5)
    for query in ({}, ASCENDING):
        rows = [row["id"] async for page in pages(tenant, "/users", {**query, "page_size": 2}) for row in page.data]
        assert (len(rows), len(set(rows))) == (6, 6)


async def test_a_start_key_stays_good(tenant: Tenant) -> None:
    await people(tenant, "A Ant", "B Bee", "C Cat", "D Dog")
    first = await tenant.api.get("/users", query={**ASCENDING, "page_size": 2})
    assert names(first) == ["Ada Admin", "A Ant"]
    rest = {**ASCENDING, "start_key": first.envelope["next_start_key"]}
    for _ in range(2):
        assert names(await tenant.api.get("/users", query=rest)) == ["B Bee", "C Cat", "D Dog"]
    bee = (await tenant.api.get("/users", query=rest)).data[0]["id"]
    await people(tenant, "Z Aardvark", "Y Catfish")
    assert names(await tenant.api.get("/users", query=rest)) == ["B Bee", "C Cat", "Y Catfish", "D Dog"]
    await tenant.api.delete(f"/users/{bee}")
    assert names(await tenant.api.get("/users", query=rest)) == ["C Cat", "Y Catfish", "D Dog"]


async def test_plain_keys_to_begin_and_end_at(tenant: Tenant) -> None:
    await people(tenant, "A Ant", "B Bee", "C Cat")
    up = await tenant.api.get("/users", query={**ASCENDING, "start_key": "Bee"})
    assert (names(up), up.envelope["start_key"]) == (["B Bee", "C Cat"], "Bee")
    assert names(await tenant.api.get("/users", query={"start_key": "Bee"})) == ["B Bee", "A Ant", "Ada Admin"]
    within = {**ASCENDING, "start_key": "Ant", "end_key": "Bee"}
    assert names(await tenant.api.get("/users", query=within)) == ["A Ant", "B Bee"]
    for odd in ("%", "e30", "WyJhIiwyXQ", '{"$gt":""}', "\x00"):
        assert (await tenant.api.get("/users", query={"start_key": odd})).status == 200


async def test_without_pages(tenant: Tenant) -> None:
    await menus(tenant, *"abc")
    for wanted in ("false", "no", "0"):
        whole = await tenant.api.get("/menus", query={"paginate": wanted, "page_size": 1, "start_key": ""})
        assert len(whole.data) == 3
        assert not {"page_size", "start_key", "next_start_key"} & whole.envelope.keys()
    assert len((await tenant.api.get("/menus", query={"paginate": "true", "page_size": 1})).data) == 1


async def test_options_in_data_and_envelope(tenant: Tenant) -> None:
    await menus(tenant, *"abc")
    assert len((await tenant.api.get("/menus", data={"page_size": 2})).data) == 2
    assert len((await tenant.api.get("/menus", data={}, page_size="2")).data) == 2


@pytest.mark.parametrize(
    ("size", "text"),
    [
        ("0", "page size must be at least 1"),
        ("-3", "page size must be at least 1"),
        ("many", "invalid page size"),
        ("", "invalid page size"),
    ],
)
async def test_sizes_that_are_none(size: str, text: str, tenant: Tenant) -> None:
    refused = await tenant.api.get("/menus", query={"page_size": size})
    assert refused.error() == (404, "404", "faulty_request", {"message": text})


async def test_an_empty_list(tenant: Tenant) -> None:
    empty = await tenant.api.get("/menus")
    assert (empty.data, empty.envelope["page_size"]) == ([], 0)
    assert not {"revision", "start_key", "next_start_key"} & empty.envelope.keys()
    assert "ETag" not in empty.headers


async def test_no_two_answers_have_the_same_entity_tag(tenant: Tenant) -> None:
    await menus(tenant, "a")
    first, second = await tenant.api.get("/menus"), await tenant.api.get("/menus")
    assert first.headers["ETag"] == f'"{first.envelope["revision"]}"'
    assert first.headers["ETag"] != second.headers["ETag"]


# Filters


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def zoo(server: RunningServer) -> Tenant:
    """An account with menus of all shapes, each called by its name."""
    tenant = await new_tenant(server, server.master, "zoo")
    for name, more in {
        "text": {"v": "x"},
        "other": {"v": "y"},
        "number": {"v": 12},
        "yes": {"v": True},
        "no": {"v": False},
        "list": {"v": ["x"]},
        "pair": {"v": ["x", "y"]},
        "object": {"v": {"deep": "x"}},
        "null": {"v": None},
        "empty": {"v": ""},
        "absent": {},
    }.items():
        await menus(tenant, name, **more)
    return tenant


EVERYTHING = {"text", "other", "number", "yes", "no", "list", "pair", "object", "null", "empty", "absent"}


@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ([("filter_v", "x")], {"text", "list"}),
        ([("filter_v", "12")], {"number"}),
        ([("filter_v", "true")], {"yes"}),
        ([("filter_v", "xy")], {"pair"}),
        ([("filter_v", '["x","y"]')], {"text", "other", "list"}),
        ([("filter_v", '"y"')], {"other"}),
        ([("filter_v", "")], {"object", "empty", "absent"}),
        ([("filter_v.deep", "x")], {"object"}),
        ([("filter_v.1", "x")], {"list", "pair"}),
        ([("filter_not_v", "x")], EVERYTHING - {"text", "list"}),
        ([("filter_v", "x"), ("filter_v", "y")], set()),
        ([("filter_not_v", "x"), ("filter_not_v", "y")], EVERYTHING - {"text", "list", "other"}),
        ([("has_key", "v")], EVERYTHING - {"absent"}),
        ([("key_missing", "v")], {"absent"}),
        ([("has_value", "v")], EVERYTHING - {"null", "empty", "absent"}),
        ([("value_missing", "v")], {"null", "empty", "absent"}),
        ([("missing_value", "v")], {"null", "empty", "absent"}),
        ([("filter_any_v", '["x","y"]')], {"text", "other", "list"}),
        ([("filter_none_v", '["x","y"]')], EVERYTHING - {"text", "other", "list"}),
        ([("filter_array_intersect_any_v", '["y"]')], {"pair"}),
        ([("filter_array_intersect_all_v", '["x","y"]')], {"pair"}),
        ([("filter_pvt_type", "menu")], set()),
        ([("has_key", "pvt_type")], set()),
        ([("key_missing", "pvt_type")], EVERYTHING),
        ([("_", "123"), ("has_type", "v"), ("unknown", "x"), ("filter", "x")], EVERYTHING),
    ],
)
async def test_filters(query: list[tuple[str, str]], kept: set[str], zoo: Tenant) -> None:
    listed = await zoo.api.get("/menus", query=query)  # type: ignore[arg-type]
    assert {row["name"] for row in listed.data} == kept
    assert listed.envelope["page_size"] == len(kept)


async def test_times(tenant: Tenant, server: RunningServer) -> None:
    old, new = await menus(tenant, "old", "new")
    now = clock.now()

    def age(menu: Any) -> None:
        menu.fields.update(pvt_created=now - 1000, pvt_modified=now - 500)

    await server.runtime.store.update(tenant.id, "menu", old, age)
    for query, kept in (
        ({"created_from": now - 900}, {new}),
        ({"created_to": now - 900}, {old}),
        ({"created_from": now - 1000, "created_to": now - 1000}, {old}),
        ({"modified_from": now - 400}, {new}),
        ({"modified_to": now - 400}, {old}),
        ({"created_from": "soon"}, set()),
    ):
        assert {row["id"] for row in (await tenant.api.get("/menus", query=query)).data} == kept


async def test_filters_look_at_what_the_row_does_not_show(tenant: Tenant) -> None:
    (wanted, _) = await menus(tenant, "a", "b", hidden="x")
    await tenant.api.patch(f"/menus/{wanted}", {"hidden": "y"})
    listed = await tenant.api.get("/menus", query={"filter_hidden": "y"})
    assert [row["id"] for row in listed.data] == [wanted]
    assert "hidden" not in listed.data[0]


# What is shown


async def test_chosen_fields(tenant: Tenant) -> None:
    created = await tenant.api.put(
        "/users", {"first_name": "A", "last_name": "B", "caller_id": {"internal": {"name": "x"}}}
    )
    row = {"id": created.id, "first_name": "A", "caller_id": {"internal": {"name": "x"}}}
    for fields in ('["first_name","caller_id.internal","none"]', "first_name,caller_id.internal"):
        listed = await tenant.api.get("/users", query={"fields": fields, "filter_first_name": "A"})
        assert listed.data == [row]
    refused = await tenant.api.get("/users", query={"fields": "[5]"})
    assert refused.error() == (404, "404", "faulty_request", {"message": "invalid fields query string"})
    private = await tenant.api.get("/users", query={"fields": "pvt_created,pvt_md5_auth", "filter_first_name": "A"})
    assert private.data == [{"id": created.id}]


async def test_whole_documents(tenant: Tenant) -> None:
    created = await tenant.api.put("/menus", {"name": "a", "extra": 1})
    assert (await tenant.api.get("/menus", query={"full_docs": "true"})).data == [created.data]


# Sheets


async def sheet(answer: Answer) -> list[list[str]]:
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/csv")
    return list(csv.reader(io.StringIO(answer.raw.decode())))


async def test_as_csv(tenant: Tenant) -> None:
    await menus(tenant, 'a "quoted", one', "b")
    rows = (await tenant.api.get("/menus")).data
    columns = list(dict.fromkeys(key for row in rows for key in row))
    for asked in (
        {"headers": {"Accept": "text/csv"}},
        {"query": {"accept": "csv"}},
        {"query": {"accept": "text/csv"}, "headers": {"Accept": "application/json"}},
    ):
        answer = await tenant.api.get("/menus", **asked)  # type: ignore[arg-type]
        header, *lines = await sheet(answer)
        assert header == ["ID" if column == "id" else column for column in columns]
        assert [line[columns.index("name")] for line in lines] == [row["name"] for row in rows]
        assert answer.headers["Content-Disposition"].startswith('attachment; filename="json_')
        assert answer.raw.startswith(b'"')


async def test_names_of_sheets_and_empty_ones(tenant: Tenant) -> None:
    empty = await tenant.api.get("/menus", headers={"Accept": "text/csv"})
    assert (empty.status, empty.raw) == (204, b"")
    await menus(tenant, "a")
    named = await tenant.api.get("/menus", query={"accept": "csv", "file_name": "mine.csv"})
    assert named.headers["Content-Disposition"] == 'attachment; filename="mine.csv"'
    named = await tenant.api.get("/menus", headers={"Accept": "text/csv", "X-File-Name": 'a"b.csv'})
    assert named.headers["Content-Disposition"] == 'attachment; filename="ab.csv"'


async def test_what_is_no_list_stays_json(tenant: Tenant) -> None:
    read = await tenant.api.get("", headers={"Accept": "text/csv"})
    assert (read.status, json.loads(read.raw)["data"]["id"]) == (200, tenant.id)
