# SPDX-License-Identifier: MPL-2.0
"""Agents: users who serve queues, what they are doing, and what they have done.

An agent is a user with `queues`. What agents do is told by a queue service or a switch (see ingest), or by the clients
here. What a switch told is unknown when that switch is heard no more.

Source: KAZOO `cb_agents` (acdc).
"""

from __future__ import annotations

from typing import Any, Final

from crossbar import clock
from crossbar.documents.document import Document, as_list
from crossbar.documents.document_types import USER
from crossbar.documents.listing import Listing
from crossbar.documents.schemas import casts
from crossbar.endpoint import Context, Endpoint, Lists, Reply, answer_document
from crossbar.endpoint.computed_list import answer_computed
from crossbar.errors import JSON, Invalid
from crossbar.resources.calls.queues.domain import acdc
from crossbar.resources.calls.queues.domain.queue_events import is_current
from crossbar.resources.calls.queues.queues import STATISTICS, join_queue, leave_queue, requested_range
from crossbar.resources.records.domain.cdr_row import whole

UNKNOWN: Final = "unknown"
"""The status of an agent of whom nothing was told."""

_MEANING: Final = {
    "login": "logged_in",
    "logout": "logged_out",
    "pause": "paused",
    "resume": "ready",
    "end_wrapup": "ready",
}
"""What a client orders → what the agent does from then on."""
_PRESENCE: Final = ("presence_id", "presence_state")
"""What of an order is kept as it is."""
_STATUS: Final = ("/accounts/{account_id}/agents/{user_id}/status", "/accounts/{account_id}/agents/status/{user_id}")
_OF_LAST_DAY: Final = {
    "status": "This status alone, of the last day",
    "limit": "How many at most, of the last day",
}
_ROW: Final = ("first_name", "last_name", "queues")

agents = Endpoint("agents")


@agents.get("/accounts/{account_id}/agents", lists=Lists.PAGES)
async def listing(context: Context) -> Reply:
    """The users who serve queues."""
    users = await context.store.all(Listing(context.account_id, USER, tag="agent"))
    return answer_computed(context, ((user.id, user, _row(user)) for user in users))


@agents.get("/accounts/{account_id}/agents/stats", options=STATISTICS)
async def stats(context: Context) -> Reply:
    """Calls taken and missed in a time range, by agent and queue."""
    first, last = requested_range(context, cause="end")
    agent_id, status = context.values.text("agent_id"), context.values.text("status")
    found = await acdc.call_stats(context.store, context.account_id, first, last, status=status)
    totals = acdc.totals_by_agent(found)
    if agent_id is not None:
        totals = {key: total for key, total in totals.items() if key == agent_id}
    if context.wants_csv:
        return Reply([{"agent_id": key} | {name: value for name, value in total.items() if name != "queues"}
                      for key, total in totals.items()])  # fmt: skip
    return Reply(totals)


@agents.get("/accounts/{account_id}/agents/status", options=_OF_LAST_DAY)
async def statuses(context: Context) -> Reply:
    """What all agents did in the last day: agent → time → status."""
    return Reply(await _recent(context))


@agents.get("/accounts/{account_id}/agents/{user_id}")
async def read(context: Context) -> Reply:
    """An agent's user document."""
    return await answer_document(context, USER, context.path["user_id"])


@agents.get(*_STATUS, options={"recent": "`true`: the last day", "full": "`true`: all that is known", **_OF_LAST_DAY})
async def status(context: Context) -> Reply:
    """What an agent does: one word; with `full` all that is known of it, with `recent` the last day."""
    user = await _user(context)
    if context.values.is_true("recent"):
        return Reply(await _recent(context, user.id))
    latest = await acdc.latest_status(context.store, context.account_id, user.id)
    if latest and not await is_current(context.store, latest, silence_s=context.config.live.silence_s):
        latest = None
    if context.values.is_true("full"):
        return Reply(latest.public if latest else {})
    return Reply(latest.fields.get("status") if latest else UNKNOWN)


@agents.post(
    *_STATUS,
    options={
        "status": "`login`, `logout`, `pause`, `resume` or `end_wrapup`",
        "timeout": "Seconds of a pause",
        **dict.fromkeys(_PRESENCE, "Kept with it"),
    },
)
async def change_status(context: Context) -> Reply:
    """Log an agent in or out, make it pause or go on."""
    user = await _user(context)
    order = context.values.get("status")
    if not isinstance(order, str) or order not in _MEANING:
        raise Invalid.field("status", "enum", "value is not a valid status", cause=order)
    told: dict[str, Any] = {"agent_id": user.id, "status": _MEANING[order]}
    if order == "pause":
        told["pause_time"] = _timeout(context.values.get("timeout"))
    for name in _PRESENCE:
        if value := context.values.text(name):
            told[name] = value
    await acdc.keep_agent_statuses(context.store, [acdc.agent_status_of(context.account_id, told)])
    return Reply("status update sent")


@agents.get("/accounts/{account_id}/agents/{user_id}/queue_status")
async def queue_status(context: Context) -> Reply:
    """The queues an agent serves."""
    user = await _user(context)
    return Reply(as_list(user.at("queues")))


@agents.post("/accounts/{account_id}/agents/{user_id}/queue_status", schema="queue_update")
async def change_queue_status(context: Context) -> Reply:
    """Make an agent serve one more queue, or one less."""
    user = await _user(context)
    update = context.valid_data()
    change = join_queue if update["action"] == "login" else leave_queue
    return Reply(await change(context, user.id, update["queue_id"]))


def _row(user: Document) -> dict[str, JSON]:
    return {"id": user.id} | {name: user.fields[name] for name in _ROW if name in user.fields}


async def _user(context: Context) -> Document:
    return await context.document(USER, context.path["user_id"])


async def _recent(context: Context, agent_id: str | None = None) -> dict[str, dict[str, JSON]]:
    now = clock.now()
    found = await acdc.agent_statuses(context.store, context.account_id, now - clock.DAY, now, agent_id=agent_id)
    wanted = context.values.text("status")
    kept = [status for status in found if wanted is None or status.fields.get("status") == wanted]
    limit = whole(context.values.get("limit"))
    by_agent: dict[str, dict[str, JSON]] = {}
    for status in kept[:limit] if limit > 0 else kept:
        by_agent.setdefault(str(status.fields.get("agent_id")), {})[str(status.fields.get("timestamp"))] = status.public
    return by_agent


def _timeout(value: JSON) -> int:
    """The seconds of a pause, which has to have some."""
    seconds = casts.integer(value)
    if not isinstance(seconds, int) or isinstance(seconds, bool):
        text = "value must be an integer greater than or equal to 0"
        raise Invalid.field("timeout", "type", text, cause=value)
    if seconds < 0:
        text = "value must be at least greater than or equal to 0"
        raise Invalid.field("timeout", "minimum", text, cause=value)
    return seconds
