"""Numbers on their way in: those of port requests that are under way.

Source: KAZOO `knm_port_request.erl`. Port requests are documents of the partition `port_requests`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from crossbar.dialing import ASSIGNED_TO
from crossbar.documents.document import Document
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Store
from crossbar.resources.numbers.domain.number import FEATURES, MODULE, STATE, State, new

DATABASE: Final = "port_requests"
TYPE: Final = "port_request"
PORT_STATE: Final = "pvt_port_state"
UNDER_WAY: Final = frozenset({"submitted", "pending", "scheduled", "rejected"})
"""States of a request whose numbers count as coming."""


def tags(request: Document) -> Iterator[str]:
    """The listings of the requests under way: by account, and by each of their numbers."""
    if request.at(PORT_STATE) not in UNDER_WAY:
        return
    yield under_way_for(request.text("pvt_account_id"))
    numbers = request.at("numbers")
    yield from (bringing(number) for number in (numbers if isinstance(numbers, dict) else ()))


def under_way_for(account_id: str) -> str:
    """Tag of the requests under way of an account."""
    return f"under_way/{account_id}"


def bringing(number: str) -> str:
    """Tag of the request under way that brings a number in."""
    return f"number/{number}"


SHAPE: Final = Shape(TYPE, summary=Summary("id", "name"), tags=tags)


async def request_for(store: Store, number: str) -> Document | None:
    """The port request under way that brings a number in."""
    found = await store.all(Listing(DATABASE, TYPE, tag=bringing(number), limit=1))
    return found[0] if found else None


async def requests_of(store: Store, account_id: str) -> list[Document]:
    """The port requests under way of an account."""
    return await store.all(Listing(DATABASE, TYPE, tag=under_way_for(account_id)))


def ported(request: Document, number: str) -> Document:
    """A number as its port request tells of it."""
    document = new(number)
    document.fields |= {
        STATE: str(State.PORT_IN),
        ASSIGNED_TO: request.text("pvt_account_id"),
        MODULE: "",
        FEATURES: {},
        "pvt_created": request.fields.get("pvt_created"),
        "pvt_modified": request.fields.get("pvt_modified"),
    }
    return document
