# SPDX-License-Identifier: MPL-2.0
"""Sessions, which are tokens that are good, and refresh tokens: those of a user, and those of a tenant."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from crossbar import clock
from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.identifiers import dashed
from crossbar.dialects.refusals import empty_answer, json_answer
from crossbar.dialects.wazo_auth import wazo_lists, wazo_logins
from crossbar.dialects.wazo_auth.sessions import REFRESH
from crossbar.dialects.wazo_auth.wazo_protocol import route, unknown
from crossbar.dialects.wazo_auth.wazo_tokens import sessions
from crossbar.dialects.xivo11.xivo11_lists import accounts_of
from crossbar.documents.document import SYSTEM_AUTH, Document
from crossbar.documents.listing import Listing
from crossbar.errors import JSON


@route("GET", "/sessions", summary="List the sessions of the tenant")
async def sessions_of_tenant(context: DialectContext) -> web.Response:
    """Who is logged in."""
    found = [one for account in await accounts_of(context) for one in await sessions(context).of(f"account/{account}")]
    return _listed(context, [_session(one) for one in found])


@route("DELETE", "/sessions/{session}", summary="End a session")
async def end_session_of_tenant(context: DialectContext) -> web.Response:
    """A token is good no longer."""
    for one in await sessions(context).of(f"session/{context.args['session']}"):
        account = await context.runtime.access.directory.account(one.text("account_id"))
        if account is not None and account.within(context.account.id):
            await sessions(context).end(one)
            return empty_answer(204)
    raise unknown("sessions", context.args["session"])


@route("GET", "/users/{user}/sessions", summary="List the sessions of a user")
async def sessions_of_user(context: DialectContext) -> web.Response:
    """The tokens of a user that are good."""
    user = await wazo_logins.find(context, context.args["user"])
    return _listed(context, [_session(one) for one in await sessions(context).of(f"user/{user.id}")])


@route("DELETE", "/users/{user}/sessions/{session}", summary="End a session of a user")
async def end_session(context: DialectContext) -> web.Response:
    """A token is good no longer."""
    user = await wazo_logins.find(context, context.args["user"])
    for one in await sessions(context).of(f"user/{user.id}"):
        if one.text("session_uuid") == context.args["session"]:
            await sessions(context).end(one)
    return empty_answer(204)


def _session(token: Document) -> dict[str, JSON]:
    return {
        "uuid": token.text("session_uuid"),
        "mobile": token.at("mobile") is True,
        "tenant_uuid": dashed(token.text("account_id")),
        "user_uuid": dashed(token.text("user_id")),
    }


# Refresh tokens


@route("GET", "/tokens", summary="List the refresh tokens of the tenant")
async def refresh_tokens_of_tenant(context: DialectContext) -> web.Response:
    """Who stays logged in by which clients; the tokens themselves are not told."""
    found = [one for account in await accounts_of(context) for one in await _tokens(context, f"account/{account}")]
    return _listed(context, [_refresh_token(one) for one in found])


@route("GET", "/users/{user}/tokens", summary="List the refresh tokens of a user")
async def refresh_tokens(context: DialectContext) -> web.Response:
    """By which clients a user stays logged in; the tokens themselves are not told."""
    user = await wazo_logins.find(context, context.args["user"])
    return _listed(context, [_refresh_token(one) for one in await _tokens(context, f"user/{user.id}")])


@route("DELETE", "/users/{user}/tokens/{client}", summary="Delete a refresh token")
async def delete_refresh_token(context: DialectContext) -> web.Response:
    """A client has to log the user in again."""
    user = await wazo_logins.find(context, context.args["user"])
    found = await _tokens(context, f"client/{user.id}/{context.args['client']}")
    if not found:
        raise unknown("tokens", context.args["client"])
    for one in found:
        await context.store.remove(one)
    return empty_answer(204)


async def _tokens(context: DialectContext, tag: str) -> list[Document]:
    return await context.store.all(Listing(SYSTEM_AUTH, REFRESH, tag=tag))


def _refresh_token(token: Document) -> dict[str, JSON]:
    return {
        "client_id": token.text("client_id"),
        "created_at": clock.moment(clock.gregorian(token.fields["created"])).isoformat(),
        "mobile": token.at("mobile") is True,
        "tenant_uuid": dashed(token.text("account_id")),
        "user_uuid": dashed(token.text("user_id")),
    }


def _listed(context: DialectContext, items: Sequence[dict[str, JSON]]) -> web.Response:
    stretch = wazo_lists.stretch(context, "sessions")
    return json_answer({"total": len(items), "filtered": len(items), "items": list(items[stretch])})
