# SPDX-License-Identifier: MPL-2.0
"""Numbers on their way in: those of port requests that are under way.

Source: KAZOO `knm_port_request.erl`.
"""

from __future__ import annotations

from collections.abc import Sequence

from crossbar.dialing import ASSIGNED_TO
from crossbar.documents.document import Document
from crossbar.documents.listing import Listing
from crossbar.documents.store import Store
from crossbar.resources.numbers.domain.number import FEATURES, MODULE, STATE, State, new
from crossbar.resources.numbers.domain.port_request import DATABASE, OWNER, TYPE, bringing, under_way_for


async def request_for(store: Store, number: str) -> Document | None:
    """The port request under way that brings a number in."""
    found = await store.all(Listing(DATABASE, TYPE, tag=bringing(number), limit=1))
    return found[0] if found else None


async def coming_in(store: Store, numbers: Sequence[str]) -> frozenset[str]:
    """Those of the numbers that port requests under way bring in."""
    words = {bringing(number): number for number in numbers}
    if not words:
        return frozenset()
    return frozenset(map(words.__getitem__, await store.count_by_tag(Listing(DATABASE, TYPE), words=list(words))))


async def requests_of(store: Store, account_id: str) -> list[Document]:
    """The port requests under way of an account."""
    return await store.all(Listing(DATABASE, TYPE, tag=under_way_for(account_id)))


def ported(request: Document, number: str) -> Document:
    """A number as its port request tells of it."""
    document = new(number)
    document.fields |= {
        STATE: str(State.PORT_IN),
        ASSIGNED_TO: request.text(OWNER),
        MODULE: "",
        FEATURES: {},
        "pvt_created": request.fields.get("pvt_created"),
        "pvt_modified": request.fields.get("pvt_modified"),
    }
    return document
