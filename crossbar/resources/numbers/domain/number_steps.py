# SPDX-License-Identifier: MPL-2.0
"""The steps that numbers take: from what is known of one to what becomes of it.

Source: KAZOO `knm_ops.erl`, `knm_number_states.erl`, `knm_phone_number.erl`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from crossbar.access.identity import Identity
from crossbar.documents.document import Document, merge, private_fields, public_fields
from crossbar.errors import JSON
from crossbar.resources.numbers.domain import number_errors, number_features
from crossbar.resources.numbers.domain.carriers import carrier_named
from crossbar.resources.numbers.domain.carriers import known as known_carrier
from crossbar.resources.numbers.domain.feature_rules import FeatureRules
from crossbar.resources.numbers.domain.number import (
    FEATURES,
    HISTORY,
    KIND,
    MODULE,
    PORTED_IN,
    State,
    carrier_of,
    history_of,
    module,
    moved,
    new,
    state_of,
)
from crossbar.resources.numbers.domain.number_facts import NumberFacts
from crossbar.resources.numbers.domain.number_operations import Operation
from crossbar.resources.numbers.domain.number_provisioning import as_before
from crossbar.resources.numbers.domain.number_release import returned
from crossbar.resources.numbers.domain.number_rights import NumberRights, creation_states
from crossbar.resources.numbers.domain.number_settings import NumberSettings
from crossbar.runtime import Runtime

RELEASABLE: Final = frozenset({State.RELEASED, State.RESERVED, State.PORT_IN, State.IN_SERVICE})
COMPUTED: Final = frozenset(
    {
        "accept_charges",
        "assigned_to",
        "create_with_state",
        "features",
        "features_allowed",
        "features_available",
        "features_denied",
        "id",
        "metadata",
        "numbers",
        "state",
        "used_by",
    }
)
"""What clients send back as it was shown to them, or say to the operation and not of the number."""


class NumberSteps:
    """Operations for an account, with the rights of whoever calls. `data` is what a request says of the number."""

    def __init__(self, runtime: Runtime, account_id: str, identity: Identity) -> None:
        self._runtime = runtime
        self._account_id = account_id
        self._identity = identity
        self._rights = NumberRights(runtime.access.directory, identity)
        self._features = FeatureRules(runtime, identity)
        self._rules = NumberSettings(runtime)
        self._creatable_states: tuple[State, ...] | None = None

    def creating(
        self,
        data: dict[str, JSON],
        *,
        state: State | None = None,
        carrier: str | None = None,
        ported_in: bool = False,
    ) -> Operation:
        """Bring a number into being, in `state` or the one that `data` names, for the account.

        `carrier` brings its calls where the installation's settings are not to say which one does.
        """

        async def step(number: str, facts: NumberFacts) -> Document:
            wanted = await self._creatable(state or data.get("create_with_state") or State.IN_SERVICE)
            if number in facts.porting:
                raise number_errors.is_porting(number)
            stored = facts.stored.get(number)
            if stored is not None:
                await self._rights.check_recreating(stored, wanted)
            usual = self._rules.port_in_carrier if wanted is State.PORT_IN else self._rules.carrier
            begun = stored or replace(new(number), fields={MODULE: module(carrier or usual)})
            placed = self._placed(begun, wanted)
            placed.fields |= {PORTED_IN: True} if ported_in else {}
            return await self._written(placed, stored, merge(_public(stored), _given(data)), data, facts)

        return Operation(self._account_id, step, adding=True)

    def activating(self, data: dict[str, JSON]) -> Operation:
        """Put a number into service for the account, be it bought, found, reserved or another's."""

        async def step(number: str, facts: NumberFacts) -> Document:
            known = _existing(number, facts)
            await self._rights.check_activating(known)
            placed = self._placed(known, State.IN_SERVICE)
            return await self._written(placed, known, merge(_public(known), _given(data)), data, facts)

        return Operation(self._account_id, step, adding=True, ordering=True)

    def reserving(self, data: dict[str, JSON], *, creating: bool = False) -> Operation:
        """Keep a number for the account; one that nobody knows is brought into being where that is asked for."""
        created = self.creating(data, state=State.RESERVED)

        async def step(number: str, facts: NumberFacts) -> Document:
            if creating and facts.known(number) is None:
                return await created.step(number, facts)
            known = _existing(number, facts)
            await self._rights.check_reserving(known, self._account_id)
            placed = self._placed(known, State.RESERVED)
            return await self._written(placed, known, merge(_public(known), _given(data)), data, facts)

        return Operation(self._account_id, step, adding=True, ordering=True)

    def replacing(self, data: dict[str, JSON]) -> Operation:
        """Give a number other public fields."""
        return self._changing(data, lambda _: _given(data))

    def merging(self, data: dict[str, JSON], *, schema: str | None = None) -> Operation:
        """Lay public fields over those that a number has; what comes of it has to fit the schema, if one is named."""

        def merged(stored: dict[str, JSON]) -> dict[str, JSON]:
            public = merge(stored, _given(data))
            return self._runtime.valid(schema, public) if schema else public

        return self._changing(data, merged)

    def releasing(self, *, for_good: bool = False) -> Operation:
        """Take a number from the account that has it; a superduper admin may remove it `for_good`."""
        for_good = for_good and self._identity.superduper

        async def step(number: str, facts: NumberFacts) -> Document:
            stored = _stored(number, facts)
            if for_good:
                return moved(stored, State.DELETED, None)
            if state_of(stored) is State.AVAILABLE:
                raise number_errors.NumberUnknown
            await self._rights.check_acting_on(stored)
            is_local = carrier_named(self._runtime, carrier_of(stored)).is_local
            if state_of(stored) not in RELEASABLE and not is_local:
                raise number_errors.no_way(state_of(stored), State.RELEASED)
            return await returned(self._runtime, stored)

        return Operation(self._account_id, step)

    def removing(self) -> Operation:
        """Take a number from the account that has it, and from the installation."""

        async def step(number: str, facts: NumberFacts) -> Document:
            stored = _stored(number, facts)
            await self._rights.check_acting_on(stored)
            return moved(stored, State.DELETED, None)

        return Operation(self._account_id, step)

    @property
    def import_carrier(self) -> str:
        """The carrier of numbers that are imported without one."""
        return self._rules.import_carrier

    def _changing(self, data: dict[str, JSON], change: Callable[[dict[str, JSON]], dict[str, JSON]]) -> Operation:
        async def step(number: str, facts: NumberFacts) -> Document:
            stored = _stored(number, facts)
            await self._rights.check_acting_on(stored)
            return await self._written(stored, stored, change(_public(stored)), data, facts)

        return Operation(self._account_id, step)

    async def _creatable(self, named: JSON) -> State:
        """A state in which the caller may create numbers. Raises 403."""
        if self._creatable_states is None:
            self._creatable_states = await creation_states(self._runtime.store, self._identity)
        allowed = self._creatable_states
        if not allowed:
            raise number_errors.unauthorized(f"account '{self._identity.account_id}' is not allowed to create number")
        if named not in allowed:
            raise number_errors.unauthorized(f"creating number in state '{named}' is not allowed")
        return State(named)

    def _placed(self, number: Document, state: State) -> Document:
        """The number in a state that belongs to the account."""
        account_id = self._account_id
        placed = moved(number, state, account_id)
        history = history_of(number)
        if state is State.RESERVED and history[-1:] != [account_id]:
            placed.fields[HISTORY] = [*history, account_id]
        return placed

    async def _written(
        self,
        number: Document,
        before: Document | None,
        public: dict[str, JSON],
        data: dict[str, JSON],
        facts: NumberFacts,
    ) -> Document:
        """The number with other public fields, and with the features and the carrier that follow from them."""
        written = replace(number, fields={**private_fields(number.fields), **as_before(public, before)})
        carrier = data.get(number_features.ADMIN)
        if carrier is not None and known_carrier(carrier) != carrier_of(number):
            written.fields[MODULE] = module(self._checked_carrier(carrier))
        written.fields.setdefault(FEATURES, {})
        written.fields[KIND] = self._rules.kind(written.id)
        available = await self._features.available(written, facts.used_by(written))
        return number_features.applied(written, before, available)

    def _checked_carrier(self, carrier: JSON) -> str:
        if not self._identity.superduper:
            raise number_errors.unauthorized(f"features not available: {number_features.ADMIN}")
        name = known_carrier(carrier)
        if name is None:
            raise number_errors.invalid(f"'{carrier}' is not known by the system")
        return name


def _stored(number: str, facts: NumberFacts) -> Document:
    stored = facts.stored.get(number)
    if stored is None:
        raise number_errors.NumberUnknown
    return stored


def _existing(number: str, facts: NumberFacts) -> Document:
    """The number as it is stored or was found."""
    existing = facts.known(number)
    if existing is None:
        raise number_errors.NumberUnknown
    return existing


def _given(data: dict[str, JSON]) -> dict[str, JSON]:
    """What a request says of the number itself."""
    return {key: value for key, value in data.items() if key not in COMPUTED and key != number_features.ADMIN}


def _public(number: Document | None) -> dict[str, JSON]:
    return public_fields(number.fields) if number else {}
