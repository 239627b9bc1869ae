# SPDX-License-Identifier: MPL-2.0
"""CDRs as they are kept: one for each leg of a call, and one entry for each interaction that legs belong to.

A leg is written once. Its interaction's entry remembers which of the legs began first, among all and among those of
each owner, so that a page of interactions costs a page of reads however many legs there are.

Source: `applications/cdr/src/cdr_channel_destroy.erl`, the views `cdrs/crossbar_listing` and
`interactions/interaction_listing`.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from crossbar import clock
from crossbar.documents.document import Document, as_list, as_object, public_fields
from crossbar.documents.shape import Shape, Summary, filter_tag, owner_tag
from crossbar.documents.store import Duplicate, Store
from crossbar.errors import JSON
from crossbar.events.notices import insert_telling
from crossbar.resources.records.domain.cdr_row import CCV, COLUMNS, start_of, whole

ANYBODY: Final = ""
"""In an interaction's entry: whoever owns the leg."""
COUNTED: Final = "counted"
"""Tag of the legs that the summary counts."""

Noting = Callable[[Store, list[Document]], Awaitable[None]]
"""Does what follows from legs as they are kept; it may be called again for the same legs."""
_notings: Final[list[Noting]] = []


def also_noted(noting: Noting) -> None:
    """Have this done, too, when legs are kept."""
    _notings.append(noting)


Telling = Callable[[Store, list[Document]], Awaitable[Mapping[str, Sequence[Document]]]]
"""Says which notices, and other documents, legs give rise to that are new, by their keys."""
_tellings: Final[list[Telling]] = []


def also_told(telling: Telling) -> None:
    """Have these notices written, too, in the step that keeps a leg."""
    _tellings.append(telling)


_INTERACTION_ID: Final = re.compile(r"\d{11}-.+", re.DOTALL)


def is_interaction_id(text: str) -> bool:
    """Whether a text is `<Gregorian seconds, 11 digits>-<key>`."""
    return _INTERACTION_ID.fullmatch(text) is not None


def leg_owner_tag(user_id: str) -> str | None:
    """The tag of a user's legs."""
    return filter_tag(f"{CCV}.owner_id", user_id)


def interaction_tag(interaction_id: str) -> str | None:
    """The tag of an interaction's legs."""
    return filter_tag("interaction_id", interaction_id)


def billed_to(billing: str) -> str:
    """Tag of the legs that were billed to something that is used up (`account_billing`: `allotment_…`)."""
    return f"billed/{billing}"


def tags(cdr: Document) -> Iterator[str]:
    """Listings of legs to or from a carrier, and of those billed to an allotment."""
    variables = as_object(cdr.at(CCV))
    billing = variables.get("account_billing")
    if isinstance(billing, str) and billing.startswith("allotment_"):
        yield billed_to(billing)
    inbound = cdr.at("call_direction") == "inbound"
    from_carrier = not variables.get("authorizing_id") if inbound else bool(variables.get("resource_id"))
    if variables and from_carrier and "loopback" not in str(cdr.at("channel_name") or ""):
        yield COUNTED


def _owners(interaction: Document) -> Iterator[str]:
    yield from (owner_tag(owner) for owner, *_ in _firsts(interaction) if owner != ANYBODY)


CDR_SHAPE: Final = Shape(
    "cdr",
    summary=Summary(**COLUMNS),
    sort="pvt_created",
    tags=tags,
    filters=(
        "call_id",
        "interaction_id",
        "other_leg_call_id",
        "caller_id_number",
        "callee_id_number",
        f"{CCV}.owner_id",
        f"{CCV}.authorizing_id",
        "hangup_cause",
        "call_direction",
    ),
    stored_in="records",
    announced=True,
)
INTERACTION_SHAPE: Final = Shape(
    "cdr_interaction", summary=Summary("id"), sort="pvt_created", tags=_owners, stored_in="records"
)


def cdr_of(account_id: str, data: dict[str, JSON]) -> Document:
    """A leg's CDR, not yet kept, from its public fields.

    `timestamp` (the end, Gregorian seconds) decides its month and its place; its id is `id`, else the month and the
    call id, so that a leg told of twice is kept once. A leg without interaction is one of its own.
    """
    fields: dict[str, Any] = public_fields(data)
    cdr_id = fields.pop("id", None)
    timestamp = fields.setdefault("timestamp", clock.now())
    fields[CCV] = public_fields(as_object(fields.get(CCV)))
    if recording_url := fields[CCV].get("recording_url"):
        fields.setdefault("recording_url", recording_url)
    cdr = Document(
        account_id, CDR_SHAPE.type, str(cdr_id or f"{clock.year_month(timestamp)}-{fields['call_id']}"), fields
    )
    interaction_id = str(fields.get("interaction_id") or fields[CCV].get("call_interaction_id") or "")
    if not is_interaction_id(interaction_id):
        digest = hashlib.md5(str(fields["call_id"]).encode(), usedforsecurity=False).hexdigest()
        interaction_id = f"{start_of(cdr)}-{digest[:8]}"
    time, _, key = interaction_id.partition("-")
    fields |= {"interaction_id": interaction_id, "interaction_time": int(time), "interaction_key": key}
    fields |= kept_fields(account_id, CDR_SHAPE.type, timestamp)
    return cdr


