"""What ends everybody's tokens, on a server of its own."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jwt
import pytest_asyncio
from aiohttp import ClientSession, web
from pymongo import MongoClient

from crossbar import app as application
from crossbar.config import Config
from crossbar.ids import new_id
from crossbar.shared import BucketTable
from tests.harness import Api, RunningServer, issue_token


@pytest_asyncio.fixture(loop_scope="session")
async def root(mongo_uri: str, mongo_client: MongoClient[dict[str, Any]], tmp_path: Path) -> AsyncIterator[Api]:
    name = f"test-{new_id()}"
    config = Config.load(None, {}, {"server.data": str(tmp_path), "database.name": name, "log.level": "warning"})
    made = await application.bootstrap(
        config, database_uri=mongo_uri, account="Master", realm="master.test", user="root", password="a master's word"
    )
    app = await application.build_app(config, database_uri=mongo_uri, buckets=BucketTable(1024))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    server = RunningServer(f"http://127.0.0.1:{runner.addresses[0][1]}", app[application.RUNTIME])
    async with ClientSession() as session:
        yield Api(session, f"{server.url}/v2", await issue_token(server, made.account_id, made.user_id))
    await runner.cleanup()
    mongo_client.drop_database(name)


async def test_a_new_key_and_a_new_secret_end_all_tokens(root: Api) -> None:
    async def works(token: str | None) -> bool:
        return (await root.acting(token).get("/token_auth")).status == 200

    async def log_in() -> str:
        hashed = hashlib.md5(b"root:a master's word").hexdigest()
        body = {"credentials": hashed, "account_name": "Master"}
        return str((await root.acting(None).put("/user_auth", body)).envelope["auth_token"])

    assert await works(root.token)
    old_key = jwt.get_unverified_header(str(root.token))["kid"]
    done = await root.put(f"/auth/keys/{old_key}", {}, action="reset_private_key")
    assert (done.status, "data" in done.envelope) == (201, False)
    assert not await works(root.token)
    token = await log_in()
    assert jwt.get_unverified_header(token)["kid"] != old_key
    assert (await root.acting(token).put("/auth", {}, action="reset_signature_secret")).status == 201
    assert not await works(token)
    assert await works(await log_in())
