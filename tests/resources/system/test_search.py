# SPDX-License-Identifier: MPL-2.0
"""`/search` and `/search/multi`, with and without an account."""

from __future__ import annotations

import pytest
import pytest_asyncio

from tests.harness import RunningServer, Tenant, new_tenant


@pytest_asyncio.fixture(loop_scope="session")
async def children(server: RunningServer, tenant: Tenant) -> list[Tenant]:
    """Three accounts below the tenant, one of them a level deeper."""
    key = tenant.id[:8]
    first = await new_tenant(server, tenant, f"{key}-Alpha")
    second = await new_tenant(server, tenant, f"{key}-alphabet")
    third = await new_tenant(server, first, f"{key}-beta")
    return [first, second, third]


async def test_accounts_by_name(tenant: Tenant, children: list[Tenant]) -> None:
    key = tenant.id[:8]
    query = {"t": "account", "q": "name", "v": f"{key} ALPHA", "ascending": "true"}
    found = await tenant.root.get("/search", query=query)
    assert (found.status, found.envelope["page_size"]) == (200, 2)
    assert found.data == [
        {"id": children[0].id, "descendants_count": 1, "name": f"{key}-Alpha", "realm": f"{key}-Alpha.test"},
        {"id": children[1].id, "descendants_count": 0, "name": f"{key}-alphabet", "realm": f"{key}-alphabet.test"},
    ]
    assert (await tenant.api.get("/search", query=query)).data == found.data
    page = await tenant.root.get("/search", query={**query, "page_size": 1})
    assert [row["id"] for row in page.data] == [children[0].id]
    rest = await tenant.root.get("/search", query={**query, "start_key": page.envelope["next_start_key"]})
    assert ([row["id"] for row in rest.data], "next_start_key" in rest.envelope) == ([children[1].id], False)


async def test_accounts_only_below_ones_own(
    server: RunningServer, tenant: Tenant, children: list[Tenant], stranger: Tenant
) -> None:
    query = {"t": "account", "q": "name", "v": "true"}
    assert len((await tenant.root.get("/search", query=query)).data) == 3
    assert [row["id"] for row in (await children[0].root.get("/search", query=query)).data] == [children[2].id]
    assert (await stranger.root.get("/search", query=query)).data == []
    # The account in the path does not matter for accounts, and does for everything else.
    assert (await stranger.root.get(f"/accounts/{tenant.id}/search", query=query)).data == []
    refused = await stranger.root.get(f"/accounts/{tenant.id}/search", query={**query, "t": "user"})
    assert refused.error()[:3] == (403, "403", "forbidden")


async def test_accounts_by_several_views(tenant: Tenant, children: list[Tenant]) -> None:
    key = tenant.id[:8]
    query = {"t": "account", "by_name": f"{key}beta", "by_realm": f"{key}-alpha.te", "by_id": children[1].id[:12]}
    found = await tenant.root.get("/search/multi", query=query)
    assert found.status == 200
    ids = {view: [row["id"] for row in rows] for view, rows in found.data.items()}
    assert ids == {"name": [children[2].id], "realm": [children[0].id], "id": [children[1].id]}
    assert "page_size" not in found.envelope


async def test_documents_of_an_account(tenant: Tenant) -> None:
    person = await tenant.api.put("/users", {"first_name": "Zoë", "last_name": "O'Neil"})
    device = await tenant.api.put("/devices", {"name": "Desk Phone"})
    found = await tenant.api.get("/search", query={"t": "user", "q": "name", "v": "zo"})
    assert found.data == [{"id": person.id, "name": "Zoë O'Neil", "first_name": "zo", "last_name": "oneil"}]
    found = await tenant.api.get("/search", query={"t": "device", "q": "name_and_number", "v": "desk-ph"})
    assert found.data == [{"id": device.id, "name": "Desk Phone"}]
    assert (await tenant.root.get("/search", query={"t": "device", "q": "name", "v": "desk"})).data == found.data
    assert (await tenant.api.get("/search", query={"t": "device", "q": "number", "v": "1"})).data == []
    assert (await tenant.api.get("/search", query={"t": "nothing", "q": "name", "v": "a"})).data == []
    await tenant.api.delete(f"/devices/{device.id}")
    assert (await tenant.api.get("/search", query={"t": "device", "q": "name", "v": "desk"})).data == []


ENUM = "value not found in enumerated list of values"
TYPES = ["account", "user", "callflow", "device"]
VIEWS = ["name", "name_and_number", "number"]


@pytest.mark.parametrize(
    ("path", "query", "expected"),
    [
        (
            "/search",
            {},
            {"t": {"required": {"message": "search needs a document type to search on", "target": TYPES}}},
        ),
        (
            "/search",
            {"t": "user"},
            {"q": {"required": {"message": "search needs a view to search in", "target": VIEWS}}},
        ),
        (
            "/search",
            {"t": "user", "q": "x", "v": "1"},
            {"q": {"enum": {"message": ENUM, "target": VIEWS, "cause": "x"}}},
        ),
        ("/search", {"t": "user", "q": "name"}, {"v": {"required": {"message": "search needs a value to search for"}}}),
        (
            "/search/multi",
            {},
            {"t": {"required": {"message": "Search needs a document type to search on", "target": TYPES}}},
        ),
        (
            "/search/multi",
            {"t": "user"},
            {"multi": {"enum": {"message": "multi search needs some values to search for", "target": VIEWS}}},
        ),
    ],
)
async def test_what_is_missing(tenant: Tenant, path: str, query: dict[str, str], expected: dict[str, object]) -> None:
    refused = await tenant.api.get(path, query=query)
    assert (refused.status, refused.data) == (400, expected)
