# SPDX-License-Identifier: MPL-2.0
"""`/0.1/policies`: lists of accesses."""

from __future__ import annotations

import re
from typing import Any, Final

from aiohttp import web

from crossbar.access.authorship import stamps
from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.granted import POLICY
from crossbar.dialects.identifiers import dashed, undashed
from crossbar.dialects.refusals import empty_answer, json_answer
from crossbar.dialects.wazo_auth import wazo_lists
from crossbar.dialects.wazo_auth.wazo_changes import Fields, with_fields
from crossbar.dialects.wazo_auth.wazo_protocol import reason, require_held, route
from crossbar.documents.document import Document, as_list
from crossbar.documents.selection import at, dashed_id
from crossbar.documents.shape import SEPARATOR
from crossbar.documents.store import Duplicate
from crossbar.errors import JSON
from crossbar.ids import new_id

LONGEST_NAME: Final = 80
POLICY_BODY: Final = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "maxLength": LONGEST_NAME},
        "description": {"type": "string"},
        "acl": {"type": "array", "items": {"type": "string"}},
        "acl_templates": {"type": "array", "items": {"type": "string"}},
    },
    "example": {"name": "everything", "acl_templates": ["#"]},
}
COLUMNS: Final = {
    "uuid": dashed_id(),
    "name": at("name"),
    "slug": at("slug"),
    "description": at("description"),
}


def policy_shown(policy: Document) -> dict[str, JSON]:
    """A policy as clients see it; the list of accesses under both of its names."""
    acl = as_list(policy.at("acl"))
    return {
        "uuid": dashed(policy.id),
        "name": policy.text("name"),
        "slug": policy.text("slug"),
        "description": policy.at("description"),
        "acl": acl,
        "acl_templates": acl,
        "tenant_uuid": dashed(policy.partition),
        "read_only": False,
        "shared": False,
    }


async def find_policy(context: DialectContext, word: str) -> Document:
    """The policy of a UUID or slug. Refuses with 404."""
    store, account = context.store, context.account.id
    policy = await store.get(account, POLICY, undashed(word))
    if policy is None:
        holder = await store.claims.holder(account, f"wazo_policy.slug{SEPARATOR}{word.lower()}")
        policy = await store.get(account, POLICY, holder) if holder else None
    if policy is None:
        raise reason(404, f"No such policy {word}")
    return policy


@route("GET", "/policies", summary="List policies")
async def list_policies(context: DialectContext) -> web.Response:
    """The policies of the tenant."""
    total, filtered, found = await wazo_lists.select(context, POLICY, COLUMNS, order="name", resource="policies")
    items = [policy_shown(policy) for policy in found]
    return json_answer({"total": total, "filtered": filtered, "items": items})


@route("POST", "/policies", summary="Create a policy", body=POLICY_BODY)
async def create_policy(context: DialectContext) -> web.Response:
    """A new policy, of accesses that its maker has."""
    fields = _checked(context)
    require_held(context, fields["acl"])
    slug = context.object.get("slug")
    fields["slug"] = slug if isinstance(slug, str) and slug else _slug(fields["name"])
    for attempt in range(100):
        policy = Document(context.account.id, POLICY, new_id(), {**fields})
        if attempt:
            policy.fields["slug"] = f"{fields['slug']}{attempt}"
        policy.fields.update(stamps(context.asked_by().author, policy))
        try:
            return json_answer(policy_shown(await context.store.insert(policy)))
        except Duplicate as duplicate:
            _refuse_name(duplicate, fields["name"])
    raise reason(409, "The slug is taken")


@route("GET", "/policies/{policy}", summary="Read a policy")
async def read_policy(context: DialectContext) -> web.Response:
    """One policy."""
    return json_answer(policy_shown(await find_policy(context, context.args["policy"])))


@route("PUT", "/policies/{policy}", summary="Replace a policy", body=POLICY_BODY)
async def replace_policy(context: DialectContext) -> web.Response:
    """Other accesses; tokens that are out stay as they are."""
    policy = await find_policy(context, context.args["policy"])
    fields = _checked(context)
    require_held(context, fields["acl"])
    return json_answer(policy_shown(await _saved(context, policy, lambda _: fields)))


@route("DELETE", "/policies/{policy}", summary="Delete a policy")
async def delete_policy(context: DialectContext) -> web.Response:
    """A policy is gone, for whoever had it."""
    await context.store.remove(await find_policy(context, context.args["policy"]))
    return empty_answer(204)


@route("PUT", "/policies/{policy}/acl/{access}", "/policies/{policy}/acl_templates/{access}", summary="Add an access")
async def add_access(context: DialectContext) -> web.Response:
    """One more access."""
    policy, access = await find_policy(context, context.args["policy"]), context.args["access"]
    require_held(context, [access])
    await _saved(context, policy, lambda stored: {"acl": list(dict.fromkeys([*as_list(stored.at("acl")), access]))})
    return empty_answer(204)


@route(
    "DELETE", "/policies/{policy}/acl/{access}", "/policies/{policy}/acl_templates/{access}", summary="Take an access"
)
async def remove_access(context: DialectContext) -> web.Response:
    """One access less. Who takes a refusal away gives what it refused."""
    policy, access = await find_policy(context, context.args["policy"]), context.args["access"]

    def without(stored: Document) -> dict[str, Any]:
        acl = [one for one in as_list(stored.at("acl")) if one != access]
        require_held(context, acl)
        return {"acl": acl}

    await _saved(context, policy, without)
    return empty_answer(204)


async def _saved(context: DialectContext, policy: Document, fields: Fields) -> Document:
    try:
        saved = await with_fields(context, policy, fields)
    except Duplicate as duplicate:
        _refuse_name(duplicate, str(fields(policy)["name"]))
        raise
    if saved is None:
        raise reason(404, f"No such policy {dashed(policy.id)}")
    return saved


def _checked(context: DialectContext) -> dict[str, Any]:
    """The fields of a policy in the body. Refuses with 400."""
    body = context.object
    name, description = body.get("name"), body.get("description")
    if not isinstance(name, str) or not 1 <= len(name) <= LONGEST_NAME:
        raise reason(400, "Invalid value supplied for field: name")
    if description is not None and not isinstance(description, str):
        raise reason(400, "Invalid value supplied for field: description")
    for key in ("acl", "acl_templates"):
        value = body.get(key) or []
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise reason(400, f"Invalid value supplied for field: {key}")
    acl = body.get("acl") or body.get("acl_templates") or []
    return {"name": name, "description": description, "acl": list(acl)}


def _slug(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_-]", "", name.replace(" ", "_"))[:LONGEST_NAME] or new_id()[:8]


def _refuse_name(duplicate: Duplicate, name: str) -> None:
    if str(duplicate.claim).startswith("wazo_policy.name"):
        raise reason(409, f'Policy "{name}" already exists') from duplicate
