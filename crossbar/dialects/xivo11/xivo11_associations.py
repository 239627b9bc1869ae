# SPDX-License-Identifier: MPL-2.0
"""What of 1.1 belongs to what: users to lines, and extensions that lead to lines.

The forms of 2016 (POST with a body, 201) and those of Wazo (PUT without one, 204) stand side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from crossbar.dialects import extensions, telephone_lines, telephone_users, wiring
from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.homes import Edit
from crossbar.dialects.refusals import Refusal, empty_answer, json_answer
from crossbar.dialects.shapes import LINE, line_attributes
from crossbar.dialects.wiring import EXTENSIONS, INCOMING, LINES, secondary_users, users_on
from crossbar.dialects.xivo11 import xivo11_extensions, xivo11_users
from crossbar.dialects.xivo11.xivo11_lines import LINE_RESOURCE, people_on
from crossbar.dialects.xivo11.xivo11_lists import page
from crossbar.dialects.xivo11.xivo11_protocol import input_error, links, no_such, not_found, resource_error, route
from crossbar.dialects.xivo11.xivo11_views import line_with
from crossbar.documents.document import Document, as_object
from crossbar.endpoint import JointChange, jointly
from crossbar.errors import JSON

USERS, LINES_OF, EXTENSIONS_OF = xivo11_users.RESOURCE, LINE_RESOURCE, xivo11_extensions.RESOURCE
number_of_user = telephone_users.NUMBERS.of


async def named_in_body(context: DialectContext, field: str, find: Any, title: str) -> Document:
    """The object whose number stands in the body. Raises 400 where there is none."""
    number = context.object.get(field)
    if number is None:
        raise input_error(f"missing parameters: {field}")
    if not isinstance(number, int) or isinstance(number, bool):
        raise input_error(f"field '{field}': wrong type. Should be an integer")
    try:
        found: Document = await find(context, str(number))
    except Refusal:
        raise no_such(field, title, **{field: number}) from None
    return found


# Users and lines


async def _user_line(
    context: DialectContext, user: Document, line: Document, main_line: Document | None
) -> dict[str, JSON]:
    user_id, line_id = number_of_user(user), LINES.of(line)
    people = await people_on(context, line)
    return {
        "user_id": user_id,
        "line_id": line_id,
        "main_user": bool(people) and people[0].id == user.id,
        "main_line": main_line is not None and main_line.id == line.id,
        "links": links(context.base, ("users", "users", user_id), ("lines", "lines", line_id)),
    }


@route("GET", "/users/{user}/lines", summary="List the lines of a user")
async def lines_of_user(context: DialectContext) -> web.Response:
    """A user's lines."""
    user = await USERS.found(context, "user")
    wired = await wiring.around_users(context, user.partition, [user.id])
    main = wired.main_line_of(user.id)
    items = [await _user_line(context, user, line, main) for line in wired.lines_of(user.id)]
    return json_answer(page(len(items), items))


@route("GET", "/lines/{line}/users", summary="List the users of a line")
async def users_of_line(context: DialectContext) -> web.Response:
    """A line's users."""
    line = await LINES_OF.found(context, "line")
    people = await people_on(context, line)
    wired = await wiring.around_users(context, line.partition, [user.id for user in people])
    items = [await _user_line(context, user, line, wired.main_line_of(user.id)) for user in people]
    return json_answer(page(len(items), items))


@route("POST", "/users/{user}/lines", summary="Give a user a line")
async def add_user_line(context: DialectContext) -> web.Response:
    """The form of 2016: the line stands in the body."""
    user = await USERS.found(context, "user")
    line = await named_in_body(context, "line_id", LINES_OF.find, "Line")
    wired = await wiring.around_users(context, user.partition, [user.id])
    if wired.lines_of(user.id):
        facts = {"user_id": number_of_user(user), "line_id": LINES.of(wired.lines_of(user.id)[0])}
        raise resource_error("User is associated with a Line", **facts)
    line = await _give_line(context, user, line)
    pair = await _user_line(context, user, line, line)
    where = f"{context.base}/users/{number_of_user(user)}/lines/{LINES.of(line)}"
    return json_answer(pair, 201, {"Location": where})


@route("PUT", "/users/{user}/lines/{line}", summary="Give a user a line")
async def put_user_line(context: DialectContext) -> web.Response:
    """The form of Wazo."""
    user, line = await USERS.found(context, "user"), await LINES_OF.found(context, "line")
    if user.id not in users_on(line):
        await _give_line(context, user, line)
    return empty_answer(204)


