# SPDX-License-Identifier: MPL-2.0
"""Webhooks that were saved before documents said that they listen."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from crossbar import administration
from crossbar.config import Config
from crossbar.documents.store.event_log import STATE_KEY
from tests.harness import client_session, worker
from tests.hooks import new_hook, told
from tests.receiver import Receiver


async def test_they_are_told_after_an_upgrade(
    mongo_uri: str, mongo_client: MongoClient[dict[str, Any]], tmp_path: Path, receiver: Receiver, path: str
) -> None:
    name = f"test-{uuid.uuid4().hex}"
    options = {
        "server.data": str(tmp_path),
        "database.name": name,
        "log.level": "error",
        "security.blocked_hosts": "blocked.test",
    }
    config = Config.load(None, {}, options)
    made = await administration.bootstrap(
        config, database_uri=mongo_uri, account="Master", realm="master.test", user="root", password="a master's word"
    )
    async with client_session() as session:
        async with worker(config, mongo_uri, session, made) as server:
            hook = await new_hook(server.master.api, receiver.url + path)
        database = mongo_client[name]
        forgotten = database["documents"].update_one(
            {"_id": f"{made.account_id}/webhook/{hook}"}, {"$unset": {"listens": 1}}
        )
        assert forgotten.modified_count == 1
        assert database["leases"].delete_one({"_id": STATE_KEY}).deleted_count == 1
        async with worker(config, mongo_uri, session, made) as server:
            menu = (await server.master.api.put("/menus", {"name": "Main"})).id
            [sent] = await receiver.wait(path)
            assert told(sent)["id"] == menu
    mongo_client.drop_database(name)
