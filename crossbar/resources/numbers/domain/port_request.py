# SPDX-License-Identifier: MPL-2.0
"""A port request as it is kept: which numbers it brings, where it stands, and under which listings it is found.

Source: KAZOO `kzd_port_requests.erl`, `knm_port_request.erl`, the views of the database `port_requests`. All requests
lie in one partition, whichever account they belong to: a number is on one request that is open, and no second one.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final

from crossbar.documents.document import TREE, Document, as_object
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Summary, Unique
from crossbar.documents.store import Transaction
from crossbar.errors import SystemFault
from crossbar.resources.identity.domain import account_removal, account_tree
from crossbar.runtime import Runtime

DATABASE: Final = "port_requests"
TYPE: Final = "port_request"

PORT_STATE: Final = "pvt_port_state"
TRANSITIONS: Final = "pvt_transitions"
"""What led to the state, the newest first."""
OWNER: Final = "pvt_account_id"
OWNER_NAME: Final = "pvt_account_name"
"""The account's name when the request was made."""
AUTHORITY: Final = "pvt_port_authority"
"""The account that decides on the request."""
AUTHORITY_NAME: Final = "pvt_port_authority_name"
PORTED: Final = "pvt_ported_numbers"
"""The numbers of a request that is completed, as `numbers` had them."""
SENT: Final = "pvt_sent"


class PortState(StrEnum):
    """Where a request stands."""

    UNCONFIRMED = "unconfirmed"
    SUBMITTED = "submitted"
    PENDING = "pending"
    SCHEDULED = "scheduled"
    COMPLETED = "completed"
    REJECTED = "rejected"
    CANCELED = "canceled"


FINISHED: Final = (PortState.COMPLETED, PortState.CANCELED)
SUSPENDED: Final = (PortState.UNCONFIRMED, PortState.REJECTED)
"""States in which the request waits for its account."""
PROGRESSING: Final = (PortState.SUBMITTED, PortState.PENDING, PortState.SCHEDULED)
ACTIVE: Final = (PortState.UNCONFIRMED, *PROGRESSING, PortState.REJECTED)
"""States of an open request: its numbers are on no other one."""
UNDER_WAY: Final = frozenset({*PROGRESSING, PortState.REJECTED})
"""States of a request whose numbers count as coming."""


def state_of(request: Document) -> PortState:
    """Where a request stands."""
    return PortState(request.text(PORT_STATE) or PortState.UNCONFIRMED)


def numbers_of(request: Document) -> dict[str, Any]:
    """The numbers that a request brings, in E.164 form, each with what is said of it."""
    return as_object(request.at("numbers"))


def is_of(request: Document, account_id: str) -> bool:
    """Whether a request is an account's own, or that of one below it."""
    return account_id == request.text(OWNER) or account_id in request.fields.get(TREE, ())


# Listings


def owned_in(account_id: str, state: PortState) -> str:
    """Tag of an account's own requests that stand there."""
    return f"account/{account_id}/{state}"


def below_in(account_id: str, state: PortState) -> str:
    """Tag of the requests that stand there of all accounts below one."""
    return f"below/{account_id}/{state}"


def decided_in(account_id: str, state: PortState) -> str:
    """Tag of the requests that stand there and that an account decides on."""
    return f"authority/{account_id}/{state}"


def everywhere_in(state: PortState) -> str:
    """Tag of the requests of the installation that stand there."""
    return f"state/{state}"


def open_of(account_id: str) -> str:
    """Tag of an account's own requests that are open."""
    return f"open/{account_id}"


def open_below(account_id: str) -> str:
    """Tag of the open requests of all accounts below one."""
    return f"open_below/{account_id}"


def owned(account_id: str) -> str:
    """Tag of all requests of an account."""
    return f"account/{account_id}"


def under_way_for(account_id: str) -> str:
    """Tag of the requests under way of an account."""
    return f"under_way/{account_id}"


def bringing(number: str) -> str:
    """Tag of the request under way that brings a number in."""
    return f"number/{number}"


def naming(number: str) -> str:
    """Tag of all requests that name a number, wherever they stand."""
    return f"named/{number}"


def tags(request: Document) -> Iterator[str]:
    """The listings of a request: by whom it concerns and where it stands, and by each of its numbers."""
    state, account_id = state_of(request), request.text(OWNER)
    yield everywhere_in(state)
    yield owned(account_id)
    yield owned_in(account_id, state)
    above = request.fields.get(TREE, ())
    yield from (below_in(ancestor, state) for ancestor in above)
    if state in ACTIVE:
        yield open_of(account_id)
        yield from map(open_below, above)
    if authority := request.text(AUTHORITY):
        yield decided_in(authority, state)
    if state in UNDER_WAY:
        yield under_way_for(account_id)
        yield from map(bringing, numbers_of(request))
    yield from map(naming, {**numbers_of(request), **request.fields.get(PORTED, {})})


def number_claim(number: str) -> Unique:
    """The claim of an open request on a number."""
    return Unique("port_number", number, number, "Number is being ported for a different account", cause=number)


def claims(request: Document) -> Iterator[Unique]:
    """The numbers of an open request."""
    if state_of(request) in ACTIVE:
        yield from map(number_claim, numbers_of(request))


PORT_REQUEST_SHAPE: Final = Shape(
    TYPE,
    summary=Summary("id", "name", port_state=PORT_STATE),
    sort="pvt_modified",
    tags=tags,
    unique=claims,
    announced=True,
)


# What happens to accounts


@account_tree.also_moves
async def follow(transaction: Transaction, account: Document) -> None:
    """The requests of an account that moves have its new place."""
    for request in await transaction.all(Listing(DATABASE, TYPE, tag=owned(account.id))):
        moved = Document(DATABASE, TYPE, request.id, {**request.fields, TREE: account.fields["pvt_tree"]})
        await transaction.replace(moved, request)


@account_removal.unless
async def refuse_while_under_way(transaction: Transaction, account_id: str) -> None:
    """An account does not end while numbers are on their way to it. Raises 500 `account_has_active_port`."""
    if await transaction.count(Listing(DATABASE, TYPE, tag=under_way_for(account_id))):
        raise SystemFault("account_has_active_port")


@account_removal.also
async def drop_unconfirmed(runtime: Runtime, account_id: str) -> None:
    """What an account that is gone never submitted goes with it; what was done for it stays known."""
    unconfirmed = Listing(DATABASE, TYPE, tag=owned_in(account_id, PortState.UNCONFIRMED))
    for request in await runtime.store.all(unconfirmed):
        await runtime.store.remove(request)
        await runtime.attachments.delete(request)
