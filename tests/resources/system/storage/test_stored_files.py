# SPDX-License-Identifier: MPL-2.0
"""Files that go to a store of the account's, and come back: over a real web server and a real S3 server."""

from __future__ import annotations

import re
import uuid
from typing import Any
from urllib.parse import parse_qsl, unquote

import pytest
from pymongo import MongoClient

from crossbar import clock
from crossbar.documents.document import SYSTEM_DATA, Document
from crossbar.resources.system.domain.outside_files import SPOOLED
from tests.harness import RunningServer, Tenant
from tests.samples import MP3
from tests.stores import HANDLER, OTHER, S3, TYPES, WebStore, outside, plan_for, with_plan
from tests.voicemail import leave, new_box


async def test_a_voicemail_goes_to_the_web_server_and_comes_back(
    tenant: Tenant, web_store: WebStore, server: RunningServer, mongo_client: MongoClient[dict[str, Any]]
) -> None:
    await with_plan(tenant, plan_for({"url": web_store.url, "folder_base_path": "base"}, params={"folder_path": "box"}))
    box = await new_box(tenant)
    message = await leave(tenant, box)
    path = f"/vmboxes/{box}/messages/{message}/raw"
    (place,) = [name for name in web_store.files if "test_credentials" not in name]
    assert place.startswith(f"/files/base/box/{tenant.id}/") and f"/{message}/" in place
    assert web_store.files[place] == MP3
    files = mongo_client[server.runtime.config.database.name]["attachments.files"]
    (file,) = list(files.find({"metadata.a": tenant.id}))
    chunks = mongo_client[server.runtime.config.database.name]["attachments.chunks"]
    assert chunks.count_documents({"files_id": file["_id"]}) == 0

    raw = await tenant.api.get(path)
    assert (raw.status, raw.raw) == (200, MP3)
    _, asked, _ = web_store.seen[-1]
    query = dict(parse_qsl(asked.partition("?")[2]))
    assert unquote(asked.partition("?")[0]) == unquote(place)
    assert (query["folder"], query["media_id"]) == ("new", message)
    part = await tenant.api.get(path, headers={"Range": "bytes=2-"})
    assert (part.status, part.raw) == (206, MP3[2:])

    assert (await tenant.api.delete("/storage")).status == 200
    assert (await tenant.api.get(path)).raw == MP3, "what lies elsewhere is still read from there"
    before = len(web_store.files)
    again = await leave(tenant, box)
    assert (await tenant.api.get(f"/vmboxes/{box}/messages/{again}/raw")).raw == MP3
    assert len(web_store.files) == before, "new files are kept here"


@pytest.mark.parametrize("kind", ["modb", "account"])
@pytest.mark.parametrize("document_type", [*TYPES, "user"])
async def test_types_go_where_the_plan_says(
    tenant: Tenant, server: RunningServer, web_store: WebStore, document_type: str, kind: str
) -> None:
    plan = plan_for({"url": web_store.url})
    plan["plan"] = {kind: plan["plan"][kind]}
    await with_plan(tenant, plan)
    document = Document(tenant.id, document_type, f"{clock.year_month()}-{uuid.uuid4().hex}", {"name": "n"})
    attachments = server.runtime.attachments
    await attachments.put(document, "a file.bin", "application/octet-stream", b"contents")
    sent = [body for name, body in web_store.files.items() if name.endswith(f"/{document.id}/a file.bin")]
    assert sent == ([] if document_type == "user" else [b"contents"])
    found = await attachments.find(document, "a file.bin")
    assert found is not None and await attachments.read(found) == b"contents"


async def test_a_type_without_an_entry_goes_where_its_database_says(
    tenant: Tenant, server: RunningServer, web_store: WebStore
) -> None:
    plan = plan_for({"url": web_store.url})
    plan["plan"] = {"modb": {"attachments": {"handler": HANDLER}}}
    await with_plan(tenant, plan)
    for document_type in ("fax", "media"):
        document = Document(tenant.id, document_type, uuid.uuid4().hex, {})
        await server.runtime.attachments.put(document, f"{document_type}.bin", "application/octet-stream", b"contents")
    names = [name.rpartition("/")[2] for name in web_store.files]
    assert [name for name in names if name.endswith(".bin")] == ["fax.bin"]


