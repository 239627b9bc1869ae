# SPDX-License-Identifier: MPL-2.0
"""Lists of port requests, by account."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final, NamedTuple

from crossbar.dialing import normalize
from crossbar.documents.document import TREE, Document
from crossbar.documents.filters import Filters
from crossbar.endpoint import Context, Reply
from crossbar.errors import JSON
from crossbar.resources.numbers.domain.port_request import (
    AUTHORITY,
    OWNER,
    below_in,
    decided_in,
    is_of,
    owned_in,
)
from crossbar.resources.ports.domain.port_listing import (
    LAST_SUBMITTED,
    Tag,
    in_states,
    naming_number,
    states_named,
    submitted_last,
)
from crossbar.resources.ports.port_requests.port_answers import shown_all
from crossbar.wire.list_options import time_range

ASKED: Final = {
    "by_number": "Requests with this number alone",
    "by_types": "States, or `last_submitted`",
    "modified_from": "Gregorian seconds from which on they changed",
    "modified_to": "Gregorian seconds until which they changed",
}
UNKNOWN = "unknown"
"""What an account is called that is gone."""


class Concern(NamedTuple):
    """Whose requests a list is of: the tag under which they stand by state, and whether one is among them."""

    tag: Tag
    holds: Callable[[Document], bool]


def concerning(context: Context) -> Concern:
    """The requests of the account in the path, or of those below it."""
    account_id = context.account_id
    if context.nouns[0].args[1:] == ("descendants",):
        return Concern(partial(below_in, account_id), lambda request: account_id in request.fields.get(TREE, ()))
    return Concern(partial(owned_in, account_id), lambda request: is_of(request, account_id))


def decided_by(authority: str) -> Concern:
    """The requests that an account decides on."""
    return Concern(
        partial(decided_in, authority),
        lambda request: request.text(AUTHORITY) == authority or is_of(request, authority),
    )


async def answer_list(context: Context, concern: Concern) -> Reply:
    """Requests by number (`by_number`), or by where they stand (`by_types`)."""
    number = context.values.text("by_number")
    if number is not None:
        found = await naming_number(context.store, normalize(number))
        seen = [request for request in found if context.identity.superduper or concern.holds(request)]
        return Reply.rows(await shown_all(context, seen))
    wanted = context.values.get("by_types")
    if wanted == LAST_SUBMITTED:
        return await answer_last_submitted(context, concern)
    return await answer_states(context, concern, wanted)


async def answer_states(context: Context, concern: Concern, wanted: JSON) -> Reply:
    """Requests in the states that `wanted` names, by account."""
    found = await in_states(
        context.store,
        concern.tag,
        states_named(wanted),
        Filters.parse(context.query.pairs),
        partial(time_range, context.values, maximum=context.config.api.maximum_range, field="modified"),
    )
    return Reply.rows(await _by_account(context, found))


async def _by_account(context: Context, requests: Iterable[Document]) -> list[dict[str, Any]]:
    groups: dict[str, list[Document]] = {}
    for request in requests:
        groups.setdefault(request.text(OWNER), []).append(request)
    rows = []
    for account_id, own in groups.items():
        account = await context.directory.account(account_id)
        name = account.name if account else UNKNOWN
        rows.append({"account_id": account_id, "account_name": name, "port_requests": await shown_all(context, own)})
    return rows


async def answer_last_submitted(context: Context, concern: Concern) -> Reply:
    """The requests that were submitted and are not sent on yet, each with the move that submitted it."""
    return Reply.rows(await submitted_last(context.store, concern.tag))
