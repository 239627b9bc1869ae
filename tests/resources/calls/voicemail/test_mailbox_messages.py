# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/vmboxes/{B}/messages`."""

from __future__ import annotations

import asyncio
import re
import time
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest

from crossbar import clock
from crossbar.endpoint.magic_links import magic_link
from tests.harness import RunningServer, Tenant
from tests.samples import MP3, PDF, WAV
from tests.voicemail import DAY, folders, leave, multipart, new_box

# Adding


async def test_a_message_with_its_sound(tenant: Tenant, server: RunningServer) -> None:
    box = await new_box(tenant, "100", timezone="Europe/Berlin")
    timestamp = clock.now() - DAY
    given = {
        "call_id": "abc@sip",
        "caller_id_name": "Bob",
        "caller_id_number": "2001",
        "from": "2001",
        "to": "100",
        "folder": "saved",
        "length": 4200,
        "timestamp": timestamp,
    }
    sent = await multipart(tenant, box, {**given, "metadata": {"length": 1}}, MP3)
    message = sent.data["media_id"]
    assert re.fullmatch(r"\d{6}-[0-9a-f]{32}", message)
    assert message.startswith(clock.year_month(timestamp))
    expected = {**given, "media_id": message, "from": f"2001@{tenant.realm}", "to": f"100@{tenant.realm}"}
    assert (sent.status, sent.data) == (201, expected)
    assert sent.headers["Location"] == f"/v2/accounts/{tenant.id}/vmboxes/{box}/messages/{message}"
    assert (await tenant.api.get(f"/vmboxes/{box}/messages/{message}")).data == expected
    assert (await tenant.api.get(f"/vmboxes/{box}/messages")).data == [expected]
    assert (await tenant.api.get("/vmboxes/messages")).data == [{box: expected}]

    loaded = await tenant.api.get(f"/vmboxes/{box}/messages/{message}/raw")
    assert (loaded.status, loaded.raw, loaded.headers["Content-Type"]) == (200, MP3, "audio/mp3")
    assert "ETag" not in loaded.headers
    moment = rf"{time.gmtime(clock.unix(timestamp)).tm_year}-\d\d-\d\d_\d\d:\d\d:\d\d"
    assert re.fullmatch(rf"attachment; filename=2001_{moment}\.mp3", loaded.headers["Content-Disposition"])
    part = await tenant.api.get(f"/vmboxes/{box}/messages/{message}/raw", headers={"Range": "bytes=0-9"})
    assert (part.status, part.raw) == (206, MP3[:10])


async def test_a_message_without_sound(tenant: Tenant) -> None:
    box = await new_box(tenant)
    with clock.frozen(1_700_000_000):
        created = await tenant.api.put(f"/vmboxes/{box}/messages", {})
    assert created.status == 201
    metadata = created.data.pop("metadata")
    assert created.data == {
        "id": metadata["media_id"],
        "name": "mailbox 100 message 2023-11-14 14:13:20",
        "description": "voicemail message with media",
        "source_type": "voicemail",
        "source_id": box,
        "media_source": "recording",
        "streamable": True,
        "utc_seconds": 1_700_000_000 + clock.GREGORIAN_OFFSET,
    }
    assert re.fullmatch("[0-9a-f]{24}", metadata.pop("call_id"))
    assert metadata == {
        "media_id": created.data["id"],
        "timestamp": 1_700_000_000 + clock.GREGORIAN_OFFSET,
        "caller_id_name": "0000000000",
        "caller_id_number": "0000000000",
        "from": f"0000000000@{tenant.realm}",
        "to": f"100@{tenant.realm}",
        "length": 1,
        "folder": "new",
    }
    missing = await tenant.api.get(f"/vmboxes/{box}/messages/{created.data['id']}/raw")
    cause = "voicemail message does not have any audio file"
    assert missing.error() == (404, "404", "bad_identifier", {"message": "bad identifier", "cause": cause})


async def test_a_bare_sound_is_a_message(tenant: Tenant) -> None:
    box = await new_box(tenant)
    for content_type in ("audio/x-wav", "application/octet-stream"):
        sent = await tenant.api.put(f"/vmboxes/{box}/messages", body=WAV, content_type=content_type)
        assert (sent.status, sent.data["folder"]) == (201, "new")
        loaded = await tenant.api.get(f"/vmboxes/{box}/messages/{sent.data['media_id']}/raw")
        assert (loaded.raw, loaded.headers["Content-Type"]) == (WAV, "audio/x-wav")


