"""Queues: callers wait in them for an agent. Who its agents are stands in the users' documents.

Source: KAZOO `cb_queues` (acdc).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from crossbar import clock
from crossbar.documents.document import Document
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Summary
from crossbar.endpoint import Call, Reply, Resource, stamps
from crossbar.errors import JSON, Invalid, NotFound, SystemFault
from crossbar.resources.calls.domain.lookup import find_any
from crossbar.resources.calls.queues.domain import acdc
from crossbar.resources.calls.queues.domain.stat_range import stat_range

EAVESDROP_MODES: Final = ("listen", "whisper", "full")

queues = Resource(
    "queues",
    document_type="queue",
    schema="queues",
    summary=Summary("id", "name", "strategy"),
    operations=("list", "create", "replace", "merge", "delete"),
)


@queues.get("/stats")
async def stats(call: Call) -> Reply:
    """What became of the calls of a time range in all queues."""
    first, last = stat_range(call, cause="start")
    agent_id, status = call.values.text("agent_id"), call.values.text("status")
    found = await acdc.call_stats(call.store, call.account_id, first, last, agent_id=agent_id, status=status)
    rows = [stat.public for stat in found]
    return Reply(rows if call.wants_csv else {"current_timestamp": clock.now(), "stats": rows})


@queues.put("/eavesdrop")
async def eavesdrop_call(call: Call) -> Reply:
    """Listen to a call: there is none without a switch."""
    await _check_listener(call)
    call_id = call.object.get("call_id")
    if not call_id:
        raise Invalid.field("call_id", "required", "Field is required but missing")
    raise Invalid.field("call_id", "not_found", "Call was not found", cause=call_id)


@queues.get("/{queue_id}")
async def read(call: Call) -> Reply:
    """A queue with its agents."""
    return await _with_agents(call, await queues.life.load(call, call.path["queue_id"]))


@queues.put("/{queue_id}/eavesdrop")
async def eavesdrop_queue(call: Call) -> Reply:
    """Listen to a queue's calls: nobody answers without a switch."""
    await _check_listener(call)
    queue_id = call.path["queue_id"]
    queue = await find_any(call, queue_id)
    if queue is None:
        raise Invalid.field("queue_id", "not_found", "Queue was not found", cause=queue_id)
    if queue.type != "queue":
        raise Invalid.field("queue_id", "type", "Id did not represent a queue", cause=queue.type)
    mode = call.object.get("mode", EAVESDROP_MODES[0])
    if mode not in EAVESDROP_MODES:
        raise Invalid.field("mode", "enum", "Value not found in enumerated list of values", cause=mode)
    raise SystemFault("timeout", cause="eavesdrop failed to start")


@queues.get("/{queue_id}/roster")
async def roster(call: Call) -> Reply:
    """The ids of a queue's agents."""
    queue = await queues.life.load(call, call.path["queue_id"])
    return Reply([agent.id for agent in await agents_of(call, queue.id)])


@queues.post("/{queue_id}/roster")
async def replace_roster(call: Call) -> Reply:
    """Make exactly these users a queue's agents; unknown ids are passed over."""
    queue = await queues.life.load(call, call.path["queue_id"])
    if not isinstance(call.data, list):
        raise Invalid.field("", "type", "Value did not match type(s): array", target="array")
    wanted = {str(user_id) for user_id in call.data}
    known = await call.store.get_many(call.account_id, "user", sorted(wanted))
    for user_id in sorted(wanted - known.keys()):
        if await find_any(call, user_id) is not None:
            raise NotFound(user_id)
    present = {agent.id for agent in await agents_of(call, queue.id)}
    await asyncio.gather(
        *(leave_queue(call, user_id, queue.id) for user_id in sorted(present - wanted)),
        *(join_queue(call, user_id, queue.id) for user_id in sorted(known.keys() - present)),
    )
    return await _with_agents(call, queue)


@queues.delete("/{queue_id}/roster")
async def empty_roster(call: Call) -> Reply:
    """Take all agents out of a queue. The queue itself stays, although the answer looks as if it did not."""
    queue = await queues.life.load(call, call.path["queue_id"])
    await asyncio.gather(*(leave_queue(call, agent.id, queue.id) for agent in await agents_of(call, queue.id)))
    return Reply({**queue.public, "_read_only": {"deleted": True}}, revision=queue.revision)


async def agents_of(call: Call, queue_id: str) -> list[Document]:
    """The users who serve a queue, in the order of their ids."""
    found = await call.store.documents(Listing(call.account_id, "user", tag=f"queue/{queue_id}"))
    return sorted(found, key=lambda user: user.id)


async def join_queue(call: Call, user_id: str, queue_id: str) -> list[JSON]:
    """Make a user serve a queue; returns the ids of all queues it serves. Raises NotFound."""
    return await _change_queues(
        call, user_id, lambda queues: [*(each for each in queues if each != queue_id), queue_id]
    )


async def leave_queue(call: Call, user_id: str, queue_id: str) -> list[JSON]:
    """Make a user serve a queue no more; returns the ids of the queues that are left. Raises NotFound."""
    return await _change_queues(call, user_id, lambda queues: [each for each in queues if each != queue_id])


async def _change_queues(call: Call, user_id: str, change: Callable[[Iterable[JSON]], list[JSON]]) -> list[JSON]:
    def apply(user: Document) -> None:
        user.fields["queues"] = change(user.fields.get("queues") or [])
        user.fields |= stamps(call, user)

    user = await call.store.change(call.account_id, "user", user_id, apply)
    if user is None:
        raise NotFound(user_id)
    return list(user.fields["queues"])


async def _with_agents(call: Call, queue: Document) -> Reply:
    agents = [agent.id for agent in await agents_of(call, queue.id)]
    return Reply({**queue.public, "agents": agents}, revision=queue.revision)


async def _check_listener(call: Call) -> None:
    """Whoever wants to listen names a device of the account."""
    device_id = call.object.get("id")
    device = await find_any(call, str(device_id)) if device_id else None
    if device is None:
        raise Invalid.field("id", "not_found", "Id was not found", cause=device_id)
    if device.type != "device":
        raise Invalid.field("id", "type", "Id did not represent a valid endpoint", cause=device.type)
