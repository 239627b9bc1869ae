# SPDX-License-Identifier: MPL-2.0
"""Files in outside stores end with their documents, whatever ends in between."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from pymongo import MongoClient

from crossbar import clock
from crossbar.documents.document import SYSTEM_DATA, Document
from crossbar.documents.listing import Listing
from crossbar.resources.system.domain.given_up_files import GIVEN_UP
from tests.harness import RunningServer, Tenant, new_tenant
from tests.samples import MP3
from tests.stores import S3, outside, plan_for, with_plan
from tests.voicemail import leave, new_box

FOR_GOOD = {"should_soft_delete": "false"}


def mine(s3: S3, tenant: Tenant) -> list[str]:
    """The names of the account's objects."""
    return [name for name in s3.objects() if tenant.id in name]


async def waiting(server: RunningServer) -> list[Document]:
    return await server.runtime.store.all(Listing(SYSTEM_DATA, GIVEN_UP))


async def work(server: RunningServer, seconds: int = 600) -> bool:
    """Do what is due some time later."""
    with clock.frozen(clock.unix_now() + seconds):
        return await outside(server).delete_given_up()


async def uploaded(tenant: Tenant, name: str = "Greeting") -> str:
    """The id of a medium whose file lies outside."""
    media = await tenant.api.put("/media", {"name": name, "media_source": "upload"})
    stored = await tenant.api.post(f"/media/{media.id}/raw", body=MP3, content_type="audio/mp3")
    assert stored.status == 200, stored.envelope
    return media.id


async def test_a_file_ends_with_its_document(tenant: Tenant, server: RunningServer, s3: S3) -> None:
    await with_plan(tenant, plan_for(s3.settings(), "s3"))
    gone, kept = await uploaded(tenant, "gone"), await uploaded(tenant, "kept")
    assert len(mine(s3, tenant)) == 2
    assert (await tenant.api.delete(f"/media/{gone}", query=FOR_GOOD)).status == 200
    assert await outside(server).delete_given_up() is True, "a file may still be on its way"
    assert await work(server) is False
    assert [name.split("/")[-2] for name in mine(s3, tenant)] == [kept]
    assert (await tenant.api.get(f"/media/{kept}/raw")).raw == MP3
    assert await waiting(server) == []


async def test_a_message_that_moves_takes_its_sound_along(tenant: Tenant, server: RunningServer, s3: S3) -> None:
    """It is a new message of the other box, with a file of its own; the old one is no more."""
    await with_plan(tenant, plan_for(s3.settings(), "s3"))
    box, other = await new_box(tenant), await new_box(tenant, mailbox="2002")
    message = await leave(tenant, box)
    moved = await tenant.api.post(f"/vmboxes/{box}/messages/{message}", {"source_id": other})
    assert moved.status == 200, moved.envelope
    assert len(mine(s3, tenant)) == 2
    await work(server)
    [left] = mine(s3, tenant)
    assert message not in left


async def test_files_end_with_their_account(server: RunningServer, s3: S3, tenant: Tenant) -> None:
    """What remembers the handler goes with the account; the queue knows it by itself."""
    ending = await new_tenant(server, tenant, f"ending{uuid.uuid4().hex[:12]}")
    await with_plan(ending, plan_for(s3.settings(), "s3"))
    for name in ("a", "b", "c"):
        await uploaded(ending, name)
    assert len(mine(s3, ending)) == 3
    assert (await tenant.root.delete(f"/accounts/{ending.id}")).status == 200
    assert {entry.text("owner").split("/")[0] for entry in await waiting(server)} == {ending.id}
    assert await work(server) is False
    assert mine(s3, ending) == []


async def test_credentials_in_the_queue_lie_sealed(
    tenant: Tenant, server: RunningServer, s3: S3, mongo_client: MongoClient[dict[str, Any]]
) -> None:
    await with_plan(tenant, plan_for(s3.settings(), "s3"))
    media = await uploaded(tenant)
    await tenant.api.delete(f"/media/{media}", query=FOR_GOOD)
    database = mongo_client[server.runtime.config.database.name]
    stored = str(database["documents"].find_one({"doc.owner": f"{tenant.id}/media/{media}"}))
    assert "place" in stored
    assert s3.settings()["secret"] not in stored
    await work(server)