async def test_media_go_to_s3_and_come_back(tenant: Tenant, s3: S3) -> None:
    await with_plan(tenant, plan_for(s3.settings(), "s3"))
    assert not [name for name in s3.objects() if "test_credentials" in name], "the file of the trial is gone"
    media = await tenant.api.put("/media", {"name": "Greeting", "media_source": "upload"})
    sent = await tenant.api.post(f"/media/{media.id}/raw", body=MP3, content_type="audio/mp3")
    assert sent.status == 200
    (kept,) = [body for name, body in s3.objects().items() if media.id in name]
    assert kept == MP3
    assert (await tenant.api.get(f"/media/{media.id}/raw")).raw == MP3


async def test_a_large_file_goes_to_s3_in_parts(tenant: Tenant, server: RunningServer, s3: S3) -> None:
    await with_plan(tenant, plan_for(s3.settings(), "s3"))
    media = await tenant.api.put("/media", {"name": "Long", "media_source": "upload"})
    document = await server.runtime.store.get(tenant.id, "media", media.id)
    assert document is not None
    contents = bytes(range(256)) * (20 * 2**20 // 256)
    attachment = await server.runtime.attachments.put(document, "long.wav", "audio/x-wav", contents)
    assert [body == contents for name, body in s3.objects().items() if media.id in name] == [True]
    found = await server.runtime.attachments.by_id(str(attachment.file_id))
    assert found is not None and await server.runtime.attachments.read(found) == contents


async def test_s3_says_what_is_wrong(tenant: Tenant, s3: S3) -> None:
    refused = await tenant.api.put("/storage", plan_for(s3.settings(bucket="nobodys"), "s3"))
    detail = refused.data[f"attachments.{HANDLER}"]["invalid"]
    assert (refused.status, detail["error_code"], detail["message"]) == (400, 404, "NoSuchBucket")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"field_list": []}, "/files/"),
        ({"field_list": [{"const": "x"}, {"arg": "attachment"}], "field_separator": "-"}, r"/files/x-.+\.txt"),
        (
            {"field_list": [{"group": [{"const": "a"}, {"const": "b"}]}, {"field": "absent"}, {"arg": "account_id"}]},
            "/files/ab/[0-9a-f]{32}",
        ),
        ({"field_list": [{"const": "f"}, {"const": "?from=abc"}], "field_separator": ""}, r"/files/f\?from=abc"),
    ],
)
async def test_paths_are_made_of_fields(
    tenant: Tenant, web_store: WebStore, settings: dict[str, Any], expected: str
) -> None:
    await with_plan(tenant, plan_for({"url": f"{web_store.url}/", **settings}))
    assert re.fullmatch(expected, web_store.seen[0][1])


async def test_multipart_and_redirects(tenant: Tenant, web_store: WebStore) -> None:
    moved = web_store.url.replace("/files", "/moved/files")
    await with_plan(tenant, plan_for({"url": moved, "send_multipart": True}))
    assert [verb for verb, _, _ in web_store.seen] == ["PUT", "PUT", "GET"]
    assert web_store.seen[1][2].startswith("multipart/form-data")
    box = await new_box(tenant)
    message = await leave(tenant, box)
    assert (await tenant.api.get(f"/vmboxes/{box}/messages/{message}/raw")).raw == MP3


async def test_base64_is_not_decoded_on_the_way_back(tenant: Tenant, web_store: WebStore) -> None:
    settings = {"url": web_store.url, "send_multipart": True, "base64_encode_data": True}
    refused = await tenant.api.put("/storage", plan_for(settings))
    assert refused.data[f"attachments.{HANDLER}"]["invalid"]["message"] == (
        "the store answers something else than was written"
    )


async def test_the_installations_plan_covers_accounts_without_their_own(
    tenant: Tenant, master: Tenant, web_store: WebStore
) -> None:
    saved = await master.root.put("/storage", plan_for({"url": f"{web_store.url}/all"}))
    try:
        assert (saved.status, saved.id) == (201, "system")
        assert web_store.seen[0][1].startswith("/files/all/system_data/")
        box = await new_box(tenant)
        await leave(tenant, box)
        assert any(name.startswith(f"/files/all/{tenant.id}/") for name in web_store.files)
        await with_plan(tenant, plan_for({"url": f"{web_store.url}/own"}))
        await leave(tenant, box)
        assert any(name.startswith(f"/files/own/{tenant.id}/") and name.endswith(".mp3") for name in web_store.files)
    finally:
        assert (await master.root.delete("/storage")).status == 200


