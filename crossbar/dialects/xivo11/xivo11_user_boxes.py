# SPDX-License-Identifier: MPL-2.0
"""Which users of 1.1 have which voicemail box, in the forms of 2016 and those of Wazo."""

from __future__ import annotations

from aiohttp import web

from crossbar.dialects import boxes
from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.refusals import empty_answer, json_answer
from crossbar.dialects.xivo11 import xivo11_users, xivo11_voicemails
from crossbar.dialects.xivo11.xivo11_associations import named_in_body, number_of_user, require_same_tenant
from crossbar.dialects.xivo11.xivo11_lists import page
from crossbar.dialects.xivo11.xivo11_protocol import links, not_found, resource_error, route
from crossbar.documents.document import Document
from crossbar.endpoint import jointly
from crossbar.errors import JSON

USERS, BOXES = xivo11_users.RESOURCE, xivo11_voicemails.RESOURCE


def _user_box(context: DialectContext, user: Document, box: Document) -> dict[str, JSON]:
    user_id, box_id = number_of_user(user), boxes.NUMBERS.of(box)
    return {
        "user_id": user_id,
        "voicemail_id": box_id,
        "links": links(context.base, ("users", "users", user_id), ("voicemails", "voicemails", box_id)),
    }


async def _box_of(context: DialectContext, user: Document) -> Document | None:
    return (await boxes.boxes_of(context, [user])).get(user.id)


@route("GET", "/users/{user}/voicemail", summary="The voicemail of a user")
async def box_of_user(context: DialectContext) -> web.Response:
    """The older form: one pair."""
    user = await USERS.found(context, "user")
    box = await _box_of(context, user)
    if box is None:
        raise not_found("UserVoicemail", user_id=number_of_user(user))
    return json_answer(_user_box(context, user, box))


@route("GET", "/users/{user}/voicemails", summary="List the voicemails of a user")
async def boxes_of_user(context: DialectContext) -> web.Response:
    """The form of Wazo: whole voicemails."""
    user = await USERS.found(context, "user")
    box = await _box_of(context, user)
    items = await BOXES.shown(context, [box] if box else [])
    return json_answer(page(len(items), items))


@route("GET", "/voicemails/{box}/users", summary="List the users of a voicemail")
async def users_of_box(context: DialectContext) -> web.Response:
    """Who has a box."""
    box = await BOXES.found(context, "box")
    items = [_user_box(context, user, box) for user in await boxes.users_of(context, box)]
    return json_answer(page(len(items), items))


@route("POST", "/users/{user}/voicemail", summary="Give a user a voicemail")
async def add_user_box(context: DialectContext) -> web.Response:
    """The form of 2016: the voicemail stands in the body."""
    user = await USERS.found(context, "user")
    box = await named_in_body(context, "voicemail_id", BOXES.find, "Voicemail")
    await _associate_box(context, user, box)
    where = f"{context.base}/users/{number_of_user(user)}/voicemail"
    return json_answer(_user_box(context, user, box), 201, {"Location": where})


@route("PUT", "/users/{user}/voicemails/{box}", summary="Give a user a voicemail")
async def put_user_box(context: DialectContext) -> web.Response:
    """The form of Wazo."""
    user, box = await USERS.found(context, "user"), await BOXES.found(context, "box")
    current = await _box_of(context, user)
    if current is None or current.id != box.id:
        await _associate_box(context, user, box)
    return empty_answer(204)


async def _associate_box(context: DialectContext, user: Document, box: Document) -> None:
    current = await _box_of(context, user)
    if current is not None:
        facts = {"user_id": number_of_user(user), "voicemail_id": boxes.NUMBERS.of(current)}
        raise resource_error("User is associated with a Voicemail", **facts)
    require_same_tenant(user, box, "User and Voicemail")
    await USERS.doing(jointly(context.store, lambda joint: boxes.associate(joint, context, user, box)))


@route("DELETE", "/users/{user}/voicemail", "/users/{user}/voicemails", summary="Take the voicemail from a user")
async def delete_user_box(context: DialectContext) -> web.Response:
    """A user has no box any more; the older form says so where there was none."""
    user = await USERS.found(context, "user")
    if context.words[-1] == "voicemail" and await _box_of(context, user) is None:
        raise not_found("UserVoicemail", user_id=number_of_user(user))
    await USERS.doing(jointly(context.store, lambda joint: boxes.dissociate(joint, context, user)))
    return empty_answer(204)
