# SPDX-License-Identifier: MPL-2.0
"""Accounts that one server reads from another's API."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from aiohttp import ClientSession, web

from crossbar import clock
from crossbar.app import ENDPOINTS, shapes
from crossbar.documents.document import ACCOUNTS, SYSTEM_DATA, Document
from crossbar.documents.document_types import ACCOUNT, MEDIA, MENU
from crossbar.documents.listing import Listing
from crossbar.moving import remote_api, remote_import
from crossbar.moving.remote_api import ApiLogin
from crossbar.moving.remote_documents import UNREADABLE
from crossbar.moving.remote_sources import NEVER_SHOWN, NOT_TAKEN, RemoteSource, sources
from crossbar.moving.remote_state import FOLDER
from crossbar.moving.report import FILES
from crossbar.moving.trouble import CannotMove
from crossbar.resources.carriers.domain.resource_selector import RULES
from crossbar.resources.numbers.domain import port_request
from crossbar.resources.records.domain.cdr import cdr_of, note_interactions
from crossbar.resources.system.domain.given_up_files import GIVEN_UP
from tests.harness import RunningServer, ServerWith, Tenant
from tests.moving.moves import differences, everything_skipped, fetched, given_away, troubles
from tests.moving.world import World, answers
from tests.samples import MP3
from tests.stores import WebStore, outside, plan_for
from tests.web_server import web_server

STAYING: Final = {
    "account_config": "configs",
    "agent_status": "states of agents",
    "apps_store": "apps_store",
    "auth_app": "log-ins of other providers",
    "auth_link": "log-ins of other providers",
    "authenticator": "second factors",
    "c2c_history": "click to call",
    "call_event": "call events",
    "call_inspection": "call events",
    "call_root": "call events",
    "call_stat": "statistics",
    "fax_smtp_log": "logs of faxes",
    "ingest_token": "ingest tokens",
    "ledger": "ledgers",
    "ledger_balance": "ledgers",
    "ledger_month": "ledgers",
    "login_attempt": "log-in attempts",
    "manual_presence": "presence",
    "notification": "notifications",
    "notification_smtp_log": "logs of faxes, mail",
    "pivot_debug": "pivot",
    "provider": "log-ins of other providers",
    "rate_limits": "rate_limits",
    "service_audit": "audit",
    "service_plan": "service_plans",
    "services": "services",
    "storage": "storage",
    "storage_plan": "storage",
    "task": "tasks",
    "task_output": "tasks",
    "transaction": "transactions",
    "wazo_group": "groups",
    "wazo_policy": "policies",
    "webhook_attempt": "deliveries of webhooks",
    "xivo_endpoint": "lines",
    "xivo_extension": "extensions",
    "xivo_line": "lines",
}
"""Types of documents of accounts that an API does not show as they are kept, and a word of the report for them."""
OF_THE_INSTALLATION: Final = {
    "account_removal",
    "app",
    "auth_keys",
    "carrier_order",
    "cdr_interaction",
    "dedicated_ip",
    "migrations",
    "rate",
    "ratedeck",
    "rates_of_prefix",
    "resource_job",
    "resource_job_queued",
    "system_config",
    "xivo_server",
}
"""Types of documents of no account, or that follow from others."""


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


@asynccontextmanager
async def instead(server: RunningServer, answer: Callable[[str], dict[str, Any] | int | None]) -> AsyncIterator[str]:
    """The address of an API that answers as the server's does, but for paths of which `answer` knows better.

    That is an envelope, or the status of a refusal; 503 ends an import.
    """

    async def proxy(request: web.Request) -> web.StreamResponse:
        other = answer(request.path.removeprefix("/v2"))
        if isinstance(other, int):
            return web.json_response({"message": "not here"}, status=other)
        if other is not None:
            return web.json_response(other)
        headers = {name: request.headers[name] for name in ("X-Auth-Token", "Accept")}
        async with session.get(f"{server.url}{request.path_qs}", headers=headers) as shown:
            kept = {name: shown.headers[name] for name in ("Content-Disposition",) if name in shown.headers}
            return web.Response(
                body=await shown.read(), status=shown.status, headers=kept, content_type=shown.content_type
            )

    async with ClientSession() as session, web_server(proxy) as url:
        yield str(url)


async def test_accounts_that_are_not_listed_are_told_of(
    server: RunningServer, server_with: ServerWith, mongo_uri: str, world: World
) -> None:
    path = f"/accounts/{world.id}/descendants"
    for refusal, told in ((403, f"{path}: 403"), ({"data": {"id": "x"}}, f"{path}: 200")):
        async with server_with() as other, instead(server, {path: refusal}.get) as url:
            report = await fetched(other, mongo_uri, server, world.id, url=url)
            assert troubles(report)[path].startswith(told)
            assert report.counts["created"][ACCOUNT] == 1


@pytest.mark.parametrize("shown", [{}, {"data": None}, {"data": {"id": "another"}}])
async def test_an_account_that_is_not_shown_is_not_taken(
    server: RunningServer, server_with: ServerWith, mongo_uri: str, tenant: Tenant, shown: dict[str, Any]
) -> None:
    async with server_with() as other, instead(server, {f"/accounts/{tenant.id}": shown}.get) as url:
        with pytest.raises(CannotMove, match="not understood"):
            await fetched(other, mongo_uri, server, tenant.id, url=url)


async def test_what_one_run_could_not_take_the_next_tells_again(
    server: RunningServer, server_with: ServerWith, mongo_uri: str, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_api, "LONGEST_PAUSE_S", 0.001)
    ids = [(await tenant.api.put("/menus", {"name": f"menu {number}"})).id for number in range(3)]
    refused = f"/accounts/{tenant.id}/menus/{ids[1]}"
    answers: dict[str, dict[str, Any] | int] = {refused: 403, f"/accounts/{tenant.id}/users": 503}
    listed = {"data": [{"id": menu_id} for menu_id in ids]}  # no whole documents
    answers[f"/accounts/{tenant.id}/menus"] = listed
    async with server_with() as other, instead(server, answers.get) as url:
        with pytest.raises(CannotMove, match="run the command again"):
            await fetched(other, mongo_uri, server, tenant.id, url=url)
        del answers[f"/accounts/{tenant.id}/users"], answers[refused]
        report = await fetched(other, mongo_uri, server, tenant.id, url=url)
        assert refused in troubles(report)
        assert report.counts["created"][MENU] == 0
        again = await fetched(other, mongo_uri, server, tenant.id, url=url)
        assert troubles(again).keys() == {f"{tenant.id}/user/{tenant.admin_id}"}
        assert again.counts["created"][MENU] == 1


async def test_what_was_noted_of_another_database_does_not_count(
    server: RunningServer, server_with: ServerWith, mongo_uri: str, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote_api, "LONGEST_PAUSE_S", 0.001)
    await tenant.api.put("/menus", {"name": "menu"})
    answers: dict[str, dict[str, Any] | int] = {f"/accounts/{tenant.id}/users": 503}
    async with instead(server, answers.get) as url:
        async with server_with() as other:
            data = other.runtime.config.server.data
            with pytest.raises(CannotMove):
                await fetched(other, mongo_uri, server, tenant.id, url=url)
            (noted,) = (data / FOLDER).iterdir()
            left = noted.read_bytes()
        answers.clear()
        async with server_with() as fresh:
            folder = fresh.runtime.config.server.data / FOLDER
            folder.mkdir(exist_ok=True)
            (folder / noted.name).write_bytes(left)
            report = await fetched(fresh, mongo_uri, server, tenant.id, url=url)
            assert report.counts["created"][MENU] == 1
            assert not any("went on" in note for note in report.notes)


async def test_what_has_another_form_is_told_of(
    server: RunningServer, server_with: ServerWith, mongo_uri: str, tenant: Tenant
) -> None:
    """An upload that is refused, a number and a request that are not as they should be; the rest comes along."""
    path = f"/accounts/{tenant.id}"
    answers: dict[str, dict[str, Any] | int] = {
        f"{path}/phone_numbers": {"data": {"numbers": {"+14155550123": {}, "+14155550124": {}}}},
        f"{path}/phone_numbers/%2B14155550123": {"data": {"_read_only": {"features": "none"}, "features": [[]]}},
        f"{path}/port_requests": {"data": [{"id": "odd"}, {"id": "p" * 32}]},
        f"{path}/port_requests/odd": {"data": {"_read_only": {}}},
        f"{path}/port_requests/{'p' * 32}": {"data": {"id": "p" * 32, "name": "in", "uploads": {"bill.pdf": {}}}},
        f"{path}/port_requests/{'p' * 32}/attachments/bill.pdf": 403,
    }
    answers[f"{path}/phone_numbers/+14155550123"] = answers[f"{path}/phone_numbers/%2B14155550123"]
    async with server_with() as other, instead(server, answers.get) as url:
        told = troubles(await fetched(other, mongo_uri, server, tenant.id, url=url))
        assert told[f"{path}/phone_numbers/+14155550123"] == told[f"{path}/port_requests/odd"] == UNREADABLE
        bill = f"{path}/port_requests/{'p' * 32}/attachments/bill.pdf"
        assert told[bill].startswith(f"{bill}: 403")
        assert await other.runtime.store.get(port_request.DATABASE, port_request.TYPE, "p" * 32)


async def test_rules_of_selectors_come_along(
    server: RunningServer, server_with: ServerWith, mongo_uri: str, tenant: Tenant
) -> None:
    rules = Document(tenant.id, RULES, RULES, {"rules": [{"name": "one"}]})
    await server.runtime.store.insert(rules)
    async with server_with() as other:
        report = await fetched(other, mongo_uri, server, tenant.id)
        assert report.counts["created"][RULES] == 1
        there = await other.runtime.store.get(tenant.id, RULES, RULES)
        assert there is not None
        assert there.fields["rules"] == [{"name": "one"}]


async def test_files_that_a_store_has_stay_or_are_given_up(
    server: RunningServer, server_with: ServerWith, mongo_uri: str, tenant: Tenant
) -> None:
    media_id = (await tenant.api.put("/media", {"name": "hold", "streamable": True})).id
    raw, store = f"/media/{media_id}/raw", WebStore()
    await tenant.api.post(raw, body=MP3, content_type="audio/mpeg")
    async with server_with(security__blocked_hosts="blocked.test") as other, web_server(store.answer) as url:
        await fetched(other, mongo_uri, server, tenant.id)
        there = f"/accounts/{tenant.id}"
        assert (await other.master.root.put(f"{there}/storage", plan_for({"url": str(url / "files")}))).status == 201
        media = await other.runtime.store.get(tenant.id, MEDIA, media_id)
        assert media is not None
        (file,) = await other.runtime.attachments.all(media)
        await outside(other).take(media, file)
        assert MP3 in store.files.values()
        again = await fetched(other, mongo_uri, server, tenant.id)
        assert (again.counts["created"][FILES], again.counts["updated"][FILES]) == (0, 0)
        await tenant.api.post(raw, body=MP3 + MP3, content_type="audio/mpeg")
        changed = await fetched(other, mongo_uri, server, tenant.id)
        assert changed.counts["updated"][FILES] == 1  # in its place, or it goes and one of another name comes
        assert MP3 + MP3 not in store.files.values()  # nothing more is sent there
        given_up = await other.runtime.store.all(Listing(SYSTEM_DATA, GIVEN_UP))
        assert [one.fields["owner"] for one in given_up] == [f"{tenant.id}/media/{media_id}"]


def test_the_report_says_what_an_api_does_not_show() -> None:
    """What of an account is in a file and not read from an API is named, by these words."""
    read = {source.type for source in sources(ENDPOINTS)} | {ACCOUNT, "number", "port_request"}
    kept = {shape.type for shape in shapes() if shape.moves} - read
    assert kept == STAYING.keys() | OF_THE_INSTALLATION
    said = " ".join([*NEVER_SHOWN, *NOT_TAKEN, *NOT_TAKEN.values()])
    assert [word for word in STAYING.values() if word not in said] == []
    assert "attachments of MMS" in said
    assert "faxes that wait" in said
    assert "earlier versions" in said
