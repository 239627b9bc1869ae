# SPDX-License-Identifier: MPL-2.0
"""`/0.1/token`: logging in, and what others ask of a token."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any, Final

from aiohttp import BasicAuth, hdrs, web

from crossbar import clock
from crossbar.access.directory import Account
from crossbar.access.identity import Identity
from crossbar.dialects.dialect_context import DialectContext
from crossbar.dialects.granted import accesses_of
from crossbar.dialects.homes import ASIDE
from crossbar.dialects.identifiers import dashed, undashed
from crossbar.dialects.named_logins import identity_of
from crossbar.dialects.refusals import empty_answer, json_answer
from crossbar.dialects.server_identity import server_id
from crossbar.dialects.wazo_auth.sessions import REFRESH, Session, Sessions, digest_of, identity_of_token, proof_of
from crossbar.dialects.wazo_auth.wazo_protocol import reason, route
from crossbar.documents.document import SYSTEM_AUTH, Document
from crossbar.documents.document_types import USER
from crossbar.documents.listing import Listing
from crossbar.errors import JSON
from crossbar.ids import new_id
from crossbar.wire.text import clean

BACKENDS: Final = ("wazo_user", "xivo_user", "xivo_admin", "xivo_service")
DEFAULT_LIFETIME: Final = 7200
TOKEN_BODY: Final = {
    "type": "object",
    "properties": {
        "backend": {"type": "string"},
        "expiration": {"type": "integer", "minimum": 1},
        "access_type": {"type": "string", "enum": ["online", "offline"]},
        "client_id": {"type": "string"},
        "refresh_token": {"type": "string"},
    },
    "example": {"expiration": 3600},
}
LONGEST_LIFETIME: Final = 10 * 366 * clock.DAY


@route("POST", "/token", "/tokens", is_open=True, summary="Create a token from name and password", body=TOKEN_BODY)
async def create_token(context: DialectContext) -> web.Response:
    """A new token for who sends name and password, or a refresh token."""
    if not isinstance(context.body, dict):
        raise reason(400, "the body must be a JSON object")
    wanted = _checked(context.object)
    identity = await _identity(context, wanted)
    if identity is None or wanted["backend"] not in BACKENDS:
        raise reason(401, "Authentication Failed")
    acl = await accesses_of(context.store, identity.account_id, identity.owner_id or "")
    facts: dict[str, JSON] = {
        "remote_addr": context.client_ip,
        "user_agent": clean(context.request.headers.get(hdrs.USER_AGENT, "")),
        "mobile": context.request.headers.get("Wazo-Session-Type", "").lower() == "mobile",
        "client_id": wanted["client_id"],
    }
    session = await sessions(context).issue(identity, acl, wanted["expiration"], facts)
    data = await _shown(context, session)
    if wanted["access_type"] == "offline":
        data["refresh_token"] = await _refresh_token(context, identity, str(wanted["client_id"]))
    return json_answer({"data": data}, headers={"Wazo-Sessions-Revoked": "0"})


def sessions(context: DialectContext) -> Sessions:
    """The tokens of the installation."""
    return Sessions(context.runtime)


def _checked(body: dict[str, Any]) -> dict[str, Any]:
    """What was asked for, with what was left out. Raises 400 naming the key."""
    wanted = {
        "backend": body.get("backend") or BACKENDS[0],
        "expiration": body.get("expiration", DEFAULT_LIFETIME),
        "access_type": body.get("access_type") or "online",
        "client_id": body.get("client_id"),
        "refresh_token": body.get("refresh_token"),
    }
    expiration = wanted["expiration"]
    if not isinstance(expiration, int) or isinstance(expiration, bool) or not 1 <= expiration <= LONGEST_LIFETIME:
        raise reason(400, "Invalid value supplied for field: expiration")
    if wanted["access_type"] not in ("online", "offline"):
        raise reason(400, "Invalid value supplied for field: access_type")
    for key in ("backend", "client_id", "refresh_token"):
        if wanted[key] is not None and not isinstance(wanted[key], str):
            raise reason(400, f"Invalid value supplied for field: {key}")
    if (wanted["access_type"] == "offline" or wanted["refresh_token"]) and not wanted["client_id"]:
        raise reason(400, "client_id: needed where access_type is offline, or with refresh_token")
    if wanted["access_type"] == "offline" and wanted["refresh_token"]:
        raise reason(400, "refresh_token: cannot be used with access_type offline")
    if body.get("tenant_id") and body.get("domain_name"):
        raise reason(400, "tenant_id, domain_name: mutually exclusive")
    return wanted


async def _identity(context: DialectContext, wanted: dict[str, Any]) -> Identity | None:
    if wanted["refresh_token"]:
        return await _of_refresh_token(context, wanted["refresh_token"], wanted["client_id"])
    try:
        named = BasicAuth.decode(context.request.headers.get(hdrs.AUTHORIZATION, ""), encoding="latin-1")
    except ValueError:
        return None
    return await identity_of(context.runtime, named.login, named.password, context.client_ip)


async def _shown(context: DialectContext, session: Session) -> dict[str, Any]:
    """A token as clients see it."""
    fields, identity = session.document.fields, session.identity
    user = await context.store.get(identity.account_id, USER, identity.owner_id or "")
    purpose = user.at(f"{ASIDE}.purpose", "user") if user else "user"
    auth_id, server = dashed(identity.owner_id or ""), await server_id(context.store)
    telephone_user = auth_id if purpose == "user" else None
    acl = list(fields.get("acl") or [])
    return {
        "token": session.token,
        "auth_id": auth_id,
        "xivo_user_uuid": telephone_user,
        "xivo_uuid": server,
        "issued_at": _local(fields["issued"]),
        "expires_at": _local(fields["expires"]),
        "utc_issued_at": _utc(fields["issued"]),
        "utc_expires_at": _utc(fields["expires"]),
        "acl": acl,
        "acls": acl,
        "metadata": {
            "uuid": auth_id,
            "auth_id": auth_id,
            "tenant_uuid": dashed(identity.account_id),
            "pbx_user_uuid": telephone_user,
            "xivo_uuid": server,
            "purpose": purpose,
        },
        "session_uuid": fields["session_uuid"],
        "remote_addr": fields.get("remote_addr"),
        "user_agent": fields.get("user_agent"),
    }


def _local(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).isoformat(timespec="microseconds")


def _utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


# Asking of a token


@route("GET", "/token/{token}", is_open=True, summary="What a token stands for")
async def read_token(context: DialectContext) -> web.Response:
    """The token, if it is good for the scope and tenant asked for."""
    session = await _good(context)
    await _require(context, session)
    return json_answer({"data": await _shown(context, session)})


@route("HEAD", "/token/{token}", is_open=True, summary="Whether a token is good")
async def check_token(context: DialectContext) -> web.Response:
    """As GET, without telling anything."""
    await _require(context, await _good(context))
    return empty_answer(204)


@route("DELETE", "/token/{token}", is_open=True, summary="Revoke a token")
async def revoke_token(context: DialectContext) -> web.Response:
    """A token is good no longer, whether or not it was."""
    await sessions(context).revoke(context.args["token"])
    return json_answer({"data": {"message": "success"}})


@route("POST", "/token/{token}/scopes/check", is_open=True, summary="What a token allows")
async def check_scopes(context: DialectContext) -> web.Response:
    """Whether a token allows each of some scopes."""
    session = await _good(context)
    scopes = context.object.get("scopes")
    if not isinstance(scopes, list) or not all(isinstance(scope, str) for scope in scopes):
        raise reason(400, "Invalid value supplied for field: scopes")
    tenant = context.object.get("tenant_uuid")
    if tenant:
        await _require_tenant(context, session, str(tenant))
    return json_answer({"scopes": {scope: session.accesses.allow(scope) for scope in scopes}})


async def _good(context: DialectContext) -> Session:
    session = await sessions(context).find(context.args["token"])
    if session is None:
        raise reason(404, "No such token")
    return session


async def _require(context: DialectContext, session: Session) -> None:
    scope = context.query.get("scope")
    if scope and not session.accesses.allow(scope):
        raise reason(403, f"Unauthorized for {scope}")
    if tenant := context.query.get("tenant"):
        await _require_tenant(context, session, tenant)


async def _require_tenant(context: DialectContext, session: Session, tenant: str) -> None:
    account: Account | None = await context.runtime.access.directory.account(undashed(tenant))
    if account is None or not account.within(session.identity.account_id):
        raise reason(403, f"Unauthorized for tenant {tenant}")


# Refresh tokens


async def _refresh_token(context: DialectContext, identity: Identity, client_id: str) -> str:
    """The refresh token of a user and a client, the same each time."""
    tag = f"client/{identity.owner_id}/{client_id}"
    found = await context.store.all(Listing(SYSTEM_AUTH, REFRESH, tag=tag))
    proof = None if identity.user is None else proof_of(identity.user)
    for one in found:
        if one.fields.get("pvt_proof") == proof:
            return one.text("refresh_token")
        await context.store.remove(one)  # it is from before the user had another password
    token = str(uuid.uuid4())
    fields: dict[str, JSON] = {
        "account_id": identity.account_id,
        "user_id": identity.owner_id,
        "client_id": client_id,
        "refresh_token": token,
        "digest": digest_of(token),
        "created": clock.unix_now(),
        "pvt_proof": proof,
        "mobile": context.request.headers.get("Wazo-Session-Type", "").lower() == "mobile",
    }
    await context.store.insert(Document(SYSTEM_AUTH, REFRESH, new_id(), fields))
    return token


async def _of_refresh_token(context: DialectContext, token: str, client_id: str) -> Identity | None:
    found = await context.store.all(Listing(SYSTEM_AUTH, REFRESH, tag=f"token/{digest_of(token)}"))
    known = next((one for one in found if one.text("client_id") == client_id), None)
    return None if known is None else await identity_of_token(context.runtime.access.directory, known)


@route("GET", "/backends", is_open=True, summary="List the backends")
async def backends(_: DialectContext) -> web.Response:
    """The ways to log in."""
    return json_answer({"data": [BACKENDS[0]]})


@route("HEAD", "/status", is_open=True, summary="Whether the server is well")
async def status(context: DialectContext) -> web.Response:
    """200 while the database answers, else 503."""
    await context.store.ping()
    return empty_answer(200)
