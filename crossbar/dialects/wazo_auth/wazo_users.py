# SPDX-License-Identifier: MPL-2.0
"""`/0.1/users`: people and programs who log in, and the policies they were given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from aiohttp import web

from crossbar.dialects import telephone_users, user_homes
from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.granted import POLICY, groups_of, own_policies
from crossbar.dialects.homes import ASIDE, Edit
from crossbar.dialects.identifiers import dashed
from crossbar.dialects.named_logins import has_password
from crossbar.dialects.refusals import empty_answer, json_answer
from crossbar.dialects.wazo_auth import wazo_lists, wazo_logins
from crossbar.dialects.wazo_auth.wazo_policies import find_policy, policy_shown
from crossbar.dialects.wazo_auth.wazo_protocol import invalid, problem, require_held, route
from crossbar.documents.document import Document, as_list
from crossbar.documents.document_types import USER
from crossbar.documents.field import Expression
from crossbar.documents.selection import at, dashed_id, or_else
from crossbar.errors import JSON

USER_BODY: Final = {
    "type": "object",
    "properties": {
        "username": {"type": "string", "maxLength": 256},
        "password": {"type": "string"},
        "firstname": {"type": "string", "maxLength": 128},
        "lastname": {"type": "string", "maxLength": 128},
        "purpose": {"type": "string", "enum": list(wazo_logins.PURPOSES)},
        "enabled": {"type": "boolean"},
        "email_address": {"type": "string"},
    },
    "example": {"purpose": "external_api", "username": "rest-api-test", "password": ""},
}
COLUMNS: Final[dict[str, Expression]] = {
    "uuid": dashed_id(),
    "username": user_homes.USERNAME.expression,
    "firstname": user_homes.FIRST_NAME.expression,
    "lastname": user_homes.LAST_NAME.expression,
    "purpose": or_else(at(f"{ASIDE}.purpose"), "user"),
    "email_address": at("email"),
}


@route("GET", "/users", summary="List users")
async def list_users(context: DialectContext) -> web.Response:
    """The users of the tenant."""
    await context.crossbar("GET", "users")
    total, filtered, found = await wazo_lists.select(context, USER, COLUMNS, order="username", resource="users")
    return json_answer({"total": total, "filtered": filtered, "items": [wazo_logins.shown(user) for user in found]})


@route("POST", "/users", summary="Create a user", body=USER_BODY)
async def create_user(context: DialectContext) -> web.Response:
    """A new user."""
    if not isinstance(context.body, dict):
        raise invalid("users", {"_schema": "Invalid input type."})
    values = wazo_logins.checked(context.object, needs_username=True)
    return json_answer(wazo_logins.shown(await wazo_logins.create(context, values)))


@route("GET", "/users/{user}", summary="Read a user")
async def read_user(context: DialectContext) -> web.Response:
    """One user."""
    return json_answer(wazo_logins.shown(await wazo_logins.find(context, context.args["user"])))


@route("HEAD", "/users/{user}", summary="Whether there is a user")
async def check_user(context: DialectContext) -> web.Response:
    """204 if there is."""
    await wazo_logins.find(context, context.args["user"])
    return empty_answer(204)


@route("PUT", "/users/{user}", summary="Replace a user", body=USER_BODY)
async def replace_user(context: DialectContext) -> web.Response:
    """What is not said of names and purpose is as for a new user; the user name stays."""
    user = await wazo_logins.find(context, context.args["user"])
    values = wazo_logins.checked(context.object, needs_username=True)
    values.pop("uuid", None)
    values.pop("email_address", None)
    values.pop("password", None)
    complete = {"firstname": None, "lastname": None, "purpose": "user", "enabled": True, **values}
    return json_answer(wazo_logins.shown(await wazo_logins.change(context, user, complete)))


@route("DELETE", "/users/{user}", summary="Delete a user")
async def delete_user(context: DialectContext) -> web.Response:
    """A user is gone, and his tokens are good no longer."""
    await wazo_logins.remove(context, await wazo_logins.find(context, context.args["user"]))
    return empty_answer(204)


@route("PUT", "/users/{user}/password", summary="Change a password")
async def change_password(context: DialectContext) -> web.Response:
    """A new password for who knows the old one."""
    user = await wazo_logins.find(context, context.args["user"])
    old, new = context.object.get("old_password"), context.object.get("new_password")
    if not isinstance(old, str) or not isinstance(new, str) or not new:
        raise invalid("users", {"new_password": "Missing data for required field."})
    if not has_password(context.runtime, user, old.encode()):
        raise problem(401, "invalid-credentials", "Invalid credentials", "users", uuid=dashed(user.id))
    await wazo_logins.change(context, user, {"password": new})
    return empty_answer(204)


@route("PUT", "/users/{user}/emails", summary="Replace the addresses of a user")
async def replace_emails(context: DialectContext) -> web.Response:
    """Other mail addresses; the main one is the user's in Crossbar."""
    user = await wazo_logins.find(context, context.args["user"])
    given = context.object.get("emails")
    if not isinstance(given, list) or not all(isinstance(one, dict) and one.get("address") for one in given):
        raise invalid("users", {"emails": "Not a valid list."})
    before = {one["address"]: one for one in wazo_logins.emails_of(user)}
    kept: list[JSON] = [
        {**before.get(one["address"], {"confirmed": False}), "address": one["address"]} for one in given
    ]
    main = next((one["address"] for one in given if one.get("main")), given[0]["address"] if given else None)

    def write(edit: Edit) -> None:
        edit.put("email", main)
        edit.put_aside("emails", kept or None)

    changed = await telephone_users.edit(context, user, write)
    return json_answer(wazo_logins.emails_of(changed))


