"""Registrations: which devices are reachable through a switch. Without one, none is.

Source: KAZOO `cb_registrations`.
"""

from __future__ import annotations

from crossbar.endpoint import ACCOUNT, BARE, Context, Reply, Resource
from crossbar.errors import Plain
from crossbar.resources.identity.devices import holder_of_username

registrations = Resource("registrations", scopes=(ACCOUNT,))


@registrations.get()
async def index(_: Context) -> Reply:
    """The account's registrations."""
    return Reply([])


@registrations.delete()
async def forget_all(_: Context) -> Reply:
    """Make every device of the account register anew."""
    return Reply("ok")


@registrations.delete("/{username}")
async def forget_one(context: Context) -> Reply:
    """Make the device with this SIP user name register anew."""
    username = context.path["username"]
    if await holder_of_username(context, username) is None:
        raise Plain(404, "bad identifier", [username])
    return Reply("ok")


@registrations.get("/count", scopes=(ACCOUNT, BARE))
async def count(_: Context) -> Reply:
    """How many there are, in the account or in all."""
    return Reply({"count": 0})
