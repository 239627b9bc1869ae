# SPDX-License-Identifier: MPL-2.0
"""Log-in with user name and password.

Source: KAZOO `cb_user_auth`.
"""

from __future__ import annotations

import hmac

from crossbar.access.login_types import USER_AUTH, Credentials, Login, LoginAttempt, Record
from crossbar.endpoint import Context, Endpoint, Reply, Who
from crossbar.errors import Forbidden, InvalidCredentials, NotFound, Plain
from crossbar.resources.auth.domain.login_answer import login_object
from crossbar.resources.auth.domain.login_attempt import recording
from crossbar.wire.envelope import AUTOMATIC, PageInfo

user_auth = Endpoint("user_auth")

IMPERSONATE = "impersonate_user"


def login_record(context: Context) -> Record:
    """Keeps what becomes of the log-in that this request tries."""
    return recording(
        context.store, client_ip=context.client_ip, headers=context.request.headers, request_id=context.request_id
    )


async def logged_in(context: Context, login: Login, *, location: str | None = None) -> Reply:
    """201 with the login object and, in the envelope, the new token.

    A log-in by credentials or API key also shows `page_size`, `revision` and a location, which clients know.
    """
    return Reply(
        await login_object(context.runtime, login.account, login.user),
        revision=AUTOMATIC if location is not None else None,
        auth_token=login.token,
        page=PageInfo(1) if location is not None else None,
        location=location,
    )


@user_auth.put(
    "/user_auth", who=Who.ANONYMOUS, schema="user_auth", options={"action": "Refused (403): there is none here"}
)
async def log_in(context: Context) -> Reply:
    """A token for whoever knows the hash of `username:password`."""
    if context.values.get("action"):
        raise Forbidden
    login = await context.runtime.access.logins.by_credentials(
        read_credentials(context), context, login_record(context)
    )
    owner_id = login.user.id if login.user else ""
    return await logged_in(context, login, location=f"/v2/user_auth/{owner_id}")


def read_credentials(context: Context) -> Credentials:
    """What the request logs in with. Raises 400 where it is of the wrong form."""
    data = context.valid_data()
    return Credentials(
        data["credentials"],
        data["method"],
        phone_number=data.get("phone_number"),
        realm=data.get("account_realm") or data.get("realm"),
        account_name=data.get("account_name"),
        as_=data.get("as"),
        second_factor=data.get("multi_factor_response"),
    )


@user_auth.get("/accounts/{account_id}/user_auth/{token}")
@user_auth.get("/user_auth/{token}", who=Who.AUTHENTICATED)
async def look_at_token(context: Context) -> Reply:
    """The claims of the token that the request itself presents."""
    identity = context.identity
    presented = identity.token or ""
    if not hmac.compare_digest(context.path["token"].encode(), presented.encode()):
        raise InvalidCredentials
    if context.target is not None and context.target.id != identity.account_id:
        raise InvalidCredentials
    return Reply(await login_object(context.runtime, identity.account, identity.user, identity.claims))


async def may_impersonate(context: Context) -> bool | None:
    """Administrators of a superduper admin account, in other accounts than their own."""
    identity = context.identity
    return identity.superduper and identity.is_account_admin and context.account_id != identity.account_id


@user_auth.put(
    "/accounts/{account_id}/users/{user_id}/user_auth",
    who=may_impersonate,
    options={"action": f"`{IMPERSONATE}`"},
    refuses=(500,),
)
async def impersonate(context: Context) -> Reply:
    """A token that acts as the user in the path and names who really does."""
    action = context.values.get("action")
    if action != IMPERSONATE:
        raise Forbidden if action else Plain(500, "action required", {"message": "action required"})
    user_id = context.parents["users"].id
    user = await context.directory.user(context.account_id, user_id)
    if user is None:
        raise NotFound(user_id)
    extra = {
        "original_account_id": context.identity.account_id,
        "original_owner_id": context.identity.owner_id,
    }
    login = await context.runtime.access.logins.grant(context.account, user, USER_AUTH, extra)
    message = "authentication resulted in token creation"
    await login_record(context)(LoginAttempt(context.account_id, user_id, USER_AUTH, IMPERSONATE, "success", message))
    return await logged_in(context, login)