# Policies


@route("GET", "/users/{user}/policies", summary="List the policies of a user")
async def policies_of_user(context: DialectContext) -> web.Response:
    """What a user was given himself."""
    user = await wazo_logins.find(context, context.args["user"])
    found = await context.store.get_many(user.partition, POLICY, own_policies(user)) if own_policies(user) else {}
    items = [policy_shown(found[policy]) for policy in own_policies(user) if policy in found]
    return json_answer({"total": len(items), "filtered": len(items), "items": items})


@route("PUT", "/users/{user}/policies/{policy}", action="create", summary="Give a user a policy")
async def give_policy(context: DialectContext) -> web.Response:
    """A user may do what a policy says, from the next log-in on."""
    user, policy = await _user_and_policy(context)
    require_held(context, [str(one) for one in as_list(policy.at("acl"))])
    await _set_policies(context, user, lambda policies: [*policies, policy.id])
    return empty_answer(204)


@route("DELETE", "/users/{user}/policies/{policy}", summary="Take a policy from a user")
async def take_policy(context: DialectContext) -> web.Response:
    """A user may do no longer what a policy says, from the next log-in on."""
    user, policy = await _user_and_policy(context)
    await _set_policies(context, user, lambda policies: [one for one in policies if one != policy.id])
    return empty_answer(204)


async def _user_and_policy(context: DialectContext) -> tuple[Document, Document]:
    return await wazo_logins.find(context, context.args["user"]), await find_policy(context, context.args["policy"])


async def _set_policies(context: DialectContext, user: Document, change: Callable[[list[str]], list[str]]) -> None:
    def changed(document: Document) -> list[str]:
        return list(dict.fromkeys(change(own_policies(document))))

    def write(edit: Edit) -> None:
        edit.put_aside("policies", changed(replace(user, fields=edit.fields)) or None)

    if changed(user) != own_policies(user):
        await telephone_users.edit(context, user, write)


@route("GET", "/users/{user}/groups", summary="List the groups of a user")
async def groups_of_user(context: DialectContext) -> web.Response:
    """The groups that a user is in."""
    user = await wazo_logins.find(context, context.args["user"])
    items = [
        {"uuid": dashed(one.id), "name": one.text("name"), "tenant_uuid": dashed(one.partition)}
        for one in await groups_of(context.store, user)
    ]
    return json_answer({"total": len(items), "filtered": len(items), "items": items})
