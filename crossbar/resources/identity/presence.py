# SPDX-License-Identifier: MPL-2.0
"""Presence: who watches whom, and the state that is shown of a user or device.

Without a switch nobody answers a search, which the answer says (`timeout`), and orders go nowhere; what is set by
hand is kept, and told to whoever listens. Each reset leaves a report of what was found before; the answer's `Location`
is a link to it. What a switch tells of states and subscriptions is what a search finds.

Source: KAZOO `cb_presence`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from contextlib import suppress
from typing import Final

import orjson

from crossbar import __version__, clock
from crossbar.documents.document import Document, is_private
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Duplicate, Retries, Stale, Transaction
from crossbar.endpoint import Binary, Context, Endpoint, Reply
from crossbar.endpoint.magic_links import magic_link
from crossbar.errors import JSON, Invalid, Plain
from crossbar.events.notices import insert_telling, notice
from crossbar.ids import new_id
from crossbar.resources.identity.devices import owned_by
from crossbar.resources.identity.domain.live_presence import PRESENCE, search_presence

MANUAL: Final = "manual_presence"
"""Type and id of the document in which an account keeps the states that were set by hand, by presence id."""
REPORT: Final = "presence_report"
REPORT_PREFIX: Final = "report-"
UPDATE: Final = "update"
"""The name of the event of a state that was set."""
STATES: Final = ("confirmed", "early", "terminated")
MANUAL_PRESENCE_SHAPE: Final = Shape(MANUAL, summary=Summary("id"))
PRESENCE_REPORT_SHAPE: Final = Shape(
    REPORT, summary=Summary("id"), sort="pvt_created", stored_in="records", moves=False
)

presence = Endpoint("presence")
PACKAGE: Final = {"event": "The one package whose subscriptions count"}
ORDER: Final = {
    "action": "`reset` or `set`",
    "state": "What to set it to",
    "reset": "`true`: `action` `reset` in older words",
}


@presence.get(
    "/accounts/{account_id}/presence",
    "/accounts/{account_id}/users/{user_id}/presence",
    "/accounts/{account_id}/devices/{device_id}/presence",
    options=PACKAGE,
)
async def summary(context: Context) -> Reply:
    """How many subscriptions each extension has, by package (`?event=` narrows them to one), and the states."""
    return Reply(await _search(context))


@presence.get("/accounts/{account_id}/presence/{extension}", options=PACKAGE)
async def detail(context: Context) -> Reply | Binary:
    """The subscriptions of one extension; `report-<id>` is the report that a reset left."""
    extension = context.path["extension"]
    if not extension.startswith(REPORT_PREFIX):
        return Reply(await _search(context, extension))
    report_id = extension.removeprefix(REPORT_PREFIX)
    report = await context.document(REPORT, report_id)
    return Binary(orjson.dumps(report.at("found")), "application/json", f"{report_id}.json")


@presence.post("/accounts/{account_id}/presence")
async def nobody(_: Context) -> Reply:
    """An account as a whole has no presence."""
    raise Plain(404, "faulty request")


@presence.post("/accounts/{account_id}/presence/{extension}", answers=(200,), options=PACKAGE)
async def reset_extension(context: Context) -> Reply:
    """Make the subscriptions of an extension start anew."""
    extension = context.path["extension"]
    return Reply(f"reset command sent for extension {extension}", status=200, location=await keep_report(context))


@presence.post(
    "/accounts/{account_id}/devices/{device_id}/presence",
    options=ORDER | PACKAGE,
)
async def act_on_device(context: Context) -> Reply:
    """`reset` the presence of a device, or `set` its `state`."""
    return await _act(context, [context.parents["devices"]])


@presence.post(
    "/accounts/{account_id}/users/{user_id}/presence",
    options=ORDER | PACKAGE,
)
async def act_on_user(context: Context) -> Reply:
    """`reset` or `set` the presence of a user, or of the user's devices if the user has none of its own."""
    user = context.parents["users"]
    return await _act(context, [user] if user.at("presence_id") else await owned_by(context, user.id))


async def _search(context: Context, extension: str | None = None) -> dict[str, JSON]:
    return await search_presence(
        context.store,
        context.account_id,
        silence_s=context.config.live.silence_s,
        package=context.values.text("event"),
        extension=extension,
    )


async def keep_report(context: Context) -> str:
    """Keep what was found before a reset, and return a link to it that needs no token; the operator is told of it."""
    now = clock.now()
    fields = {
        "found": await _search(context),
        "pvt_type": REPORT,
        "pvt_account_id": context.account_id,
        "pvt_created": now,
    }
    report = Document(context.account_id, REPORT, new_id(), fields)
    link = magic_link(context.runtime, f"/v2/accounts/{context.account_id}/presence/{REPORT_PREFIX}{report.id}")
    about = {
        "subject": "presence reset",
        "message": f"Presence was reset in account {context.account_id}: report {report.id}",
        "request_id": context.request_id,
    }
    master_id = await context.directory.master_id()
    told = [notice("system_alert", master_id, about)] if master_id else []
    await insert_telling(context.store, report, told)
    return link


async def _act(context: Context, things: list[Document]) -> Reply:
    action = context.object.get("action", "reset" if context.object.get("reset") is True else None)
    state = context.object.get("state")
    if action not in ("reset", "set"):
        raise Invalid.field("action", "invalid", "Field must be set to a valid action", target="invalid")
    if action == "set" and state not in STATES:
        raise Invalid.field("state", "invalid", "Field must be set to a valid state", target="invalid")
    if not things:
        return Reply("nothing to send command to")
    if action == "reset":
        return Reply("command sent", status=200, location=await keep_report(context))
    await _set_by_hand(context, (thing.at("presence_id") for thing in things), state)
    return Reply("command sent")


async def _set_by_hand(context: Context, presence_ids: Iterable[JSON], state: JSON) -> None:
    """Remember a state, and tell of it. What has no presence id of its own has nowhere to be remembered."""
    states = {key: state for key in map(str, filter(None, presence_ids)) if not is_private(key)}
    if not states:
        return
    account_id, realm = context.account_id, context.account.realm

    async def set_states(transaction: Transaction) -> None:
        known = await transaction.get(account_id, MANUAL, MANUAL)
        fields = {"pvt_type": MANUAL, "pvt_account_id": account_id} if known is None else known.fields
        changed = Document(account_id, MANUAL, MANUAL, {**fields, **states}, known.revision if known else None)
        await (transaction.insert(changed) if known is None else transaction.replace(changed, known))
        for presence_id in states:
            body = _update(f"{presence_id}@{realm}", state)
            await transaction.raise_event(account_id, PRESENCE, UPDATE, body, about=PRESENCE, about_id=presence_id)

    async for _ in Retries():
        with suppress(Duplicate, Stale):  # somebody else has set one meanwhile
            await context.store.transact(set_states)
            return


def _update(presence_id: str, state: JSON) -> dict[str, JSON]:
    """What listeners are told of a state that was set by hand. Source: `cb_presence:publish_presence_update`."""
    user, _, realm = presence_id.partition("@")
    return {
        "app_name": "crossbar",
        "app_version": __version__,
        "call_id": hashlib.md5(presence_id.encode(), usedforsecurity=False).hexdigest(),
        "event_category": PRESENCE,
        "event_name": UPDATE,
        "from": f"sip:{presence_id}",
        "from_realm": realm,
        "from_user": user,
        "presence_id": presence_id,
        "state": state,
        "to": f"sip:{presence_id}",
        "to_realm": realm,
        "to_user": user,
    }
