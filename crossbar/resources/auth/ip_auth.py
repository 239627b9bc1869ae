# SPDX-License-Identifier: MPL-2.0
"""Log-in by the client's address.

Source: KAZOO `cb_ip_auth`.
"""

from __future__ import annotations

from crossbar.endpoint import Context, Endpoint, Reply, Who
from crossbar.resources.auth.user_auth import logged_in, login_record

ip_auth = Endpoint("ip_auth")


@ip_auth.put("/ip_auth", who=Who.ANONYMOUS)
async def log_in(context: Context) -> Reply:
    """A token of the one account that lists the client's address; the token has no user."""
    login = await context.runtime.access.logins.by_address(context, login_record(context))
    return await logged_in(context, login, location=f"/v2/ip_auth/{login.account.id}")
