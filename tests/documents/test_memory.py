# SPDX-License-Identifier: MPL-2.0
"""What the store remembers is never older than a write that was acknowledged before it was asked."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import IO

import pytest
import pytest_asyncio

from crossbar.documents.document import Document
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Shapes, Summary, Unique
from crossbar.documents.store import Store
from crossbar.documents.store.memory import OVERHEAD, Memory
from crossbar.documents.store.sole_use import LEASE_SECONDS, TRUST_SECONDS, SoleUse
from crossbar.ids import new_id
from crossbar.shared import BucketTable, Shared, WriteMarks, memory_file

OWNER, THING, CLAIMANT, SECRET = "acme", "thing", "claimant", "secret"
WORKERS = 3
MEGABYTE = 2**20


def claims(document: Document) -> Iterator[Unique]:
    yield Unique("name", f"{document.id} {document.at('count')}", "name", "taken", system=True)


SHAPES = (
    Shape(THING, Summary("id", "count")),
    Shape(CLAIMANT, Summary("id", "count"), unique=claims),
    Shape(SECRET, sealed=("password",)),
)


class Server:
    """The stores of the workers of one server."""

    def __init__(self, uri: str, database: str, file: IO[bytes]) -> None:
        server_id = new_id()
        self.workers = [
            Store.connect(
                uri,
                database,
                Shapes(SHAPES),
                memory=MEGABYTE,
                shared=Shared(BucketTable(8), WriteMarks(WORKERS, number, file.fileno()), server_id),
            )
            for number in range(WORKERS)
        ]

    async def start(self) -> None:
        for worker in self.workers:
            await worker.prepare()
            await worker.register()

    async def close(self) -> None:
        for worker in self.workers:
            await worker.close()


@pytest_asyncio.fixture(loop_scope="session")
async def server(mongo_uri: str, database_name: str) -> AsyncIterator[Server]:
    with memory_file(WriteMarks.size(WORKERS)) as file:
        server = Server(mongo_uri, database_name, file)
        await server.start()
        yield server
        await server.close()


def thing(thing_id: str, count: int, document_type: str = THING) -> Document:
    return Document(OWNER, document_type, thing_id, {"count": count})


async def is_remembered(store: Store, thing_id: str) -> bool:
    """Whether a second read is answered with the very object of the first."""
    first, second = [await store.get_json(OWNER, THING, thing_id) for _ in range(2)]
    return first is not None and first is second


async def test_what_is_read_twice_is_read_once_from_the_database(server: Server) -> None:
    one, *_ = server.workers
    await one.insert(thing("1", 1))
    assert await is_remembered(one, "1")
    listing = Listing(OWNER, THING, limit=10)
    pages = [await one.page(listing) for _ in range(2)]
    assert pages[0].stored is pages[1].stored
    assert pages[0].bodies == [b'{"id":"1","count":1}']


@pytest.mark.parametrize("document_type", [THING, CLAIMANT], ids=["alone", "in a transaction"])
async def test_no_read_is_older_than_a_write_that_was_acknowledged(server: Server, document_type: str) -> None:
    """Writers and readers on all workers; whoever reads knows what had been acknowledged when they began."""
    acknowledged: dict[str, int] = {}
    chance = random.Random(7)
    ids = [str(number) for number in range(3)]
    for thing_id in ids:
        await server.workers[0].insert(thing(thing_id, 0, document_type))
        acknowledged[thing_id] = 0
    over = asyncio.Event()
    read = remembered = 0

    async def write(thing_id: str) -> None:
        for count in range(1, 60):
            store = chance.choice(server.workers)
            previous = await store.get(OWNER, document_type, thing_id)
            assert previous is not None
            await store.replace(thing(thing_id, count, document_type), previous)
            acknowledged[thing_id] = count
            if count % 10 == 0:  # nobody else writes it now
                await read_twice(chance.choice(server.workers), thing_id, count)
            await asyncio.sleep(chance.choice((0, 0, 0.003)))

    async def read_twice(store: Store, thing_id: str, count: int) -> None:
        nonlocal remembered
        first, second = [await store.get_json(OWNER, document_type, thing_id) for _ in range(2)]
        assert first is not None and first.json.endswith(b":%d}" % count)
        remembered += first is second

    async def read_one(store: Store) -> None:
        nonlocal read
        while not over.is_set():
            thing_id = chance.choice(ids)
            known = acknowledged[thing_id]
            raw = await store.get_json(OWNER, document_type, thing_id)
            assert raw is not None
            seen = int(raw.json.rpartition(b":")[2].rstrip(b"}"))
            assert seen >= known
            known = acknowledged[thing_id]
            whole = await store.get(OWNER, document_type, thing_id)
            assert whole is not None and whole.at("count") >= known
            read += 1
            await asyncio.sleep(0)

    async def read_page(store: Store) -> None:
        listing = Listing(OWNER, document_type, limit=10)
        while not over.is_set():
            known = dict(acknowledged)
            rows = (await store.page(listing)).rows
            assert len(rows) == len(ids)
            for row in rows:
                assert int(row.body.rpartition(b":")[2].rstrip(b"}")) >= known[row.id]
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        for store in server.workers:
            group.create_task(read_one(store))
            group.create_task(read_page(store))
        await asyncio.gather(*map(write, ids))
        over.set()
    assert read > 100
    assert remembered > 0, "nothing was remembered, so nothing was proved"


def calls_of(store: Store) -> list[float]:
    """A list that grows with every call of the database that a store makes."""
    calls: list[float] = []
    store.connection.measured = calls.append
    return calls


async def test_what_a_worker_wrote_it_need_not_read(server: Server) -> None:
    one, other, _ = server.workers
    created = await one.insert(thing("1", 1))
    calls = calls_of(one)
    assert await one.get(OWNER, THING, "1") == created
    changed = await one.replace(thing("1", 2), created)
    assert len(calls) == 1, "the write alone"
    whole, raw = await one.get(OWNER, THING, "1"), await one.get_json(OWNER, THING, "1")
    assert whole == changed
    assert raw is not None and (raw.revision, raw.json) == (changed.revision, b'{"id":"1","count":2}')
    assert len(calls) == 1
    assert await other.replace(thing("1", 3), changed)
    latest = await one.get(OWNER, THING, "1")
    assert latest is not None and latest.at("count") == 3
    assert len(calls) == 2


async def test_what_is_read_whole_is_a_new_object_each_time(server: Server) -> None:
    one, *_ = server.workers
    await one.insert(Document(OWNER, THING, "1", {"count": 1, "pvt_secret": {"a": [1]}}))
    first = await one.get(OWNER, THING, "1")
    assert first is not None
    first.fields["pvt_secret"]["a"].append(2)
    second = await one.get(OWNER, THING, "1")
    assert second is not None and second.fields == {"count": 1, "pvt_secret": {"a": [1]}}


async def test_what_a_worker_deleted_is_not_remembered(server: Server) -> None:
    one, other, _ = server.workers
    created = await one.insert(thing("1", 1))
    await one.replace(Document(OWNER, THING, "1", {"count": 1, "pvt_deleted": True}), created)
    for store in (one, other):
        assert await store.get(OWNER, THING, "1") is None
        assert await store.get_json(OWNER, THING, "1") is None


async def test_credentials_do_not_stay_in_memory(server: Server) -> None:
    one, *_ = server.workers
    await one.insert(Document(OWNER, SECRET, "1", {"password": "open sesame"}))
    calls = calls_of(one)
    found = [await one.get(OWNER, SECRET, "1") for _ in range(2)]
    assert [document and document.at("password") for document in found] == ["open sesame"] * 2
    assert len(calls) == 2


async def test_a_write_while_another_is_under_way_is_not_remembered() -> None:
    with memory_file(WriteMarks.size(2)) as file:
        ours, others = (WriteMarks(2, number, file.fileno()) for number in range(2))
        memory = Memory(ours, MEGABYTE)
        memory.trust(Trusted())
        slot = ours.slot("a")
        for began_first in (True, False):
            if began_first:
                others.begin([slot])
            ours.begin([slot])
            ticket = memory.ticket_of_writer("a")
            if not began_first:
                others.begin([slot])
            ours.end([slot])
            others.end([slot])
            if ticket is not None:
                memory.keep("a", "ours", 4, ticket)
            assert memory.get("a") is None
        ours.begin([slot])
        ours.begin([slot])
        assert memory.ticket_of_writer("a") is None, "two of our own"
        ours.end([slot])
        ticket = memory.ticket_of_writer("a")
        assert ticket is not None
        ours.end([slot])
        memory.keep("a", "ours", 4, ticket)
        assert memory.get("a") == "ours"
        others.begin([slot])
        assert memory.get("a") is None


async def test_a_document_that_there_was_not_is_seen_when_there_is(server: Server) -> None:
    one, other, _ = server.workers
    assert [await other.get_json(OWNER, THING, "1") for _ in range(2)] == [None, None]
    await one.insert(thing("1", 1))
    raw = await other.get_json(OWNER, THING, "1")
    assert raw is not None and raw.json == b'{"id":"1","count":1}'


async def test_a_removed_document_is_gone_for_all_workers(server: Server) -> None:
    one, other, _ = server.workers
    saved = await one.insert(thing("1", 1))
    assert await is_remembered(other, "1")
    await one.remove(saved)
    assert await other.get_json(OWNER, THING, "1") is None
    await one.insert(thing("2", 2))
    assert await is_remembered(other, "2")
    await one.remove_partition(OWNER)
    assert await other.get_json(OWNER, THING, "2") is None
    assert (await other.page(Listing(OWNER, THING, limit=10))).stored == []


async def test_another_server_writes_only_when_nobody_trusts_what_was_before(
    server: Server, mongo_uri: str, database_name: str
) -> None:
    one, *_ = server.workers
    await one.insert(thing("1", 1))
    assert await is_remembered(one, "1")
    async with AsyncExitStack() as stack:
        command = Store.connect(mongo_uri, database_name, Shapes(SHAPES))
        stack.push_async_callback(command.close)
        loop = asyncio.get_running_loop()
        began = loop.time()
        await command.register()
        previous = await command.get(OWNER, THING, "1")
        assert previous is not None
        changed = await command.replace(thing("1", 2), previous)
        assert loop.time() - began >= TRUST_SECONDS
        raw = await one.get_json(OWNER, THING, "1")
        assert raw is not None and raw.revision == changed.revision
        assert not await is_remembered(one, "1")
        await command.replace(thing("1", 3), changed)  # now at once
    async with asyncio.timeout(LEASE_SECONDS):
        while not await is_remembered(one, "1"):  # noqa: ASYNC110 - nothing announces it
            await asyncio.sleep(0.05)
    raw = await one.get_json(OWNER, THING, "1")
    assert raw is not None and raw.json == b'{"id":"1","count":3}'


async def test_who_is_alone_writes_at_once(server: Server) -> None:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await server.workers[0].insert(thing("1", 1))
    assert loop.time() - began < TRUST_SECONDS


async def test_what_a_worker_was_writing_when_it_died_is_not_remembered(server: Server) -> None:
    one, other, _ = server.workers
    await one.insert(thing("1", 1))
    assert await is_remembered(other, "1")
    await one.connection.marking.begin([thing("1", 1).key])  # and never ends
    assert not await is_remembered(other, "1")


async def test_what_may_still_be_done_is_not_remembered(server: Server) -> None:
    one, other, _ = server.workers
    await one.insert(thing("1", 1))
    with pytest.raises(asyncio.CancelledError):
        async with one.connection.marking.writing([thing("1", 1).key]):
            raise asyncio.CancelledError
    assert not await is_remembered(other, "1")


async def test_nothing_is_remembered_past_another_primary(server: Server) -> None:
    one, *_ = server.workers
    await one.insert(thing("1", 1))
    first = await one.get_json(OWNER, THING, "1")
    one.connection.memory.forget()
    second = await one.get_json(OWNER, THING, "1")
    assert first == second and first is not second


class Trusted(SoleUse):
    """A server that is alone, without a database."""

    def __init__(self) -> None:
        self.era = 0

    @property
    def trusted(self) -> bool:
        return True


async def test_memory_keeps_to_its_size_and_to_what_was_used_last() -> None:
    memory = Memory(WriteMarks(), 3 * (OVERHEAD + 100))
    memory.trust(Trusted())
    for key in "abcd":
        ticket = memory.ticket(key)
        assert ticket is not None
        memory.keep(key, key, 100, ticket)
        assert memory.get("a") == "a"
    assert [memory.get(key) for key in "abcd"] == ["a", None, "c", "d"]
    ticket = memory.ticket("e")
    assert ticket is not None
    memory.keep("e", "e", 10 * OVERHEAD, ticket)
    assert memory.get("e") is None


async def test_what_was_written_while_it_was_read_is_not_kept() -> None:
    marks = WriteMarks()
    memory = Memory(marks, MEGABYTE)
    memory.trust(trust := Trusted())
    ticket = memory.ticket("a")
    assert ticket is not None
    marks.begin([ticket.slot])
    assert memory.ticket("a") is None
    memory.keep("a", "old", 3, ticket)
    assert memory.get("a") is None
    marks.end([ticket.slot])
    ticket = memory.ticket("a")
    assert ticket is not None
    memory.keep("a", "new", 3, ticket)
    assert memory.get("a") == "new"
    trust.era += 1
    assert memory.get("a") is None
