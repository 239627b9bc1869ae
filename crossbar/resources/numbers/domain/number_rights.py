# SPDX-License-Identifier: MPL-2.0
"""Who may do what with numbers.

Source: KAZOO `knm_phone_number:is_authorized`, `knm_number_states.erl`, `knm_number:allowed_creation_states`.
"""

from __future__ import annotations

from typing import Final

from crossbar.access.directory import Directory
from crossbar.access.identity import Identity
from crossbar.documents.document import ACCOUNTS, Document
from crossbar.documents.document_types import ACCOUNT
from crossbar.documents.store import Store
from crossbar.resources.numbers.domain import number_errors
from crossbar.resources.numbers.domain.number import State, history_of, owner_of, state_of

ALL_STATES: Final = (State.AGING, State.AVAILABLE, State.IN_SERVICE, State.PORT_IN, State.RESERVED)
"""The states in which a superduper admin may create numbers."""
OWN_STATES: Final = (State.IN_SERVICE, State.RESERVED)
"""Those in which an account may that is allowed to add numbers (`pvt_wnm_allow_additions`)."""
TAKEN_OVER: Final = frozenset({State.AGING, State.AVAILABLE, State.PORT_IN})
"""Where a number may stand that is created again."""
CREATED_FROM: Final = {
    State.AGING: frozenset({State.AGING, State.AVAILABLE}),
    State.AVAILABLE: frozenset({State.AVAILABLE}),
    State.IN_SERVICE: TAKEN_OVER,
    State.PORT_IN: frozenset({State.PORT_IN}),
    State.RESERVED: frozenset({State.AVAILABLE}),
}
"""State in which a number is created → where one that is there may stand."""


async def creation_states(store: Store, identity: Identity) -> tuple[State, ...]:
    """The states in which the caller's account may create numbers."""
    if identity.superduper:
        return ALL_STATES
    account = await store.get(ACCOUNTS, ACCOUNT, identity.account_id)
    return OWN_STATES if account and account.fields.get("pvt_wnm_allow_additions") is True else ()


class NumberRights:
    """What the account of whoever calls may do, whichever account a path names."""

    def __init__(self, directory: Directory, identity: Identity) -> None:
        self._directory = directory
        self._identity = identity

    async def may_act_on(self, number: Document) -> bool:
        """Whether the caller's account has the number, or stands above the one that has."""
        return self._identity.superduper or await self.reaches(owner_of(number))

    async def reaches(self, account_id: str | None) -> bool:
        """Whether an account is there, and the caller's own or below it; a superduper admin reaches all there are."""
        account = await self._directory.account(account_id) if account_id else None
        return account is not None and (self._identity.superduper or account.within(self._identity.account_id))

    async def may_know(self, number: Document) -> bool:
        """Whether the caller may read a number: what is for sale is everybody's to read."""
        return state_of(number) is State.AVAILABLE or await self.may_act_on(number)

    async def check_acting_on(self, number: Document) -> None:
        """Raise 403 where the number is nothing of the caller's."""
        if not await self.may_act_on(number):
            raise number_errors.unauthorized()

    async def check_recreating(self, stored: Document, wanted: State) -> None:
        """Raise 409, 400 or 403 where a number that is there is not to be had by creating it."""
        if state_of(stored) not in TAKEN_OVER or (wanted is State.PORT_IN and state_of(stored) is not State.PORT_IN):
            raise number_errors.exists(stored.id)
        if state_of(stored) not in CREATED_FROM[wanted]:
            raise number_errors.no_way(state_of(stored), wanted)
        if state_of(stored) is State.PORT_IN:
            await self.check_acting_on(stored)

    async def check_activating(self, stored: Document) -> None:
        """Raise 400 or 403 where a number is not to be put into service by the caller."""
        match state_of(stored):
            case State.AVAILABLE | State.AGING | State.DISCOVERY:
                pass
            case State.IN_SERVICE | State.PORT_IN:
                await self.check_acting_on(stored)
            case State.RESERVED:
                reservers = {*history_of(stored), owner_of(stored)}
                if not reservers & {*self._identity.account.tree, self._identity.account_id}:
                    await self.check_acting_on(stored)
            case other:
                raise number_errors.no_way(other, State.IN_SERVICE)

    async def check_reserving(self, stored: Document, account_id: str) -> None:
        """Raise 400 or 403 where the caller is not to reserve a number for an account."""
        match state_of(stored):
            case State.AVAILABLE | State.DISCOVERY:
                pass
            case State.IN_SERVICE | State.RESERVED:
                await self.check_acting_on(stored)
            case other:
                raise number_errors.no_way(other, State.RESERVED)
        if state_of(stored) is State.RESERVED and owner_of(stored) == account_id:
            raise number_errors.no_change()
