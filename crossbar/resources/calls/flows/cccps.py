# SPDX-License-Identifier: MPL-2.0
"""Call-through and call-back: people known by their caller id, or by a PIN, who may call on the account's behalf.

Source: KAZOO `cb_cccps`. One caller id and one PIN belong to one active entry of the whole system.
"""

from __future__ import annotations

from collections.abc import Iterator

from crossbar.dialing import is_reconcilable, normalize
from crossbar.documents.document import Document
from crossbar.documents.shape import Shape, Summary, Unique
from crossbar.endpoint import Collection, Context, Draft, Reply
from crossbar.errors import Invalid, MethodNotAllowed


def claims(cccp: Document) -> Iterator[Unique]:
    """What an active entry holds."""
    if cccp.at("active") is True:
        yield from _wanted(cccp.fields)


def _wanted(data: dict[str, object]) -> Iterator[Unique]:
    """The caller id, or without one the PIN, that no active entry may have."""
    if isinstance(cid := data.get("cid"), str):
        yield Unique("cccp.cid", cid, "cccp", "CID already exists", cause=cid, system=True)
    elif isinstance(pin := data.get("pin"), str):
        yield Unique("cccp.pin", pin, "cccp", "Pin already exists", system=True)


cccps = Collection(
    "cccps",
    "/accounts/{account_id}/cccps/{cccp_id}",
    Shape(
        "cccp",
        summary=Summary("id", "active", "user_id", "cid", "pin", "retain_cid", "comment", account_id="pvt_account_id"),
        unique=claims,
    ),
    schema="cccps",
    operations=("list", "create", "read", "replace", "delete"),
)


@cccps.normalize
async def normalize_cid(context: Context, draft: Draft) -> None:
    """A caller id is a public number, kept in E.164 form. A new one that is not is refused before all else."""
    cid = draft.data.get("cid")
    if not isinstance(cid, str):
        return
    if draft.previous is None and not is_reconcilable(cid):
        raise Invalid.field("cccp", "unique", "Number is non reconcilable", cause=cid)
    draft.data["cid"] = normalize(cid)


@cccps.check
async def not_taken(context: Context, draft: Draft) -> None:
    """A new entry that is not active yet claims nothing, but may not ask for what is taken either."""
    if draft.previous is None:
        wanted = list(_wanted(draft.data))
        holders = await context.store.claims.holders(context.account_id, wanted)
        for claim in wanted:
            if claim.key in holders:
                details = {} if claim.cause is None else {"cause": claim.cause}
                draft.errors.add(claim.field, "unique", str(claim.message), **details)


@cccps.put("/accounts/{account_id}/cccps/autodial")
async def autodial(context: Context) -> Reply:
    """Start a call campaign. Only an account itself may; without a switch nothing else comes of it."""
    if context.identity.account_id != context.account_id:
        raise Invalid.field("account", "forbidden", "For direct use by account holder only")
    return Reply({})


@cccps.put("/accounts/{account_id}/cccps/{cccp_id}", refuses=(405,))
async def put_one(context: Context) -> Reply:
    """Announced by KAZOO, and never answered there."""
    raise MethodNotAllowed
