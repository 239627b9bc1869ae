"""Operations on numbers: handing them out, taking them back, changing them.

Source: KAZOO `knm_ops.erl`, `knm_number_states.erl`, `knm_phone_number.erl`. Each operation reads a number, works out
what becomes of it, and saves that unless somebody else was faster; then it looks again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final

from crossbar.access.authorship import Author, stamps
from crossbar.access.identity import Identity
from crossbar.dialing import NUMBER, NUMBERS, is_reconcilable
from crossbar.documents.document import ACCOUNTS, Document, merge, private_fields, public_fields
from crossbar.documents.document_types import ACCOUNT, ACCOUNT_CONFIG
from crossbar.documents.store import Duplicate, Retries, Stale, Store
from crossbar.errors import JSON, Conflict
from crossbar.resources.numbers.domain import number_errors, number_features, port_numbers
from crossbar.resources.numbers.domain.charge_check import CostlyChange, check_charges
from crossbar.resources.numbers.domain.number import (
    CARRIERS,
    FEATURES,
    HISTORY,
    LOCAL,
    LONGEST,
    MODULE,
    State,
    carrier_of,
    history_of,
    module,
    moved,
    new,
    owner_of,
    state_of,
)
from crossbar.resources.numbers.domain.number_release import returned, save
from crossbar.resources.numbers.domain.number_settings import CATEGORY, NumberSettings
from crossbar.resources.numbers.domain.number_usage import MOBILE_DEVICE, mobile_of, users_of
from crossbar.runtime import Runtime

ALL_STATES: Final = (State.AGING, State.AVAILABLE, State.IN_SERVICE, State.PORT_IN, State.RESERVED)
"""The states in which a superduper admin may create numbers."""
OWN_STATES: Final = (State.IN_SERVICE, State.RESERVED)
"""Those in which an account may that is allowed to add numbers (`pvt_wnm_allow_additions`)."""
TAKEN_OVER: Final = frozenset({State.AGING, State.AVAILABLE, State.PORT_IN})
"""Where a number may stand that is created again."""
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

Step = Callable[[Document | None], Awaitable[Document]]
"""What becomes of a number as it is stored."""


@dataclass(frozen=True, slots=True)
class FoundNumber:
    """A number as it is told of: what uses it, and the port request that brings it in, if one does."""

    document: Document
    used_by: str | None = None
    request: Document | None = None


def check(number: str) -> str:
    """A normalized number that somebody may own. Raises 404 `not_reconcilable`."""
    digits = number.removeprefix("+")
    if is_reconcilable(number) and digits.isascii() and digits.isdigit() and len(digits) <= LONGEST:
        return number
    raise number_errors.not_reconcilable(number)


async def creation_states(store: Store, identity: Identity) -> tuple[State, ...]:
    """The states in which the caller's account may create numbers."""
    if identity.superduper:
        return ALL_STATES
    account = await store.get(ACCOUNTS, ACCOUNT, identity.account_id)
    return OWN_STATES if account and account.fields.get("pvt_wnm_allow_additions") is True else ()


