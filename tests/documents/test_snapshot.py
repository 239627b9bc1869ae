# SPDX-License-Identifier: MPL-2.0
"""Whole partitions as they were at one moment, while others write."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from crossbar.documents.attachments import Attachments
from crossbar.documents.document import Document
from crossbar.documents.driver import DriverName
from crossbar.documents.shape import Shape, Shapes
from crossbar.documents.store import Store
from crossbar.documents.store.snapshot import AT_A_TIME

A, B = "a" * 32, "b" * 32


@pytest_asyncio.fixture(loop_scope="session")
async def store(mongo_uri: str, database_name: str, driver: DriverName) -> AsyncIterator[Store]:
    opened = Store.connect(mongo_uri, database_name, Shapes([Shape("menu")]), driver=driver)
    await opened.prepare()
    yield opened
    await opened.close()


async def read(found: AsyncIterator[Document]) -> list[tuple[str, str, Any]]:
    return [(document.type, document.id, document.fields.get("name")) async for document in found]


async def test_what_changes_meanwhile_is_not_seen(store: Store) -> None:
    many = [Document(A, "menu", f"{number:04}", {"name": "before"}) for number in range(2 * AT_A_TIME + 1)]
    for document in many:
        await store.insert(document)
    async with store.snapshot() as snapshot:
        found = snapshot.documents(A)
        first = await anext(found)
        await store.insert(Document(A, "menu", "9999", {"name": "new"}))
        for document in many[-3:]:
            await store.upsert(Document(A, "menu", document.id, {"name": "changed"}))
        await store.remove(many[-4])
        seen = [("menu", first.id, first.fields["name"]), *await read(found)]
        assert seen == [("menu", document.id, "before") for document in many]
        assert snapshot.is_consistent
    async with store.snapshot() as snapshot:
        assert len(await read(snapshot.documents(A))) == len(many)


async def test_what_is_deleted_or_of_others_is_left_out(store: Store) -> None:
    await store.insert(Document(A, "menu", "kept", {"name": "kept"}))
    await store.insert(Document(A, "menu", "gone", {"name": "gone", "pvt_deleted": True}))
    await store.insert(Document(B, "menu", "other", {"name": "other"}))
    async with store.snapshot() as snapshot:
        assert await read(snapshot.documents(A)) == [("menu", "kept", "kept")]
        assert await snapshot.count(A) == 1
        assert (await snapshot.get(A, "menu", "kept") or Document("", "", "", {})).id == "kept"
        assert await snapshot.get(A, "menu", "gone") is None


@pytest.mark.parametrize("names", [3, 2_100])
async def test_attachments_of_a_partition(store: Store, names: int) -> None:
    """More of one document than are read at a time, too; and of a name the newest."""
    attachments = Attachments(store)
    first, second = (Document(A, "menu", document_id, {}) for document_id in "xy")
    for owner, name in ((second, "only"), (first, "one")):
        await attachments.put(owner, name, "text/plain", b"text")
    await attachments.put(Document(B, "menu", "x", {}), "other", "text/plain", b"text")
    (template,) = await attachments.all(first)
    about = {"a": A, "document": first.key, "content_type": "text/plain", "created": template.created}
    await store.database["attachments.files"].insert_many(
        [
            {
                "filename": f"n{number}",
                "length": 0,
                "chunkSize": 1,
                "metadata": {**about, "name": f"n{number:05}"},
            }
            for number in range(names)
        ]
    )
    async with store.snapshot() as snapshot:
        found = [(one.owner, one.name) async for one in attachments.of_partition(A, snapshot)]
    numbered = [(first.key, f"n{number:05}") for number in range(names)]
    assert found == [*numbered, (first.key, "one"), (second.key, "only")]
