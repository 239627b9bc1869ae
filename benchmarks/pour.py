# SPDX-License-Identifier: MPL-2.0
"""Documents by the million: written as the store writes them, many at a time and without asking what is there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from crossbar.documents.document import Document
from crossbar.documents.store import Store
from crossbar.documents.store.claims import system_claims
from crossbar.documents.store.queries import to_bson
from crossbar.ids import next_revision

AT_A_TIME = 2000


async def pour(store: Store, documents: Iterable[Document], count: int, told: str) -> None:
    """Write new documents of one type with what they claim, and show how far it has come."""
    left = iter(documents)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, transient=True) as progress:
        task = progress.add_task(told, total=count)
        while some := list(islice(left, AT_A_TIME)):
            shape = store.shapes[some[0].type]
            fresh = [replace(document, revision=next_revision(None)) for document in some]
            claims = [
                {"_id": key, "holder": document.key} for document in fresh for key in system_claims(shape, document)
            ]
            if claims:
                await store.database["claims"].insert_many(claims, ordered=False)
            stored = [to_bson(store.connection.codec.encode(document, shape)) for document in fresh]
            await store.database[shape.stored_in].insert_many(stored, ordered=False)
            progress.advance(task, len(some))
