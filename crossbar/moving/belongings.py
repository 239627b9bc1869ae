# SPDX-License-Identifier: MPL-2.0
"""What belongs to an account: the documents of its own partition, and what it has in partitions of all accounts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from crossbar.dialing import NUMBER, NUMBERS
from crossbar.documents.document import ACCOUNTS, TREE, Document
from crossbar.documents.document_types import ACCOUNT
from crossbar.documents.shape import Shapes
from crossbar.documents.store import Snapshot
from crossbar.resources.identity.domain.account_tree import descendants_of
from crossbar.resources.numbers.domain import number, port_request


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Documents of an account that lie in a partition of the installation, and how they are found."""

    partition: str
    type: str
    tag: str


def elsewhere(account_id: str) -> tuple[Elsewhere, ...]:
    """What an account has outside of its own partition, its definition aside."""
    return (
        Elsewhere(NUMBERS, NUMBER, number.owned(account_id)),
        Elsewhere(port_request.DATABASE, port_request.TYPE, port_request.owned(account_id)),
    )


SHARED_PARTITIONS: Final = frozenset(place.partition for place in elsewhere(""))


async def accounts_below(snapshot: Snapshot, account_id: str) -> list[Document]:
    """All accounts below one, those above before those below them."""
    tag = descendants_of(account_id).tag or ""
    found = [document async for document in snapshot.tagged(ACCOUNTS, ACCOUNT, tag)]
    return sorted(found, key=lambda account: (len(account.fields[TREE]), account.id))


async def documents_of(snapshot: Snapshot, shapes: Shapes, account_id: str) -> AsyncIterator[Document]:
    """All documents of an account that move with it, but for its definition.

    Those that listen for events come last, so that whoever takes them in does not tell of the others.
    """
    listening: list[Document] = []
    async for document in snapshot.documents(account_id):
        if document.type not in shapes or not shapes[document.type].moves:
            continue
        if shapes[document.type].listens is not None:
            listening.append(document)
        else:
            yield document
    for place in elsewhere(account_id):
        async for document in snapshot.tagged(place.partition, place.type, place.tag):
            yield document
    for document in listening:
        yield document