@route("PUT", "/users/{user}/lines", summary="Give a user these lines and no others, the main one first")
async def put_user_lines(context: DialectContext) -> web.Response:
    """All lines of a user at once."""
    user = await USERS.found(context, "user")
    wanted = [await _line_in_list(context, one) for one in _list(context, "lines")]

    async def give_them(joint: JointChange) -> None:
        wired = await wiring.around_users(context, user.partition, [user.id])
        joint.decided_by(*wired.lines.values())
        for line in wired.lines_of(user.id):
            if line.id not in {one.id for one in wanted}:
                await take_line(joint, context, user, line)
        for rank, one in enumerate(wanted):
            line = await joint.current(one)
            if user.id not in users_on(line):
                await give_line(joint, context, user, line)
            await _edit_attributes(
                joint, context, line, lambda kept, rank=rank: {"ranks": {**_ranks(kept), user.id: rank}}
            )

    await USERS.doing(jointly(context.store, give_them))
    return empty_answer(204)


@route("DELETE", "/users/{user}/lines/{line}", summary="Take a line from a user")
async def delete_user_line(context: DialectContext) -> web.Response:
    """A user has a line no more."""
    user, line = await USERS.found(context, "user"), await LINES_OF.found(context, "line")
    if user.id not in users_on(line):
        raise not_found("UserLine", user_id=number_of_user(user), line_id=LINES.of(line))
    await USERS.doing(jointly(context.store, lambda joint: take_line(joint, context, user, line)))
    return empty_answer(204)


async def _give_line(context: DialectContext, user: Document, line: Document) -> Document:
    return await USERS.doing(jointly(context.store, lambda joint: give_line(joint, context, user, line)))


async def give_line(joint: JointChange, context: DialectContext, user: Document, line: Document) -> Document:
    """Let a user have a line: the first one owns it, any further one shares it."""
    if line.type == LINE:
        raise resource_error("Line must be associated with a Endpoint", line_id=LINES.of(line))
    require_same_tenant(user, line, "User and Line")
    before = await joint.current(line)
    if before.text("owner_id") in await _ids_on(context, before):  # the owner may be gone
        return await _edit_attributes(
            joint, context, line, lambda kept: {"secondary": [*_texts(kept.get("secondary")), user.id]}
        )
    wired = await wiring.around_line(context, before)
    owned = await _edit_attributes(joint, context, line, lambda _: {}, owner=user.id)
    await extensions.lead_to_user(joint, context, wired, before, owned)
    return owned


async def take_line(joint: JointChange, context: DialectContext, user: Document, line: Document) -> None:
    """Take a line from a user; the main one keeps it while others share it."""
    before = await joint.current(line)
    facts = {"line_id": LINES.of(line), "user_id": number_of_user(user)}
    if line_attributes(before).get("device"):
        raise resource_error("Line is associated with a Device", **facts)
    if before.at("owner_id") != user.id:
        shared = [one for one in secondary_users(before) if one != user.id]
        await _edit_attributes(joint, context, line, lambda _: {"secondary": shared or None})
        return
    if set(secondary_users(before)).intersection(await _ids_on(context, before)):
        raise resource_error("There are secondary users associated to the line", **facts)
    wired = await wiring.around_line(context, before)
    free = await _edit_attributes(joint, context, line, lambda _: {}, owner="")
    await extensions.lead_to_user(joint, context, wired, before, free)


async def _ids_on(context: DialectContext, line: Document) -> set[str]:
    """The ids of the users of a line who are there."""
    return {user.id for user in await people_on(context, line)}


def require_same_tenant(one: Document, other: Document, what: str) -> None:
    """Refuse to bring together what lies in different accounts."""
    if one.partition != other.partition:
        raise resource_error(f"{what} are in different tenants")


async def _edit_attributes(
    joint: JointChange, context: DialectContext, line: Document, change: Any, owner: str | None = None
) -> Document:
    """Change what is kept of a line, and with `owner` whose it is (empty: nobody's)."""

    def edited(previous: Document) -> tuple[dict[str, JSON], Mapping[str, JSON]]:
        edit = Edit(previous)
        for name, value in change(line_attributes(previous)).items():
            edit.put_aside(f"line.{name}", value)
        if owner is not None:
            edit.put("owner_id", owner or None)
        return edit.public, edit.private

    return await telephone_lines.edit_line(joint, context, line, edited)


def _ranks(kept: Mapping[str, JSON]) -> dict[str, Any]:
    return as_object(kept.get("ranks"))


def _texts(value: JSON) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _list(context: DialectContext, name: str) -> list[JSON]:
    value = context.object.get(name)
    if not isinstance(value, list):
        raise input_error(f"missing parameters: {name}")
    return value


async def _line_in_list(context: DialectContext, one: JSON) -> Document:
    number = as_object(one).get("id")
    if not isinstance(number, int):
        raise input_error("field 'lines': wrong type. Should be a list of lines")
    try:
        return await LINES_OF.find(context, str(number))
    except Refusal:
        raise no_such("lines", "Line", id=number) from None


# Lines and extensions


def _line_extension(context: DialectContext, line: Document, extension: Document) -> dict[str, JSON]:
    number = EXTENSIONS.of(extension)
    return line_with(context.base, line, ("extensions", "extensions", number), extension_id=number)