def kept_fields(account_id: str, document_type: str, created: int) -> dict[str, JSON]:
    """The private fields of a record that a switch would have written, `created` at that Gregorian second."""
    return {
        "pvt_type": document_type,
        "pvt_account_id": account_id,
        "pvt_created": created,
        "pvt_modified": clock.now(),
        "pvt_vsn": "1",
    }


async def keep_cdrs(store: Store, cdrs: list[Document]) -> list[bool]:
    """Keep legs of any accounts, and do what follows from them (`also_told`, `also_noted`); says of each whether it
    was new."""
    told = await asyncio.gather(*(telling(store, cdrs) for telling in _tellings))
    notices = {cdr.key: [notice for by_key in told for notice in by_key.get(cdr.key, ())] for cdr in cdrs}
    fresh = await asyncio.gather(*(insert_once(store, cdr, notices[cdr.key]) for cdr in cdrs))
    # Known legs are noted again: a server that stopped in between has their entries still to make.
    await note_interactions(store, cdrs)
    known = await asyncio.gather(*(_as_kept(store, cdr, new) for cdr, new in zip(cdrs, fresh, strict=True)))
    for noting in _notings:
        await noting(store, known)
    return fresh


async def note_interactions(store: Store, cdrs: list[Document]) -> None:
    """Have the entries of the legs' interactions tell of them."""
    interactions: dict[tuple[str, str], list[Document]] = defaultdict(list)
    for cdr in cdrs:
        interactions[cdr.partition, cdr.fields["interaction_id"]].append(cdr)
    await asyncio.gather(*(_note(store, key, legs) for key, legs in interactions.items()))


async def _as_kept(store: Store, cdr: Document, new: bool) -> Document:
    """A leg as it was told of first."""
    return cdr if new else await store.get(cdr.partition, cdr.type, cdr.id) or cdr


async def insert_once(store: Store, record: Document, notices: Sequence[Document] = ()) -> bool:
    """Keep a record, with what it gives rise to, unless one of its id is there; says whether it was new."""
    try:
        await insert_telling(store, record, notices)
    except Duplicate:
        return False
    return True


def first_leg(interaction: Document, owner: str = ANYBODY) -> str | None:
    """The id of the leg that began first, among all or among an owner's."""
    return next((cdr_id for holder, _, cdr_id in _firsts(interaction) if holder == owner), None)


def _firsts(interaction: Document) -> Iterator[tuple[str, int, str]]:
    """Owner, when that owner's first leg began, and its id."""
    for entry in as_list(interaction.at("firsts")):
        match entry:
            case [str(owner), int(began), str(cdr_id)]:
                yield owner, began, cdr_id


async def _note(store: Store, key: tuple[str, str], legs: list[Document]) -> None:
    """Remember in the entry of an interaction which leg began first."""
    account_id, interaction_id = key
    time = legs[0].fields["interaction_time"]
    fresh = Document(
        account_id, INTERACTION_SHAPE.type, interaction_id, kept_fields(account_id, INTERACTION_SHAPE.type, time)
    )
    fresh.fields["firsts"] = []

    def change(interaction: Document) -> bool:
        firsts = {owner: (created, cdr_id) for owner, created, cdr_id in _firsts(interaction)}
        before = dict(firsts)
        for leg in legs:
            candidate = (_began(leg), leg.id)
            for owner in {ANYBODY, str(leg.at(f"{CCV}.owner_id") or ANYBODY)}:
                firsts[owner] = min(firsts.get(owner, candidate), candidate)
        interaction.fields["firsts"] = [[owner, *first] for owner, first in sorted(firsts.items())]
        return firsts != before

    await store.create_or_update(fresh, change)


async def unnoted(store: Store, legs: list[Document]) -> list[Document]:
    """Those of some legs whose interaction's entry is missing, or says that a later leg began first."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for leg in legs:
        wanted[leg.partition].add(str(leg.at("interaction_id")))
    known: dict[tuple[str, str], Document] = {}
    for account_id, ids in wanted.items():
        found = await store.get_many(account_id, INTERACTION_SHAPE.type, sorted(ids))
        known |= {(account_id, interaction_id): entry for interaction_id, entry in found.items()}
    return [leg for leg in legs if not _is_noted(leg, known.get((leg.partition, str(leg.at("interaction_id")))))]


def _is_noted(leg: Document, entry: Document | None) -> bool:
    firsts = {owner: (began, cdr_id) for owner, began, cdr_id in _firsts(entry)} if entry else {}
    owners = {ANYBODY, str(leg.at(f"{CCV}.owner_id") or ANYBODY)}
    return all(owner in firsts and firsts[owner] <= (_began(leg), leg.id) for owner in owners)


async def note_again(store: Store, leg: Document) -> None:
    """Have the entry of a leg's interaction know it."""
    await _note(store, (leg.partition, str(leg.at("interaction_id"))), [leg])


def _began(leg: Document) -> int:
    """When a leg's channel was created, in microseconds since the Unix epoch."""
    return whole(leg.at("channel_created_time")) or clock.unix(start_of(leg)) * 1_000_000


def in_order(legs: list[Document]) -> list[Document]:
    """Legs, the one that began first before the others."""
    return sorted(legs, key=lambda leg: (_began(leg), leg.id))
