"""Log-in with an account's API key.

Source: KAZOO `cb_api_auth`.
"""

from __future__ import annotations

from crossbar.resource import BARE, Call, Reply, Resource, Who
from crossbar.resources.identity.attempts import recorder
from crossbar.resources.identity.login import logged_in

api_auth = Resource("api_auth", scopes=(BARE,))


@api_auth.put(who=Who.ANONYMOUS)
async def log_in(call: Call) -> Reply:
    """A token of the account whose API key this is; the token has no user."""
    data = call.valid("api_auth", call.object)
    login = await call.services.access.logins.by_api_key(data["api_key"], call.asked, recorder(call))
    return await logged_in(call, login, location=f"/v2/api_auth/{login.account.id}")