class NumberOperations:
    """Acts on numbers for an account, with the rights of whoever calls. All numbers are in E.164 form.

    `ready` is called between checking and writing with the revision of the stored number (None for a new one). Where
    `accepts_charges` is not true, a change that the account's plans charge for, or any longer, raises 402.
    """

    def __init__(
        self,
        runtime: Runtime,
        account_id: str,
        identity: Identity,
        *,
        author: Author,
        ready: Callable[[str | None], None] = lambda _: None,
        accepts_charges: bool = True,
    ) -> None:
        self._runtime = runtime
        self._accepts_charges = accepts_charges
        self._store = runtime.store
        self._account_id = account_id
        self._identity = identity
        self._author = author
        self._ready = ready
        self._rules = NumberSettings(runtime)
        self._narrowings: dict[str | None, tuple[list[str], list[str]]] = {}

    # Looking

    async def find(self, number: str, *, with_ports: bool) -> FoundNumber:
        """A number that the caller may know of. Raises NumberUnknown."""
        store = self._store
        stored = await store.get(NUMBERS, NUMBER, number)
        if stored is not None and await self.may_know(stored):
            return await self.shown(stored)
        mobile = None if stored else await mobile_of(store, number)
        if mobile is not None and await self._may_act_on(mobile):
            return FoundNumber(mobile, MOBILE_DEVICE)
        request = await port_numbers.request_for(store, number) if with_ports else None
        if request is not None and await self._may_act_on(coming := port_numbers.ported(request, number)):
            return replace(await self.shown(coming), request=request)
        raise number_errors.NumberUnknown

    async def shown(self, number: Document) -> FoundNumber:
        """A number with what uses it."""
        return FoundNumber(number, await self._used_by(number))

    async def may_know(self, number: Document) -> bool:
        """Whether the caller may read a number: what is for sale is everybody's to read."""
        return state_of(number) is State.AVAILABLE or await self._may_act_on(number)

    async def available_features(self, found: FoundNumber) -> list[str]:
        """The features that the caller may switch on."""
        wanted = {*number_features.fitting(found.document, found.used_by, local_features=self._rules.local_features)}
        owner = owner_of(found.document)
        if owner not in self._narrowings:
            self._narrowings[owner] = await self._reseller_features(owner)
        allowed, denied = self._narrowings[owner]
        named = number_features.narrowed(found.document, wanted, allowed, denied)
        return sorted(named | ({number_features.ADMIN} if self._identity.superduper else set()))

    # Acting

    async def create(
        self, number: str, data: dict[str, JSON], *, state: State | None = None, carrier: str | None = None
    ) -> Document:
        """Bring a number into being, in `state` or the one that `data` names, for the account.

        `carrier` brings its calls where the installation's settings are not to say which one does.
        """
        allowed = await creation_states(self._store, self._identity)
        if not allowed:
            raise number_errors.unauthorized(f"account '{self._identity.account_id}' is not allowed to create number")
        named = state or data.get("create_with_state") or State.IN_SERVICE
        if named not in allowed:
            raise number_errors.unauthorized(f"creating number in state '{named}' is not allowed")
        wanted = State(named)

        async def step(stored: Document | None) -> Document:
            if await port_numbers.request_for(self._store, number) is not None:
                raise number_errors.is_porting(number)
            if stored is not None:
                await self._check_may_recreate(stored, wanted)
            usual = self._rules.port_in_carrier if wanted is State.PORT_IN else self._rules.carrier
            begun = stored or replace(new(number), fields={MODULE: module(carrier or usual)})
            return await self._written(self._placed(begun, wanted), stored, merge(_public(stored), _given(data)), data)

        return await self._act(number, step, adding=True)

    async def activate(self, number: str, data: dict[str, JSON]) -> Document:
        """Put a number into service for the account, be it bought, reserved or another's."""

        async def step(stored: Document | None) -> Document:
            if stored is None:
                raise number_errors.NumberUnknown
            await self._check_may_activate(stored)
            placed = self._placed(stored, State.IN_SERVICE)
            return await self._written(placed, stored, merge(_public(stored), _given(data)), data)

        return await self._act(number, step, adding=True)

    async def reserve(self, number: str, data: dict[str, JSON]) -> Document:
        """Keep a number for the account."""

        async def step(stored: Document | None) -> Document:
            if stored is None:
                raise number_errors.NumberUnknown
            match state_of(stored):
                case State.AVAILABLE | State.DISCOVERY:
                    pass
                case State.IN_SERVICE | State.RESERVED:
                    await self._check_may_act_on(stored)
                case other:
                    raise number_errors.no_way(other, State.RESERVED)
            if state_of(stored) is State.RESERVED and owner_of(stored) == self._account_id:
                raise number_errors.no_change()
            placed = self._placed(stored, State.RESERVED)
            return await self._written(placed, stored, merge(_public(stored), _given(data)), data)

        return await self._act(number, step, adding=True)

    async def replace(self, number: str, data: dict[str, JSON]) -> Document:
        """Give a number other public fields."""
        return await self._change(number, data, lambda _: _given(data))

    async def merge(self, number: str, data: dict[str, JSON], *, schema: str | None = None) -> Document:
        """Lay public fields over those that a number has; what comes of it has to fit the schema, if one is named."""

        def merged(stored: dict[str, JSON]) -> dict[str, JSON]:
            public = merge(stored, _given(data))
            return self._runtime.valid(schema, public) if schema else public

        return await self._change(number, data, merged)

    async def release(self, number: str, *, for_good: bool = False) -> Document:
        """Take a number from the account that has it; a superduper admin may remove it `for_good`."""
        for_good = for_good and self._identity.superduper

        async def step(stored: Document | None) -> Document:
            if stored is None:
                raise number_errors.NumberUnknown
            if for_good:
                return moved(stored, State.DELETED, None)
            if state_of(stored) is State.AVAILABLE:
                raise number_errors.NumberUnknown
            await self._check_may_act_on(stored)
            if state_of(stored) not in RELEASABLE and carrier_of(stored) != LOCAL:
                raise number_errors.no_way(state_of(stored), State.RELEASED)
            return await returned(self._runtime, stored)

        return await self._act(number, step)

    async def _change(
        self, number: str, data: dict[str, JSON], change: Callable[[dict[str, JSON]], dict[str, JSON]]
    ) -> Document:
        async def step(stored: Document | None) -> Document:
            if stored is None:
                raise number_errors.NumberUnknown
            await self._check_may_act_on(stored)
            return await self._written(stored, stored, change(_public(stored)), data)

        return await self._act(number, step)

    async def _act(self, number: str, step: Step, *, adding: bool = False) -> Document:
        """Take a step, and again from where somebody else has put the number in the meantime.

        Who is `adding` a number that a mobile device has is told that it exists.
        """
        check(number)
        store = self._store
        async for _ in Retries():
            stored = await store.get(NUMBERS, NUMBER, number)
            if stored is None and await mobile_of(store, number) is not None:
                raise number_errors.exists(number) if adding else number_errors.unauthorized("number of a device")
            document = await step(stored)
            document.fields.update(stamps(self._author, document))
            before = (stored,) if stored else ()
            change = CostlyChange(self._account_id, before, (document,), even_less=True)
            await check_charges(self._runtime, self._identity, change, accepts=self._accepts_charges)
            self._ready(stored.revision if stored else None)
            try:
                return await save(store, document, stored)
            except (Stale, Duplicate):
                continue
        raise Conflict

    # Who may

    async def _check_may_recreate(self, stored: Document, wanted: State) -> None:
        if state_of(stored) not in TAKEN_OVER or (wanted is State.PORT_IN and state_of(stored) is not State.PORT_IN):
            raise number_errors.exists(stored.id)
        if state_of(stored) is State.PORT_IN:
            await self._check_may_act_on(stored)

    async def _check_may_activate(self, stored: Document) -> None:
        match state_of(stored):
            case State.AVAILABLE | State.AGING | State.DISCOVERY:
                pass
            case State.IN_SERVICE | State.PORT_IN:
                await self._check_may_act_on(stored)
            case State.RESERVED:
                reservers = {*history_of(stored), owner_of(stored)}
                if not reservers & {*self._identity.account.tree, self._identity.account_id}:
                    await self._check_may_act_on(stored)
            case other:
                raise number_errors.no_way(other, State.IN_SERVICE)

    async def _check_may_act_on(self, number: Document) -> None:
        if not await self._may_act_on(number):
            raise number_errors.unauthorized()

    async def _may_act_on(self, number: Document) -> bool:
        """Whether the caller's account has the number, or stands above the one that has."""
        if self._identity.superduper:
            return True
        owner = owner_of(number)
        account = await self._runtime.access.directory.account(owner) if owner else None
        return account is not None and account.within(self._identity.account_id)

    async def _reseller_features(self, owner: str | None) -> tuple[list[str], list[str]]:
        """Features allowed and denied by the reseller of a number's account, else by the installation."""
        directory, store = self._runtime.access.directory, self._store
        account = await directory.account(owner) if owner else None
        reseller_id = await directory.reseller_of(account) if account else None
        config = await store.get(reseller_id, ACCOUNT_CONFIG, f"configs_{CATEGORY}") if reseller_id else None
        allowed, denied = (config.at(f"features.{key}") if config else None for key in ("allow", "deny"))
        return (
            allowed if isinstance(allowed, list) else self._rules.allowed,
            denied if isinstance(denied, list) else self._rules.denied,
        )

    # What becomes of it

    def _placed(self, number: Document, state: State) -> Document:
        """The number in a state that belongs to the account."""
        account_id = self._account_id
        placed = moved(number, state, account_id)
        history = history_of(number)
        if state is State.RESERVED and history[-1:] != [account_id]:
            placed.fields[HISTORY] = [*history, account_id]
        return placed

    async def _written(
        self, number: Document, before: Document | None, public: dict[str, JSON], data: dict[str, JSON]
    ) -> Document:
        """The number with other public fields, and with the features and the carrier that follow from them."""
        written = replace(number, fields={**private_fields(number.fields), **public})
        carrier = data.get(number_features.ADMIN)
        if carrier is not None and carrier != carrier_of(number):
            written.fields[MODULE] = module(self._checked_carrier(carrier))
        written.fields.setdefault(FEATURES, {})
        available = await self.available_features(FoundNumber(written, await self._used_by(written)))
        return number_features.applied(written, before, available)

    def _checked_carrier(self, carrier: JSON) -> str:
        if not self._identity.superduper:
            raise number_errors.unauthorized(f"features not available: {number_features.ADMIN}")
        if carrier not in CARRIERS:
            raise number_errors.invalid(f"'{carrier}' is not known by the system")
        return str(carrier)

    async def _used_by(self, number: Document) -> str | None:
        owner = owner_of(number)
        return (await users_of(self._store, owner, [number.id])).get(number.id) if owner else None


def _given(data: dict[str, JSON]) -> dict[str, JSON]:
    """What a request says of the number itself."""
    return {key: value for key, value in data.items() if key not in COMPUTED and key != number_features.ADMIN}


def _public(number: Document | None) -> dict[str, JSON]:
    return public_fields(number.fields) if number else {}
