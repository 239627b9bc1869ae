# SPDX-License-Identifier: MPL-2.0
"""Webhooks that were saved before documents said that they listen."""

from __future__ import annotations

from crossbar.documents.store.event_log import STATE_KEY
from tests.hooks import new_hook, told
from tests.receiver import Receiver
from tests.resources.notices.hooks.conftest import Installation


async def test_they_are_told_after_an_upgrade(installation: Installation, receiver: Receiver, path: str) -> None:
    async with installation.serving() as server:
        hook = await new_hook(server.master.api, receiver.url + path)
    database = installation.database
    forgotten = database["documents"].update_one(
        {"_id": f"{installation.made.account_id}/webhook/{hook}"}, {"$unset": {"listens": 1}}
    )
    assert forgotten.modified_count == 1
    assert database["leases"].delete_one({"_id": STATE_KEY}).deleted_count == 1
    async with installation.serving() as server:
        menu = (await server.master.api.put("/menus", {"name": "Main"})).id
        [sent] = await receiver.wait(path)
        assert told(sent)["id"] == menu
