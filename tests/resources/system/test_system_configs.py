# SPDX-License-Identifier: MPL-2.0
"""`/system_configs`: settings of the installation, and that they count at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from crossbar.app import open_store
from crossbar.documents.feed import Feed
from crossbar.settings import Settings
from tests.harness import Api, RunningServer, Tenant


@pytest_asyncio.fixture(loop_scope="session")
async def root(master: Tenant) -> AsyncIterator[Api]:
    """The superduper administrator, on bare paths; what a test stored is gone after it."""
    yield master.root
    for category in (await master.root.get("/system_configs", query={"paginate": "false"})).data:
        await master.root.delete(f"/system_configs/{category}")


async def test_only_differences_from_the_defaults_are_stored(root: Api) -> None:
    unset = await root.get("/system_configs/crossbar.users")
    defaults = {
        "generate_password_if_empty": False,
        "generate_username_if_empty": True,
        "reset_identity_secret_on_rehash": True,
    }
    assert (unset.status, unset.data) == (200, {"id": "crossbar.users", "default": defaults})

    saved = await root.post(
        "/system_configs/crossbar.users", {"default": {**defaults, "generate_password_if_empty": True}}
    )
    assert (saved.status, saved.data) == (
        200,
        {"id": "crossbar.users", "default": {"generate_password_if_empty": True}},
    )

    read = await root.get("/system_configs/crossbar.users")
    assert read.data == {"id": "crossbar.users", "default": {**defaults, "generate_password_if_empty": True}}
    assert (await root.get("/system_configs")).data == ["crossbar.users"]

    deleted = await root.delete("/system_configs/crossbar.users")
    assert (deleted.status, deleted.data["default"]) == (200, {"generate_password_if_empty": True})
    again = await root.delete("/system_configs/crossbar.users")
    assert again.error() == (404, "404", "bad_identifier", {"cause": "crossbar.users", "message": "bad identifier"})


async def test_sections_inherit_from_default(root: Api) -> None:
    document = {"default": {"pagination_page_size": 30}, "zone1": {"pagination_page_size": 30, "maximum_range": 100}}
    saved = await root.put("/system_configs/crossbar", document)
    assert saved.status == 201
    assert saved.data["zone1"] == {"maximum_range": 100}

    stored = await root.get("/system_configs/crossbar/zone1")
    assert (stored.status, stored.data) == (200, {"id": "crossbar/zone1", "maximum_range": 100})
    complete = await root.get("/system_configs/crossbar/zone1", query={"with_defaults": "true"})
    assert (complete.data["pagination_page_size"], complete.data["maximum_range"]) == (30, 100)
    whole = await root.get("/system_configs/crossbar", query={"with_defaults": "true"})
    assert (whole.data["zone1"]["pagination_page_size"], whole.data["default"]["maximum_range"]) == (30, 2_682_000)


async def test_one_section(root: Api) -> None:
    path = "/system_configs/crossbar.accounts/app@host.test"
    assert (await root.get(path)).data == {"id": "crossbar.accounts/app@host.test"}
    missing = await root.delete(path)
    assert missing.status == 404
    saved = await root.post(path, {"trial_time": 5, "expose_api_key": False})
    assert (saved.status, saved.data) == (200, {"id": "crossbar.accounts/app@host.test", "trial_time": 5})
    changed = await root.patch(path, {"allow_sibling_listing": False})
    assert changed.data == {"id": "crossbar.accounts/app@host.test", "trial_time": 5, "allow_sibling_listing": False}
    deleted = await root.delete(path)
    assert (deleted.status, deleted.data) == (200, {"id": "crossbar.accounts/app@host.test"})
    assert "app@host.test" not in (await root.get("/system_configs/crossbar.accounts")).data
    assert (await root.delete("/system_configs/crossbar.accounts/app@host.test")).status == 404


async def test_merging_takes_a_value_back(root: Api) -> None:
    await root.post("/system_configs/crossbar", {"default": {"pagination_page_size": 7, "maximum_range": 9}})
    merged = await root.patch("/system_configs/crossbar", {"default": {"maximum_range": None}})
    assert merged.data == {"id": "crossbar", "default": {"pagination_page_size": 7}}


async def test_a_value_the_schema_refuses(root: Api) -> None:
    refused = await root.post("/system_configs/crossbar", {"default": {"pagination_page_size": "many"}})
    status, _, message, data = refused.error()
    assert (status, message, list(data)) == (400, "validation error", ["default.pagination_page_size"])
    assert (await root.get("/system_configs")).data == []


async def test_only_superduper_admins(tenant: Tenant) -> None:
    for path in ("/system_configs", "/system_configs/crossbar", "/system_configs/crossbar/default"):
        assert (await tenant.root.get(path)).error() == (403, "403", "forbidden", {"message": "forbidden"})
    below = await tenant.api.get("/system_configs/crossbar")
    assert below.error() == (404, "404", "bad_identifier", {"message": "bad identifier"})


async def test_page_size_and_range_count_from_the_next_request_on(root: Api, tenant: Tenant) -> None:
    for number in range(3):
        await tenant.api.put("/devices", {"name": f"Phone {number}"})
    await root.patch("/system_configs/crossbar", {"default": {"pagination_page_size": 2}})
    page = await tenant.api.get("/devices")
    assert (page.envelope["page_size"], "next_start_key" in page.envelope) == (2, True)
    await root.delete("/system_configs/crossbar")
    assert (await tenant.api.get("/devices")).envelope["page_size"] == 3


async def test_a_listing_must_not_gather_more_than_allowed(root: Api, tenant: Tenant) -> None:
    await root.patch("/system_configs/crossbar", {"default": {"request_memory_limit": 10_000}})
    assert (await tenant.api.get("/users")).error() == (416, "416", "range not satisfiable", {})
    await root.patch("/system_configs/crossbar", {"default": {"request_memory_limit": 10_000_000}})
    assert (await tenant.api.get("/users")).status == 200


async def test_token_costs_count_from_the_next_request_on(root: Api, tenant: Tenant, anonymous: Api) -> None:
    await root.patch("/system_configs/crossbar", {"default": {"token_costs": 3}})
    refused = await anonymous.get(f"/accounts/{tenant.id}/users")
    assert (refused.status, refused.envelope["tokens"]["consumed"]) == (401, 3)


async def test_restrictions_of_the_system_hold_for_accounts_without_their_own(root: Api, tenant: Tenant) -> None:
    rules = {"_": {"_": {"devices": [{"rules": {"#": ["GET"]}}]}}}
    saved = await root.patch("/system_configs/crossbar.token_restrictions", {"default": rules})
    assert saved.status == 200
    assert (await tenant.api.get("/devices")).status == 200
    assert (await tenant.api.put("/devices", {"name": "Phone"})).status == 403
    assert (await tenant.api.get("/users")).error() == (
        403,
        "403",
        "forbidden",
        {"message": "forbidden", "cause": "access denied by token restrictions"},
    )


async def test_every_worker_hears_of_a_change(root: Api, server: RunningServer, mongo_uri: str) -> None:
    store = open_store(server.runtime.config, mongo_uri)
    feed = Feed(store)
    other = Settings(server.runtime.config, store, feed, node="crossbar@elsewhere")
    heard = asyncio.Event()
    feed.subscribe("system_config", lambda _: heard.set())
    await feed.start()
    try:
        await other.fresh()
        assert other.get("crossbar", "pagination_page_size", "unset") == "unset"
        sections = {"default": {"pagination_page_size": 4}, "local": {"maximum_range": 5}, "crossbar@else": {}}
        await root.patch("/system_configs/crossbar", sections)
        await asyncio.wait_for(heard.wait(), 10)
        await other.fresh()
        assert (other.get("crossbar", "pagination_page_size"), other.config.api.pagination_page_size) == (4, 4)
        assert (other.section("crossbar"), other.config.api.maximum_range) == (
            {"pagination_page_size": 4, "maximum_range": 5},
            5,
        )
    finally:
        await feed.stop()
        await store.close()


async def test_a_value_that_cannot_be_used_leaves_the_one_of_the_file(root: Api, server: RunningServer) -> None:
    stored = await root.patch(
        "/system_configs/crossbar", {"default": {"default_language": "de-DE", "reset_id_size": 9}}
    )
    assert stored.data["default"] == {"default_language": "de-DE", "reset_id_size": 9}
    await server.runtime.settings.fresh()
    assert server.runtime.config.api.default_language == "de-DE"
    assert server.runtime.config.api.reset_id_size == 137


async def test_what_the_file_says_counts_as_a_default(root: Api) -> None:
    """The server of the tests has `token_costs = 0` in its configuration."""
    assert (await root.get("/system_configs/crossbar")).data["default"]["token_costs"] == 0
    saved = await root.patch("/system_configs/crossbar", {"default": {"token_costs": 1}})
    assert saved.data["default"] == {"token_costs": 1}


async def test_defaults_stand_under_objects_that_are_absent_and_are_not_kept(root: Api) -> None:
    path = "/system_configs/media"
    query = {"with_defaults": "true"}
    for read in (await root.get(path), await root.get(path, query=query)):
        assert read.data["default"]["call_recording"]["storage_retry_times"] == 5
    section = await root.get(f"{path}/default", query=query)
    assert section.data["call_recording"]["storage_retry_times"] == 5

    given = {"call_recording": {"storage_retry_times": 5, "extension": "wav"}, "record_min_sec": 7}
    saved = await root.post(path, {"default": given, "zone1": {"call_recording": {"storage_retry_times": 9}}})
    assert (saved.status, saved.data["zone1"]) == (200, {"call_recording": {"storage_retry_times": 9}})
    assert saved.data["default"] == {"call_recording": {"extension": "wav"}, "record_min_sec": 7}
    patched = await root.patch(path, {"zone1": {"call_recording": {"storage_retry_times": 5}}})
    assert patched.data == {"id": "media", "default": saved.data["default"], "zone1": {}}
    complete = (await root.get(path, query=query)).data["zone1"]["call_recording"]
    assert (complete["storage_retry_times"], complete["extension"]) == (5, "wav")
