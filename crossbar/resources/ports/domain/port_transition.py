# SPDX-License-Identifier: MPL-2.0
"""The states of a port request: which move leads where, who may make it, and what is noted of it.

Source: KAZOO `knm_port_request:attempt_transition`, `transition_metadata`.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from crossbar import clock
from crossbar.access.identity import Identity
from crossbar.documents.document import Document
from crossbar.documents.store import Store
from crossbar.errors import Invalid
from crossbar.resources.numbers.domain.number_settings import CATEGORY
from crossbar.resources.numbers.domain.port_request import ACTIVE, PROGRESSING, TRANSITIONS, PortState, is_of, state_of
from crossbar.resources.ports.domain.port_authority import is_authority
from crossbar.settings import Settings

_FROM: Final[dict[PortState, frozenset[PortState]]] = {
    PortState.SUBMITTED: frozenset({PortState.UNCONFIRMED, PortState.REJECTED}),
    PortState.PENDING: frozenset({PortState.SUBMITTED}),
    PortState.SCHEDULED: frozenset({PortState.PENDING}),
    PortState.COMPLETED: frozenset({PortState.PENDING, PortState.SCHEDULED, PortState.REJECTED}),
    PortState.REJECTED: frozenset(PROGRESSING),
    PortState.CANCELED: frozenset(ACTIVE),
}
"""State → where a request stands that can get there."""
TARGETS: Final = tuple(_FROM)
NO_WAY: Final = "Cannot move to new state from current state"
NOT_ALLOWED: Final = "you're not allowed to change to new state from current state, please contact your port authority"


def _may_move(identity: Identity, request: Document, to: PortState) -> bool:
    """Whether the caller may make such a move: submitting is the account's own, the rest the authority's."""
    if to is PortState.SUBMITTED or is_authority(identity, request):
        return True
    own = to is PortState.CANCELED and state_of(request) is PortState.UNCONFIRMED
    return own and is_of(request, identity.account_id)


def check_move(identity: Identity, request: Document, to: PortState, settings: Settings) -> None:
    """Raise 400 `port_state` where the caller may not make a move, or where there is none."""
    if not _may_move(identity, request, to):
        raise Invalid.field("port_state", "enum", NOT_ALLOWED, cause=str(to))
    states = _FROM[to]
    if (
        to is PortState.SCHEDULED
        and settings.get(CATEGORY, "allow_port_transition_from_submitted_to_scheduled") is True
    ):
        states |= {PortState.SUBMITTED}
    if state_of(request) not in states:
        raise Invalid.field("port_state", "enum", NO_WAY, cause=str(to))


class PortActor(NamedTuple):
    """Who does something to a request, as it is noted there."""

    account_id: str
    account_name: str
    user: Document | None

    @property
    def full_name(self) -> str | None:
        """What people call the user, if one acts."""
        if self.user is None:
            return None
        name = " ".join(filter(None, (self.user.text("first_name"), self.user.text("last_name"))))
        return name or self.user.text("username") or self.user.text("email") or None


async def actor_of(store: Store, identity: Identity) -> PortActor:
    """The caller."""
    user = await store.get(identity.account_id, "user", identity.owner_id) if identity.owner_id else None
    return PortActor(identity.account_id, identity.account.name, user)


def entry(actor: PortActor, state: PortState, *, previous: PortState | None, reason: str | None) -> dict[str, Any]:
    """What is noted of a move."""
    moved = {"new": str(state)} if previous is None else {"new": str(state), "previous": str(previous)}
    why = {"reason": reason} if reason else {}
    return {
        "type": "transition",
        "timestamp": clock.now(),
        **why,
        "transition": moved,
        "authorization": {
            "account": {"id": actor.account_id, "name": actor.account_name},
            **_user(actor),
            **why,
        },
    }


def _user(actor: PortActor) -> dict[str, Any]:
    if actor.user is None:
        return {}
    names = {
        "first_name": actor.user.text("first_name"),
        "last_name": actor.user.text("last_name"),
        "full_name": actor.full_name,
    }
    return {"user": {"id": actor.user.id, **{key: name for key, name in names.items() if name}}}


def into(request: Document, state: PortState) -> dict[str, Any] | None:
    """The latest move of a request into a state."""
    moves = request.fields.get(TRANSITIONS, ())
    return next((move for move in moves if move["transition"]["new"] == state), None)