async def test_a_store_that_fails_is_asked_again_until_it_is_given_up(
    tenant: Tenant, server: RunningServer, s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    await with_plan(tenant, plan_for(s3.settings(), "s3"))
    media = await uploaded(tenant)
    await tenant.api.delete(f"/media/{media}", query=FOR_GOOD)

    def away(entry: Document) -> None:
        entry.fields["settings"] = {**entry.fields["settings"], "bucket": "another"}

    [entry] = await waiting(server)
    found = dict(entry.fields["settings"])
    await server.runtime.store.update(SYSTEM_DATA, GIVEN_UP, entry.id, away)
    assert await work(server) is True
    [entry] = await waiting(server)
    assert entry.fields["pvt_tries"] == 1
    assert await work(server) is True, "not asked again at once"
    assert [entry.fields["pvt_tries"] for entry in await waiting(server)] == [1]

    await server.runtime.store.update(
        SYSTEM_DATA, GIVEN_UP, entry.id, lambda stored: stored.fields.update(settings=found)
    )
    assert await work(server, 7200) is False
    assert mine(s3, tenant) == []

    media = await uploaded(tenant)
    await tenant.api.delete(f"/media/{media}", query=FOR_GOOD)
    [entry] = await waiting(server)
    await server.runtime.store.update(SYSTEM_DATA, GIVEN_UP, entry.id, away)
    assert await work(server, 31 * clock.DAY) is False
    assert len(mine(s3, tenant)) == 1


async def test_a_process_that_ended_before_the_entry_was_gone_has_deleted_nothing(
    tenant: Tenant, server: RunningServer, s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    await with_plan(tenant, plan_for(s3.settings(), "s3"))
    media = await uploaded(tenant)
    attachments = server.runtime.attachments
    document = await server.runtime.store.get(tenant.id, "media", media)
    assert document is not None
    [attachment] = await attachments.all(document)
    await outside(server).give_up(attachment)  # and here it ended
    assert await work(server) is False
    assert (await tenant.api.get(f"/media/{media}/raw")).raw == MP3
    # Given up twice, as by one that takes up what another left, it is deleted once.
    await outside(server).give_up(attachment)
    await attachments.delete(document)
    assert len(await waiting(server)) == 1
    assert await work(server) is False
    assert mine(s3, tenant) == []


async def test_what_took_the_place_of_a_file_stays(tenant: Tenant, server: RunningServer, s3: S3) -> None:
    """A new file of the same name lies at the same place: there the old one is gone already."""
    await with_plan(tenant, plan_for(s3.settings(), "s3"))
    document = Document(tenant.id, "media", "one", {})
    attachments = server.runtime.attachments
    await attachments.put(document, "name", "audio/mp3", b"old")
    await attachments.put(document, "name", "audio/mp3", b"new")
    assert len(await waiting(server)) == 1
    assert await work(server) is False
    [name] = mine(s3, tenant)
    assert s3.objects()[name] == b"new"
    assert await attachments.read((await attachments.all(document))[0]) == b"new"
    # While one is on its way there, nothing is deleted; once it stays here, the place is free.
    elsewhere = plan_for({**s3.settings(), "bucket": "missing"}, "s3")
    await tenant.api.post("/storage", elsewhere, query={"validate_settings": "false"})
    plan_id = tenant.id
    await server.runtime.store.update(
        tenant.id, "storage", plan_id, lambda plan: plan.fields.update(attachments=elsewhere["attachments"])
    )
    await attachments.put(document, "name", "audio/mp3", b"newest")
    assert await work(server) is True
    assert len(mine(s3, tenant)) == 1
    await tenant.api.delete("/storage")
    with clock.frozen(clock.unix_now() + 7200):
        assert await outside(server).retry() == 0
    assert await work(server, 14400) is False
    assert mine(s3, tenant) == []
    assert await attachments.read((await attachments.all(document))[0]) == b"newest"
