# SPDX-License-Identifier: MPL-2.0
"""`?dry_run=true`: what a change would do, without doing it.

The request goes its whole way, and what it wrote is given up in the end: rights, schema, checks, claims and charges are
judged, the answer is the one that the change would have, with `"dry_run": true` beside `data`. What cannot be given up
again is refused.
"""

from __future__ import annotations

from typing import Final

from crossbar.documents.dry_run import refuse_dry
from crossbar.endpoint.context import Context
from crossbar.endpoint.reply import Binary, Reply, Stream
from crossbar.endpoint.routing import Handler, Route, Who
from crossbar.wire.query import QueryValue
from crossbar.wire.request_values import is_false

OPTION: Final = "dry_run"
EFFECT: Final = "`true`: judge the change and answer as it would, without making it"


def is_wanted(context: Context) -> bool:
    """Whether a change is to be tried only."""
    return context.verb != "GET" and says_dry(context.query.get(OPTION))


def says_dry(value: QueryValue | None) -> bool:
    """Whether the option, None where it was not sent, asks for a trial. All but `false` does: better not done."""
    return value is not None and not is_false(value)


def dry(route: Route) -> Handler:
    """The handler of a route, all of whose writes are given up."""
    is_open = route.who is Who.ANONYMOUS or route.open_if is not None

    async def handle(context: Context) -> Reply | Binary:
        async with context.store.dry_run():
            if is_open:  # passwords could be tried without anybody learning of it
                refuse_dry("is open to callers without a token")
            reply = await route.handler(context)
            if isinstance(reply, Stream):
                reply = Reply(json=b"[%s]" % b",".join([row async for rows in reply.chunks for row in rows]))
        if isinstance(reply, Reply):
            reply.extra = {**(reply.extra or {}), OPTION: True}
        return reply

    return handle
