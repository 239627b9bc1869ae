# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/metaflows` and `/accounts/{A}/<collection>/{ID}/metaflows`."""

from __future__ import annotations

import pytest

from tests.harness import Tenant

HANGUP = {"module": "hangup", "data": {}}
MISSING = "f" * 32


@pytest.fixture(params=["account", "device", "callflow"])
async def path(request: pytest.FixtureRequest, tenant: Tenant) -> str:
    if request.param == "account":
        return ""
    data = {"name": "Desk", "numbers": ["2001"]}
    made = await tenant.api.put(f"/{request.param}s", data)
    return f"/{request.param}s/{made.id}"


async def test_life_of_metaflows(tenant: Tenant, path: str) -> None:
    before = (await tenant.api.get(path)).data
    none = await tenant.api.get(f"{path}/metaflows")
    assert (none.status, none.data) == (200, {})

    sent = {"id": "x", "listen_on": "self", "numbers": {"1": {"module": "hangup"}}, "ui_metadata": {"origin": "x"}}
    stored = {
        "binding_digit": "*",
        "listen_on": "self",
        "numbers": {"1": HANGUP},
        "ui_metadata": {"origin": "x"},
    }
    posted = await tenant.api.post(f"{path}/metaflows", sent)
    assert (posted.status, posted.data) == (200, stored)
    assert (await tenant.api.get(f"{path}/metaflows")).data == stored
    assert (await tenant.api.get(path)).data == {**before, "metaflows": stored}

    other = await tenant.api.post(f"{path}/metaflows", {"patterns": {"^1(\\d)$": HANGUP}})
    assert (other.status, other.data) == (200, {"binding_digit": "*", "patterns": {"^1(\\d)$": HANGUP}})

    deleted = await tenant.api.delete(f"{path}/metaflows")
    assert (deleted.status, deleted.data) == (200, {})
    assert (await tenant.api.get(path)).data == before


async def test_refused(tenant: Tenant) -> None:
    refused = await tenant.api.post(
        "/metaflows", {"binding_digit": "x", "numbers": {"1": {"module": "nosuch", "data": {}}}}
    )
    assert refused.status == 400
    assert refused.data["numbers.1.module"] == {
        "error": {"message": "unable to find metaflow schema for module nosuch", "value": "nosuch"}
    }
    assert "enum" in refused.data["binding_digit"]
    assert (await tenant.api.get("/metaflows")).data == {}


async def test_behind_nothing(tenant: Tenant, stranger: Tenant) -> None:
    foreign = (await stranger.api.put("/devices", {"name": "Not yours"})).id
    for document_id in (MISSING, foreign):
        for verb in ("GET", "POST", "DELETE"):
            missing = await tenant.api.request(verb, f"/devices/{document_id}/metaflows", {})
            assert missing.error()[0] == 404
            assert missing.data == {"cause": document_id, "message": "bad identifier"}
    nowhere = await tenant.api.get("/devices/metaflows")
    assert nowhere.error() == (404, "404", "faulty request", {})
    undocumented = await tenant.api.get("/about/x/metaflows")
    assert undocumented.error() == (404, "404", "faulty request", {})
    not_offered = await tenant.api.patch(f"/devices/{MISSING}/metaflows", {})
    assert not_offered.error() == (405, "405", "invalid_method", {"message": "method not allowed"})


async def test_conditional(tenant: Tenant) -> None:
    refused = await tenant.api.post("/metaflows", {}, headers={"If-Match": '"1-0"'})
    assert refused.status == 412
    assert (await tenant.api.get("/metaflows")).data == {}
