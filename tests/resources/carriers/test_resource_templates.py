# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/resource_templates`: what a reseller's customers may choose among."""

from __future__ import annotations

import pytest
import pytest_asyncio

from tests.harness import Api, RunningServer, Tenant, new_person, new_tenant, set_options

FORBIDDEN = (403, "403", "forbidden", {"message": "forbidden"})
NOT_YOURS = (
    400,
    "400",
    "validation error",
    {"Account": {"forbidden": {"message": "You are not authorized to modify the resource templates"}}},
)


@pytest_asyncio.fixture(loop_scope="session")
async def reseller(tenant: Tenant, master: Tenant) -> Tenant:
    """An account that has customers."""
    assert (await master.root.put(f"/accounts/{tenant.id}/reseller", {})).status == 201
    return tenant


@pytest_asyncio.fixture(loop_scope="session")
async def customer(server: RunningServer, reseller: Tenant) -> Tenant:
    return await new_tenant(server, reseller, f"customer{reseller.id[:8]}")


async def test_a_template_from_its_beginning_to_its_end(reseller: Tenant, customer: Tenant) -> None:
    below = reseller.api.acting(reseller.token, f"/accounts/{customer.id}")
    sent = {"name": "Acme", "template_name": "acme", "classifiers": {"did_us": {}}, "gateways": [{"server": "s"}]}
    created = await below.put("/resource_templates", sent)
    expected = {**sent, "id": created.id}
    assert (created.status, created.data) == (201, expected)
    row = {"id": created.id, "name": "Acme", "template_name": "acme", "classifiers": {"did_us": {}}}
    for api in (below, customer.api):
        listed = await api.get("/resource_templates")
        assert (listed.status, listed.data, listed.envelope["page_size"]) == (200, [row], 1)
        read = await api.get(f"/resource_templates/{created.id}")
        assert (read.status, read.data, read.envelope["revision"]) == (200, expected, created.envelope["revision"])

    merged = await below.patch(f"/resource_templates/{created.id}", {"name": "Other"})
    assert (merged.status, merged.data) == (200, {**expected, "name": "Other"})
    replaced = await below.post(f"/resource_templates/{created.id}", {"template_name": "new", "any": 1})
    assert (replaced.status, replaced.data) == (200, {"template_name": "new", "any": 1, "id": created.id})
    removed = await below.delete(f"/resource_templates/{created.id}")
    assert (removed.status, removed.data) == (200, {**replaced.data, "_read_only": {"deleted": True}})
    missing = (404, "404", "bad_identifier", {"message": "bad identifier", "cause": created.id})
    for verb in ("GET", "POST", "PATCH", "DELETE"):
        refused = await below.request(verb, f"/resource_templates/{created.id}", sent)
        assert refused.error() == missing


async def test_a_template_has_a_name(reseller: Tenant, customer: Tenant) -> None:
    below = reseller.api.acting(reseller.token, f"/accounts/{customer.id}")
    made = await below.put("/resource_templates", {"template_name": "t"})
    error = {"template_name": {"required": {"message": "Template name is required"}}}
    for verb, path, data in (
        ("PUT", "", {"name": "a"}),
        ("PUT", "", {"template_name": ""}),
        ("POST", f"/{made.id}", {"name": "a"}),
        ("PATCH", f"/{made.id}", {"template_name": None}),
    ):
        refused = await below.request(verb, f"/resource_templates{path}", data)
        assert refused.invalid() == error


async def test_nobody_but_the_reseller_changes_them(reseller: Tenant, customer: Tenant, master: Tenant) -> None:
    below = reseller.api.acting(reseller.token, f"/accounts/{customer.id}")
    made = await below.put("/resource_templates", {"template_name": "t"})
    above = master.root.acting(master.token, f"/accounts/{customer.id}")
    for api in (customer.api, above, reseller.api):  # the reseller's own reseller is the master account
        for verb, path in (("PUT", ""), ("POST", f"/{made.id}"), ("PATCH", f"/{made.id}"), ("DELETE", f"/{made.id}")):
            refused = await api.request(verb, f"/resource_templates{path}", {"template_name": "x"})
            assert refused.error() == NOT_YOURS
    assert (await below.get(f"/resource_templates/{made.id}")).data["template_name"] == "t"


async def test_a_reseller_at_home(reseller: Tenant, customer: Tenant, master: Tenant) -> None:
    local = {"local": "true"}
    made = await reseller.api.put("/resource_templates", {"template_name": "own"}, query=local)
    assert made.status == 201
    assert [row["id"] for row in (await reseller.api.get("/resource_templates", query=local)).data] == [made.id]
    assert [row["id"] for row in (await customer.api.get("/resource_templates")).data] == [made.id]
    of_master = await reseller.api.get("/resource_templates")
    assert made.id not in {row["id"] for row in of_master.data}
    assert (await reseller.api.get(f"/resource_templates/{made.id}")).status == 404
    # who is no reseller has no templates of its own
    refused = await customer.api.put("/resource_templates", {"template_name": "x"}, query=local)
    assert refused.error() == NOT_YOURS
    assert (await customer.api.get(f"/resource_templates/{made.id}", query=local)).status == 200
    masters = await master.api.put("/resource_templates", {"template_name": "m"})
    assert masters.status == 201
    assert (await reseller.api.get(f"/resource_templates/{masters.id}")).status == 200
    await master.api.delete(f"/resource_templates/{masters.id}")


async def test_who_may(
    server: RunningServer, reseller: Tenant, customer: Tenant, stranger: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = f"/accounts/{customer.id}/resource_templates"
    made = await reseller.root.put(below, {"template_name": "t"})
    person = await new_person(server, reseller)

    async def asked(api: Api, verb: str, path: str) -> tuple[int, str, str, object]:
        return (await api.request(verb, path, {"template_name": "x"})).error()

    for verb, path in (
        ("GET", below),
        ("PUT", below),
        *((verb, f"{below}/{made.id}") for verb in ("GET", "POST", "PATCH", "DELETE")),
    ):
        assert await asked(stranger.root, verb, path) == FORBIDDEN
        assert await asked(person.root, verb, path) == FORBIDDEN
    set_options(monkeypatch, server, "access", plain_users="as_kazoo")
    assert (await person.root.get(f"{below}/{made.id}")).status == 200
