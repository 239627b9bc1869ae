# SPDX-License-Identifier: MPL-2.0
"""`/0.1/groups`: people who have the same policies."""

from __future__ import annotations

from typing import Final

from aiohttp import web

from crossbar.access.authorship import stamps
from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.granted import GROUP, POLICY
from crossbar.dialects.identifiers import dashed, undashed
from crossbar.dialects.refusals import empty_answer, json_answer
from crossbar.dialects.wazo_auth import wazo_lists, wazo_logins
from crossbar.dialects.wazo_auth.wazo_changes import Fields, with_fields
from crossbar.dialects.wazo_auth.wazo_policies import find_policy, policy_shown
from crossbar.dialects.wazo_auth.wazo_protocol import conflict, invalid, require_held, route, unknown
from crossbar.documents.document import Document, as_list
from crossbar.documents.document_types import USER
from crossbar.documents.selection import at, dashed_id
from crossbar.documents.store import Duplicate
from crossbar.errors import JSON
from crossbar.ids import new_id

LONGEST_NAME: Final = 128
COLUMNS: Final = {"uuid": dashed_id(), "name": at("name")}


def _shown(group: Document) -> dict[str, JSON]:
    return {
        "uuid": dashed(group.id),
        "name": group.text("name"),
        "slug": group.text("name"),
        "tenant_uuid": dashed(group.partition),
        "read_only": False,
        "system_managed": False,
    }


async def _find(context: DialectContext) -> Document:
    word = context.args["group"]
    group = await context.store.get(context.account.id, GROUP, undashed(word))
    if group is None:
        raise unknown("groups", word)
    return group


def _name(context: DialectContext) -> str:
    name = context.object.get("name")
    if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_NAME:
        raise invalid("groups", {"name": f"Length must be between 1 and {LONGEST_NAME}."}, "length")
    return name


@route("GET", "/groups", summary="List groups")
async def list_groups(context: DialectContext) -> web.Response:
    """The groups of the tenant."""
    total, filtered, found = await wazo_lists.select(context, GROUP, COLUMNS, order="name", resource="groups")
    return json_answer({"total": total, "filtered": filtered, "items": [_shown(group) for group in found]})


@route("POST", "/groups", summary="Create a group")
async def create_group(context: DialectContext) -> web.Response:
    """A new group."""
    group = Document(context.account.id, GROUP, new_id(), {"name": _name(context), "users": [], "policies": []})
    group.fields.update(stamps(context.asked_by().author, group))
    try:
        return json_answer(_shown(await context.store.insert(group)))
    except Duplicate as duplicate:
        raise conflict("groups", "name", group.text("name")) from duplicate


@route("GET", "/groups/{group}", summary="Read a group")
async def read_group(context: DialectContext) -> web.Response:
    """One group."""
    return json_answer(_shown(await _find(context)))


@route("PUT", "/groups/{group}", summary="Rename a group")
async def rename_group(context: DialectContext) -> web.Response:
    """Another name."""
    name = _name(context)
    return json_answer(_shown(await _saved(context, await _find(context), lambda _: {"name": name})))


@route("DELETE", "/groups/{group}", summary="Delete a group")
async def delete_group(context: DialectContext) -> web.Response:
    """A group is gone."""
    await context.store.remove(await _find(context))
    return empty_answer(204)


@route("GET", "/groups/{group}/users", summary="List the users of a group")
async def users_of_group(context: DialectContext) -> web.Response:
    """Who is in a group."""
    group = await _find(context)
    ids = [str(one) for one in as_list(group.at("users"))]
    found = await context.store.get_many(group.partition, USER, ids) if ids else {}
    items = [wazo_logins.shown(found[user]) for user in ids if user in found]
    return json_answer({"total": len(items), "filtered": len(items), "items": items})


@route("GET", "/groups/{group}/policies", summary="List the policies of a group")
async def policies_of_group(context: DialectContext) -> web.Response:
    """What those in a group may do."""
    group = await _find(context)
    ids = [str(one) for one in as_list(group.at("policies"))]
    found = await context.store.get_many(group.partition, POLICY, ids) if ids else {}
    items = [policy_shown(found[policy]) for policy in ids if policy in found]
    return json_answer({"total": len(items), "filtered": len(items), "items": items})


@route("PUT", "/groups/{group}/users/{user}", action="create", summary="Put a user into a group")
async def add_user(context: DialectContext) -> web.Response:
    """Who is put into a group gets its policies: only who has them all may do that."""
    group, user = await _find(context), await wazo_logins.find(context, context.args["user"])
    ids = [str(one) for one in as_list(group.at("policies"))]
    found = await context.store.get_many(group.partition, POLICY, ids) if ids else {}
    require_held(context, [str(one) for policy in found.values() for one in as_list(policy.at("acl"))])
    return await _with(context, group, "users", user.id)


@route("DELETE", "/groups/{group}/users/{user}", summary="Take a user from a group")
async def remove_user(context: DialectContext) -> web.Response:
    """A user is in a group no longer."""
    return await _without(context, "users", (await wazo_logins.find(context, context.args["user"])).id)


@route("PUT", "/groups/{group}/policies/{policy}", action="create", summary="Give a group a policy")
async def add_policy(context: DialectContext) -> web.Response:
    """Those in a group may do what a policy says."""
    group, policy = await _find(context), await find_policy(context, context.args["policy"])
    require_held(context, [str(one) for one in as_list(policy.at("acl"))])
    return await _with(context, group, "policies", policy.id)


@route("DELETE", "/groups/{group}/policies/{policy}", summary="Take a policy from a group")
async def remove_policy(context: DialectContext) -> web.Response:
    """Those in a group may do no longer what a policy says."""
    return await _without(context, "policies", (await find_policy(context, context.args["policy"])).id)


async def _with(context: DialectContext, group: Document, field: str, member: str) -> web.Response:
    await _saved(context, group, lambda stored: {field: list(dict.fromkeys([*as_list(stored.at(field)), member]))})
    return empty_answer(204)


async def _without(context: DialectContext, field: str, member: str) -> web.Response:
    group = await _find(context)
    await _saved(context, group, lambda stored: {field: [one for one in as_list(stored.at(field)) if one != member]})
    return empty_answer(204)


async def _saved(context: DialectContext, group: Document, fields: Fields) -> Document:
    try:
        return await with_fields(context, group, fields) or group
    except Duplicate as duplicate:
        raise conflict("groups", "name", fields(group).get("name")) from duplicate
