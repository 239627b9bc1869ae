# SPDX-License-Identifier: MPL-2.0
"""Registrations: which devices are reachable through a switch, as it tells of them. Without one, none is.

What is deleted is a wish that phones register anew: nobody here can make them, so they stay listed until they do.

Source: KAZOO `cb_registrations`.
"""

from __future__ import annotations

from crossbar.endpoint import Context, Endpoint, Reply
from crossbar.errors import Plain
from crossbar.resources.identity.devices import holder_of_username
from crossbar.resources.identity.domain.live_registrations import count_registrations
from crossbar.resources.identity.domain.live_registrations import registrations as live_registrations

registrations = Endpoint("registrations")


@registrations.get("/accounts/{account_id}/registrations")
async def index(context: Context) -> Reply:
    """The account's registrations."""
    silence_s = context.config.live.silence_s
    return Reply(await live_registrations(context.store, context.account, silence_s=silence_s))


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
async def count(context: Context) -> Reply:
    """How many there are, in the account or in all."""
    account_id = context.account_id if context.target is not None else None
    return Reply({"count": await count_registrations(context.store, account_id)})
