# SPDX-License-Identifier: MPL-2.0
"""What is done with a whole account: its API key, deletion, its place in the tree, whether it is a reseller.

Source: KAZOO `cb_accounts`.
"""

from __future__ import annotations

from crossbar.endpoint import Context, Reply, Who
from crossbar.errors import Forbidden, Invalid, MethodNotAllowed
from crossbar.resources.identity.accounts import accounts
from crossbar.resources.identity.domain import account_tree
from crossbar.resources.identity.domain.account import api_key_of
from crossbar.resources.identity.domain.account import renew_api_key as renew_key


@accounts.get("/accounts/{account_id}/api_key")
async def read_api_key(context: Context) -> Reply:
    """The account's API key."""
    account = await accounts.life.load(context, context.account_id)
    return Reply({"api_key": api_key_of(context.runtime.access.pepper, account)})


@accounts.put("/accounts/{account_id}/api_key", who=Who.ADMIN)
async def renew_api_key(context: Context) -> Reply:
    """A new API key; the old one ends."""
    pepper = context.runtime.access.pepper
    return Reply({"api_key": await renew_key(context.store, pepper, context.account_id, context.author)})


@accounts.delete("/accounts/{account_id}", checks_itself=True, shows=accounts.life.schema, refuses=(405, 500))
async def delete(context: Context) -> Reply:
    """Delete an account without descendants, and everything it owns."""
    account_id = context.account_id
    if account_id == await context.directory.master_id():
        raise MethodNotAllowed
    context.ready_to_write((await accounts.life.load(context, account_id)).revision)

    account = await account_tree.remove(context.runtime, account_id)
    return Reply({**account.public, "_read_only": {"deleted": True}}, revision=account.revision)


async def may_move(context: Context) -> bool | None:
    """By configuration: superduper admins, or whoever stands above both places."""
    if context.identity.superduper:
        return True
    if context.config.accounts.allow_move != "tree":
        return False
    target = await context.directory.account(str(context.object.get("to") or ""))
    caller = context.identity.account_id
    return None if target is None or caller in (*target.tree, target.id) else False


@accounts.post(
    "/accounts/{account_id}/move",
    who=may_move,
    shows=accounts.life.schema,
    options={"to": "The account to move below"},
    refuses=(500,),
)
async def move(context: Context) -> Reply:
    """Move an account, with all below it, below another one."""
    target_id = context.object.get("to")
    if not target_id:
        raise Invalid.field("to", "required", "Field 'to' is required")

    moved = await account_tree.move(context.store, context.account_id, str(target_id))
    return await accounts.life.answer(context, moved)


@accounts.put(
    "/accounts/{account_id}/reseller", who=Who.SUPERDUPER, shows=accounts.life.schema, options=accounts.options["read"]
)
async def promote(context: Context) -> Reply:
    """Make the account a reseller of all below it."""
    return await _set_reseller(context, True)


@accounts.delete(
    "/accounts/{account_id}/reseller", who=Who.SUPERDUPER, shows=accounts.life.schema, options=accounts.options["read"]
)
async def demote(context: Context) -> Reply:
    """Make the account an ordinary one; those below fall to the reseller above it."""
    return await _set_reseller(context, False)


async def _set_reseller(context: Context, is_reseller: bool) -> Reply:
    if context.account_id == await context.directory.master_id():
        raise Forbidden

    changed = await account_tree.set_reseller(context.store, context.account_id, is_reseller, context.author)
    reply = await accounts.life.answer(context, changed)
    if context.verb == "DELETE" and isinstance(reply.data, dict):
        reply.data["_read_only"] = {"deleted": True}
    return reply
