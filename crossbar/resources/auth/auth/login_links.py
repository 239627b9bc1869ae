# SPDX-License-Identifier: MPL-2.0
"""Who of a provider's users is which user of ours.

Source: KAZOO `cb_auth`, `kz_auth_profile.erl`.
"""

from __future__ import annotations

from crossbar.access.authorship import stamps
from crossbar.documents.document import SYSTEM_AUTH, Document
from crossbar.endpoint import Context, Lists, Reply, Who, answer_listing
from crossbar.errors import Forbidden, NotFound
from crossbar.resources.auth.auth import auth
from crossbar.resources.auth.domain.login_link import LINK, linked_user, user_tag


@auth.get("/auth/links", who=Who.AUTHENTICATED, lists=Lists.PAGES)
async def list_links(context: Context) -> Reply:
    """Whom others know as the caller."""
    tag = user_tag(context.identity.account_id, context.identity.owner_id or "")
    return await answer_listing(context, LINK, SYSTEM_AUTH, tag=tag)


@auth.get("/auth/links/{link_id}", who=Who.AUTHENTICATED)
async def read_link(context: Context) -> Reply:
    """One of the caller's links."""
    return Reply.document(await _own_link(context))


@auth.get("/accounts/{account_id}/auth/links/{link_id}")
async def read_link_of_account(context: Context) -> Reply:
    """A link of a user of the account."""
    link = await _link(context)
    if link.text("pvt_linked_account_id") != context.account_id:
        raise NotFound(link.id)
    return Reply.document(link)


@auth.put("/auth/links/{link_id}", who=Who.AUTHENTICATED)
async def link(context: Context) -> Reply:
    """From now on who logs in that way is the caller; what is another user's stays that."""
    identity = context.identity
    if identity.owner_id is None:
        raise Forbidden
    wanted = (identity.account_id, identity.owner_id)

    def make(found: Document) -> None:
        if linked_user(found) not in (None, wanted):
            raise Forbidden
        found.fields.update(
            stamps(context.author, found), pvt_linked_account_id=wanted[0], pvt_linked_owner_id=wanted[1]
        )

    linked = await context.store.update(SYSTEM_AUTH, LINK, context.path["link_id"], make)
    if linked is None:
        raise NotFound(context.path["link_id"])
    return Reply.document(linked)


@auth.delete("/auth/links/{link_id}", who=Who.AUTHENTICATED)
async def unlink(context: Context) -> Reply:
    """Who logs in that way is no user of ours any more."""
    own = await _own_link(context)

    def cut(found: Document) -> None:
        for name in ("pvt_linked_account_id", "pvt_linked_owner_id"):
            found.fields.pop(name, None)

    await context.store.update(SYSTEM_AUTH, LINK, own.id, cut)
    return Reply({**own.public, "_read_only": {"deleted": True}}, revision=own.revision)


async def _link(context: Context) -> Document:
    found = await context.store.get(SYSTEM_AUTH, LINK, context.path["link_id"])
    if found is None:
        raise NotFound(context.path["link_id"])
    return found


async def _own_link(context: Context) -> Document:
    found = await _link(context)
    if linked_user(found) != (context.identity.account_id, context.identity.owner_id):
        raise NotFound(found.id)
    return found
