# SPDX-License-Identifier: MPL-2.0
"""`/storage`: plans of where files go, tried over a real web server and a real S3 server; and where stores may lie."""

from __future__ import annotations

import re
import uuid
from ipaddress import ip_address
from typing import Any

import pytest
from pymongo import MongoClient

from crossbar.config import Config
from crossbar.resources.system.domain.outgoing_connections import reachable
from tests.harness import RunningServer, Tenant, new_person, new_tenant, set_options
from tests.stores import HANDLER, OTHER, S3, WebStore, plan_for, probes, with_plan
from tests.voicemail import leave, new_box
from tests.web_server import raw_server

# The endpoint


async def test_a_plan_is_made_read_changed_and_deleted(tenant: Tenant, web_store: WebStore) -> None:
    missing = await tenant.api.get("/storage")
    assert missing.error() == (404, "404", "bad_identifier", {"message": "bad identifier", "cause": tenant.id})
    assert (await tenant.api.post("/storage", {})).status == (await tenant.api.patch("/storage", {})).status == 404

    created = await with_plan(tenant, plan_for({"url": web_store.url}))
    entry = created.data["attachments"][HANDLER]
    assert (created.id, entry["handler"], entry["name"]) == (tenant.id, "http", "store")
    assert entry["settings"] == {"url": web_store.url, "verb": "put", "base64_encode_data": False}
    assert re.fullmatch("[0-9a-f]{32}", entry["_sig"])
    read = await tenant.api.get("/storage")
    assert (read.status, read.data) == (200, created.data)
    assert (await tenant.api.put("/storage", {})).status == 409

    patched = await tenant.api.patch("/storage", {"attachments": {HANDLER: {"name": "other"}}})
    assert (patched.status, patched.data["attachments"][HANDLER]["name"]) == (200, "other")
    assert probes(web_store) == 1, "what passed is not tried again"
    forged = {HANDLER: {**patched.data["attachments"][HANDLER], "settings": {"url": f"{web_store.url}/x"}}}
    assert (await tenant.api.patch("/storage", {"attachments": forged})).status == 200
    assert probes(web_store) == 2, "other settings are"
    replaced = await tenant.api.post("/storage", {"plan": {}})
    assert (replaced.status, replaced.data) == (200, {"id": tenant.id, "plan": {}})

    deleted = await tenant.api.delete("/storage")
    assert (deleted.status, deleted.data["_read_only"]) == (200, {"deleted": True})
    assert (await tenant.api.get("/storage")).status == 404


async def test_a_store_is_tried_by_writing_and_reading(tenant: Tenant, web_store: WebStore) -> None:
    await with_plan(tenant, plan_for({"url": web_store.url, "verb": "post"}))
    (wrote, path, content_type), (read, again, _) = web_store.seen
    pattern = f"/files/{tenant.id}/[0-9a-f]{{32}}/[0-9a-f]{{32}}_test_credentials_file.txt"
    assert (wrote, read, content_type) == ("POST", "GET", "text/plain")
    assert re.fullmatch(pattern, path) and again.startswith(path)
    assert re.fullmatch(b"some random content: [0-9a-f]{32}", web_store.files[path])


async def test_a_store_that_fails_is_refused_and_nothing_kept(tenant: Tenant, web_store: WebStore) -> None:
    web_store.failing = 507
    for verb in (tenant.api.put, tenant.api.post):
        refused = await verb("/storage", plan_for({"url": web_store.url}))
        if verb == tenant.api.put:
            detail = {"message": "Insufficient Storage", "error_code": 507, "error_body": "out of order"}
            assert refused.invalid() == {f"attachments.{HANDLER}": {"invalid": detail}}
    assert (await tenant.api.get("/storage")).status == 404
    nobody = await tenant.api.put("/storage", plan_for({"url": "http://127.0.0.1:9"}))
    assert (nobody.status, nobody.data[f"attachments.{HANDLER}"]["invalid"]["error_code"]) == (400, 500)


