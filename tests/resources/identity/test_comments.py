# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/comments` and `/accounts/{A}/<collection>/{ID}/comments`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.harness import Tenant


def comment(content: str, timestamp: Any) -> dict[str, Any]:
    return {"author": "Ada", "content": content, "timestamp": timestamp}


FIRST, SECOND, THIRD = comment("first", 10), comment("second", 20), comment("third", 30)


@pytest.fixture(params=["account", "user"])
async def path(request: pytest.FixtureRequest, tenant: Tenant) -> str:
    return "" if request.param == "account" else f"/users/{tenant.admin_id}"


async def test_life_of_comments(tenant: Tenant, path: str) -> None:
    none = await tenant.api.get(f"{path}/comments")
    assert (none.status, none.data) == (200, {"comments": []})

    added = await tenant.api.put(f"{path}/comments", {"comments": [THIRD, FIRST]})
    assert (added.status, added.data) == (201, {"comments": [FIRST, THIRD]})
    added = await tenant.api.put(f"{path}/comments", {"comments": [SECOND]})
    assert (added.status, added.data) == (201, {"comments": [FIRST, SECOND, THIRD]})
    assert (await tenant.api.get(f"{path}/comments")).data == {"comments": [FIRST, SECOND, THIRD]}

    one = await tenant.api.get(f"{path}/comments/1")
    assert (one.status, one.data) == (200, SECOND)
    late = comment("late", 40)
    replaced = await tenant.api.post(f"{path}/comments/0", late)
    assert (replaced.status, replaced.data) == (200, late)
    assert (await tenant.api.get(f"{path}/comments")).data == {"comments": [SECOND, THIRD, late]}

    deleted = await tenant.api.delete(f"{path}/comments/1")
    assert (deleted.status, deleted.data) == (200, {"comments": [SECOND, late]})
    cleared = await tenant.api.delete(f"{path}/comments")
    assert (cleared.status, cleared.data) == (200, {"comments": []})


async def test_there_is_no_such_comment(tenant: Tenant) -> None:
    await tenant.api.put("/comments", {"comments": [FIRST]})
    for place in ("1", "-1", "x", "9" * 30):
        for verb in ("GET", "POST", "DELETE"):
            missing = await tenant.api.request(verb, f"/comments/{place}", {})
            assert missing.error() == (404, "404", "bad_identifier", {"message": "bad identifier"})
    assert (await tenant.api.get("/comments")).data == {"comments": [FIRST]}


async def test_content_is_free(tenant: Tenant) -> None:
    odd = [{"timestamp": 1e308}, "just text", {"timestamp": "yesterday"}, {"timestamp": 5}]
    added = await tenant.api.put("/comments", {"comments": odd})
    assert (added.status, added.data) == (201, {"comments": [odd[1], odd[3], odd[0], odd[2]]})
    nothing = await tenant.api.put("/comments", {})
    assert (nothing.status, len(nothing.data["comments"])) == (201, 4)
    refused = await tenant.api.put("/comments", {"comments": "text"})
    message = "Value did not match type(s): array"
    expected = {"comments": {"type": {"message": message, "target": "array", "value": "text"}}}
    assert refused.invalid() == expected