async def test_what_is_no_message_leaves_nothing(tenant: Tenant, server: RunningServer) -> None:
    box = await new_box(tenant)
    long_name = await tenant.api.put(f"/vmboxes/{box}/messages", {"caller_id_name": "x" * 36})
    assert list(long_name.data["caller_id_name"]) == ["maxLength"]
    two = await multipart(tenant, box, {}, MP3, MP3)
    assert two.data == {"file": {"maxItems": {"message": "Please provide a single media file"}}}
    lie = await multipart(tenant, box, {}, PDF)
    assert lie.data["content_type"]["enum"]["value"] == "application/pdf"
    refused = await tenant.api.put(f"/vmboxes/{box}/messages", body=b"<html>", content_type="text/html")
    assert refused.status == 415
    nowhere = await tenant.api.put(f"/vmboxes/{'f' * 32}/messages", {})
    assert nowhere.status == 404
    assert (await tenant.api.get(f"/vmboxes/{box}/messages")).data == []
    stored = server.runtime.store.database
    assert await stored["attachments.files"].count_documents({"metadata.a": tenant.id}) == 0


# Listing


async def test_messages_are_listed_newest_first_and_by_page(tenant: Tenant) -> None:
    box = await new_box(tenant)
    now = clock.now()
    ids = [await leave(tenant, box, timestamp=now - age) for age in (30, 20, 10)]
    first = await tenant.api.get(f"/vmboxes/{box}/messages", query={"page_size": 2})
    assert [row["media_id"] for row in first.data] == [ids[2], ids[1]]
    rest = await tenant.api.get(
        f"/vmboxes/{box}/messages", query={"page_size": 2, "start_key": first.envelope["next_start_key"]}
    )
    assert [row["media_id"] for row in rest.data] == [ids[0]]
    ranged = await tenant.api.get(f"/vmboxes/{box}/messages", query={"created_from": now - 25, "created_to": now - 15})
    assert [row["media_id"] for row in ranged.data] == [ids[1]]
    turned = await tenant.api.get(f"/vmboxes/{box}/messages", query={"created_from": now, "created_to": now - 1})
    assert list(turned.data["created_from"]) == ["date_range"]


async def test_filters_look_at_the_metadata(tenant: Tenant) -> None:
    box = await new_box(tenant)
    saved = await leave(tenant, box, folder="saved", caller_id_number="2001")
    new = await leave(tenant, box, caller_id_number="2002")
    for query, expected in (
        ({"filter_folder": "saved"}, [saved]),
        ({"filter_not_folder": "saved"}, [new]),
        ({"filter_caller_id_number": "2002"}, [new]),
        ({"has_key": "nothing"}, []),
    ):
        listed = await tenant.api.get(f"/vmboxes/{box}/messages", query=query)
        assert [row["media_id"] for row in listed.data] == expected, query


async def test_an_old_message_is_only_kept(tenant: Tenant) -> None:
    box = await new_box(tenant)
    timestamp = clock.now() - 100 * DAY
    old = await leave(tenant, box, timestamp=timestamp)
    assert (await tenant.api.get(f"/vmboxes/{box}/messages")).data == []
    (row,) = (await tenant.api.get(f"/vmboxes/{box}/messages", query={"created_from": timestamp - 1})).data
    read = await tenant.api.get(f"/vmboxes/{box}/messages/{old}")
    for shown in (row, read.data):
        assert shown["folder"] == "deleted"
        assert shown["retention"] == "enforced"
        message = "this message is prior to retention policy, no update operation is permitted"
        assert shown["retention_message"] == message
    refused = await tenant.api.post(f"/vmboxes/{box}/messages/{old}", {"folder": "saved"})
    error = refused.data[old]["date_range"]
    assert error["message"] == "cannot make changes to messages prior to retention duration"
    assert abs(error["cause"] - (clock.now() - 93 * DAY - 3600)) < 60
    bulk = await tenant.api.post(f"/vmboxes/{box}/messages", {"messages": [old], "folder": "saved"})
    assert bulk.data == {"failed": {old: "prior_to_retention_duration"}}


# Changing


async def test_a_message_changes_its_folder(tenant: Tenant) -> None:
    box, other = await new_box(tenant), await new_box(tenant, "200")
    message = await leave(tenant, box)
    path = f"/vmboxes/{box}/messages/{message}"
    for data, query, expected in (
        ({"folder": "new"}, {}, "new"),
        ({"folder": "saved"}, {}, "saved"),
        ({}, {"folder": "deleted"}, "deleted"),
        ({"folder": "unheard of"}, {}, "saved"),
    ):
        changed = await tenant.api.post(path, data, query=query)
        assert (changed.status, changed.data["folder"], changed.data["media_id"]) == (200, expected, message)
        assert await folders(tenant, box) == {message: expected}
    elsewhere = await tenant.api.post(f"/vmboxes/{other}/messages/{message}", {"folder": "new"})
    assert elsewhere.error() == (404, "404", "bad_identifier", {"message": "bad identifier", "cause": message})