async def test_a_file_is_kept_until_its_store_takes_it(
    tenant: Tenant, stranger: Tenant, server: RunningServer, web_store: WebStore
) -> None:
    await with_plan(tenant, plan_for({"url": web_store.url}))
    assert (await tenant.api.get("/att_handlers_errors")).data == []
    web_store.failing = 503
    box = await new_box(tenant)
    message = await leave(tenant, box)
    path = f"/vmboxes/{box}/messages/{message}/raw"
    assert (await tenant.api.get(path)).raw == MP3

    listed = await tenant.api.get("/att_handlers_errors")
    (row,) = listed.data
    assert (row["resp_code"], row["reason"]) == (503, "Service Unavailable")
    error = await tenant.api.get(f"/att_handlers_errors/{row['id']}")
    shown = {name: error.data[name] for name in ("document_id", "handler_id", "resp_body", "attachment_name")}
    name = row["attachment_name"]
    assert shown == {
        "document_id": message,
        "handler_id": HANDLER,
        "resp_body": "out of order",
        "attachment_name": name,
    }
    assert error.data["req_url"].endswith(f"/{message}/{name}")
    assert error.data["handler_props"]["url"] == web_store.url
    assert (await tenant.api.get(f"/att_handlers_errors/handler/{HANDLER}")).data == [row]
    assert (await tenant.api.get(f"/att_handlers_errors/handler/{OTHER}")).data == []
    assert (await tenant.api.get(f"/att_handlers_errors/{clock.year_month()}-none")).status == 404
    assert (await stranger.root.get(f"/accounts/{tenant.id}/att_handlers_errors")).status == 403

    with clock.frozen(clock.unix_now() + 600):
        assert await outside(server).retry() == 1, "the store still fails"
        assert await outside(server).retry() == 1, "not tried again at once"
    assert len((await tenant.api.get("/att_handlers_errors", query={"created_to": str(clock.now() + 1000)})).data) == 2
    web_store.failing = 0
    with clock.frozen(clock.unix_now() + 7200):
        assert await outside(server).retry() == 0
    assert [body for place, body in web_store.files.items() if message in place] == [MP3]
    assert (await tenant.api.get(path)).raw == MP3

    web_store.failing = 500
    failed = await tenant.api.get(path)
    assert failed.error() == (503, "503", "datastore_fault", {"message": "datastore fatal error"})


async def test_what_is_spooled_goes_with_its_document_or_stays_without_a_plan(
    tenant: Tenant, server: RunningServer, web_store: WebStore
) -> None:
    await with_plan(tenant, plan_for({"url": web_store.url}))
    web_store.failing = 500
    media = [await tenant.api.put("/media", {"name": name, "media_source": "upload"}) for name in ("gone", "kept")]
    for document in media:
        await tenant.api.post(f"/media/{document.id}/raw", body=MP3, content_type="audio/mp3")
    await tenant.api.delete(f"/media/{media[0].id}", query={"should_soft_delete": "false"})
    await tenant.api.delete("/storage")
    with clock.frozen(clock.unix_now() + 7200):
        assert await outside(server).retry() == 0
    assert (await tenant.api.get(f"/media/{media[1].id}/raw")).raw == MP3


async def test_what_an_ended_process_left_undone_is_done(
    tenant: Tenant, server: RunningServer, web_store: WebStore, mongo_client: MongoClient[dict[str, Any]]
) -> None:
    """It ended after the store had the file, and before the database let go of it."""
    await with_plan(tenant, plan_for({"url": web_store.url}))
    media = await tenant.api.put("/media", {"name": "Greeting", "media_source": "upload"})
    await tenant.api.post(f"/media/{media.id}/raw", body=MP3, content_type="audio/mp3")
    database = mongo_client[server.runtime.config.database.name]
    file = database["attachments.files"].find_one({"metadata.a": tenant.id})
    assert file is not None
    database["attachments.chunks"].insert_one({"files_id": file["_id"], "n": 0, "data": MP3})
    fields = {"owner": file["metadata"]["document"], "pvt_type": SPOOLED, "pvt_due": 0, "pvt_tries": 0}
    await server.runtime.store.insert(Document(SYSTEM_DATA, SPOOLED, str(file["_id"]), fields))
    sent = len(web_store.seen)
    assert await outside(server).retry() == 0
    assert len(web_store.seen) == sent, "not sent again"
    assert database["attachments.chunks"].count_documents({"files_id": file["_id"]}) == 0
    assert await server.runtime.store.get(SYSTEM_DATA, SPOOLED, str(file["_id"])) is None
