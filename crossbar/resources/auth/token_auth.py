"""The token itself: what it says, and its end.

Source: KAZOO `cb_token_auth`. There a deleted token lives on until it expires; here logging out logs out.
"""

from __future__ import annotations

from crossbar.endpoint import BARE, Context, Reply, Resource, Who
from crossbar.resources.auth.domain.login_answer import login_object

token_auth = Resource("token_auth", scopes=(BARE,), who=Who.AUTHENTICATED)


@token_auth.get()
async def read(context: Context) -> Reply:
    """The claims of the caller's token, and what a log-in answers."""
    identity = context.identity
    return Reply(await login_object(context.runtime, identity.account, identity.user, identity.claims))


@token_auth.delete()
async def revoke(context: Context) -> Reply:
    """End the caller's token, in every worker."""
    await context.runtime.access.tokens.revoke(context.identity)
    return Reply(envelope={"auth_token": None})
