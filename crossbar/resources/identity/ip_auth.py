"""Log-in by the client's address.

Source: KAZOO `cb_ip_auth`.
"""

from __future__ import annotations

from crossbar.resource import BARE, Call, Reply, Resource, Who
from crossbar.resources.identity.attempts import recorder
from crossbar.resources.identity.login import logged_in

ip_auth = Resource("ip_auth", scopes=(BARE,))


@ip_auth.put(who=Who.ANONYMOUS)
async def log_in(call: Call) -> Reply:
    """A token of the one account that lists the client's address; the token has no user."""
    login = await call.services.access.logins.by_address(call.asked, recorder(call))
    return await logged_in(call, login, location=f"/v2/ip_auth/{login.account.id}")