@route("GET", "/lines/{line}/extensions", summary="List the extensions of a line")
async def extensions_of_line(context: DialectContext) -> web.Response:
    """The extensions that lead to a line."""
    line = await LINES_OF.found(context, "line")
    wired = await wiring.around_line(context, line)
    items = [_line_extension(context, line, one) for one in wired.extensions_of(line)]
    return json_answer(page(len(items), items))


@route("GET", "/lines/{line}/extension", summary="The extension of a line")
async def extension_of_line(context: DialectContext) -> web.Response:
    """The older form: the first of them."""
    line = await LINES_OF.found(context, "line")
    found = (await wiring.around_line(context, line)).extensions_of(line)
    if not found:
        raise not_found("LineExtension", line_id=LINES.of(line))
    return json_answer(_line_extension(context, line, found[0]))


@route("GET", "/extensions/{extension}/line", summary="The line of an extension")
async def line_of_extension(context: DialectContext) -> web.Response:
    """The line to which an extension leads."""
    extension = await EXTENSIONS_OF.found(context, "extension")
    line = (await wiring.whole(context, extension.partition)).line_of(extension)
    if line is None:
        raise not_found("LineExtension", extension_id=EXTENSIONS.of(extension))
    return json_answer(_line_extension(context, line, extension))


@route("POST", "/lines/{line}/extensions", "/lines/{line}/extension", summary="Let an extension lead to a line")
async def add_line_extension(context: DialectContext) -> web.Response:
    """The form of 2016: the extension stands in the body."""
    line = await LINES_OF.found(context, "line")
    extension = await named_in_body(context, "extension_id", EXTENSIONS_OF.find, "Extension")
    if not await EXTENSIONS_OF.doing(_lead(context, line, extension)):
        raise _has_extension(line, extension)
    where = f"{context.base}/lines/{LINES.of(line)}/extensions/{EXTENSIONS.of(extension)}"
    return json_answer(_line_extension(context, line, extension), 201, {"Location": where})


@route("PUT", "/lines/{line}/extensions/{extension}", summary="Let an extension lead to a line")
async def put_line_extension(context: DialectContext) -> web.Response:
    """The form of Wazo."""
    line, extension = await LINES_OF.found(context, "line"), await EXTENSIONS_OF.found(context, "extension")
    await EXTENSIONS_OF.doing(_lead(context, line, extension))
    return empty_answer(204)


@route("DELETE", "/lines/{line}/extensions/{extension}", summary="Let an extension lead nowhere")
async def delete_line_extension(context: DialectContext) -> web.Response:
    """An extension leads to a line no more."""
    line, extension = await LINES_OF.found(context, "line"), await EXTENSIONS_OF.found(context, "extension")

    async def lead_nowhere(joint: JointChange) -> None:
        wired, stored = await wiring.whole(context, line.partition), await joint.current(extension)
        flow = wired.flow_of(stored)
        if flow is None or not _leads_to(wired, stored, line):
            raise not_found("LineExtension", line_id=LINES.of(line), extension_id=EXTENSIONS.of(extension))
        if line_attributes(await joint.current(line)).get("device"):
            raise resource_error("Line is associated with a Device", line_id=LINES.of(line))
        await extensions.dissociate(joint, context, flow, stored)

    await EXTENSIONS_OF.doing(jointly(context.store, lead_nowhere))
    return empty_answer(204)


def _leads_to(wired: wiring.Wiring, extension: Document, line: Document) -> bool:
    found = wired.line_of(extension)
    return found is not None and found.id == line.id


def _has_extension(line: Document, extension: Document) -> Refusal:
    facts = {"line_id": LINES.of(line), "extension_id": EXTENSIONS.of(extension)}
    return resource_error("Line is associated with a Extension", **facts)


async def _lead(context: DialectContext, line: Document, extension: Document) -> bool:
    """Let an extension lead to a line; False where it does already."""

    async def lead(joint: JointChange) -> bool:
        wired, stored = await wiring.whole(context, line.partition), await joint.current(extension)
        if _leads_to(wired, stored, line):
            return False
        _check_lead(wired, line, stored)
        await extensions.associate(joint, context, wired, await joint.current(line), stored)
        return True

    return await jointly(context.store, lead)


def _check_lead(wired: wiring.Wiring, line: Document, extension: Document) -> None:
    if line.type == LINE:
        raise resource_error("Line must be associated with a Endpoint", line_id=LINES.of(line))
    if wired.line_of(extension) is not None:
        raise resource_error("Extension is associated with a Line", extension_id=EXTENSIONS.of(extension))
    require_same_tenant(line, extension, "Line and Extension")
    own = extension.at("pvt_xivo.context")
    same = [one for one in wired.extensions_of(line) if one.at("pvt_xivo.context") == own]
    if own != INCOMING and same:
        raise _has_extension(line, same[0])
