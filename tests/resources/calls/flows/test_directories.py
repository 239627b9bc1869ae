# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/directories`."""

from __future__ import annotations

import io

from pypdf import PdfReader

from tests.harness import Tenant

DEFAULTS = {"confirm_match": True, "max_dtmf": 0, "min_dtmf": 3, "sort_by": "last_name", "users": []}


async def member(tenant: Tenant, first_name: str, last_name: str, **directories: str) -> str:
    made = await tenant.api.put(
        "/users", {"first_name": first_name, "last_name": last_name, "directories": directories}
    )
    assert made.status == 201, made.envelope
    return made.id


def text(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


async def test_life_of_a_directory(tenant: Tenant) -> None:
    created = await tenant.api.put("/directories", {"name": "People"})
    expected = {**DEFAULTS, "id": created.id, "name": "People"}
    assert (created.status, created.data) == (201, expected)
    assert (await tenant.api.get("/directories")).data == [{"id": created.id, "name": "People", "flags": []}]

    first = await member(tenant, "Ada", "Lovelace", **{created.id: "flow-a", "other": "flow-x"})
    second = await member(tenant, "Alan", "Turing", **{created.id: "flow-b"})
    await member(tenant, "Grace", "Hopper", other="flow-y")
    users = [{"user_id": first, "callflow_id": "flow-a"}, {"user_id": second, "callflow_id": "flow-b"}]
    users.sort(key=lambda user: user["user_id"], reverse=True)
    read = await tenant.api.get(f"/directories/{created.id}?paginate=false")
    assert (read.status, read.data) == (200, {**expected, "users": users})
    assert read.headers["Content-Type"] == "application/json"

    claimed = [second, "anybody"]
    merged = await tenant.api.patch(f"/directories/{created.id}", {"users": claimed, "min_dtmf": 2})
    assert (merged.status, merged.data) == (200, {**expected, "users": claimed, "min_dtmf": 2})
    assert (await tenant.api.get(f"/directories/{created.id}")).data["users"] == users

    left = await tenant.api.patch(f"/users/{second}", {"directories": {created.id: None}})
    assert left.status == 200
    assert (await tenant.api.get(f"/directories/{created.id}")).data["users"] == [
        {"user_id": first, "callflow_id": "flow-a"}
    ]
    replaced = await tenant.api.post(f"/directories/{created.id}", {"name": "Folk", "sort_by": "first_name"})
    expected |= {"name": "Folk", "sort_by": "first_name"}
    assert (replaced.status, replaced.data) == (200, expected)
    deleted = await tenant.api.delete(f"/directories/{created.id}")
    assert (deleted.status, deleted.data) == (200, {**expected, "_read_only": {"deleted": True}})
    assert (await tenant.api.get(f"/directories/{created.id}")).status == 404
    assert (await tenant.api.get(f"/users/{first}")).data["directories"][created.id] == "flow-a"


async def test_printed(tenant: Tenant) -> None:
    directory = await tenant.api.put("/directories", {"name": "People"})
    callflow = await tenant.api.put("/callflows", {"numbers": ["2001", "2002"]})
    await member(tenant, "Ada", "Lovelace", **{directory.id: callflow.id})
    await member(tenant, "Łukasz", "Żółć", **{directory.id: "gone"})
    by_header = await tenant.api.get(f"/directories/{directory.id}", headers={"Accept": "application/pdf"})
    by_option = await tenant.api.get(f"/directories/{directory.id}?accept=pdf")
    for printed in (by_header, by_option):
        assert (printed.status, printed.headers["Content-Type"]) == (200, "application/pdf")
        name = tenant.realm.removesuffix(".test")
        assert printed.headers["Content-Disposition"] == f'attachment; filename="{name}-directory.pdf"'
        assert text(printed.raw) == "People\nName Extension\nAda Lovelace 2001, 2002\nŁukasz Żółć"
    empty = await tenant.api.put("/directories", {"name": "Nobody"})
    printed = await tenant.api.get(f"/directories/{empty.id}?accept=pdf")
    assert text(printed.raw) == "Nobody"
    missing = await tenant.api.get(f"/directories/{'f' * 32}?accept=pdf")
    assert missing.status == 404
