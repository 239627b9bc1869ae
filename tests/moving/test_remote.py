# SPDX-License-Identifier: MPL-2.0
"""Accounts that one server reads from another's API."""

from __future__ import annotations

from typing import Any

import pytest

from crossbar import clock
from crossbar.documents.document import ACCOUNTS, Document
from crossbar.documents.document_types import ACCOUNT, MENU
from crossbar.documents.listing import Listing
from crossbar.moving import remote_import
from crossbar.moving.remote_api import ApiLogin
from crossbar.moving.remote_sources import RemoteSource, sources
from crossbar.moving.trouble import CannotMove
from crossbar.resources.records.domain.cdr import cdr_of, note_interactions
from tests.harness import RunningServer, ServerWith, Tenant
from tests.moving.moves import differences, everything_skipped, fetched, given_away, troubles
from tests.moving.world import World, answers
from tests.samples import MP3


async def test_another_server_answers_the_same(
    server: RunningServer, server_with: ServerWith, mongo_uri: str, world: World
) -> None:
    async with server_with() as other:
        assert (await fetched(other, mongo_uri, server, world.id, dry_run=True)).total("created") > 50
        assert await other.runtime.store.get(ACCOUNTS, ACCOUNT, world.id) is None
        report = await fetched(other, mongo_uri, server, world.id)
        assert report.total("updated") == 0
        for account_id in (world.id, world.below.id):
            before, after = await answers(server, account_id), await answers(other, account_id)
            assert given_away(differences(before, after)) == []
        again = await fetched(other, mongo_uri, server, world.id)
        assert everything_skipped(again), again.as_json


async def test_an_import_that_broke_off_goes_on(
    server: RunningServer, server_with: ServerWith, mongo_uri: str, tenant: Tenant
) -> None:
    for number in range(600):
        await server.runtime.store.insert(Document(tenant.id, MENU, f"m{number}", {"name": f"menu {number}"}))
    steps: list[int] = []

    def broken(done: int, _: int) -> None:
        steps.append(done)
        if done == 25:
            raise RuntimeError

    async with server_with() as other:
        with pytest.raises(RuntimeError):
            await fetched(other, mongo_uri, server, tenant.id, told=broken)
        assert len(await other.runtime.store.all(Listing(tenant.id, MENU))) == 600
        report = await fetched(other, mongo_uri, server, tenant.id)
        assert "it went on where an earlier run had stopped" in report.notes[0]
        assert report.counts["skipped"][MENU] == report.counts["created"][MENU] == 0
        assert report.counts["created"]["user"] == 1
        again = await fetched(other, mongo_uri, server, tenant.id)
        assert again.counts["skipped"][MENU] == 600


async def test_what_is_refused_is_reported(
    server: RunningServer,
    server_with: ServerWith,
    mongo_uri: str,
    *,
    tenant: Tenant,
    stranger: Tenant,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Other versions lack some lists; whoever logs in sees the own accounts alone."""
    lacking = RemoteSource(MENU, "/accounts/{account_id}/nothings/{nothing_id}")
    monkeypatch.setattr(remote_import, "sources", lambda endpoints: [lacking, *sources(endpoints)])
    login = ApiLogin(token=tenant.token)
    async with server_with() as other:
        report = await fetched(other, mongo_uri, server, tenant.id, credentials=login)
        path = f"/accounts/{tenant.id}/nothings"
        assert troubles(report)[path].startswith(f"{path}: 404")
        assert report.counts["created"]["user"] == 1
        with pytest.raises(CannotMove, match=stranger.id):
            await fetched(other, mongo_uri, server, stranger.id, credentials=login)


@pytest.mark.parametrize("way", ["user", "api_key"])
async def test_ways_to_log_in(
    server: RunningServer, server_with: ServerWith, mongo_uri: str, tenant: Tenant, way: str
) -> None:
    api_key: Any = (await tenant.api.get("/api_key")).data["api_key"]
    known = {
        "user": ApiLogin(user="admin", realm=tenant.realm, password="correct horse"),
        "api_key": ApiLogin(api_key=api_key),
    }
    async with server_with() as other:
        report = await fetched(other, mongo_uri, server, tenant.id, credentials=known[way])
        assert report.counts["created"]["user"] == 1
        with pytest.raises(CannotMove, match="cannot log in"):
            await fetched(other, mongo_uri, server, tenant.id, credentials=ApiLogin(api_key="f" * 64))


async def test_records_are_taken_over_once(
    server: RunningServer, server_with: ServerWith, mongo_uri: str, tenant: Tenant
) -> None:
    now = clock.now()
    legs = [{"call_id": f"call{number}@switch", "timestamp": now - number, "to": "1@x"} for number in range(3)]
    cdrs = [cdr_of(tenant.id, leg) for leg in legs]
    for cdr in cdrs:
        await server.runtime.store.insert(cdr)
    await note_interactions(server.runtime.store, cdrs)
    fields = {"pvt_created": now, "from": "1@x", "to": "2@x", "body": "hello", "direction": "inbound"}
    await server.runtime.store.insert(Document(tenant.id, "sms", f"{clock.year_month(now)}-{'a' * 32}", fields))
    recording = Document(
        tenant.id, "call_recording", f"{clock.year_month(now)}-{'b' * 32}", {"start": now, "pvt_created": now}
    )
    await server.runtime.store.insert(recording)
    await server.runtime.attachments.put(recording, "call.mp3", "audio/mpeg", MP3)
    async with server_with() as other:
        created = (await fetched(other, mongo_uri, server, tenant.id)).counts["created"]
        assert (created["cdr"], created["sms"], created["call_recording"], created["attachments"]) == (3, 1, 1, 1)
        for path in ("/cdrs", "/cdrs/interaction", "/sms", "/recordings"):
            before = await server.master.root.get(f"/accounts/{tenant.id}{path}")
            after = await other.master.root.get(f"/accounts/{tenant.id}{path}")
            assert differences(before.data, after.data) == [], path
            assert before.data
        assert everything_skipped(await fetched(other, mongo_uri, server, tenant.id))
