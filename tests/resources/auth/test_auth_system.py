# SPDX-License-Identifier: MPL-2.0
"""What ends everybody's tokens, on a server of its own."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jwt
import pytest_asyncio
from pymongo import MongoClient

from crossbar.config import Config
from crossbar.ids import new_id
from tests.harness import Api, running_server


@pytest_asyncio.fixture(loop_scope="session")
async def root(mongo_uri: str, mongo_client: MongoClient[dict[str, Any]], tmp_path: Path) -> AsyncIterator[Api]:
    name = f"test-{new_id()}"
    config = Config.load(None, {}, {"server.data": str(tmp_path), "database.name": name, "log.level": "warning"})
    async with running_server(config, mongo_uri) as server:
        yield server.master.root
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
