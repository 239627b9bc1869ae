# SPDX-License-Identifier: MPL-2.0
"""A server that ends brings the deliveries in hand to an end, and says that it is gone."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from tests.harness import until
from tests.hooks import new_hook, told
from tests.receiver import Receiver
from tests.resources.notices.hooks.conftest import Installation


def at_work() -> int:
    """How many servers of this process deliver webhooks."""
    return sum(task.get_name() == "webhook deliveries" for task in asyncio.all_tasks())


async def test_a_delivery_in_hand_is_finished_and_not_made_again(
    installation: Installation, receiver: Receiver, path: str
) -> None:
    database = installation.database
    receiver.held[path] = asyncio.Event()
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(installation.serving())
        await new_hook(server.master.api, receiver.url + path)
        made_before = [(await server.master.api.put("/menus", {"name": "Delivered"})).id]
        await receiver.wait(path)
        place = (await server.master.api.get("/events")).envelope["token"]
        made_before += [(await server.master.api.put("/menus", {"name": name})).id for name in ("In hand", "Next")]

        async def both_wait() -> bool:
            page = await server.master.api.get(f"/events?since={place}")
            return [event["data"]["id"] for event in page.data] == made_before[1:]

        await until(both_wait)
        delivered, receiver.held[path] = receiver.held[path], asyncio.Event()
        delivered.set()
        await receiver.wait(path, 2)
        others = at_work() - 1
        closing = asyncio.create_task(stack.pop_all().aclose())

        async def ends() -> bool:
            return at_work() == others

        await until(ends)
        assert not closing.done()
        receiver.held[path].set()
        await closing
    (cursor,) = database["event_cursors"].find({})
    assert (bool(cursor["position"]), cursor["holder"]) == (True, "")
    assert database["leases"].count_documents({"_id": {"$regex": "^webhook deliveries/"}}) == 0
    async with installation.serving() as server:
        last = (await server.master.api.put("/menus", {"name": "Last"})).id
        sent = await receiver.wait(path, 4)
    assert [told(one)["id"] for one in sent] == [*made_before, last]
