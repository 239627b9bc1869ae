# SPDX-License-Identifier: MPL-2.0
"""Conferences: calls of several people, and what can be done to a running one.

Without a switch that tells of it no conference is running. Orders are taken and have no effect. An id that no stored
conference has stands for one made up on the spot, as KAZOO's own do.

Source: KAZOO `cb_conferences`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from crossbar.dialing import is_reconcilable
from crossbar.documents.document import Document
from crossbar.documents.document_types import CONFERENCE, DEVICE, MEDIA, USER
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Summary, Unique, owner_tag
from crossbar.endpoint import Collection, Context, Draft, Reply
from crossbar.errors import JSON, FaultyRequest, Invalid, Plain, SystemFault
from crossbar.resources.calls.conferences.domain import running_conferences
from crossbar.resources.calls.conferences.domain.running_conferences import EMPTY_CONFERENCE, number_claim
from crossbar.resources.calls.domain.lookup import find_any

PARTICIPANT_ACTIONS: Final = ("mute", "unmute", "deaf", "undeaf", "kick")

_NUMBERS: Final = ("conference_numbers", "member.numbers", "moderator.numbers")
_ID_LENGTH: Final = 32
_SHORTEST_PUBLIC: Final = 5
"""Digits below which what is dialled is an extension."""


def numbers_of(conference: Document) -> list[str]:
    """Every number under which a conference is reached, once."""
    found = (conference.at(path) for path in _NUMBERS)
    return list(dict.fromkeys(str(number) for numbers in found if isinstance(numbers, list) for number in numbers))


def claims(conference: Document) -> Iterator[Unique]:
    """A number leads to one conference."""
    for number in numbers_of(conference):
        yield number_claim(number)


conferences = Collection(
    "conferences",
    "/accounts/{account_id}/conferences/{conference_id}",
    Shape(
        CONFERENCE,
        summary=Summary(
            "id",
            "name",
            "owner_id",
            "member",
            "moderator",
            "ui_flags",
            "conference_numbers",
            "flags",
            _read_only=lambda _: EMPTY_CONFERENCE,
        ),
        unique=claims,
    ),
    schema="conferences",
    operations=("list", "create", "replace", "merge", "delete"),
)


@conferences.check
async def numbers_are_free(context: Context, draft: Draft) -> None:
    """No other conference has any of the numbers; the answer names all that are taken."""
    draft_document = Document(context.account_id, CONFERENCE, draft.id, draft.data)
    claimed = list(claims(draft_document))
    holders = await context.store.claims.holders(context.account_id, claimed)
    others = {key for key, holder in holders.items() if holder.id != draft.id}
    if taken := [claim.value for claim in claimed if claim.key in others]:
        draft.errors.add("numbers", "unique", "Numbers already in use", cause=",".join(taken))


@conferences.decorate_rows()
async def what_is_seen(context: Context, rows: list[dict[str, Any]]) -> None:
    """How many take part in each conference, and for how long it has been going on."""
    silence_s = context.config.live.silence_s
    seen = await running_conferences.seen_of_all(context.store, context.account_id, silence_s=silence_s)
    for row in rows:
        row["_read_only"] = seen.get(row["id"], EMPTY_CONFERENCE)


@conferences.get("/accounts/{account_id}/conferences/{conference_id}", shows=conferences.life.schema)
async def read(context: Context) -> Reply:
    """A conference, with what is seen of it now."""
    conference = await _conference(context)
    silence_s = context.config.live.silence_s
    seen = await running_conferences.seen_of(context.store, context.account_id, conference.id, silence_s=silence_s)
    return Reply({**conference.public, "_read_only": seen}, revision=conference.revision)


@conferences.put(
    "/accounts/{account_id}/conferences/{conference_id}",
    options={"action": "`lock`, `unlock`, `play`, `record` or `dial`", "data": "The action's arguments"},
)
async def act(context: Context) -> Reply:
    """Do something to a running conference."""
    arguments = _arguments(context)
    match context.values.envelope_first("action"):
        case "lock" | "unlock":
            return Reply("ok")
        case "play":
            return await _play(context, arguments)
        case "record":
            return Reply(_record(arguments))
        case "dial":
            return await _dial(context, arguments)
        case _:
            raise FaultyRequest


@conferences.get("/accounts/{account_id}/conferences/{conference_id}/participants")
async def participants(context: Context) -> Reply:
    """Who takes part."""
    return Reply(await _present(context))


@conferences.put(
    "/accounts/{account_id}/conferences/{conference_id}/participants",
    options={
        "action": ", ".join(f"`{name}`" for name in (*PARTICIPANT_ACTIONS, "play", "relate")),
        "data": "The action's arguments",
    },
)
async def act_on_all(context: Context) -> Reply:
    """Do something to everybody but the moderators."""
    action = context.values.envelope_first("action")
    if action in PARTICIPANT_ACTIONS:
        conference = await _conference(context)
        return Reply(conference.public, revision=conference.revision)
    if action == "play":
        return await _play(context, _arguments(context))
    if action == "relate":
        relation = context.valid(
            "metaflows.relate", {**_arguments(context), "conference_id": context.path["conference_id"]}
        )
        present = {str(participant.get("participant_id")) for participant in await _present(context)}
        for name in ("participant_id", "other_participant"):
            if str(relation[name]) not in present:
                raise SystemFault("bad_identifier", id=relation[name])
        return Reply("relating participants")
    raise FaultyRequest


@conferences.get("/accounts/{account_id}/conferences/{conference_id}/participants/{participant_id}")
async def participant(context: Context) -> Reply:
    """One who takes part."""
    participant_id = context.path["participant_id"]
    present = (one for one in await _present(context) if str(one.get("participant_id")) == participant_id)
    return Reply(next(present, {}))


@conferences.put(
    "/accounts/{account_id}/conferences/{conference_id}/participants/{participant_id}",
    options={"action": ", ".join(f"`{name}`" for name in PARTICIPANT_ACTIONS)},
)
async def act_on_one(context: Context) -> Reply:
    """Do something to one who takes part."""
    action = context.values.envelope_first("action")
    if not context.path["participant_id"].isdecimal() or action not in PARTICIPANT_ACTIONS:
        raise FaultyRequest
    return Reply("ok")


async def _present(context: Context) -> list[dict[str, Any]]:
    silence_s, conference_id = context.config.live.silence_s, context.path["conference_id"]
    store, account_id = context.store, context.account_id
    return await running_conferences.participants(store, account_id, conference_id, silence_s=silence_s)


async def _conference(context: Context) -> Document:
    """The stored conference, or one made up of the schema's defaults and the request."""
    conference_id = context.path["conference_id"]
    stored = await context.store.get(context.account_id, CONFERENCE, conference_id)
    if stored is not None:
        return stored
    given = {key: value for key, value in context.object.items() if key not in ("action", "data")}
    fields, _ = context.schema_errors("conferences", given)
    return Document(context.account_id, CONFERENCE, conference_id, fields)


