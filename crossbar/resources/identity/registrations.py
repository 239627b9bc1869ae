"""Registrations: which devices are reachable through a switch. Without one, none is.

Source: KAZOO `cb_registrations`.
"""

from __future__ import annotations

from crossbar.endpoint import Context, Endpoint, Reply
from crossbar.errors import Plain
from crossbar.resources.identity.devices import holder_of_username

registrations = Endpoint("registrations")


@registrations.get("/accounts/{account_id}/registrations")
async def index(_: Context) -> Reply:
    """The account's registrations."""
    return Reply([])


@registrations.delete("/accounts/{account_id}/registrations")
async def forget_all(_: Context) -> Reply:
    """Make every device of the account register anew."""
    return Reply("ok")


@registrations.delete("/accounts/{account_id}/registrations/{username}")
async def forget_one(context: Context) -> Reply:
    """Make the device with this SIP user name register anew."""
    username = context.path["username"]
    if await holder_of_username(context, username) is None:
        raise Plain(404, "bad identifier", [username])
    return Reply("ok")


@registrations.get("/accounts/{account_id}/registrations/count", "/registrations/count")
async def count(_: Context) -> Reply:
    """How many there are, in the account or in all."""
    return Reply({"count": 0})
