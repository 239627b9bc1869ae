# SPDX-License-Identifier: MPL-2.0
"""Lists of port requests: by where they stand, by number, and those that were submitted last.

Source: KAZOO `cb_port_requests.erl` (`summarize_by_types`, `load_summary_by_number`, `last_submitted`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from crossbar.documents.document import Document
from crossbar.documents.filters import Filters
from crossbar.documents.listing import Listing, Position
from crossbar.documents.store import Store
from crossbar.errors import JSON, SystemFault
from crossbar.resources.numbers.domain.port_request import (
    ACTIVE,
    DATABASE,
    FINISHED,
    PROGRESSING,
    SENT,
    SUSPENDED,
    TYPE,
    PortState,
    naming,
)
from crossbar.resources.ports.domain.port_transition import into

LAST_SUBMITTED: Final = "last_submitted"
TYPES: Final[dict[str, tuple[PortState, ...]]] = {
    "active": ACTIVE,
    "all": tuple(PortState),
    "progressing": PROGRESSING,
    "suspended": SUSPENDED,
    "completed": FINISHED,
}
"""What `by_types` may say instead of states."""

Tag = Callable[[PortState], str]
"""Under which tag those stand that are asked for, by state."""


def states_named(wanted: JSON) -> tuple[PortState, ...]:
    """The states that `by_types` means. Raises 500 `invalid_request` for what is none."""
    if wanted is None:
        return ACTIVE
    if isinstance(wanted, str) and wanted in TYPES:
        return TYPES[wanted]
    words = wanted if isinstance(wanted, list) else str(wanted).split(",")
    names = [str(word).strip() for word in words]
    unknown = [name for name in names if name not in set(PortState)]
    if unknown:
        text = f"query string by_types contained invalid values: {', '.join(unknown)}"
        raise SystemFault("invalid_request", text)
    return tuple(dict.fromkeys(map(PortState, names)))


async def in_states(
    store: Store, tag: Tag, states: Iterable[PortState], filters: Filters, changed: Callable[[], tuple[int, int]]
) -> list[Document]:
    """Requests state by state, the latest changed first; of those that are finished only what `changed` bounds
    (Gregorian seconds, asked for where it matters)."""
    found: list[Document] = []
    for state in states:
        listing = Listing(DATABASE, TYPE, tag=tag(state), filters=filters)
        if state in FINISHED:
            first, last = changed()
            listing = Listing(
                DATABASE, TYPE, tag=tag(state), filters=filters, start=Position.value(last), end=Position.value(first)
            )
        found += await store.all(listing)
    return found


async def naming_number(store: Store, number: str) -> list[Document]:
    """Requests that name a number, wherever they stand."""
    return await store.all(Listing(DATABASE, TYPE, tag=naming(number)))


async def submitted_last(store: Store, tag: Tag) -> list[dict[str, Any]]:
    """Each request that is submitted and not sent on yet, with the move that submitted it."""
    requests = await store.all(Listing(DATABASE, TYPE, tag=tag(PortState.SUBMITTED)))
    moves = ((request, into(request, PortState.SUBMITTED)) for request in requests if not request.at(SENT))
    return [{"id": request.id, "transition": move} for request, move in moves if move is not None]
