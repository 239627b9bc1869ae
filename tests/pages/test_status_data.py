# SPDX-License-Identifier: MPL-2.0
"""`/status.json`: who may see it, and whether its numbers are those of what happened."""

from __future__ import annotations

import uuid
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from crossbar.app import open_store
from crossbar.config import Config
from crossbar.documents.document import SYSTEM_DATA, Document
from crossbar.documents.store.database_state import collection_sizes, database_state
from crossbar.events.mail import spool_folder
from crossbar.events.spool import Spool
from crossbar.ids import new_id
from crossbar.pages.remembered import Remembered
from crossbar.resources.system.domain.outside_files import SPOOLED
from tests.harness import Answer, Api, RunningServer, ServerWith, Tenant, new_person, until


@pytest.fixture(autouse=True)
def found_out_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing that was found out before is told again."""
    get = Remembered.get

    async def anew(self: Remembered[Any]) -> Any:
        self._found = None
        return await get(self)

    monkeypatch.setattr(Remembered, "get", anew)


async def status(server: RunningServer, api: Api | None = None) -> Answer:
    return await (api or server.master.api).get(f"{server.url}/status.json")


async def test_it_is_for_administrators_of_the_master_account(
    server: RunningServer, tenant: Tenant, master: Tenant, anonymous: Api
) -> None:
    plain = await new_person(server, master, f"plain{uuid.uuid4().hex[:8]}")
    made = await master.api.put("/ingest_tokens", {"name": "switch"})
    for api, code in (
        (anonymous, 401),
        (anonymous.acting("a.b.c"), 401),
        (tenant.api, 403),
        (plain.api, 403),
        (anonymous.acting(made.data["token"]), 403),
    ):
        refused = await status(server, api)
        assert (refused.status, refused.envelope["error"]) == (code, str(code))
        assert set(refused.envelope["data"]) <= {"message"}
    seen = await status(server)
    assert (seen.status, seen.headers["Content-Type"]) == (200, "application/json")
    assert (seen.headers["Cache-Control"], seen.headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
    assert (await status(server, master.api.acting(None))).status == 401
    by_query = await anonymous.get(f"{server.url}/status.json", query={"auth_token": master.token})
    assert by_query.status == 200


async def test_requests_are_counted_once(server: RunningServer, tenant: Tenant) -> None:
    before = (await status(server)).envelope["requests"]
    for _ in range(3):
        assert (await tenant.api.get("/devices")).status == 200
    assert (await tenant.api.get("/devices/nothing")).status == 404
    after = (await status(server)).envelope["requests"]

    def grown(kind: str) -> int:
        return int(after["by_status"].get(kind, 0) - before["by_status"].get(kind, 0))

    assert (grown("2xx"), grown("4xx")) == (3, 1)
    assert sum(after["counts"]) - sum(before["counts"]) == 4
    assert len(after["counts"]) == len(after["bounds"]) + 1
    assert after["seconds"] > before["seconds"]


async def test_the_process_and_the_database(server: RunningServer, tenant: Tenant) -> None:
    before = (await status(server)).envelope
    assert (await tenant.api.put("/devices", {"name": "Phone"})).status == 201
    after = (await status(server)).envelope
    (worker,) = after["workers"]
    assert after["workers_ended"] == 0
    assert 20e6 < worker["memory"] < 4e9
    assert 0 < after["time"] - worker["started"] < 86_400
    database = after["database"]
    assert 0 < database["ping"] < 30
    assert database["members"] == 1
    assert database["oplog"] > 0
    assert database["pool_size"] == 50
    assert sum(database["calls"]["counts"]) > sum(before["database"]["calls"]["counts"])
    sizes = {one["name"]: one["documents"] for one in database["collections"]}
    assert sizes["documents"] > 0
    assert {"events", "records", "attachments.chunks"} <= set(sizes)


async def test_connections_are_told_of(server: RunningServer) -> None:
    async def has_connections() -> bool:
        (worker,) = (await status(server)).envelope["workers"]
        return bool(worker["connections"] > 0)

    await until(has_connections)


async def test_what_waits(server_with: ServerWith) -> None:
    async with server_with(mail__host="") as server:
        before = (await status(server)).envelope["queues"]
        spool = Spool(spool_folder(server.runtime.config))
        letter = EmailMessage()
        letter.set_content("Hello")
        spool.put(letter)
        spool.give_up(spool.put(letter))
        owner = f"{server.master.id}/media/{new_id()}"
        fields = {"owner": owner, "pvt_type": SPOOLED, "pvt_due": 2**40, "pvt_tries": 0}
        await server.runtime.store.insert(Document(SYSTEM_DATA, SPOOLED, "f" * 24, fields))
        after = (await status(server)).envelope
        grown = {name: after["queues"][name] - before[name] for name in before}
        assert grown == dict.fromkeys(before, 0) | {"mails": 1, "mails_failed": 1, "files": 1}
        assert 0 <= after["events"]["behind"] < 30


async def test_a_database_that_does_not_answer_is_told_as_unknown(tmp_path: Path) -> None:
    options = {"server.data": str(tmp_path), "database.timeout_ms": "50"}
    store = open_store(Config.load(None, {}, options), "mongodb://127.0.0.1:9/?directConnection=true")
    try:
        state = await database_state(store.connection)
        assert [state.ping, state.version, state.connections, state.members, state.oplog] == [None] * 5
        assert await collection_sizes(store.connection) == []
    finally:
        await store.close()


async def test_many_who_look_ask_once() -> None:
    asked: list[int] = []

    async def find() -> int:
        asked.append(1)
        if len(asked) == 1:
            raise LookupError
        return len(asked)

    remembered = Remembered(find, 1000)
    with pytest.raises(LookupError):
        await remembered.get()
