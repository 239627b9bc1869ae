# SPDX-License-Identifier: MPL-2.0
"""Integers by which dialects know documents: one of each kind in the whole installation, given once, never again.

A document that was made through Crossbar gets its number when a dialect first reads it, in the order in which such
documents were made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from crossbar.dialects.homes import ASIDE, Edit
from crossbar.dialects.shapes import number_claim, numbered, numbers_of
from crossbar.documents.document import Document, DocumentKey
from crossbar.documents.field import Expression
from crossbar.documents.selection import BY_AGE, Selection, missing
from crossbar.documents.store import Duplicate, Retries, Store
from crossbar.errors import SystemFault


@dataclass(frozen=True)
class Kind:
    """A kind of numbers (`users`), and the type of the documents that have one.

    `is_numbered`: False for those that are known by KAZOO's own ids. `others`: tags of the documents of the type that
    never get one, `conditions` what those fulfil that do.
    """

    name: str
    type: str | tuple[str, ...]
    others: tuple[str, ...] = ()
    conditions: tuple[Expression, ...] = field(default=())
    is_numbered: bool = True

    @property
    def tag(self) -> str:
        """The tag of all documents that have a number of this kind."""
        return numbered(self.name)

    def of(self, document: Document) -> int:
        """The number of a document that has one."""
        return numbers_of(document)[self.name]


async def find(store: Store, kind: Kind, number: int) -> DocumentKey | None:
    """Which document has a number."""
    return await store.claims.system_holder(number_claim(kind.name, number).key)


async def give(store: Store, kind: Kind, edit: Edit) -> int:
    """Give a document that is about to be made the next number."""
    number = await store.counters.take(_counter(kind))
    edit.put_aside(f"numbers.{kind.name}", number)
    return number


async def give_all(store: Store, kind: Kind, partitions: tuple[str, ...]) -> None:
    """Give a number to every document of some accounts that has none yet, the oldest first."""
    if await _are_all_numbered(store, kind, partitions):
        return
    async with store.turns.turn(f"numbers/{kind.name}"):
        place = f"{ASIDE}.numbers.{kind.name}"
        lacking = await store.select(
            Selection(partitions, kind.type, conditions=(missing(place), *kind.conditions), order=BY_AGE)
        )
        lacking = [document for document in lacking if not _is_other(store, kind, document)]
        if not lacking:
            return
        first = await store.counters.take(_counter(kind), len(lacking))
        for number, document in enumerate(lacking, first):
            await _note(store, kind, document, number)


async def numbered_document(store: Store, kind: Kind, document: Document) -> Document:
    """A document with its number, which it gets now if it has none."""
    if kind.name in numbers_of(document):
        return document
    return await _note(store, kind, document, await store.counters.take(_counter(kind)))


def _counter(kind: Kind) -> str:
    return f"xivo/{kind.name}"


async def _are_all_numbered(store: Store, kind: Kind, partitions: tuple[str, ...]) -> bool:
    """Whether as many documents have a number as there are, by the index alone."""
    everything = await store.count(Selection(partitions, kind.type))
    known = await store.count(Selection(partitions, kind.type, (kind.tag, *kind.others)))
    return everything == known


def _is_other(store: Store, kind: Kind, document: Document) -> bool:
    return bool(set(kind.others).intersection(store.shapes[document.type].tags(document)))


async def _note(store: Store, kind: Kind, document: Document, number: int) -> Document:
    """Write a number to a document; if somebody else was faster, theirs stays."""
    async for _ in Retries():
        try:
            noted = await store.update(document.partition, document.type, document.id, _setter(kind.name, number))
        except Duplicate:
            # Whatever the counter says, somebody has this number.
            number = await store.counters.take(_counter(kind))
            continue
        return noted or document
    raise SystemFault("datastore_conflict")


def _setter(kind: str, number: int) -> Callable[[Document], None]:
    def note(stored: Document) -> None:
        aside: dict[str, Any] = dict(stored.fields.get(ASIDE) or {})
        aside["numbers"] = {kind: number, **(aside.get("numbers") or {})}
        stored.fields[ASIDE] = aside

    return note
