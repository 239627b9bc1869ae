"""Channels: calls that are going on. Without a switch, none is.

Source: KAZOO `cb_channels`: whatever is to be done with a call, it is looked for first.
"""

from __future__ import annotations

from crossbar.endpoint import Context, Endpoint, Reply
from crossbar.errors import Plain

channels = Endpoint("channels")


@channels.get(
    "/channels",
    "/accounts/{account_id}/channels",
    "/accounts/{account_id}/users/{user_id}/channels",
    "/accounts/{account_id}/devices/{device_id}/channels",
    "/accounts/{account_id}/groups/{group_id}/channels",
)
async def index(_: Context) -> Reply:
    """The calls of the account, user, device or group, or all of them."""
    return Reply([])


@channels.get("/accounts/{account_id}/channels/{call_id}")
@channels.post("/accounts/{account_id}/channels/{call_id}")
@channels.put("/accounts/{account_id}/channels/{call_id}")
async def find(context: Context) -> Reply:
    """One call: read it, act on it (`action`), or run a metaflow on it."""
    raise Plain(404, "bad identifier", [context.path["call_id"]])
