# SPDX-License-Identifier: MPL-2.0
"""`/ingest/voicemails`, `/ingest/recordings`, `/ingest/faxes`: what a switch hands in with a file."""

from __future__ import annotations

from typing import Any

import pytest

from crossbar import clock
from tests.harness import Answer, RunningServer, Tenant, send_parts
from tests.samples import MP3, PDF

FAX = {"from_number": "+14155550100", "to_number": "+14155550199"}


async def hand_in(server: RunningServer, kind: str, data: Any, *files: tuple[bytes, str]) -> Answer:
    return await send_parts(server.master.root, "POST", f"/ingest/{kind}", data, *files)


@pytest.mark.parametrize("address", ["vmbox_id", "mailbox"])
async def test_a_message_left_by_a_caller(tenant: Tenant, server: RunningServer, address: str) -> None:
    box = await tenant.api.put("/vmboxes", {"name": "Box", "mailbox": "100"})
    where = {"vmbox_id": box.id} if address == "vmbox_id" else {"mailbox": "0100"}
    timestamp = clock.now() - 30
    kept = await hand_in(
        server,
        "voicemails",
        {"account_id": tenant.id, **where, "caller_id_number": "2001", "folder": "saved", "timestamp": timestamp},
        (MP3, "audio/mpeg"),
    )
    assert (kept.status, kept.data) == (200, {"id": kept.id, "account_id": tenant.id, "new": True})
    (message,) = (await tenant.api.get(f"/vmboxes/{box.id}/messages")).data
    assert (message["media_id"], message["caller_id_number"], message["folder"]) == (kept.id, "2001", "saved")
    assert message["timestamp"] == timestamp
    assert (await tenant.api.get(f"/vmboxes/{box.id}/messages/{kept.id}/raw")).raw == MP3


async def test_a_message_for_nobody(tenant: Tenant, server: RunningServer) -> None:
    for where in ({"vmbox_id": "f" * 32}, {"mailbox": "999"}, {}):
        refused = await hand_in(server, "voicemails", {"account_id": tenant.id, **where}, (MP3, "audio/mpeg"))
        (error,) = refused.data.values()
        assert error["not_found"]["message"] == "There is no such box"


@pytest.mark.parametrize(
    ("kind", "data", "file"),
    [
        ("recordings", {"start": 63_876_852_000, "name": "a.mp3"}, (MP3, "audio/mpeg")),
        ("faxes", {**FAX, "timestamp": 63_876_852_000}, (PDF, "application/pdf")),
    ],
)
async def test_what_is_sent_twice_is_kept_once(
    tenant: Tenant, server: RunningServer, kind: str, data: Any, file: tuple[bytes, str]
) -> None:
    data = {"account_id": tenant.id, "call_id": "c1", **data}
    assert (await hand_in(server, kind, data, file)).data["new"] is True
    assert (await hand_in(server, kind, data, file)).data == {"account_id": tenant.id, "new": False}
    assert (await hand_in(server, kind, {**data, "call_id": "c2"}, file)).data["new"] is True
    listing = {"recordings": "/recordings", "faxes": "/faxes/inbox"}[kind]
    listed = await tenant.api.get(listing, query={"created_to": 63_876_852_060})
    assert len(listed.data) == 2
    stored = server.runtime.store.database["attachments.files"]
    assert await stored.count_documents({"metadata.a": tenant.id}) == 2


async def test_a_switch_writes_for_its_account_alone(tenant: Tenant, stranger: Tenant) -> None:
    created = await tenant.api.put("/ingest_tokens", {"name": "switch"})
    switch = tenant.root.acting(str(created.data["token"]))
    own = await send_parts(switch, "POST", "/ingest/recordings", {"call_id": "c"}, (MP3, "audio/mpeg"))
    assert own.data["account_id"] == tenant.id
    for kind, data in (("recordings", {}), ("voicemails", {}), ("faxes", FAX), ("fax_results", {"id": "f" * 32})):
        refused = await switch.post(f"/ingest/{kind}", {"account_id": stranger.id, **data})
        assert refused.error() == (403, "403", "forbidden", {"message": "forbidden"})
    misplaced = await switch.post("/ingest/faxes", {**FAX, "folder": "attic"})
    assert list(misplaced.data["folder"]) == ["enum"]
