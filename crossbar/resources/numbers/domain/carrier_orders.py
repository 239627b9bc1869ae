# SPDX-License-Identifier: MPL-2.0
"""What carriers outside have still to be told of, or may have done for nothing.

Before a number is ordered, that is noted; the note goes in the transaction that keeps the number. A note that stays
says that the number may have been ordered and is not here: it is given back. A number that nobody here has any more is
noted in the transaction that takes it away, and the note goes when its carrier has it back. So no end of a process, and
no failure of the store or of a carrier, leaves a number ordered and unknown, or given up and still paid for.

The note of a number is one document, so that only one request at a time can order it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

from aiohttp import web

from crossbar import clock
from crossbar.background import in_background
from crossbar.dialing import NUMBER, NUMBERS
from crossbar.documents.document import SYSTEM_DATA, Document
from crossbar.documents.listing import Listing, Position
from crossbar.documents.periodic import PeriodicLease, keep_doing
from crossbar.documents.shape import Shape, Summary
from crossbar.documents.store import Duplicate, Stale, Store, Write
from crossbar.resources.numbers.domain.carrier import Carrier, CarrierFault
from crossbar.resources.numbers.domain.carriers import carrier_named
from crossbar.runtime import Runtime

log = logging.getLogger(__name__)

TYPE: Final = "carrier_order"
DUE: Final = "pvt_due"
ORDER_SHAPE: Final = Shape(TYPE, summary=Summary("id"), sort=DUE)
SPARE_S: Final = 120
"""How long after an order's own time a number has to be kept here, in seconds."""
LONGEST_REST_S: Final = 3600
AT_A_TIME: Final = 100

Notes = dict[str, Document]
"""Number → its note."""


async def begin(runtime: Runtime, carrier: Carrier, numbers: Iterable[str]) -> Notes:
    """Note that numbers are about to be ordered; those that somebody else orders, or gives back, are left out."""
    due = clock.now() + int(runtime.config.carrier.timeout_s) + SPARE_S

    async def note(number: str) -> Document | None:
        try:
            return await runtime.store.insert(_note(number, carrier.name, due, returning=False))
        except Duplicate:
            return None

    noted = await asyncio.gather(*map(note, numbers))
    return {note.id: note for note in noted if note is not None}


async def returning(store: Store, carriers: Mapping[str, str]) -> list[Write]:
    """The notes of numbers that their carriers get back, as they are to be written; due at once."""
    known = await store.get_many(SYSTEM_DATA, TYPE, list(carriers))
    due = clock.now()
    return [Write(known.get(number), _note(number, name, due, returning=True)) for number, name in carriers.items()]


async def current(store: Store, numbers: list[str]) -> list[Document]:
    """The notes of numbers, as they are."""
    return list((await store.get_many(SYSTEM_DATA, TYPE, numbers)).values())


async def are_current(store: Store, notes: Mapping[str, Document]) -> set[str]:
    """The numbers whose notes nobody else has taken up."""
    stored = await store.get_many(SYSTEM_DATA, TYPE, list(notes))
    return {number for number, note in notes.items() if number in stored and stored[number].revision == note.revision}


async def drop(store: Store, notes: Iterable[Document]) -> None:
    """Nothing is to be done for these any more."""
    await asyncio.gather(*map(store.remove, notes))


async def hasten(store: Store, notes: Iterable[Document]) -> None:
    """Have what may have been ordered for nothing given back soon."""
    for note in notes:
        try:
            await store.replace(_changed(note, clock.now()), note)
        except Stale:
            log.info("%s is being given back by somebody else", note.id)


async def settle(runtime: Runtime, due: list[Document]) -> int:
    """Give numbers back to their carriers; returns how many of them are to be tried again."""
    left = 0
    for name in dict.fromkeys(note.text("carrier") for note in due):
        left += await _settle_with(runtime, name, [note for note in due if note.text("carrier") == name])
    return left


async def _settle_with(runtime: Runtime, name: str, due: list[Document]) -> int:
    store, carrier = runtime.store, carrier_named(runtime, name)
    taken = [note for note in await asyncio.gather(*(_taken(runtime, note) for note in due)) if note is not None]
    kept = await store.get_many(NUMBERS, NUMBER, [note.id for note in taken])
    gone = [note for note in taken if note.id not in kept]
    await drop(store, [note for note in taken if note.id in kept])
    if not gone:
        return 0
    try:
        if not carrier.takes_back:
            raise CarrierFault("it is not configured any more")
        await carrier.release([note.id for note in gone])
    except CarrierFault as fault:
        log.warning("%d number(s) of the carrier %s are still to be given back: %s", len(gone), name, fault)
        return len(gone)
    await drop(store, gone)
    return 0


async def _taken(runtime: Runtime, note: Document) -> Document | None:
    """The note in this worker's hands, to be tried again after a while; None where somebody else has it."""
    tries = int(note.fields["pvt_tries"])
    carrier = runtime.config.carrier
    rest = min(carrier.retry_s * 2 ** min(tries, 16), LONGEST_REST_S) + carrier.timeout_s
    try:
        return await runtime.store.replace(_changed(note, clock.now() + int(rest), tries=tries + 1), note)
    except Stale:
        return None


async def repair(runtime: Runtime) -> int:
    """Do what is due; returns how much of it is to be tried again."""
    due = Listing(SYSTEM_DATA, TYPE, end=Position.value(clock.now()), descending=False, limit=AT_A_TIME)
    return await settle(runtime, await runtime.store.all(due))


@asynccontextmanager
async def giving_back(_: web.Application, runtime: Runtime) -> AsyncIterator[None]:
    """Give back what carriers have for nothing, as long as the server runs."""
    lease = PeriodicLease(runtime.store, "carrier orders")

    async def work(_: PeriodicLease) -> None:
        await repair(runtime)

    async with in_background(keep_doing(lease, work, lambda: runtime.config.carrier.retry_s), name=lease.name):
        yield


def _note(number: str, carrier: str, due: int, *, returning: bool) -> Document:
    fields = {"carrier": carrier, "returning": returning, "pvt_type": TYPE, DUE: due, "pvt_tries": 0}
    return Document(SYSTEM_DATA, TYPE, number, fields)


def _changed(note: Document, due: int, *, tries: int | None = None) -> Document:
    fields = {**note.fields, "returning": True, DUE: due}
    return replace(note, fields=fields if tries is None else {**fields, "pvt_tries": tries})
