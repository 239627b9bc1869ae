# SPDX-License-Identifier: MPL-2.0
"""A change of several documents, of which all is kept or nothing.

Each document goes through its own life cycle up to the save. The saves are one transaction, and what follows a save
follows that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from crossbar.documents.document import Document, document_key
from crossbar.documents.store import Duplicate, Retries, Stale, Store, Transaction, Write
from crossbar.endpoint.context import Context
from crossbar.endpoint.hooks import Draft
from crossbar.endpoint.lifecycle import Lifecycle
from crossbar.errors import JSON, Conflict, NotFound
from crossbar.events.notices import tell

Result = TypeVar("Result")


async def jointly(store: Store, work: Callable[[JointChange], Awaitable[Result]]) -> Result:
    """Let `work` read and say what is to change, and save it; all over again where somebody else was faster.

    What `work` was given from before it only names documents; how they are it asks the change (`JointChange.current`).

    Raises whatever the life cycles refuse, and Conflict where others are in the way for too long.
    """
    async for _ in Retries():
        change = JointChange(store)
        try:
            result = await work(change)
            await change.save()
        except Stale:
            continue
        return result
    raise Conflict


@dataclass(slots=True)
class _Pending:
    """A document as it is stored (`before`, None for a new one) and as it will be (`after`, None: it goes for good)."""

    before: Document | None
    after: Document | None
    context: Context | None
    life: Lifecycle | None
    notices: Sequence[Document] = ()

    @property
    def is_deleted(self) -> bool:
        return self.after is None or bool(self.after.fields.get("pvt_deleted"))

    @property
    def rank(self) -> int:
        """Who lets go of something is written before those who may claim it."""
        return 2 if self.before is None else int(not self.is_deleted)


class JointChange:
    """What is to change. Every document shows as it will be, also to later steps of the same change.

    A document is read once: what a step decides by it holds when it is saved, or the save fails as a whole.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pending: dict[str, _Pending] = {}
        self._read: dict[str, Document | None] = {}

    async def get(self, partition: str, document_type: str, document_id: str) -> Document:
        """A document as it will be. Raises NotFound."""
        key = document_key(partition, document_type, document_id)
        pending = self._pending.get(key)
        if pending is not None:
            found = None if pending.is_deleted else pending.after
        else:
            if key not in self._read:
                self._read[key] = await self._store.get(partition, document_type, document_id)
            found = self._read[key]
        if found is None:
            raise NotFound(document_id)
        return found

    def decided_by(self, *documents: Document) -> None:
        """Documents that the same `work` found in the store otherwise, by a selection, and decides by.

        Where one of them is changed, too, it has to be the same still. Raises Stale if it is another already.
        """
        for document in documents:
            pending = self._pending.get(document.key)
            known = pending.before if pending is not None else self._read.setdefault(document.key, document)
            if known is None or known.revision != document.revision:
                raise Stale

    async def current(self, document: Document) -> Document:
        """A document that was read before, as it will be. Raises NotFound."""
        return await self.get(document.partition, document.type, document.id)

    # By a life cycle

    async def create(
        self,
        life: Lifecycle,
        context: Context,
        document_id: str,
        data: Mapping[str, JSON],
        private: Mapping[str, JSON] | None = None,
    ) -> Document:
        """A new document; as `Lifecycle.save_new`."""
        document = await life.prepared(context, Draft(document_id, dict(data), None, dict(private or {})))
        self._pending[document.key] = _Pending(None, document, context, life)
        return document

    async def edit(
        self,
        life: Lifecycle,
        context: Context,
        document_id: str,
        change: Callable[[Document], tuple[dict[str, JSON], Mapping[str, JSON]]],
    ) -> Document:
        """Other fields; as `Lifecycle.edit`."""
        previous = await self.get(life.partition(context), life.document_type, document_id)
        data, private = change(previous)
        document = await life.prepared(context, Draft(document_id, data, previous, dict(private)))
        self._put(previous, document, context, life)
        return document

    async def remove(self, life: Lifecycle, context: Context, document_id: str) -> Document:
        """Delete a document; as `Lifecycle.delete`. Returns it as it was."""
        previous = await self.get(life.partition(context), life.document_type, document_id)
        for hook in life.hooks.before_delete:
            await hook(context, previous)
        self._put(previous, life.deleted(context, previous), context, life)
        return previous

    # Of types that have none

    def insert(self, document: Document) -> Document:
        """A new document."""
        self._pending[document.key] = _Pending(None, document, None, None)
        return document

    async def update(self, document: Document, change: Callable[[Document], None]) -> Document:
        """Other fields. Raises NotFound."""
        previous = await self.current(document)
        after = replace(previous, fields=dict(previous.fields))
        change(after)
        self._put(previous, after, None, None)
        return after

    def drop(self, document: Document) -> None:
        """Let go of a document, as it was read within the same change, for good."""
        self._put(document, None, None, None)

    def _put(self, previous: Document, after: Document | None, context: Context | None, life: Lifecycle | None) -> None:
        earlier = self._pending.get(previous.key)
        self._pending[previous.key] = _Pending(earlier.before if earlier else previous, after, context, life)

    # The save

    async def save(self) -> None:
        """Save everything. Raises Stale where somebody else changed one of the documents meanwhile."""
        everything = [one for one in self._pending.values() if one.before or one.after]
        for one in everything:
            if one.life and one.context and one.after and not one.is_deleted:
                one.notices = await one.life.notices(one.context, one.after, one.before)
        for one, saved in await self._written(sorted(everything, key=lambda one: one.rank)):
            if one.life is None or one.context is None:
                continue
            if one.is_deleted:
                await one.life.follow_deletion(one.context, one.before or saved, for_good=one.after is None)
            else:
                await one.life.follow_save(one.context, saved, one.before)

    async def _written(self, everything: list[_Pending]) -> list[tuple[_Pending, Document]]:
        current: list[_Pending] = []

        async def write(transaction: Transaction) -> list[tuple[_Pending, Document]]:
            gone = [one for one in everything if one.after is None]
            dropped = await transaction.write_all([Write(one.before, None) for one in gone])
            done = list(zip(gone, dropped, strict=True))
            for one in everything:
                if one.after is not None:
                    current[:] = [one]
                    done.append((one, await _write(transaction, one.after, one.before)))
                    await tell(transaction, one.notices)
            return done

        try:
            match everything:
                case []:
                    return []
                case [_Pending(after=Document() as after, notices=notices) as alone] if not notices:
                    current[:] = [alone]
                    return [(alone, await _write(self._store, after, alone.before))]
            return await self._store.transact(write)
        except Duplicate as duplicate:
            (one,) = current
            if one.life is None or one.context is None or one.after is None:
                raise
            raise await one.life.refusal(one.context, one.after, duplicate) from duplicate


async def _write(store: Store | Transaction, after: Document, before: Document | None) -> Document:
    return await (store.insert(after) if before is None else store.replace(after, before))
