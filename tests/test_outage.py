# SPDX-License-Identifier: MPL-2.0
"""The database goes away under two running workers, and comes back."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import AsyncExitStack
from pathlib import Path

from crossbar import administration
from crossbar.config import Config
from crossbar.documents.embedded import EmbeddedMongo
from tests.harness import client_session, issue_token, until, worker


async def test_an_outage_is_answered_and_nothing_remembered_outlives_it(tmp_path: Path) -> None:
    config = Config.load(
        None,
        {},
        {"server.data": str(tmp_path), "database.timeout_ms": "2000", "buckets.token_costs": "0", "log.level": "error"},
    )
    mongo = EmbeddedMongo(tmp_path / "mongo", cache_gb=0.25)
    async with AsyncExitStack() as stack:
        uri = await mongo.start()
        stack.push_async_callback(mongo.stop)
        made = await administration.bootstrap(
            config, database_uri=uri, account="Master", realm="master.test", user="root", password="a master's word"
        )
        session = await stack.enter_async_context(client_session())
        first = await stack.enter_async_context(worker(config, uri, session, made))
        second = await stack.enter_async_context(worker(config, uri, session, made))
        ada = {"first_name": "Ada", "last_name": "Admin", "username": "ada", "password": "correct horse"}
        user = (await first.master.api.put("/users", {**ada, "priv_level": "admin"})).id
        asking = second.master.api.acting(await issue_token(second, made.account_id, user))
        assert (await asking.get("/devices")).status == 200

        os.kill(int((tmp_path / "mongo" / "mongod.pid").read_text()), signal.SIGKILL)
        for server in (first, second):
            refused = await server.master.api.get("/users")
            assert refused.error() == (503, "503", "datastore_unreachable", {"message": "datastore timeout"})
            assert (await server.master.root.get(f"{server.url}/readyz")).status == 503

        keeper = asyncio.create_task(mongo.keep_running())
        stack.callback(keeper.cancel)

        async def both_serve() -> bool:
            return all([(await server.master.api.get("/users")).status == 200 for server in (first, second)])

        async def second_knows() -> bool:
            return (await asking.get("/devices")).status == 401

        await until(both_serve)
        gone = await first.master.api.delete(f"/users/{user}")
        assert gone.status == 200, gone.body
        await until(second_knows)
