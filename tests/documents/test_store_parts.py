# SPDX-License-Identifier: MPL-2.0
"""The parts of the store, each by itself, on a real database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from pymongo import MongoClient

from crossbar import clock
from crossbar.documents.document import Document, DocumentKey
from crossbar.documents.driver import DriverName
from crossbar.documents.filters import Filters
from crossbar.documents.listing import Listing, Position, Search
from crossbar.documents.shape import Shape, Shapes, Unique
from crossbar.documents.store import Duplicate, Retries, Stale, Store, Transaction
from crossbar.errors import SystemFault

THING, OWNER = "thing", "acme"
NOW = 1_700_000_000.0


def claims(document: Document) -> Iterator[Unique]:
    if name := document.text("name"):
        yield Unique("thing.name", name, "name", "Name already in use")
    if number := document.text("number"):
        yield Unique("number", number, "number", "Number already in use", system=True)


def tags(document: Document) -> list[str]:
    return [f"color/{document.text('color')}"]


@pytest_asyncio.fixture(loop_scope="session")
async def store(mongo_uri: str, database_name: str, driver: DriverName) -> AsyncIterator[Store]:
    shapes = Shapes([Shape(THING, sort="name", unique=claims, tags=tags)])
    opened = Store.connect(mongo_uri, database_name, shapes, driver=driver)
    await opened.prepare()
    yield opened
    await opened.close()


def thing(thing_id: str, partition: str = OWNER, **fields: Any) -> Document:
    return Document(partition, THING, thing_id, fields)


# Claims


async def test_claims_tell_who_holds_a_value(store: Store) -> None:
    await store.insert(thing("1", name="one", number="+1"))
    await store.insert(thing("2", "other", name="one"))
    name, number = claims(thing("", name="one", number="+1"))
    assert await store.claims.holder(OWNER, name.key) == "1"
    assert await store.claims.holder("nobody", name.key) is None
    assert await store.claims.system_holder(number.key) == DocumentKey(OWNER, THING, "1")
    assert await store.claims.holders("other", [name, number]) == {
        name.key: DocumentKey("other", THING, "2"),
        number.key: DocumentKey(OWNER, THING, "1"),
    }
    assert await store.claims.held_by_type(OWNER, THING, "number") == {"+1": "1"}


async def test_a_value_has_one_holder_and_is_free_again_after_it(store: Store) -> None:
    first = await store.insert(thing("1", number="+1"))
    with pytest.raises(Duplicate) as refused:
        await store.insert(thing("2", "other", number="+1"))
    assert refused.value.claim is not None
    assert await store.get("other", THING, "2") is None
    await store.replace(thing("1", number="+2"), first)
    assert (await store.insert(thing("2", "other", number="+1"))).revision is not None


async def test_of_many_who_claim_at_once_one_gets_it(store: Store) -> None:
    attempts = (store.insert(thing(str(number), name="same", number="+1")) for number in range(8))
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(isinstance(result, Document) for result in results) == 1
    assert sum(isinstance(result, Duplicate) for result in results) == 7


# Leases and revocations


async def test_a_lease_is_one_holders_until_it_ends(store: Store) -> None:
    with clock.frozen(NOW):
        assert await store.leases.take("work", "a", 10)
        assert await store.leases.take("work", "a", 10)
        assert not await store.leases.take("work", "b", 10)
        assert await store.leases.take("other work", "b", 10)
    with clock.frozen(NOW + 9.9):
        assert not await store.leases.take("work", "b", 10)
    with clock.frozen(NOW + 10):
        assert await store.leases.take("work", "b", 10)
        assert not await store.leases.take("work", "a", 10)


async def test_of_many_who_want_a_lease_one_gets_it(store: Store) -> None:
    taken = await asyncio.gather(*(store.leases.take("work", str(number), 60) for number in range(8)))
    assert taken.count(True) == 1


async def test_revocations(store: Store) -> None:
    assert not await store.revocations.revoked("digest")
    await store.revocations.revoke("digest", clock.unix_now() + 60)
    await store.revocations.revoke("for ever", None)
    assert await store.revocations.revoked("digest")
    assert await store.revocations.revoked("for ever")
    assert not await store.revocations.revoked("another")


# Writing


async def test_who_was_outrun_is_told(store: Store) -> None:
    first = await store.insert(thing("1", color="red"))
    await store.replace(thing("1", color="green"), first)
    with pytest.raises(Stale):
        await store.replace(thing("1", color="blue"), first)
    kept = await store.get(OWNER, THING, "1")
    assert kept is not None
    assert kept.text("color") == "green"


async def test_all_who_change_one_document_get_through(store: Store) -> None:
    await store.insert(thing("1", count=0))

    def add(document: Document) -> None:
        document.fields["count"] += 1

    await asyncio.gather(*(store.update(OWNER, THING, "1", add) for _ in range(20)))
    kept = await store.get(OWNER, THING, "1")
    assert kept is not None
    assert kept.fields["count"] == 20


async def test_an_update_of_nothing_is_nothing(store: Store) -> None:
    assert await store.update(OWNER, THING, "1", lambda _: None) is None


async def test_of_many_who_create_or_update_one_creates(store: Store) -> None:
    def add(document: Document) -> bool:
        document.fields["count"] = document.fields.get("count", 0) + 1
        return True

    created = await asyncio.gather(*(store.create_or_update(thing("1"), add) for _ in range(8)))
    kept = await store.get(OWNER, THING, "1")
    assert kept is not None
    assert (created.count(True), kept.fields["count"]) == (1, 8)


async def test_retries_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crossbar.documents.store.conflicts.PAUSE_SECONDS", 0)
    assert [attempt async for attempt in Retries()] == list(range(1, 21))


async def test_what_is_removed_takes_its_claims_along(store: Store) -> None:
    kept = await store.insert(thing("1", name="one", number="+1"))
    await store.remove(kept)
    await store.remove(kept)
    assert (await store.insert(thing("2", name="one", number="+1"))).id == "2"


async def test_a_partition_is_removed_whole_and_alone(
    store: Store, mongo_client: MongoClient[dict[str, Any]], database_name: str
) -> None:
    await store.insert(thing("1", number="+1"))
    await store.insert(thing("1", "acme2", number="+2"))
    await store.remove_partition(OWNER)
    database = mongo_client[database_name]
    assert [document["_id"] for document in database["documents"].find()] == ["acme2/thing/1"]
    assert [claim["holder"] for claim in database["claims"].find()] == ["acme2/thing/1"]


# Transactions


async def test_a_transaction_is_kept_whole_or_not_at_all(store: Store) -> None:
    async def fails(transaction: Transaction) -> None:
        await transaction.insert(thing("1", number="+1"))
        await transaction.insert(thing("2", number="+2"))
        raise SystemFault("enough")

    with pytest.raises(SystemFault):
        await store.transact(fails)
    assert await store.all(Listing(OWNER, THING)) == []

    async def works(transaction: Transaction) -> int:
        await transaction.insert(thing("1", number="+1"))
        await transaction.insert(thing("2", number="+2"))
        assert await transaction.get(OWNER, THING, "1") is not None
        return await transaction.count(Listing(OWNER, THING))

    assert await store.transact(works) == 2
    assert len(await store.all(Listing(OWNER, THING))) == 2


async def test_what_a_transaction_wrote_is_told_when_it_is_certain(store: Store) -> None:
    told: list[str] = []
    store.on_write(lambda document: told.append(document.id))

    async def fails(transaction: Transaction) -> None:
        await transaction.insert(thing("1"))
        raise SystemFault("enough")

    with pytest.raises(SystemFault):
        await store.transact(fails)
    assert told == []
    await store.transact(lambda transaction: transaction.insert(thing("2")))
    await store.insert(thing("3"))
    assert told == ["2", "3"]


# Listings


@pytest.mark.parametrize("descending", [True, False])
async def test_pages_put_together_are_the_stream(store: Store, descending: bool) -> None:
    names = [f"name {number % 7}-{number}" for number in range(23)]
    await asyncio.gather(*(store.insert(thing(str(number), name=name)) for number, name in enumerate(names)))
    listing = Listing(OWNER, THING, descending=descending)
    streamed = [row.id async for row in store.stream(listing)]
    assert streamed == [str(names.index(name)) for name in sorted(names, reverse=descending)]
    walked: list[str] = []
    position = None
    while True:
        start = None if position is None else Position.exact(position)
        page = await store.page(Listing(OWNER, THING, descending=descending, start=start, limit=5))
        walked += [row.id for row in page.rows]
        if page.next is None:
            break
        position = page.next
    assert walked == streamed


async def test_different_pages_asked_for_at_once_are_each_ones_own(store: Store) -> None:
    for number in range(6):
        await store.insert(thing(str(number), name=f"n{number}", color="red" if number % 2 else "blue"))
    pages = await asyncio.gather(
        *(store.page(Listing(OWNER, THING, tag=f"color/{color}", limit=10)) for color in ("red", "blue", "green")),
        store.page(Listing(OWNER, THING, limit=2)),
    )
    assert [[row.id for row in page.rows] for page in pages] == [["5", "3", "1"], ["4", "2", "0"], [], ["5", "4"]]


def test_listings_that_say_the_same_are_told_to_be_the_same() -> None:
    def ask(**query: str) -> Listing:
        return Listing(OWNER, THING, filters=Filters.parse(query.items()), limit=5)

    assert repr(ask()) == repr(ask())
    assert repr(ask(filter_name="x")) == repr(ask(filter_name="x"))
    assert repr(ask(filter_name="x")) != repr(ask(filter_name="y"))


async def test_counts_by_tag(store: Store) -> None:
    for number, color in enumerate(("red", "red", "blue")):
        await store.insert(thing(str(number), color=color))
    listing = Listing(OWNER, THING)
    assert await store.count_by_tag(listing, prefix="color/") == {"color/red": 2, "color/blue": 1}
    assert await store.count_by_tag(listing, words=["color/blue", "color/green"]) == {"color/blue": 1}


async def test_any_of_several_tags(store: Store) -> None:
    for number, color in enumerate(("red", "green", "blue")):
        await store.insert(thing(str(number), name=color, color=color))
    found = await store.all(Listing(OWNER, THING, any_tag=("color/red", "color/blue"), descending=False))
    assert [document.text("color") for document in found] == ["blue", "red"]


async def test_searching_by_the_beginning_of_a_name(store: Store) -> None:
    for number, name in enumerate(("Ann", "anna", "Bob")):
        await store.insert(thing(str(number), name=name, pvt_alphanum_name=name.lower()))
    found = await store.search(Search(OWNER, THING, "name", "AN"))
    assert [document.text("name") for _, document in found] == ["Ann", "anna"]
    assert [document.id for document in await store.find_by_name(OWNER, THING, "ann")] == ["0"]
