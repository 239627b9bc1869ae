# SPDX-License-Identifier: MPL-2.0
"""The life of a document, the same at every plain collection; shown at skels, which have no schema in the way."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from crossbar import clock
from crossbar.documents.document import Document
from crossbar.documents.store.writing import DocumentWrites
from tests.harness import RunningServer, Tenant

UNKNOWN = "0" * 32


def not_found(cause: str) -> tuple[int, str, str, Any]:
    return 404, "404", "bad_identifier", {"cause": cause, "message": "bad identifier"}


# Create


async def test_create(tenant: Tenant) -> None:
    created = await tenant.api.put("/skels", {"name": "One", "deep": {"a": [1, None]}})
    assert (created.status, created.data) == (201, {"id": created.id, "name": "One", "deep": {"a": [1, None]}})
    assert re.fullmatch("[0-9a-f]{32}", created.id)
    assert re.fullmatch("1-[0-9a-f]{32}", created.envelope["revision"])
    assert created.headers["Location"] == f"/v2/accounts/{tenant.id}/skels/{created.id}"
    assert created.headers["ETag"] == f'"{created.envelope["revision"]}"'


async def test_an_empty_body_is_empty_data(tenant: Tenant) -> None:
    created = await tenant.api.put("/skels", body=b"", content_type="application/json")
    assert (created.status, created.data) == (201, {"id": created.id})


@pytest.mark.parametrize("key", ["id", "ID"])
async def test_a_client_may_choose_the_id(key: str, tenant: Tenant) -> None:
    created = await tenant.api.put("/skels", {key: "my/own id", "name": "x"})
    assert (created.status, created.id) == (201, "my/own id")
    assert created.headers["Location"] == f"/v2/accounts/{tenant.id}/skels/my%2Fown%20id"
    read = await tenant.root.get(f"{tenant.api.base.removesuffix('/v2')}{created.headers['Location']}")
    assert read.data["id"] == "my/own id"
    again = await tenant.api.put("/skels", {key: "my/own id"})
    assert again.error() == (409, "409", "datastore_conflict", {"message": "conflicting documents"})
    await tenant.api.delete("/skels/my%2Fown%20id")
    assert (await tenant.api.put("/skels", {key: "my/own id"})).status == 409
    assert (await tenant.api.get("/skels/my%2Fown%20id")).error() == not_found("my/own id")


@pytest.mark.parametrize(
    ("wanted", "code"), [(5, "type"), ({"a": 1}, "type"), ("x" * 256, "maxLength"), ("a\x01b", "invalid")]
)
async def test_what_is_no_id(wanted: Any, code: str, tenant: Tenant) -> None:
    refused = await tenant.api.put("/skels", {"id": wanted})
    assert refused.error()[:3] == (400, "400", "validation error")
    assert {field: list(codes) for field, codes in refused.data.items()} == {"id": [code]}


async def test_an_empty_id_is_none(tenant: Tenant) -> None:
    for wanted in ("", None):
        assert re.fullmatch("[0-9a-f]{32}", (await tenant.api.put("/skels", {"id": wanted})).id)


async def test_private_keys_are_dropped_and_never_shown(tenant: Tenant, server: RunningServer) -> None:
    sent = {"name": "x", "pvt_type": "user", "_id": "y", "_read_only": {}, "deep": {"_kept": 1, "pvt_kept": 2}}
    created = await tenant.api.put("/skels", sent)
    assert created.data == {"id": created.id, "name": "x", "deep": {"_kept": 1, "pvt_kept": 2}}
    stored = await server.runtime.store.get(tenant.id, "skel", created.id)
    assert stored is not None
    now = clock.now()
    assert now - 60 < stored.fields["pvt_created"] == stored.fields["pvt_modified"] <= now
    expected = {
        "pvt_type": "skel",
        "pvt_vsn": "1",
        "pvt_account_id": tenant.id,
        "pvt_alphanum_name": "x",
        "pvt_is_authenticated": True,
        "pvt_auth_account_id": tenant.id,
        "pvt_auth_user_id": tenant.admin_id,
        "pvt_request_id": created.envelope["request_id"],
    }
    assert {key: stored.fields[key] for key in expected} == expected
    assert "pvt_" not in (await tenant.api.get(f"/skels/{created.id}")).raw.decode().replace("pvt_kept", "")


# Read


async def test_read(tenant: Tenant) -> None:
    created = await tenant.api.put("/skels", {"name": "x"})
    read = await tenant.api.get(f"/skels/{created.id}")
    assert (read.status, read.data) == (200, created.data)
    assert read.envelope["revision"] == created.envelope["revision"]
    assert read.headers["ETag"] == f'"{created.envelope["revision"]}"'
    assert read.headers["Expires"] == "Fri, 01 Jan 1999 00:00:00 GMT"


async def test_unknown_or_of_another_type_or_of_another_account(tenant: Tenant, stranger: Tenant) -> None:
    other = await stranger.api.put("/skels", {})
    for document_id in (UNKNOWN, tenant.admin_id, other.id):
        for verb in ("GET", "POST", "PATCH", "DELETE"):
            answer = await tenant.api.request(verb, f"/skels/{document_id}", {})
            assert answer.error() == not_found(document_id)


# Replace and merge


async def test_post_replaces(tenant: Tenant, server: RunningServer) -> None:
    created = await tenant.api.put("/skels", {"name": "x", "gone": 1})
    replaced = await tenant.api.post(f"/skels/{created.id}", {"id": "other", "name": "y", "null": None})
    assert (replaced.status, replaced.data) == (200, {"id": created.id, "name": "y", "null": None})
    assert replaced.envelope["revision"].startswith("2-")
    assert "Location" not in replaced.headers
    stored = await server.runtime.store.get(tenant.id, "skel", created.id)
    assert stored is not None
    assert (stored.fields["pvt_alphanum_name"], stored.fields["pvt_account_id"]) == ("y", tenant.id)
    assert (await tenant.api.get("/skels/other")).status == 404


@pytest.mark.parametrize(
    ("stored", "sent", "left"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": 3}}, {"a": {"x": 1, "y": 3}}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": None}}, {"a": {"x": 1}}),
        ({"a": {"x": 1}}, {"a": {}}, {"a": {}}),
        ({"a": {"x": 1}}, {"a": None}, {}),
        ({"a": [1, 2]}, {"a": [3]}, {"a": [3]}),
        ({"a": {"x": 1}}, {"a": 5}, {"a": 5}),
        ({"a": 5}, {"a": {"x": {"y": 1, "z": None}}}, {"a": {"x": {"y": 1}}}),
        ({"a": None, "b": 1}, {}, {"b": 1}),
    ],
)
async def test_patch_merges(stored: Any, sent: Any, left: Any, tenant: Tenant) -> None:
    created = await tenant.api.put("/skels", stored)
    merged = await tenant.api.patch(f"/skels/{created.id}", sent)
    assert (merged.status, merged.data) == (200, {"id": created.id, **left})
    assert (await tenant.api.get(f"/skels/{created.id}")).data == merged.data


async def test_patch_of_what_is_stored_and_invalid(tenant: Tenant, server: RunningServer) -> None:
    group = await tenant.api.put("/groups", {"name": "x"})
    await server.runtime.store.update(tenant.id, "group", group.id, lambda stored: stored.fields.update(name=5))
    refused = await tenant.api.patch(f"/groups/{group.id}", {"flags": []})
    assert refused.error()[0] == 400
    assert list(refused.data) == ["name"]


async def test_many_patches_at_once_all_count(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    created = await tenant.api.put("/skels", {})
    path = f"/skels/{created.id}"
    replace = DocumentWrites.replace
    tries: list[str] = []

    async def counted(writes: DocumentWrites, document: Document, previous: Document) -> Document:
        tries.append(document.id)
        return await replace(writes, document, previous)

    monkeypatch.setattr(DocumentWrites, "replace", counted)
    answers = await asyncio.gather(*(tenant.api.patch(path, {f"key{number}": number}) for number in range(40)))
    assert len(tries) == 40, "in one worker nobody has to try again"
    assert {answer.status for answer in answers} == {200}
    whole = await tenant.api.get(path)
    assert whole.data == {"id": created.id, **{f"key{number}": number for number in range(40)}}
    assert whole.envelope["revision"].startswith("41-")


async def test_one_of_many_creations_of_one_id_wins(tenant: Tenant) -> None:
    answers = await asyncio.gather(*(tenant.api.put("/skels", {"id": "same", "n": n}) for n in range(6)))
    assert sorted(answer.status for answer in answers) == [201, 409, 409, 409, 409, 409]
    (winner,) = [answer for answer in answers if answer.status == 201]
    assert (await tenant.api.get("/skels/same")).data == winner.data


# Delete


async def test_soft_delete(tenant: Tenant, server: RunningServer) -> None:
    created = await tenant.api.put("/skels", {"name": "x"})
    path = f"/skels/{created.id}"
    deleted = await tenant.api.delete(path)
    assert (deleted.status, deleted.data) == (200, {**created.data, "_read_only": {"deleted": True}})
    assert deleted.envelope["revision"] == created.envelope["revision"]
    for verb in ("GET", "POST", "PATCH", "DELETE"):
        assert (await tenant.api.request(verb, path, {})).error() == not_found(created.id)
    assert (await tenant.api.get("/skels")).data == []
    kept = await server.runtime.store.database["documents"].find_one({"_id": f"{tenant.id}/skel/{created.id}"})
    assert (kept["deleted"], kept["doc"]["pvt_deleted"], kept["doc"]["name"]) == (True, True, "x")


@pytest.mark.parametrize("where", ["query", "data", "envelope"])
async def test_hard_delete(where: str, tenant: Tenant, server: RunningServer) -> None:
    created = await tenant.api.put("/skels", {"id": "x"})
    options: dict[str, Any] = {
        "query": {"query": {"should_soft_delete": "false"}},
        "data": {"data": {"should_soft_delete": False}},
        "envelope": {"data": {}, "should_soft_delete": False},
    }[where]
    deleted = await tenant.api.delete(f"/skels/{created.id}", **options)
    assert (deleted.status, deleted.data) == (200, {"id": "x", "_read_only": {"deleted": True}})
    assert await server.runtime.store.database["documents"].find_one({"_id": f"{tenant.id}/skel/x"}) is None
    assert (await tenant.api.put("/skels", {"id": "x"})).status == 201


# Preconditions


async def test_if_match(tenant: Tenant) -> None:
    created = await tenant.api.put("/skels", {"name": "x"})
    path, current = f"/skels/{created.id}", {"If-Match": f'"{created.envelope["revision"]}"'}
    stale = {"If-Match": '"1-00000000000000000000000000000000"'}
    for verb in ("GET", "POST", "PATCH", "DELETE"):
        assert (await tenant.api.request(verb, path, {}, headers=stale)).status == 412
    assert (await tenant.api.get(path)).data == created.data
    assert (await tenant.api.get(path, headers=current)).status == 200
    assert (await tenant.api.patch(path, {"a": 1}, headers=current)).status == 200
    assert (await tenant.api.patch(path, {"a": 2}, headers=current)).status == 412
    assert (await tenant.api.delete(path, headers={"If-Match": "*"})).status == 200
    assert (await tenant.api.put("/skels", {"id": "never"}, headers={"If-Match": "*"})).status == 412
    assert (await tenant.api.get("/skels/never")).status == 404


async def test_if_none_match(tenant: Tenant) -> None:
    created = await tenant.api.put("/skels", {"name": "x"})
    path, known = f"/skels/{created.id}", {"If-None-Match": f'"{created.envelope["revision"]}"'}
    unchanged = await tenant.api.get(path, headers=known)
    assert (unchanged.status, unchanged.raw) == (304, b"")
    assert unchanged.headers["ETag"] == known["If-None-Match"]
    assert unchanged.headers["Expires"] == "Fri, 01 Jan 1999 00:00:00 GMT"
    assert (await tenant.api.patch(path, {"a": 1}, headers=known)).status == 412
    await tenant.api.patch(path, {"a": 1})
    assert (await tenant.api.get(path, headers=known)).status == 200
    assert (await tenant.api.get("/skels", headers={"If-None-Match": '"x"'})).status == 200


async def test_a_condition_on_what_has_no_entity_tag(tenant: Tenant) -> None:
    path = f"/users/{tenant.admin_id}/photo"
    await tenant.api.post(path, body=b"1", content_type="image/png")
    for headers in ({"If-None-Match": '"x"'}, {"If-Match": '"x"'}):
        assert (await tenant.api.get(path, headers=headers)).status == 412
    card = await tenant.api.get(f"/users/{tenant.admin_id}/vcard")
    unchanged = await tenant.api.get(f"/users/{tenant.admin_id}/vcard", headers={"If-None-Match": card.headers["ETag"]})
    assert (unchanged.status, unchanged.raw) == (304, b"")


async def test_the_schema_is_heard_before_the_preconditions_and_the_content_type(tenant: Tenant) -> None:
    group = await tenant.api.put("/groups", {"name": "x"})
    stale = {"If-Match": '"1-0"'}
    assert (await tenant.api.post(f"/groups/{group.id}", {}, headers=stale)).status == 400
    assert (await tenant.api.post(f"/groups/{group.id}", {"name": "y"}, headers=stale)).status == 412
    file = {"body": b"GIF", "content_type": "image/gif"}
    assert (await tenant.api.put("/groups", **file)).status == 400
    assert (await tenant.api.put("/skels", **file)).status == 415
    assert (await tenant.api.put("/skels", headers={"If-Match": "*"}, **file)).status == 412
    assert (await tenant.api.get("/skels")).data == []
