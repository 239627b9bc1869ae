# SPDX-License-Identifier: MPL-2.0
"""Queues: callers wait in them for an agent. Who its agents are stands in the users' documents.

Source: KAZOO `cb_queues` (acdc).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Final, Literal

from crossbar import clock
from crossbar.access.authorship import stamps
from crossbar.documents.document import Document, as_list
from crossbar.documents.document_types import DEVICE, QUEUE, USER
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Summary
from crossbar.endpoint import Collection, Context, Reply
from crossbar.errors import JSON, CrossbarError, Invalid, NotFound, SystemFault
from crossbar.resources.calls.channels.domain.live_channels import channel
from crossbar.resources.calls.domain.lookup import find_any
from crossbar.resources.calls.queues.domain import acdc
from crossbar.resources.calls.queues.domain.stat_range import stat_range

EAVESDROP_MODES: Final = ("listen", "whisper", "full")

queues = Collection(
    "queues",
    "/accounts/{account_id}/queues/{queue_id}",
    Shape(QUEUE, summary=Summary("id", "name", "strategy")),
    schema="queues",
    operations=("list", "create", "replace", "merge", "delete"),
)

STATISTICS: Final = {
    "start_range": "Gregorian seconds at which the time begins",
    "end_range": "Gregorian seconds at which it ends",
    "agent_id": "One agent's calls alone",
    "status": "Calls of this status alone",
}


def requested_range(context: Context, *, cause: Literal["start", "end"]) -> tuple[int, int]:
    """The time range of statistics that a request asks for; `cause` says which end an error quotes."""
    given, until = context.values.get("start_range"), context.values.get("end_range")
    return stat_range(given, until, longest=context.config.api.maximum_range, cause=cause)


@queues.get("/accounts/{account_id}/queues/stats", options=STATISTICS)
async def stats(context: Context) -> Reply:
    """What became of the calls of a time range in all queues."""
    first, last = requested_range(context, cause="start")
    agent_id, status = context.values.text("agent_id"), context.values.text("status")
    found = await acdc.call_stats(context.store, context.account_id, first, last, agent_id=agent_id, status=status)
    rows = [stat.public for stat in found]
    return Reply(rows if context.wants_csv else {"current_timestamp": clock.now(), "stats": rows})


@queues.put(
    "/accounts/{account_id}/queues/eavesdrop",
    refuses=(500,),
    options={"id": "The device that listens", "call_id": "The call", "mode": "How"},
)
async def eavesdrop_call(context: Context) -> Reply:
    """Listen to a call: nobody here can have the switch do it."""
    await _check_listener(context)
    call_id = context.object.get("call_id")
    if not call_id:
        raise Invalid.field("call_id", "required", "Field is required but missing")
    silence_s = context.config.live.silence_s
    if await channel(context.store, context.account_id, str(call_id), silence_s=silence_s) is None:
        raise Invalid.field("call_id", "not_found", "Call was not found", cause=call_id)
    raise _cannot_start(context)


@queues.get("/accounts/{account_id}/queues/{queue_id}", shows=queues.life.schema)
async def read(context: Context) -> Reply:
    """A queue with its agents."""
    return await _with_agents(context, await queues.life.load(context, context.path["queue_id"]))


@queues.put(
    "/accounts/{account_id}/queues/{queue_id}/eavesdrop",
    refuses=(500,),
    options={"id": "The device that listens", "mode": "How"},
)
async def eavesdrop_queue(context: Context) -> Reply:
    """Listen to a queue's calls: nobody answers without a switch."""
    await _check_listener(context)
    queue_id = context.path["queue_id"]
    queue = await find_any(context.store, context.account_id, queue_id)
    if queue is None:
        raise Invalid.field("queue_id", "not_found", "Queue was not found", cause=queue_id)
    if queue.type != QUEUE:
        raise Invalid.field("queue_id", "type", "Id did not represent a queue", cause=queue.type)
    raise _cannot_start(context)


