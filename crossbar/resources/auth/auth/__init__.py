# SPDX-License-Identifier: MPL-2.0
"""Tokens and the keys that sign them. On the same endpoint: log-in by others, and their providers.

Source: KAZOO `cb_auth`.
"""

from __future__ import annotations

from typing import Any, Final

from crossbar.access.bad_token import NO_ACCOUNT, BadToken
from crossbar.access.login_types import OTHERS_AUTH, LoginAttempt
from crossbar.access.standing import refuse_expired
from crossbar.endpoint import ABSENT, Binary, Context, Endpoint, Reply, Who
from crossbar.errors import Forbidden, InvalidCredentials, Plain
from crossbar.resources.auth.domain.login_answer import login_object
from crossbar.resources.auth.user_auth import logged_in, login_record
from crossbar.wire.negotiation import JSON_TYPES

RESET_SECRET: Final = "reset_signature_secret"  # noqa: S105 - the action's name
RESET_KEY: Final = "reset_private_key"
PEM: Final = "application/x-pem-file"
CARRIED_CLAIMS: Final = ("as", "mfa_resp", "original_account_id", "original_owner_id")
"""What a refreshed token says as the old one did: whose it really is, and how it was come by."""

auth = Endpoint("auth")
ASKED_ABOUT: Final = {"token": "The token that is asked about"}


def action_required() -> Plain:
    """500: the action is missing or none of the path's."""
    return Plain(500, "action required", {"message": "action required"})


@auth.put(
    "/auth", who=Who.AUTHENTICATED, options={"action": "`refresh_token` or `reset_signature_secret`"}, refuses=(500,)
)
async def act(context: Context) -> Reply:
    """A new token for the caller; or, for superduper admins, the end of all tokens."""
    match context.values.get("action"):
        case "refresh_token":
            return await _refresh(context)
        case "reset_signature_secret":
            if not context.identity.superduper or context.is_guarded:
                raise Forbidden
            await context.runtime.access.keys.reset_secret()
            return Reply(ABSENT)
    raise action_required()


async def _refresh(context: Context) -> Reply:
    """For whom the token was made out, not for whom it acts."""
    claims = context.identity.claims
    account = await context.directory.account(claims["account_id"])
    owner_id = claims.get("owner_id")
    user = await context.directory.user(claims["account_id"], owner_id) if owner_id else None
    if account is None or (owner_id and user is None):
        raise InvalidCredentials
    carried = {name: claims.get(name) for name in CARRIED_CLAIMS}
    login = await context.runtime.access.logins.grant(account, user, OTHERS_AUTH, carried)
    message = "authentication resulted in token creation"
    await login_record(context)(LoginAttempt(account.id, owner_id, OTHERS_AUTH, "jwt_auth_token", "success", message))
    return await logged_in(context, login)


async def may_reset_secret(context: Context) -> bool | None:
    """Administrators of the account or above, and users for themselves."""
    identity, nouns = context.identity, context.nouns
    if len(nouns) == 3 and context.account_id == identity.account_id and nouns[1].args[0] == identity.owner_id:
        return True
    return None if identity.is_account_admin else False


@auth.put(
    "/accounts/{account_id}/auth",
    "/accounts/{account_id}/users/{user_id}/auth",
    who=may_reset_secret,
    options={"action": f"`{RESET_SECRET}`"},
    refuses=(500,),
)
async def reset_secret(context: Context) -> Reply:
    """End all tokens of an account, or of a user."""
    if context.values.get("action") != RESET_SECRET:
        raise action_required()
    user = context.parents.get("users")
    await context.runtime.access.tokens.reset_secret(context.account_id, user.id if user else None)
    return Reply(ABSENT)


@auth.get("/auth/tokeninfo", who=Who.ANONYMOUS, options=ASKED_ABOUT, refuses=(404, 423))
async def token_in_query(context: Context) -> Reply:
    """Whose the given token is."""
    return await _token_info(context, context.values.get("token"), "missing token in params")


@auth.post("/auth/tokeninfo", who=Who.ANONYMOUS, options=ASKED_ABOUT, refuses=(404, 423))
async def token_in_body(context: Context) -> Reply:
    """Whose the given token is."""
    return await _token_info(context, context.values.get("token"), "missing token in request")


async def _token_info(context: Context, token: Any, missing: str) -> Reply:
    if not isinstance(token, str) or not token:
        raise Plain(404, missing)
    try:
        identity = await context.runtime.access.tokens.verify(token)
    except BadToken as error:
        raise Plain(403 if error.reason == NO_ACCOUNT else 401, error.reason) from None
    refuse_expired(identity.account)
    answer = await login_object(context.runtime, identity.account, identity.user)
    return Reply(answer, auth_token=token)


# Keys


async def is_admin(context: Context) -> bool | None:
    """Administrators of whatever account."""
    return context.identity.is_account_admin


@auth.get("/auth/keys", who=is_admin)
async def list_keys(context: Context) -> Reply:
    """The ids of the keys that verify tokens, the one that signs first."""
    return Reply.rows(list((await context.runtime.access.keys.ring()).public), page_size=True)


@auth.get("/auth/keys/{key_id}", who=is_admin, provides=(*JSON_TYPES, PEM))
async def read_key(context: Context) -> Reply | Binary:
    """A public key, in the envelope or as a PEM file."""
    pem = (await context.runtime.access.keys.ring()).public_pem(context.path["key_id"])
    if context.media == PEM:
        return Binary(pem.encode(), PEM, filename="public_key.pem")
    return Reply({"public_key_pem": pem})


@auth.put("/auth/keys/{key_id}", who=Who.SUPERDUPER, options={"action": f"`{RESET_KEY}`"}, refuses=(500,))
async def reset_key(context: Context) -> Reply:
    """End a key and every token that it signed; a new one takes its place."""
    if context.values.get("action") != RESET_KEY:
        raise action_required()
    await context.runtime.access.keys.retire(context.path["key_id"])
    return Reply(ABSENT)
