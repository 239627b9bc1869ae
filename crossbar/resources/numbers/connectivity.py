# SPDX-License-Identifier: MPL-2.0
"""Connectivity: trunks to an account's own telephone systems, and the numbers delivered to them.

Source: KAZOO `cb_connectivity`. The documents have the type `sys_info` there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from crossbar.dialing import check_ownership
from crossbar.documents.document import Document
from crossbar.documents.shape import Shape, Summary, Unique
from crossbar.endpoint import Collection, Context, Draft, Lists, Reply, answer_listing
from crossbar.errors import JSON
from crossbar.resources.identity.domain.sip_username import SIP_TAKEN, username_claim
from crossbar.resources.numbers.domain.number_usage import CONNECTIVITY, delivering, dids


def usernames(data: dict[str, JSON]) -> Iterator[tuple[str, str]]:
    """The SIP user names by which telephone systems log in, each with the field that says so."""
    servers = data.get("servers")
    for index, server in enumerate(servers if isinstance(servers, list) else ()):
        auth = server.get("auth") if isinstance(server, dict) else None
        if not isinstance(auth, dict) or str(auth.get("auth_method")).lower() != "password":
            continue
        if isinstance(username := auth.get("auth_user"), str) and username:
            yield f"servers.{index}.auth.auth_user", username


def claims(document: Document) -> Iterator[Unique]:
    """SIP user names, which no device of the account may have either."""
    for field, username in usernames(document.fields):
        yield username_claim(username, field)


connectivity = Collection(
    "connectivity",
    "/accounts/{account_id}/connectivity/{sys_info_id}",
    Shape(
        CONNECTIVITY,
        summary=Summary("id"),
        tags=lambda document: sorted({delivering(number) for number in dids(document)}),
        unique=claims,
    ),
    schema="connectivity",
    operations=("create", "read", "replace", "merge", "delete"),
)


@connectivity.get("/accounts/{account_id}/connectivity", lists=Lists.PAGES)
async def ids(context: Context) -> Reply:
    """The ids of the documents, and nothing else."""
    reply = await answer_listing(context, CONNECTIVITY)
    reply.data = [row["id"] for row in orjson.loads(reply.json or b"[]")]
    reply.json = None
    return reply


@connectivity.check
async def usernames_differ(_: Context, draft: Draft) -> None:
    """Two systems of one document do not share a user name either."""
    seen: set[str] = set()
    for field, username in usernames(draft.data):
        if username.lower() in seen:
            draft.errors.add(field, "unique", SIP_TAKEN, cause=username)
        seen.add(username.lower())


@connectivity.finish
async def numbers_are_own(context: Context, draft: Draft) -> None:
    """Only own numbers are delivered; the systems log in to the account's realm."""
    await check_ownership(
        context.store, context.directory, context.identity, dids(Document("", CONNECTIVITY, draft.id, draft.data))
    )
    account: Any = draft.data.get("account")
    draft.data["account"] = {**(account if isinstance(account, dict) else {}), "auth_realm": context.account.realm}
