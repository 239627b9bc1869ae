# SPDX-License-Identifier: MPL-2.0
"""Port requests: made by an account, decided on by its port authority, until the numbers are in service.

Source: KAZOO `cb_port_requests`. Who gets at a request is decided by the caller's account, whichever account the path
names: its own account, those above it, the authority, and superduper admins.
"""

from __future__ import annotations

from crossbar.endpoint import Context, Endpoint, Lists, Reply
from crossbar.errors import JSON, Forbidden, Plain
from crossbar.resources.notices.alerts import also_computed
from crossbar.resources.numbers.domain.port_request import PortState
from crossbar.resources.ports.domain.port_alert import PortAlerts
from crossbar.resources.ports.domain.port_authority import decides_as
from crossbar.resources.ports.domain.port_changes import SCHEMA
from crossbar.resources.ports.port_requests import port_comments, port_files, port_lists
from crossbar.resources.ports.port_requests.port_answers import answer, requests_of
from crossbar.wire.request_values import is_false

port_requests = Endpoint("port_requests")
CHARGED = {"accept_charges": "`true` accepts what the request costs"}


# Lists


@port_requests.get(
    "/accounts/{account_id}/port_requests", lists=Lists.FILTERS, options=port_lists.ASKED, refuses=(500,)
)
async def listed(context: Context) -> Reply:
    """The account's own requests, or (`/descendants/port_requests`) those of all accounts below it."""
    return await port_lists.answer_list(context, port_lists.concerning(context))


async def is_deciding(context: Context) -> bool | None:
    """Accounts that are a port authority; superduper admins need not be one."""
    account = context.identity.account
    decides = await decides_as(context.store, context.directory, account) == account.id
    return decides or context.identity.superduper


@port_requests.get("/port_requests", who=is_deciding, lists=Lists.FILTERS, options=port_lists.ASKED, refuses=(500,))
async def listed_for_authority(context: Context) -> Reply:
    """The requests that the caller's account decides on."""
    authority = await decides_as(context.store, context.directory, context.identity.account)
    return await port_lists.answer_list(context, port_lists.decided_by(authority))


@port_requests.put("/port_requests")
async def refuse_without_account(_: Context) -> Reply:
    """A request is always an account's."""
    raise Forbidden


@port_requests.get("/accounts/{account_id}/port_requests/last_submitted")
async def last_submitted(context: Context) -> Reply:
    """The requests that were submitted and are not sent on yet, each with the move that submitted it."""
    return await port_lists.answer_last_submitted(context, port_lists.concerning(context))


@port_requests.post("/accounts/{account_id}/port_requests/lnp_lookup", refuses=(500,))
async def look_numbers_up(_: Context) -> Reply:
    """Whether numbers can be ported is known to carriers' phone books alone; interfaces go on without."""
    raise Plain(500, "phonebook unavailable")


# One request


@port_requests.put("/accounts/{account_id}/port_requests", checks_itself=True, schema=SCHEMA, options=CHARGED)
async def create(context: Context) -> Reply:
    """A new request of the account, not submitted yet."""
    made = await requests_of(context).create(context.account, context.object)
    reply = await answer(context, made.request)
    reply.location = f"{context.request.rel_url.raw_path.rstrip('/')}/{made.request.id}"
    return reply


@port_requests.get("/accounts/{account_id}/port_requests/{port_request_id}")
async def read(context: Context) -> Reply:
    """A request; older clients name a state there, and get a list."""
    request_id = context.path["port_request_id"]
    if request_id in set(PortState):
        return await port_lists.answer_states(context, port_lists.concerning(context), request_id)
    return await answer(context, await requests_of(context).find(request_id))


@port_requests.post(
    "/accounts/{account_id}/port_requests/{port_request_id}", checks_itself=True, schema=SCHEMA, options=CHARGED
)
async def replace(context: Context) -> Reply:
    """Give a request other fields, while it waits for its account."""
    change = await requests_of(context).replace(context.path["port_request_id"], context.object)
    return await answer(context, change.request)


@port_requests.patch(
    "/accounts/{account_id}/port_requests/{port_request_id}", checks_itself=True, schema=SCHEMA, options=CHARGED
)
async def merge(context: Context) -> Reply:
    """Change some fields of a request."""
    change = await requests_of(context).merge(context.path["port_request_id"], context.object)
    return await answer(context, change.request)


@port_requests.delete(
    "/accounts/{account_id}/port_requests/{port_request_id}",
    checks_itself=True,
    options={"should_soft_delete": "`false` removes the request for good"},
)
async def delete(context: Context) -> Reply:
    """Take back a request that is with no carrier."""
    for_good = is_false(context.values.get("should_soft_delete"))
    request_id = context.path["port_request_id"]
    shown = await answer(context, await requests_of(context).find(request_id))
    await requests_of(context).remove(request_id, for_good=for_good)
    if isinstance(shown.data, dict):
        shown.data["_read_only"] |= {"deleted": True}
    return shown


# From state to state


def _offer(path: str, to: PortState) -> None:
    async def move(context: Context) -> Reply:
        """Move a request into the state that the path names; the body may change fields."""
        reason = context.values.text("reason")
        change = await requests_of(context).move(context.path["port_request_id"], to, context.object, reason)
        return await answer(context, change.request)

    port_requests.patch(
        path,
        checks_itself=True,
        schema=SCHEMA,
        options=CHARGED | {"reason": "Why, kept with the move"},
        refuses=(405, 500),
    )(move)


_offer("/accounts/{account_id}/port_requests/{port_request_id}/submitted", PortState.SUBMITTED)
_offer("/accounts/{account_id}/port_requests/{port_request_id}/pending", PortState.PENDING)
_offer("/accounts/{account_id}/port_requests/{port_request_id}/scheduled", PortState.SCHEDULED)
_offer("/accounts/{account_id}/port_requests/{port_request_id}/completed", PortState.COMPLETED)
_offer("/accounts/{account_id}/port_requests/{port_request_id}/rejected", PortState.REJECTED)
_offer("/accounts/{account_id}/port_requests/{port_request_id}/canceled", PortState.CANCELED)


# What there is to be alerted of


@also_computed
async def port_alerts(context: Context) -> list[dict[str, JSON]]:
    """The requests that wait for somebody of the account, or of those below a reseller."""
    found = PortAlerts(context.runtime, context.identity)
    return await found.for_account(context.account)


# Files, comments


port_files.offer(port_requests)
port_comments.offer(port_requests)
