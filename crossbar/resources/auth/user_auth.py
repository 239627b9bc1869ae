"""Log-in with user name and password.

Source: KAZOO `cb_user_auth`.
"""

from __future__ import annotations

import hmac

from crossbar.access.logins import USER_AUTH, Attempt, Credentials
from crossbar.endpoint import ACCOUNT, BARE, Call, Reply, Resource, Who
from crossbar.errors import Forbidden, InvalidCredentials, NotFound, Plain
from crossbar.resources.auth.domain.login_answer import logged_in, login_object
from crossbar.resources.auth.domain.login_attempt import recorder

user_auth = Resource("user_auth", scopes=(BARE,))

IMPERSONATE = "impersonate_user"


@user_auth.put(who=Who.ANONYMOUS)
async def log_in(call: Call) -> Reply:
    """A token for whoever knows the hash of `username:password`."""
    if call.values.get("action"):
        raise Forbidden
    login = await call.services.access.logins.by_credentials(read_credentials(call), call.asked, recorder(call))
    owner_id = login.user.id if login.user else ""
    return await logged_in(call, login, location=f"/v2/user_auth/{owner_id}")


def read_credentials(call: Call) -> Credentials:
    """What the request logs in with. Raises 400 where it is of the wrong form."""
    data = call.valid("user_auth", call.object)
    return Credentials(
        data["credentials"],
        data["method"],
        phone_number=data.get("phone_number"),
        realm=data.get("account_realm") or data.get("realm"),
        account_name=data.get("account_name"),
        as_=data.get("as"),
        second_factor=data.get("multi_factor_response"),
    )


@user_auth.get("/{token}", scopes=(ACCOUNT,))
@user_auth.get("/{token}", who=Who.AUTHENTICATED)
async def look_at_token(call: Call) -> Reply:
    """The claims of the token that the request itself presents."""
    identity = call.identity
    presented = identity.token or ""
    if not hmac.compare_digest(call.path["token"].encode(), presented.encode()):
        raise InvalidCredentials
    if call.target is not None and call.target.id != identity.account_id:
        raise InvalidCredentials
    return Reply(await login_object(call.services, identity.account, identity.user, identity.claims))


async def may_impersonate(call: Call) -> bool | None:
    """Administrators of a superduper admin account, in other accounts than their own."""
    identity = call.identity
    return identity.superduper and identity.is_account_admin and call.account_id != identity.account_id


@user_auth.put(scopes=("accounts/users",), who=may_impersonate)
async def impersonate(call: Call) -> Reply:
    """A token that acts as the user in the path and names who really does."""
    action = call.values.get("action")
    if action != IMPERSONATE:
        raise Forbidden if action else Plain(500, "action required", {"message": "action required"})
    user_id = call.parents["users"].id
    user = await call.directory.user(call.account_id, user_id)
    if user is None:
        raise NotFound(user_id)
    extra = {
        "original_account_id": call.identity.account_id,
        "original_owner_id": call.identity.owner_id,
    }
    login = await call.services.access.logins.grant(call.account, user, USER_AUTH, extra)
    message = "authentication resulted in token creation"
    await recorder(call)(Attempt(call.account_id, user_id, USER_AUTH, IMPERSONATE, "success", message))
    return await logged_in(call, login)