async def test_a_store_whose_words_are_no_text_is_refused(tenant: Tenant) -> None:
    answer = b"HTTP/1.1 507 caf\xe9\r\nX-Odd: caf\xe9\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    async with raw_server(answer) as url:
        refused = await tenant.api.put("/storage", plan_for({"url": url}))
    detail = refused.data[f"attachments.{HANDLER}"]["invalid"]
    assert (refused.status, detail["message"], detail["error_code"]) == (400, "caf\ufffd", 507)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [("azure", {"account": "a", "container": "c", "key": "k"}), ("google_storage", {"oauth_app_id": "x"})],
)
async def test_a_handler_that_is_not_spoken_is_refused_by_name(
    tenant: Tenant, kind: str, settings: dict[str, Any]
) -> None:
    refused = await tenant.api.put("/storage", plan_for(settings, kind))
    invalid = refused.data[f"attachments.{HANDLER}"]["invalid"]
    assert (refused.status, invalid["error_code"]) == (400, 501)
    assert invalid["message"] == f"the storage handler {kind} is not supported"


async def test_references_urls_and_credentials_are_checked(tenant: Tenant) -> None:
    plan = {"modb": {"types": {"fax": {"attachments": {"handler": OTHER}, "connection": OTHER}}}}
    refused = await tenant.api.put("/storage", {"plan": plan})
    prefix = "plan.modb.types.fax"
    assert refused.status == 400
    assert refused.data[f"{prefix}.attachments.handler"]["error"]["message"] == (
        f"invalid reference '{OTHER}' to attachments"
    )
    assert refused.data[f"{prefix}.connection"]["error"]["message"] == f"invalid reference '{OTHER}' to connections"
    for url in ("ftp://x.test", "http://blocked.test/", "https://ignore@me:0.0.0.0", "nonsense"):
        refused = await tenant.api.put("/storage", plan_for({"url": url}))
        assert refused.status == 400
        assert any(name.startswith(f"attachments.{HANDLER}") for name in refused.data), refused.data
    unknown = await tenant.api.put("/storage", {"plan": {"nothing": {}}})
    assert unknown.status == 400
    drive = await tenant.api.put("/storage", plan_for({"oauth_doc_id": "nobody"}, "google_drive"))
    assert drive.status == 400


async def test_the_trial_is_left_out_only_where_the_system_allows(
    tenant: Tenant, server: RunningServer, monkeypatch: pytest.MonkeyPatch, web_store: WebStore
) -> None:
    query = {"validate_settings": "false"}
    refused = await tenant.api.put("/storage", plan_for({"url": web_store.url}), query=query)
    message = "The system does not allow bypassing settings validation"
    assert refused.error()[0] == 400
    assert refused.data == {"validate_settings": {"forbidden": {"message": message}}}
    set_options(monkeypatch, server, "storage", allow_validation_overrides=True)
    saved = await tenant.api.put("/storage", plan_for({"url": web_store.url}), query=query)
    assert (saved.status, web_store.seen) == (201, [])
    assert "_sig" not in saved.data["attachments"][HANDLER]


