# SPDX-License-Identifier: MPL-2.0
"""Log-in with an account's API key.

Source: KAZOO `cb_api_auth`.
"""

from __future__ import annotations

from crossbar.endpoint import Context, Endpoint, Reply, Who
from crossbar.resources.auth.user_auth import logged_in, login_record

api_auth = Endpoint("api_auth")


@api_auth.put("/api_auth", who=Who.ANONYMOUS, schema="api_auth", refuses=(404,))
async def log_in(context: Context) -> Reply:
    """A token of the account whose API key this is; the token has no user."""
    data = context.valid_data()
    login = await context.runtime.access.logins.by_api_key(data["api_key"], context, login_record(context))
    return await logged_in(context, login, location=f"/v2/api_auth/{login.account.id}")
