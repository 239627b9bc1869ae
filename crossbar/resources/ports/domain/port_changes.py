# SPDX-License-Identifier: MPL-2.0
"""Changes of port requests: made, changed, moved on, commented, taken back.

Source: KAZOO `cb_port_requests.erl`, `knm_port_request.erl`. Each reads a request, works out what becomes of it, and
saves that unless somebody else was faster; then it looks again, so that of many writers each is heard.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final, NamedTuple

from crossbar.access.authorship import stamps
from crossbar.access.directory import Account
from crossbar.documents.document import TREE, Document, as_object, merge, private_fields, public_fields
from crossbar.documents.store import Duplicate, Retries, Stale
from crossbar.errors import JSON, Conflict, Invalid, NotFound, SystemFault
from crossbar.events.notices import insert_telling, replace_telling
from crossbar.ids import new_id
from crossbar.resources.numbers.domain.charge_check import CostlyChange, check_charges
from crossbar.resources.numbers.domain.number_caller import NumberCaller
from crossbar.resources.numbers.domain.port_request import (
    AUTHORITY,
    AUTHORITY_NAME,
    DATABASE,
    OWNER,
    OWNER_NAME,
    PORT_STATE,
    PORTED,
    SENT,
    SUSPENDED,
    TRANSITIONS,
    TYPE,
    PortState,
    numbers_of,
    state_of,
)
from crossbar.resources.ports.domain.port_authority import authority_for, may_see
from crossbar.resources.ports.domain.port_comment import Comment, checked, comments_of, later, merged, unknown
from crossbar.resources.ports.domain.port_completion import complete
from crossbar.resources.ports.domain.port_conflicts import check_numbers, in_e164
from crossbar.resources.ports.domain.port_notice import PortNotices
from crossbar.resources.ports.domain.port_schedule import scheduled
from crossbar.resources.ports.domain.port_transition import PortActor, actor_of, check_move, entry

SCHEMA: Final = "port_requests"
TO_SCHEDULED: Final = "port_requests.to_scheduled"
SHOWN_ONLY: Final = frozenset(
    {"_read_only", "account_id", "created", "id", "port_state", "reason", "sent", "updated", "uploads"}
)
"""What clients send back as it was shown to them, or say of the change and not of the request."""
DELETABLE: Final = frozenset({*SUSPENDED, PortState.CANCELED})
NO_UPDATE: Final = "Updating port requests not allowed in current port state"


class PortChange(NamedTuple):
    """A request as it was saved, and the comments that are new in it."""

    request: Document
    comments: list[Comment]


Step = Callable[[Document], Awaitable[PortChange]]
"""What becomes of a request as it is stored."""


class PortRequests:
    """The port requests that a caller gets at, whichever account they belong to."""

    def __init__(self, caller: NumberCaller) -> None:
        self._caller = caller
        self._store = caller.runtime.store
        self._notices = PortNotices(caller.runtime)

    async def find(self, request_id: str) -> Document:
        """A request that the caller may see. Raises NotFound."""
        request = await self._store.get(DATABASE, TYPE, request_id)
        if request is None or not may_see(self._caller.identity, request):
            raise NotFound(request_id)
        return request

    async def create(self, account: Account, data: dict[str, JSON]) -> PortChange:
        """A new request of an account, not submitted yet."""
        directory = self._caller.runtime.access.directory
        authority_id = await authority_for(self._store, directory, account)
        authority = await directory.account(authority_id)
        actor = await actor_of(self._store, self._caller.identity)
        fields = {
            OWNER: account.id,
            OWNER_NAME: account.name,
            TREE: list(account.tree),
            AUTHORITY: authority_id,
            AUTHORITY_NAME: authority.name if authority else None,
            PORT_STATE: str(PortState.UNCONFIRMED),
            TRANSITIONS: [entry(actor, PortState.UNCONFIRMED, previous=None, reason=None)],
            SENT: False,
        }
        fresh = Document(DATABASE, TYPE, new_id(), fields)
        async for _ in Retries():
            public = self._valid(fresh, _settable(data))
            await self._check_numbers(fresh, public)
            made = self._written(fresh, public, public.pop("comments", []), actor)
            made.request.fields.update(stamps(self._caller.author, made.request))
            await self._check_charges(made.request, None)
            self._caller.ready(None)
            try:
                told = await self._notices.commented(made.request, made.comments)
                return made._replace(request=await insert_telling(self._store, made.request, told))
            except Duplicate:  # another request took one of the numbers in the meantime
                continue
        raise Conflict

    async def replace(self, request_id: str, data: dict[str, JSON]) -> PortChange:
        """Give a request other public fields, as long as it waits for its account."""
        actor = await actor_of(self._store, self._caller.identity)

        async def step(stored: Document) -> PortChange:
            public = self._valid(stored, _settable(data))
            if state_of(stored) not in SUSPENDED and not self._caller.identity.superduper:
                state = str(state_of(stored))
                raise Invalid.field(state, "type", NO_UPDATE, cause=state)
            await self._check_numbers(stored, public)
            return self._written(stored, public, later(comments_of(stored), public.pop("comments", [])), actor)

        return await self._change(request_id, step)

    async def merge(self, request_id: str, data: dict[str, JSON]) -> PortChange:
        """Change some public fields of a request."""
        actor = await actor_of(self._store, self._caller.identity)
        return await self._change(request_id, lambda stored: self._merged(stored, data, actor))

    async def move(self, request_id: str, state: PortState, data: dict[str, JSON], reason: str | None) -> PortChange:
        """Move a request on, with some public fields changed; when it is completed, its numbers are the account's."""
        actor = await actor_of(self._store, self._caller.identity)

        async def step(stored: Document) -> PortChange:
            made = await self._merged(stored, data, actor, dated=state is PortState.SCHEDULED)
            check_move(self._caller.identity, stored, state, self._caller.runtime.settings)
            moves = [entry(actor, state, previous=state_of(stored), reason=reason), *stored.fields.get(TRANSITIONS, ())]
            made.request.fields |= {PORT_STATE: str(state), TRANSITIONS: moves}
            return made

        return await self._change(request_id, step, moves=True)

    async def comment(self, request_id: str, data: dict[str, JSON]) -> PortChange:
        """Add comments, wherever the request stands."""
        actor = await actor_of(self._store, self._caller.identity)
        given = data.get("comments", [])
        if not isinstance(given, list):
            text = "Value did not match type(s): array"
            raise Invalid.field("comments", "type", text, target="array", value=given)

        async def step(stored: Document) -> PortChange:
            public = public_fields(stored.fields)
            public.pop("comments", None)
            return self._written(stored, public, unknown(comments_of(stored), given), actor)

        return await self._change(request_id, step)

    async def remove(self, request_id: str, *, for_good: bool) -> Document:
        """Take a request back that is not with a carrier, and return it as it was. Raises 405 for any other."""

        async def step(stored: Document) -> PortChange:
            check_deletable(stored)
            return PortChange(replace(stored, fields={**stored.fields, "pvt_deleted": True}), [])

        removed = (await self._change(request_id, step)).request
        if for_good:
            await self._store.remove(removed)
            await self._caller.runtime.attachments.delete(removed)
        return removed

    # How

    async def _change(self, request_id: str, step: Step, *, moves: bool = False) -> PortChange:
        """Take a step, and again from where somebody else has put the request in the meantime.

        Those whom it concerns are told of new comments, and of a step that `moves` the request into another state.
        """
        async for _ in Retries():
            stored = await self.find(request_id)
            made = await step(stored)
            made.request.fields.update(stamps(self._caller.author, made.request))
            await self._check_charges(made.request, stored)
            told = await self._notices.commented(made.request, made.comments)
            told += await self._notices.moved(made.request) if moves else []
            self._caller.ready(stored.revision)
            try:
                return made._replace(request=await self._save(made.request, stored, told))
            except (Stale, Duplicate):
                continue
        raise Conflict

    async def _check_charges(self, request: Document, stored: Document | None) -> None:
        """Raise 402 where the caller's plans charge for what a request comes to count as, and that is not accepted."""
        before = (stored,) if stored else ()
        change = CostlyChange(request.text(OWNER), before, (request,))
        await check_charges(self._caller.runtime, self._caller.identity, change, accepts=self._caller.accepts_charges)

    async def _save(self, request: Document, stored: Document, told: list[Document]) -> Document:
        if state_of(request) is PortState.COMPLETED and state_of(stored) is not PortState.COMPLETED:
            return await complete(self._caller.runtime, request, stored, self._caller.author, told)
        return await replace_telling(self._store, request, stored, told)

    async def _merged(
        self, stored: Document, data: dict[str, JSON], actor: PortActor, *, dated: bool = False
    ) -> PortChange:
        public = self._valid(stored, merge(public_fields(stored.fields), _settable(data)), dated=dated)
        await self._check_numbers(stored, public)
        given = public.pop("comments", []) if "comments" in data else []
        return self._written(stored, public, later(comments_of(stored), given), actor)

    def _valid(self, stored: Document, public: dict[str, JSON], *, dated: bool = False) -> dict[str, Any]:
        """Public fields with defaults and casts. Raises 400.

        A request that is completed has no numbers any more, and gets none again.
        """
        gone = stored.fields.get(PORTED)
        fields = self._caller.runtime.valid(SCHEMA, public if gone is None else {**public, "numbers": gone})
        if gone is not None:
            fields["numbers"] = {}
        if dated or "schedule_on" in fields:
            fields = scheduled(fields)
            given = {key: value for key, value in fields.items() if key in ("schedule_on", "scheduled_date")}
            fields |= self._caller.runtime.valid(TO_SCHEDULED, given)
        return fields

    async def _check_numbers(self, stored: Document, public: dict[str, Any]) -> None:
        """Raise 400 for numbers that are new in a request and cannot come by it."""
        known = set(numbers_of(stored))
        wanted = {given: number for given, number in in_e164(public["numbers"]).items() if number not in known}
        await check_numbers(self._store, stored.text(OWNER), wanted)

    def _written(self, stored: Document, public: dict[str, Any], new: list[Any], actor: PortActor) -> PortChange:
        """The request with other public fields and further comments; those it has stay."""
        comments = checked(self._caller.runtime, self._caller.identity, stored, new, actor)
        every = merged(comments_of(stored), comments)
        public.pop("comments", None)
        given = as_object(public.get("numbers"))
        numbers = {number: given[spelled] for spelled, number in in_e164(given).items()}
        fields = {**private_fields(stored.fields), **public, "numbers": numbers}
        return PortChange(replace(stored, fields=fields | ({"comments": every} if every else {})), comments)


def check_deletable(request: Document) -> None:
    """Raise 405 where a request, or a file of it, is not to be taken away any more."""
    if state_of(request) not in DELETABLE:
        raise SystemFault("invalid_method", "invalid method")


def _settable(data: dict[str, JSON]) -> dict[str, JSON]:
    """What a client says of the request itself."""
    return {key: value for key, value in data.items() if key not in SHOWN_ONLY}
