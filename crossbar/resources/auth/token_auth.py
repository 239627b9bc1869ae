# SPDX-License-Identifier: MPL-2.0
"""The token itself: what it says, and its end.

Source: KAZOO `cb_token_auth`. There a deleted token lives on until it expires; here logging out logs out.
"""

from __future__ import annotations

from crossbar.endpoint import Context, Endpoint, Reply, Who
from crossbar.resources.auth.domain.login_answer import login_object

token_auth = Endpoint("token_auth", who=Who.AUTHENTICATED)


@token_auth.get("/token_auth")
async def read(context: Context) -> Reply:
    """The claims of the caller's token, and what a log-in answers."""
    identity = context.identity
    return Reply(await login_object(context.runtime, identity.account, identity.user, identity.claims))


@token_auth.delete("/token_auth")
async def revoke(context: Context) -> Reply:
    """End the caller's token, in every worker."""
    await context.runtime.access.tokens.revoke(context.identity)
    return Reply(auth_token=None)
