# SPDX-License-Identifier: MPL-2.0
"""`/accounts/{A}/recordings`."""

from __future__ import annotations

from typing import Any

from crossbar import clock
from tests.harness import Answer, RunningServer, Tenant, send_parts
from tests.samples import MP3, PDF, wav

NOT_FOUND = "bad_identifier"


async def record(server: RunningServer, tenant: Tenant, *files: tuple[bytes, str], **fields: Any) -> Answer:
    """Hand a recording in as the switch does."""
    data = {"account_id": tenant.id, **fields}
    return await send_parts(server.master.root, "POST", "/ingest/recordings", data, *files)


async def test_a_recording_is_listed_read_heard_and_deleted(tenant: Tenant, server: RunningServer) -> None:
    started = clock.now() - 600
    kept = await record(server, tenant, (MP3, "audio/mpeg"), call_id="c1", name="c1.mp3", start=started, duration=30)
    assert (kept.status, kept.data["account_id"], kept.data["new"]) == (200, tenant.id, True)
    assert kept.id.startswith(clock.year_month(started))
    expected = {
        "id": kept.id,
        "call_id": "c1",
        "name": "c1.mp3",
        "start": started,
        "duration": 30,
        "content_type": "audio/mpeg",
    }
    listed = await tenant.api.get("/recordings")
    assert listed.data == [{**expected, "_read_only": {"content_types": ["audio/mpeg"]}}]
    path = f"/recordings/{kept.id}"
    for accept in ("application/json", "*/*", None):
        read = await tenant.api.get(path, headers={"Accept": accept} if accept else {})
        assert read.data == expected

    heard = await tenant.api.get(path, headers={"Accept": "audio/mpeg"})
    assert (heard.raw, heard.headers["Content-Type"]) == (MP3, "audio/mpeg")
    assert heard.headers["Content-Disposition"] == "attachment; filename=file.mpeg"
    inline = await tenant.api.get(path, query={"accept": "audio/mpeg", "inline": "true"})
    assert inline.headers["Content-Disposition"] == "inline; filename=file.mpeg"
    part = await tenant.api.get(path, headers={"Accept": "audio/mp3", "Range": "bytes=3-5"})
    assert (part.status, part.raw) == (206, MP3[3:6])

    deleted = await tenant.api.delete(path)
    assert (deleted.status, deleted.data) == (200, {**expected, "_read_only": {"deleted": True}})
    assert (await tenant.api.get(path)).error()[2] == NOT_FOUND
    assert (await tenant.api.get("/recordings")).data == []


async def test_the_newest_come_first_inside_the_range(tenant: Tenant, server: RunningServer) -> None:
    now = clock.now()
    ids = [(await record(server, tenant, start=now - age)).id for age in (100, 50, 40 * 86_400)]
    assert [row["id"] for row in (await tenant.api.get("/recordings")).data] == [ids[1], ids[0]]
    older = await tenant.api.get("/recordings", query={"created_to": now - 30 * 86_400})
    assert [row["id"] for row in older.data] == [ids[2]]
    assert older.data[0]["_read_only"] == {"content_types": []}
    too_much = await tenant.api.get("/recordings", query={"created_from": now - 90 * 86_400, "created_to": now})
    assert list(too_much.data["created_from"]) == ["date_range"]


async def test_the_recordings_of_a_user(tenant: Tenant, server: RunningServer) -> None:
    own = (await record(server, tenant, owner_id=tenant.admin_id)).id
    other = (await record(server, tenant)).id
    path = f"/users/{tenant.admin_id}/recordings"
    assert [row["id"] for row in (await tenant.api.get(path)).data] == [own]
    assert (await tenant.api.get(f"{path}/{own}")).id == own
    assert (await tenant.api.get(f"{path}/{other}")).status == 404


async def test_what_there_is_not(tenant: Tenant, server: RunningServer) -> None:
    silent = (await record(server, tenant)).id
    no_sound = await tenant.api.get(f"/recordings/{silent}", headers={"Accept": "audio/mpeg"})
    assert no_sound.error() == (404, "404", NOT_FOUND, {"message": "bad identifier", "details": silent})
    assert (await tenant.api.get("/recordings/nothing")).error() == (404, "404", "bad identifier", ["nothing"])
    missing = f"202401-{'f' * 32}"
    assert (await tenant.api.get(f"/recordings/{missing}")).data == {"message": "bad identifier", "cause": missing}


async def test_a_long_recording_comes_in_pieces(tenant: Tenant, server: RunningServer) -> None:
    contents = wav(60_000)
    kept = await record(server, tenant, (contents, "audio/wav"))
    path, accept = f"/recordings/{kept.id}", {"Accept": "audio/wav"}
    assert (await tenant.api.get(path, headers=accept)).raw == contents
    part = await tenant.api.get(path, headers={**accept, "Range": "bytes=900000-"})
    assert (part.status, part.raw) == (206, contents[900_000:])
    assert part.headers["Content-Range"] == f"bytes 900000-{len(contents) - 1}/{len(contents)}"


async def test_what_is_no_recording_leaves_nothing(tenant: Tenant, server: RunningServer) -> None:
    lie = await record(server, tenant, (PDF, "audio/mpeg"))
    assert lie.data["content_type"]["enum"]["value"] == "application/pdf"
    strange = await record(server, tenant, (MP3, "audio/mpeg"), colour="blue")
    assert list(strange.data) == ["colour"]
    assert (await tenant.api.get("/recordings")).data == []
    stored = server.runtime.store.database["attachments.files"]
    assert await stored.count_documents({"metadata.a": tenant.id}) == 0
