"""The token itself: what it says, and its end.

Source: KAZOO `cb_token_auth`. There a deleted token lives on until it expires; here logging out logs out.
"""

from __future__ import annotations

from crossbar.endpoint import BARE, Call, Reply, Resource, Who
from crossbar.resources.auth.domain.login_answer import login_object

token_auth = Resource("token_auth", scopes=(BARE,), who=Who.AUTHENTICATED)


@token_auth.get()
async def read(call: Call) -> Reply:
    """The claims of the caller's token, and what a log-in answers."""
    identity = call.identity
    return Reply(await login_object(call.services, identity.account, identity.user, identity.claims))


@token_auth.delete()
async def revoke(call: Call) -> Reply:
    """End the caller's token, in every worker."""
    await call.services.access.tokens.revoke(call.identity)
    return Reply(envelope={"auth_token": None})
