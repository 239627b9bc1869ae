# SPDX-License-Identifier: MPL-2.0
"""The feed of an account's events: as pages, and as a stream of server-sent events.

Beyond KAZOO. Both can be taken up again at a token: `since`, or `Last-Event-ID` as browsers send it after a lost
connection. Source of the stream's form: the HTML standard, "Server-sent events".
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Final

from crossbar.access.bad_token import BadToken
from crossbar.access.identity import Identity
from crossbar.documents.event import Event, is_token
from crossbar.documents.event_listening import RENEW_SECONDS, TooOld
from crossbar.documents.event_subscription import Subscription
from crossbar.endpoint import Binary, Context, Endpoint, Reply
from crossbar.endpoint.admission import overloaded
from crossbar.errors import CrossbarError, Invalid, Plain
from crossbar.wire.list_options import list_options
from crossbar.wire.negotiation import DEFAULT_PROVIDED, answer_type

STREAM: Final = "text/event-stream"
LAST_EVENT_ID: Final = "Last-Event-ID"
RETRY_MS: Final = 1000
"""After how long a browser whose connection is lost connects again."""
LOOK_SECONDS: Final = 0.5
"""So often a stream looks whether its caller may still read it."""

events = Endpoint("events")


class _Open:
    """How many streams this worker keeps open."""

    streams = 0


@events.get(
    "/accounts/{account_id}/events",
    provides=(STREAM,),
    options={"since": "The token of the last event that the caller knows", "page_size": "How many events at most"},
    refuses=(410,),
)
async def feed(context: Context) -> Reply | Binary:
    """What happened in the account after `since`; without, the token to begin with."""
    since = _since(context)
    wanted = answer_type(context.request.headers, context.values, (*DEFAULT_PROVIDED, STREAM))
    if since is None:
        since, given = await context.runtime.events.listen(context.account_id), False
    else:
        given = True
        await _require(context, since)
    if wanted == STREAM:
        return _stream(context, since)
    if not given:
        return _page([], since, more=False)
    largest = context.config.events.largest_page
    usual = context.config.api.pagination_page_size
    size = list_options(context.values, page_size=usual).page_size
    limit = min(size or largest, largest)
    found, token, more = await context.runtime.events.page(context.account_id, since, limit)
    return _page(found, token, more=more)


def _since(context: Context) -> str | None:
    """The token that the request begins after. Raises 400 for what is none."""
    given = context.request.headers.get(LAST_EVENT_ID) or context.values.text("since")
    if given is not None and not is_token(given):
        raise Invalid.field("since", "invalid", "it is no token of this feed", cause=given)
    return given


async def _require(context: Context, since: str) -> None:
    """Raise 410 where events after the token may be missing."""
    try:
        await context.runtime.events.require(context.account_id, since)
    except TooOld:
        message = "events after this token are not kept any more; read what is there now, and begin without a token"
        raise Plain(410, "token too old", {"message": message, "cause": since}) from None


def _page(found: list[Event], token: str, *, more: bool) -> Reply:
    body = b"[%s]" % b",".join([event.json for event in found])
    return Reply(json=body, extra={"page_size": len(found), "token": token, "more": more})


# The stream


def _stream(context: Context, since: str) -> Binary:
    if _Open.streams >= context.config.events.streams:
        raise overloaded()
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Binary(_frames(context, since), STREAM, headers=headers, is_endless=True)


async def _frames(context: Context, since: str) -> AsyncIterator[bytes]:
    """The events as they come, as long as the caller may read them; now and then the token in between."""
    service = context.runtime.events
    with _counted():
        async with service.subscribe(context.account_id, since) as subscription:
            yield b"retry: %d\n\n" % RETRY_MS
            spoke = renewed = time.monotonic()
            async for found in _batches(context, subscription):
                if found:
                    yield b"".join(map(_frame, found))
                elif time.monotonic() - spoke < context.config.events.heartbeat_s:
                    continue
                else:
                    # What has no data is no event; only its id is remembered.
                    yield b"id: %s\n\n" % subscription.position.encode()
                spoke = time.monotonic()
                if spoke - renewed > RENEW_SECONDS:
                    await service.listen(context.account_id)
                    renewed = spoke


async def _batches(context: Context, subscription: Subscription) -> AsyncIterator[list[Event]]:
    """Batches of events, empty ones while there are none, until the caller may not read them or the server ends."""
    while not context.runtime.events.ending:
        try:
            found = await subscription.batch(LOOK_SECONDS)
        except CrossbarError:  # the database is away; the client may come again
            return
        if not await _may_read(context, context.identity):
            return
        if not found:
            subscription.pass_over(context.runtime.events.reached)
        yield found


async def _may_read(context: Context, identity: Identity) -> bool:
    """Whether the caller is still who it was, and the account still one it may see."""
    access = context.runtime.access
    if identity.token is not None:
        try:
            identity = await access.tokens.verify(identity.token)
        except BadToken:
            return False
    caller = await access.directory.account(identity.account_id)
    account = await access.directory.account(context.account_id)
    if caller is None or account is None or not (caller.enabled and account.enabled) or caller.expired:
        return False
    if identity.owner_id is not None:
        user = await access.directory.user(identity.account_id, identity.owner_id)
        if user is None or not user.enabled:
            return False
    return caller.superduper_admin or account.within(caller.id)


def _frame(event: Event) -> bytes:
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (event.token.encode(), event.name.encode(), event.json)


@contextmanager
def _counted() -> Iterator[None]:
    _Open.streams += 1
    try:
        yield
    finally:
        _Open.streams -= 1