@queues.get("/accounts/{account_id}/queues/{queue_id}/roster")
async def roster(context: Context) -> Reply:
    """The ids of a queue's agents."""
    queue = await queues.life.load(context, context.path["queue_id"])
    return Reply([agent.id for agent in await agents_of(context, queue.id)])


@queues.post("/accounts/{account_id}/queues/{queue_id}/roster", shows=queues.life.schema)
async def replace_roster(context: Context) -> Reply:
    """Make exactly these users a queue's agents; unknown ids are passed over."""
    queue = await queues.life.load(context, context.path["queue_id"])
    if not isinstance(context.data, list):
        raise Invalid.field("", "type", "Value did not match type(s): array", target="array")
    wanted = {str(user_id) for user_id in context.data}
    known = await context.store.get_many(context.account_id, USER, sorted(wanted))
    for user_id in sorted(wanted - known.keys()):
        if await find_any(context.store, context.account_id, user_id) is not None:
            raise NotFound(user_id)
    present = {agent.id for agent in await agents_of(context, queue.id)}
    await asyncio.gather(
        *(leave_queue(context, user_id, queue.id) for user_id in sorted(present - wanted)),
        *(join_queue(context, user_id, queue.id) for user_id in sorted(known.keys() - present)),
    )
    return await _with_agents(context, queue)


@queues.delete("/accounts/{account_id}/queues/{queue_id}/roster", shows=queues.life.schema)
async def empty_roster(context: Context) -> Reply:
    """Take all agents out of a queue. The queue itself stays, although the answer looks as if it did not."""
    queue = await queues.life.load(context, context.path["queue_id"])
    await asyncio.gather(*(leave_queue(context, agent.id, queue.id) for agent in await agents_of(context, queue.id)))
    return Reply({**queue.public, "_read_only": {"deleted": True}}, revision=queue.revision)


async def agents_of(context: Context, queue_id: str) -> list[Document]:
    """The users who serve a queue, in the order of their ids."""
    found = await context.store.all(Listing(context.account_id, USER, tag=f"queue/{queue_id}"))
    return sorted(found, key=lambda user: user.id)


async def join_queue(context: Context, user_id: str, queue_id: str) -> list[JSON]:
    """Make a user serve a queue; returns the ids of all queues it serves. Raises NotFound."""
    return await _change_queues(
        context, user_id, lambda queues: [*(each for each in queues if each != queue_id), queue_id]
    )


async def leave_queue(context: Context, user_id: str, queue_id: str) -> list[JSON]:
    """Make a user serve a queue no more; returns the ids of the queues that are left. Raises NotFound."""
    return await _change_queues(context, user_id, lambda queues: [each for each in queues if each != queue_id])


async def _change_queues(context: Context, user_id: str, change: Callable[[Iterable[JSON]], list[JSON]]) -> list[JSON]:
    def apply(user: Document) -> None:
        user.fields["queues"] = change(as_list(user.at("queues")))
        user.fields |= stamps(context.author, user)

    user = await context.store.update(context.account_id, USER, user_id, apply)
    if user is None:
        raise NotFound(user_id)
    return list(user.fields["queues"])


async def _with_agents(context: Context, queue: Document) -> Reply:
    agents = [agent.id for agent in await agents_of(context, queue.id)]
    return Reply({**queue.public, "agents": agents}, revision=queue.revision)


def _cannot_start(context: Context) -> CrossbarError:
    """The answer to who wants to listen to something that is there."""
    mode = context.object.get("mode", EAVESDROP_MODES[0])
    if mode not in EAVESDROP_MODES:
        return Invalid.field("mode", "enum", "Value not found in enumerated list of values", cause=mode)
    return SystemFault("timeout", cause="eavesdrop failed to start")


async def _check_listener(context: Context) -> None:
    """Whoever wants to listen names a device of the account."""
    device_id = context.object.get("id")
    device = await find_any(context.store, context.account_id, str(device_id)) if device_id else None
    if device is None:
        raise Invalid.field("id", "not_found", "Id was not found", cause=device_id)
    if device.type != DEVICE:
        raise Invalid.field("id", "type", "Id did not represent a valid endpoint", cause=device.type)
