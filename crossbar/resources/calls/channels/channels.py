"""Channels: calls that are going on. Without a switch, none is.

Source: KAZOO `cb_channels`: whatever is to be done with a call, it is looked for first.
"""

from __future__ import annotations

from crossbar.endpoint import ACCOUNT, BARE, Context, Reply, Resource
from crossbar.errors import Plain

channels = Resource("channels", scopes=(ACCOUNT,))


@channels.get(scopes=(BARE, ACCOUNT, "accounts/users", "accounts/devices", "accounts/groups"))
async def index(_: Context) -> Reply:
    """The calls of the account, user, device or group, or all of them."""
    return Reply([])


@channels.get("/{call_id}")
@channels.post("/{call_id}")
@channels.put("/{call_id}")
async def find(context: Context) -> Reply:
    """One call: read it, act on it (`action`), or run a metaflow on it."""
    raise Plain(404, "bad identifier", [context.path["call_id"]])