def _arguments(context: Context) -> dict[str, Any]:
    """The arguments of an action: `data` inside of the data, else the data itself."""
    inner = context.object.get("data")
    if isinstance(inner, dict):
        return inner
    return {key: value for key, value in context.object.items() if key != "action" or "action" in context.envelope}


async def _play(context: Context, arguments: dict[str, Any]) -> Reply:
    if not arguments:
        raise Invalid.field("data", "required", "action 'play' requires a data object")
    media_id = arguments.get("media_id")
    if not isinstance(media_id, str) or not media_id:
        raise Invalid.field("data.media_id", "required", "action 'play' requires a media ID or URL")
    if "://" not in media_id:
        media = await find_any(context.store, context.account_id, media_id)
        if media is None or media.type != MEDIA:
            raise Plain(404, "bad identifier", [media_id])
    return Reply("ok")


def _record(arguments: dict[str, Any]) -> str:
    if not arguments:
        raise Invalid.field("data", "required", "action 'record' requires a data object")
    match arguments.get("action"):
        case "start":
            return "starting recording"
        case "stop":
            return "stopping recording"
        case None:
            raise Invalid.field("data.action", "required", "recording requires an action")
        case other:
            text = "Value not found in enumerated list of values"
            raise Invalid.field("data.action", "enum", text, target=["start", "stop"], value=other)


async def _dial(context: Context, arguments: dict[str, Any]) -> Reply:
    """Call somebody into the conference: with no switch to do it, nobody can be."""
    order = context.valid("conferences.dial", arguments)
    errors, reachable = Invalid(), 0
    for number, endpoint in enumerate(order["endpoints"], 1):
        reachable += await _can_be_called(context, endpoint, f"data.endpoints.{number}", errors)
    if not errors.fields and not reachable:
        text = "endpoints failed to resolve to route-able destinations"
        errors.add("data.endpoints", "minItems", text, target=1)
    if errors.fields:
        raise errors
    return Reply({"status": "error", "message": "conference dial failed to find a media server"})


async def _can_be_called(context: Context, endpoint: JSON, field: str, errors: Invalid) -> bool:
    """Whether an endpoint leads somewhere; what cannot be one is noted as an error, an unknown id is passed over."""
    if isinstance(endpoint, dict) or endpoint.startswith("sip:"):
        return True
    if len(endpoint) == _ID_LENGTH:
        document = await find_any(context.store, context.account_id, endpoint)
        if document is None:
            return False
        if document.type not in (DEVICE, USER):
            errors.add(field, "not_found", f"ID {endpoint} not found")
        elif document.type == USER and not await _has_devices(context, endpoint):
            text = f"user {endpoint} failed to resolve to route-able destinations"
            errors.add(field, "minItems", text, target=1)
        return True
    if is_reconcilable(endpoint) or (endpoint.isdecimal() and len(endpoint) < _SHORTEST_PUBLIC):
        return True
    errors.add(field, "enum", "Value not a number, device or user ID, or SIP endpoint")
    return False


async def _has_devices(context: Context, user_id: str) -> bool:
    listing = Listing(context.account_id, DEVICE, tag=owner_tag(user_id), limit=1)
    return bool((await context.store.page(listing)).rows)