async def test_a_message_moves_to_another_box(tenant: Tenant) -> None:
    box, other = await new_box(tenant), await new_box(tenant, "200")
    message = await leave(tenant, box, folder="saved", timestamp=clock.now() - 5 * DAY)
    moved = await tenant.api.post(f"/vmboxes/{box}/messages/{message}", {"source_id": other})
    assert moved.status == 200
    assert moved.id != message
    assert (moved.data["source_id"], moved.data["history"]) == (other, [box])
    assert moved.data["name"].startswith("mailbox 200 message ")
    metadata = moved.data["metadata"]
    assert (metadata["folder"], metadata["media_id"], metadata["to"]) == ("new", moved.id, f"200@{tenant.realm}")
    assert abs(metadata["timestamp"] - clock.now()) < 60
    assert await folders(tenant, box) == {}
    assert await folders(tenant, other) == {moved.id: "new"}
    assert (await tenant.api.get(f"/vmboxes/{other}/messages/{moved.id}/raw")).raw == MP3
    assert (await tenant.api.get(f"/vmboxes/{box}/messages/{message}")).status == 404
    back = await tenant.api.post(f"/vmboxes/{other}/messages/{moved.id}", {"source_id": box})
    assert back.data["history"] == [box, other]


async def test_a_message_is_copied_to_other_boxes(tenant: Tenant) -> None:
    box, second, third = [await new_box(tenant, number) for number in ("1", "2", "3")]
    message = await leave(tenant, box)
    copied = await tenant.api.post(f"/vmboxes/{box}/messages/{message}", {"source_id": [second, third]})
    assert list(copied.data) == ["succeeded"]
    copies = {**await folders(tenant, second), **await folders(tenant, third)}
    assert sorted(copied.data["succeeded"]) == sorted(copies)
    assert await folders(tenant, box) == {message: "new"}
    await tenant.api.delete(f"/vmboxes/{box}/messages/{message}")
    for target in (second, third):
        (copy,) = await folders(tenant, target)
        assert (await tenant.api.get(f"/vmboxes/{target}/messages/{copy}/raw")).raw == MP3


@pytest.mark.parametrize("source_id", ["", [], [""]])
async def test_nowhere_is_no_box(tenant: Tenant, source_id: Any) -> None:
    box = await new_box(tenant)
    message = await leave(tenant, box)
    refused = await tenant.api.post(f"/vmboxes/{box}/messages/{message}", {"source_id": source_id})
    text = "empty source_id is specified. please set a single or a list of source_ids."
    assert refused.data == {"source_id": {"required": {"message": text}}}
    missing = await tenant.api.post(f"/vmboxes/{box}/messages/{message}", {"source_id": [box, "f" * 32]})
    assert missing.error()[0] == 404
    assert await folders(tenant, box) == {message: "new"}


async def test_a_message_that_moves_twice_at_a_time_moves_once(tenant: Tenant, server: RunningServer) -> None:
    box, second, third = [await new_box(tenant, number) for number in ("1", "2", "3")]
    message = await leave(tenant, box)
    answers = await asyncio.gather(
        *(tenant.api.post(f"/vmboxes/{box}/messages/{message}", {"source_id": target}) for target in (second, third))
    )
    assert sorted(answer.status for answer in answers) == [200, 404]
    assert len({**await folders(tenant, second), **await folders(tenant, third)}) == 1
    stored = server.runtime.store.database["attachments.files"]
    assert await stored.count_documents({"metadata.a": tenant.id}) == 1


async def test_many_at_once(tenant: Tenant) -> None:
    box, other = await new_box(tenant), await new_box(tenant, "200")
    one, two = await leave(tenant, box), await leave(tenant, box)
    path = f"/vmboxes/{box}/messages"
    nothing = await tenant.api.post(path, {"messages": []})
    assert nothing.data == {"messages": {"required": {"message": "No array of message ids are specified"}}}

    saved = await tenant.api.post(path, {"messages": [one, two, "202001-none"], "folder": "saved"})
    assert saved.data == {"succeeded": [one, two], "failed": {"202001-none": "not_found"}}
    assert await folders(tenant, box) == {one: "saved", two: "saved"}
    copied = await tenant.api.post(path, {"messages": [one], "source_id": [other]})
    assert copied.data == {"succeeded": list(await folders(tenant, other))}
    moved = await tenant.api.post(path, {"messages": [one, two], "source_id": other})
    assert len(moved.data["succeeded"]) == 2
    assert (await folders(tenant, box), len(await folders(tenant, other))) == ({}, 3)
    missing = await tenant.api.post(path, {"messages": [one], "source_id": "f" * 32})
    assert missing.status == 404