async def test_users_resellers_and_the_installation_have_their_own(
    tenant: Tenant, master: Tenant, server: RunningServer
) -> None:
    path = f"/users/{tenant.admin_id}/storage"
    assert (await tenant.api.put(path, {"plan": {}})).id == tenant.admin_id
    assert (await tenant.api.get(path)).status == 200
    assert (await tenant.api.get("/storage")).status == 404
    plain = await new_person(server, tenant)
    assert (await plain.api.get(path)).status == (await plain.api.get("/storage")).status == 403
    assert (await plain.api.put(f"/users/{plain.id}/storage", {"plan": {}})).status == 201

    assert (await tenant.api.get("/storage/plans")).error()[:1] == (403,)
    made = await master.api.put("/storage/plans", {"plan": {}, "connections": {}})
    assert (made.status, made.data) == (201, {"id": made.id, "plan": {}, "connections": {}})
    assert made.data in (await master.api.get("/storage/plans")).data
    assert (await master.api.get(f"/storage/plans/{made.id}")).data == made.data
    assert (await master.api.patch(f"/storage/plans/{made.id}", {"connections": None})).data == {
        "id": made.id,
        "plan": {},
    }
    assert (await master.api.post(f"/storage/plans/{made.id}", {})).data == {"id": made.id}
    assert (await master.api.delete(f"/storage/plans/{made.id}")).status == 200
    assert (await master.api.get(f"/storage/plans/{made.id}")).status == 404
    clerk = await new_person(server, master, f"clerk{uuid.uuid4().hex[:8]}")
    assert (await clerk.api.get("/storage/plans")).status == (await clerk.api.put("/storage/plans", {})).status == 403
    bare = await master.root.put("/storage/plans", {})
    assert (bare.status, (await master.root.delete(f"/storage/plans/{bare.id}")).status) == (201, 200)
    assert (await tenant.root.get("/storage")).status == (await tenant.root.get("/storage/plans")).status == 403


async def test_credentials_lie_sealed(
    tenant: Tenant, server: RunningServer, mongo_client: MongoClient[dict[str, Any]], s3: S3
) -> None:
    saved = await with_plan(tenant, plan_for(s3.settings(), "s3"))
    await leave(tenant, await new_box(tenant))
    assert saved.data["attachments"][HANDLER]["settings"]["secret"] == "wJalrXUtnFEMI"
    database = mongo_client[server.runtime.config.database.name]
    stored = [repr(document) for document in database["documents"].find({"a": tenant.id})]
    assert any("storage_handler" in text for text in stored)
    assert not any("wJalrXUtnFEMI" in text for text in stored)


# Addresses


@pytest.mark.parametrize(
    ("options", "address", "expected"),
    [
        ({}, "127.0.0.1", False),
        ({}, "::ffff:127.0.0.1", False),
        ({}, "169.254.169.254", False),
        ({}, "10.1.2.3", False),
        ({}, "192.168.1.1", False),
        ({}, "fd00::1", False),
        ({}, "93.184.216.34", True),
        ({"storage.allowed_networks": "10.1.0.0/16"}, "10.1.2.3", True),
        ({"storage.allowed_networks": "10.1.0.0/16"}, "10.2.2.3", False),
        ({"storage.blocked_networks": ""}, "10.1.2.3", True),
        ({"security.blocked_hosts": ""}, "127.0.0.1", True),
    ],
)
def test_where_a_store_may_lie(options: dict[str, str], address: str, expected: bool) -> None:
    assert reachable(Config.load(None, {}, options))(ip_address(address)) is expected


@pytest.mark.parametrize("kind", ["http", "s3"])
async def test_a_name_is_judged_by_its_address(
    server: RunningServer, monkeypatch: pytest.MonkeyPatch, web_store: WebStore, s3: S3, kind: str
) -> None:
    tenant = await new_tenant(server, server.master, f"named{uuid.uuid4().hex[:12]}")
    blocked = ("blocked.test", "127.0.0.0/8", "::1/128")
    settings = {"http": {"url": web_store.url.replace("127.0.0.1", "localhost")}, "s3": s3.settings(host="localhost")}
    set_options(monkeypatch, server, "security", blocked_hosts=blocked)
    refused = await tenant.api.put("/storage", plan_for(settings[kind], kind))
    assert refused.data[f"attachments.{HANDLER}"]["invalid"]["error_code"] == 500
    assert web_store.seen == []
    set_options(monkeypatch, server, "storage", allowed_networks=("127.0.0.0/8", "::1/128"))
    assert (await tenant.api.put("/storage", plan_for(settings[kind], kind))).status == 201
