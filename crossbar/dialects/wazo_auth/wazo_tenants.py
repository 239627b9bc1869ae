# SPDX-License-Identifier: MPL-2.0
"""`/0.1/tenants`: accounts."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, Final

from aiohttp import web

from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.homes import ASIDE, Edit
from crossbar.dialects.identifiers import dashed, undashed
from crossbar.dialects.refusals import empty_answer, json_answer
from crossbar.dialects.tenants import own_and_below, slug_of
from crossbar.dialects.wazo_auth.wazo_protocol import conflict, invalid, problem, route, unknown
from crossbar.documents.document import Document, as_object
from crossbar.endpoint import Context
from crossbar.errors import JSON, CrossbarError, Invalid
from crossbar.ids import new_id
from crossbar.resources.identity.accounts import accounts
from crossbar.resources.identity.domain import account_tree

ADDRESS: Final = ("line_1", "line_2", "city", "state", "country", "zip_code")
KEPT: Final = ("phone", "contact", "slug")


def _shown(account: Document) -> dict[str, JSON]:
    aside, tree = as_object(account.fields.get(ASIDE)), account.fields.get("pvt_tree") or []
    return {
        "uuid": dashed(account.id),
        "name": account.text("name"),
        "slug": slug_of(account),
        "parent_uuid": dashed(tree[-1]) if tree else dashed(account.id),
        "phone": aside.get("phone"),
        "contact": aside.get("contact"),
        "address": {name: as_object(aside.get("address")).get(name) for name in ADDRESS},
        "domain_names": [],
    }


async def _find(context: DialectContext) -> tuple[Document, Context]:
    """The account of the path, which is the request's or one below it, and Crossbar's request on it."""
    word = context.args["tenant"]
    account = await context.runtime.access.directory.account(undashed(word))
    if account is None or not account.within(context.account.id):
        raise unknown("tenants", word)
    crossbar = await context.crossbar("POST", "accounts", account.id, account=account)
    return await accounts.life.load(crossbar, account.id), crossbar


@route("GET", "/tenants", summary="List tenants")
async def list_tenants(context: DialectContext) -> web.Response:
    """The account and those below it."""
    items = [_shown(account) for account in await own_and_below(context)]
    items.sort(key=lambda item: str(item["name"]).lower())
    name = context.query.get("name") or context.query.get("search") or ""
    found = [item for item in items if name.lower() in str(item["name"]).lower()]
    return json_answer({"total": len(items), "filtered": len(found), "items": found})


@route("POST", "/tenants", summary="Create a tenant")
async def create_tenant(context: DialectContext) -> web.Response:
    """An account below the request's."""
    crossbar = await context.crossbar("PUT", "accounts", context.account.id)
    edit = _written(Edit(), context.object)
    return await _saved(context, accounts.life.save_new(crossbar, new_id(), edit.public, edit.private))


@route("GET", "/tenants/{tenant}", summary="Read a tenant")
async def read_tenant(context: DialectContext) -> web.Response:
    """One account."""
    account, _ = await _find(context)
    return json_answer(_shown(account))


@route("GET", "/tenants/{tenant}/domains", summary="List the domains of a tenant")
async def domains_of_tenant(context: DialectContext) -> web.Response:
    """Nobody logs in by a domain here: none."""
    await _find(context)
    return json_answer({"total": 0, "filtered": 0, "items": []})


@route("PUT", "/tenants/{tenant}", summary="Change a tenant")
async def change_tenant(context: DialectContext) -> web.Response:
    """Another name, another address."""
    account, crossbar = await _find(context)

    def changed(previous: Document) -> tuple[dict[str, JSON], Mapping[str, JSON]]:
        edit = _written(Edit(previous), context.object)
        return edit.public, edit.private

    return await _saved(context, accounts.life.edit(crossbar, account.id, changed))


async def _saved(context: DialectContext, saving: Awaitable[Document]) -> web.Response:
    """Tell of an account as it is saved, or what is wrong with it in the tenant's own words."""
    try:
        return json_answer(_shown(await saving))
    except Invalid as error:
        raise _translated(error, context.object) from error


@route("DELETE", "/tenants/{tenant}", summary="Delete a tenant")
async def delete_tenant(context: DialectContext) -> web.Response:
    """An account below the request's, without any below it, is gone with all it owns."""
    account, _ = await _find(context)
    caller = context.caller
    if account.id == context.account.id or (caller and account.id == caller.identity.account_id):
        raise problem(403, "unauthorized", "The own tenant cannot be deleted", "tenants", uuid=dashed(account.id))
    try:
        await account_tree.remove(context.runtime, account.id)
    except CrossbarError as error:
        if error.status >= 500 and error.message == "account_has_descendants":
            raise problem(400, "has-tenants", "There are tenants below it", "tenants") from error
        raise
    return empty_answer(204)


def _written(edit: Edit, body: Mapping[str, Any]) -> Edit:
    name = body.get("name")
    if name is not None and not isinstance(name, str):
        raise invalid("tenants", {"name": "Not a valid string."})
    if name or "name" not in edit.public:
        edit.put("name", name or f"tenant {new_id()[:8]}")
    for key in KEPT:
        if key in body:
            edit.put_aside(key, body[key])
    if "address" in body:
        edit.put_aside("address", {key: as_object(body["address"]).get(key) for key in ADDRESS})
    return edit


def _translated(error: Invalid, body: Mapping[str, Any]) -> Exception:
    if "unique" in error.fields.get("name", {}):
        return conflict("tenants", "name", body.get("name"))
    return invalid(
        "tenants",
        {path: "; ".join(str(one.get("message")) for one in codes.values()) for path, codes in error.fields.items()},
    )