async def test_deleting(tenant: Tenant) -> None:
    box = await new_box(tenant)
    path = f"/vmboxes/{box}/messages"
    new, saved, more = [await leave(tenant, box, folder=folder) for folder in ("new", "saved", "saved")]
    one = await tenant.api.delete(f"{path}/{more}")
    assert (one.status, one.data["media_id"], one.data["folder"]) == (200, more, "deleted")
    assert (await tenant.api.get(f"{path}/{more}")).status == 404

    assert (await tenant.api.delete(path, {"messages": []})).data == {}
    assert (await tenant.api.delete(path, query={"folder": "unheard of"})).data == {}
    assert (await tenant.api.delete(path, query={"folder": "saved"})).data == {"succeeded": [saved]}
    assert await folders(tenant, box) == {new: "new"}
    named = await tenant.api.delete(path, {"messages": ["202001-none"]})
    assert named.data == {"failed": {"202001-none": "not_found"}}
    assert (await tenant.api.delete(path)).data == {"succeeded": [new]}
    assert await folders(tenant, box) == {}


async def test_messages_end_with_their_box(tenant: Tenant) -> None:
    box, other = await new_box(tenant), await new_box(tenant, "200")
    await leave(tenant, box)
    kept = await leave(tenant, other)
    await tenant.api.delete(f"/vmboxes/{box}")
    listed = await tenant.api.get("/vmboxes/messages")
    assert [metadata["media_id"] for row in listed.data for metadata in row.values()] == [kept]


# Sounds


async def test_another_sound_for_a_message(tenant: Tenant) -> None:
    box = await new_box(tenant)
    message = await leave(tenant, box)
    path = f"/vmboxes/{box}/messages/{message}/raw"
    missing = await tenant.api.put(path, {})
    assert missing.data == {"file": {"required": {"message": "Please provide a media file"}}}
    replaced = await tenant.api.put(path, body=WAV, content_type="audio/wav")
    assert (replaced.status, replaced.data["media_id"]) == (201, message)
    assert (await tenant.api.get(path)).raw == WAV
    lie = await tenant.api.put(path, body=PDF, content_type="audio/wav")
    assert lie.status == 400
    assert (await tenant.api.get(path)).raw == WAV


async def test_many_sounds_in_one_zip(tenant: Tenant) -> None:
    box = await new_box(tenant)
    timestamp = clock.now() - 60
    messages = [
        await leave(tenant, box, contents, caller_id_number=number, timestamp=timestamp)
        for contents, number in ((MP3, "2001"), (MP3 + b"2", "2001"), (WAV, "2002"))
    ]
    path = f"/vmboxes/{box}/messages/raw"
    loaded = await tenant.api.post(path, {"messages": [*messages, "202001-none"]})
    assert (loaded.status, loaded.headers["Content-Type"]) == (200, "application/zip")
    request_id = loaded.headers["X-Request-ID"]
    assert loaded.headers["Content-Disposition"] == f"attachment; filename={request_id}.zip"
    with ZipFile(BytesIO(loaded.raw)) as archive:
        assert archive.testzip() is None
        contents = {name: archive.read(name) for name in archive.namelist()}
    assert sorted(contents.values()) == sorted([MP3, MP3 + b"2", WAV])
    assert [re.sub(r"\d{4}-\d\d-\d\d_\d\d:\d\d:\d\d", "T", name) for name in contents] == [
        "2001_T.mp3",
        f"2001_T_{messages[1]}.mp3",
        "2002_T.wav",
    ]
    nothing = await tenant.api.post(path, {"messages": []})
    assert nothing.data == {"messages": {"required": {"message": "No array of message ids are specified"}}}
    none_found = await tenant.api.post(path, {"messages": ["202001-none"]})
    assert none_found.error() == (404, "404", "not_found", {"message": "not found"})


async def test_a_hidden_path_needs_no_token(tenant: Tenant, stranger: Tenant, server: RunningServer) -> None:
    box = await new_box(tenant)
    message = await leave(tenant, box)
    path = f"/v2/accounts/{tenant.id}/vmboxes/{box}/messages/{message}/raw"
    anonymous = tenant.root.acting(None)
    assert (await anonymous.get(server.url + path)).status == 401
    for caller in (anonymous, stranger.root, anonymous.acting("garbage")):
        loaded = await caller.get(server.url + magic_link(server.runtime, path))
        assert (loaded.status, loaded.raw) == (200, MP3)
    for other in (f"/v2/accounts/{tenant.id}/vmboxes/{box}", f"/v2/accounts/{tenant.id}"):
        hidden = await anonymous.get(server.url + magic_link(server.runtime, other))
        assert hidden.headers["Content-Type"].startswith("text/plain")
    assert (
        (await anonymous.delete(server.url + magic_link(server.runtime, path)))
        .headers["Content-Type"]
        .startswith("text/plain")
    )
