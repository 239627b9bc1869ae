# SPDX-License-Identifier: MPL-2.0
"""Many writes in one transaction, and counting by tags."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from crossbar.documents.document import Document
from crossbar.documents.driver import DriverName
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Shapes, Unique
from crossbar.documents.store import Duplicate, Stale, Store, Transaction, Write

THING = Shape(
    "thing",
    sort="n",
    tags=lambda thing: [f"colour/{thing.text('colour')}", "all"],
    unique=lambda thing: [Unique("name", thing.text("name"), "name", "taken", system=True)],
)


@pytest_asyncio.fixture
async def store(mongo_uri: str, database_name: str, driver: DriverName) -> AsyncIterator[Store]:
    opened = Store.connect(mongo_uri, database_name, Shapes([THING]), driver=driver)
    await opened.prepare()
    yield opened
    await opened.close()


def thing(number: int, **fields: str) -> Document:
    return Document("a", "thing", str(number), {"name": f"name {number}", "n": number, **fields})


def changed(document: Document, **fields: str) -> Write:
    return Write(document, dataclasses.replace(document, fields={**document.fields, **fields}))


async def write(store: Store, *writes: Write) -> list[Document]:
    async def work(transaction: Transaction) -> list[Document]:
        return await transaction.write_all(writes)

    return await store.transact(work)


async def names(store: Store) -> dict[str, str]:
    return {found.id: found.text("name") for found in await store.all(Listing("a", "thing"))}


async def test_new_changed_and_removed_ones_together(store: Store) -> None:
    assert await write(store) == []
    one, two, three = await write(store, *(Write(None, thing(number)) for number in (1, 2, 3)))
    assert [document.revision is not None for document in (one, two, three)] == [True] * 3
    saved = await write(store, changed(one, name="other"), Write(two, None), Write(None, thing(4, name="name 1")))
    assert [document.id for document in saved] == ["1", "2", "4"]
    assert await names(store) == {"1": "other", "3": "name 3", "4": "name 1"}
    assert (saved[0].revision or "").startswith("2-")
    assert saved[1].revision == two.revision
    # What was claimed by the one that is gone is free again; what the others claim is not.
    await store.insert(thing(5, name="name 2"))
    with pytest.raises(Duplicate):
        await store.insert(thing(6, name="other"))


@pytest.mark.parametrize("what", ["changed", "removed"])
async def test_one_that_is_outrun_keeps_all_of_them_away(what: str, store: Store) -> None:
    one, two = await write(store, Write(None, thing(1)), Write(None, thing(2)))
    await store.replace(dataclasses.replace(one, fields={**one.fields, "colour": "red"}), one)
    outrun = changed(one, colour="blue") if what == "changed" else Write(one, None)
    with pytest.raises(Stale):
        await write(store, changed(two, name="new"), outrun, Write(None, thing(3)))
    assert await names(store) == {"1": "name 1", "2": "name 2"}
    await store.insert(thing(4, name="new"))


@pytest.mark.parametrize("taken", [thing(1, name="free"), thing(9, name="name 1")], ids=["id", "claim"])
async def test_one_that_is_taken_keeps_all_of_them_away(taken: Document, store: Store) -> None:
    await store.insert(thing(1))
    with pytest.raises(Duplicate):
        await write(store, Write(None, thing(2)), Write(None, taken))
    assert await names(store) == {"1": "name 1"}
    await store.insert(thing(3, name="name 2"))


async def test_counting_by_tags(store: Store) -> None:
    colours = ["red", "red", "blue", "green"]
    await write(store, *(Write(None, thing(number, colour=colour)) for number, colour in enumerate(colours)))
    listing = Listing("a", "thing")
    assert await store.count_tagged(listing, ["colour/red", "colour/blue", "colour/none"]) == 3
    assert await store.count_tagged(listing, ["colour/red", "all"]) == 4, "each counts once"
    assert await store.count_tagged(Listing("b", "thing"), ["all"]) == 0
    each = await store.count_each("a", "thing", ["colour/red", "colour/none", "all"])
    assert each == {"colour/red": 2, "all": 4}


async def test_counting_looks_at_no_document(store: Store) -> None:
    await write(store, *(Write(None, thing(number, colour="red")) for number in range(50)))
    tags = {"$in": ["thing/colour/red", "thing/colour/blue"]}
    query = {"$and": [Listing("a", "thing").query(), {"tags": tags}]}
    pipeline = [{"$match": query}, {"$group": {"_id": 1, "n": {"$sum": 1}}}]
    told = await store.database.command(
        "explain",
        {"aggregate": "documents", "pipeline": pipeline, "cursor": {}, "hint": Listing("a", "thing", tag="x").index},
        verbosity="executionStats",
    )
    assert "COLLSCAN" not in str(told)
    stats = told.get("executionStats") or told["stages"][0]["$cursor"]["executionStats"]
    assert (stats["totalDocsExamined"], stats["totalKeysExamined"] <= 52) == (0, True)
