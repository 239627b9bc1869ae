# SPDX-License-Identifier: MPL-2.0
"""Attachments: what it keeps, what it replaces, and that it leaves nothing behind."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from pymongo import MongoClient

from crossbar.documents.attachments import CHUNK_BYTES, Attachments
from crossbar.documents.document import Document
from crossbar.documents.driver import DriverName
from crossbar.documents.shape import Shapes
from crossbar.documents.store import Store
from crossbar.errors import Invalid, SystemFault

ACCOUNT, OTHER = "a" * 32, "b" * 32
GREETING = Document(ACCOUNT, "media", "greeting", {})
MESSAGE = Document(ACCOUNT, "mailbox_message", "202401-1", {})
FOREIGN = Document(OTHER, "media", "greeting", {})
MEGABYTE = b"m" * 1_000_000


@pytest_asyncio.fixture(loop_scope="session")
async def attachments(mongo_uri: str, database_name: str, driver: DriverName) -> AsyncIterator[Attachments]:
    store = Store.connect(mongo_uri, database_name, Shapes(), driver=driver)
    await store.prepare()
    yield Attachments(store)
    await store.close()


@pytest.fixture
def leftovers(mongo_client: MongoClient[dict[str, Any]], database_name: str) -> Any:
    """How many files and how many chunks GridFS holds."""
    partition = mongo_client[database_name]
    return lambda: tuple(partition[f"attachments.{part}"].count_documents({}) for part in ("files", "chunks"))


async def pieces(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_a_file_comes_back_as_it_was_stored(attachments: Attachments) -> None:
    stored = await attachments.put(GREETING, "hello.mp3", "audio/mpeg", b"hello")
    assert (stored.name, stored.content_type, stored.size) == ("hello.mp3", "audio/mpeg", 5)
    assert await attachments.find(GREETING, "hello.mp3") == stored
    assert await attachments.read(stored) == b"hello"
    assert await attachments.find(GREETING, "other.mp3") is None
    assert await attachments.find(FOREIGN, "hello.mp3") is None


async def test_the_old_file_stays_until_the_new_one_is_whole(attachments: Attachments) -> None:
    await attachments.put(GREETING, "hello.mp3", "audio/mpeg", b"old")
    half_way, go_on = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield MEGABYTE
        half_way.set()
        await go_on.wait()
        yield b"end"

    replacing = asyncio.create_task(attachments.put(GREETING, "hello.mp3", "audio/wav", slowly()))
    await half_way.wait()
    (meanwhile,) = await attachments.all(GREETING)
    assert (meanwhile.content_type, await attachments.read(meanwhile)) == ("audio/mpeg", b"old")
    go_on.set()
    replaced = await replacing
    assert await attachments.all(GREETING) == [replaced]
    assert (replaced.content_type, replaced.size) == ("audio/wav", 1_000_003)


async def test_a_replaced_file_leaves_no_chunks(attachments: Attachments, leftovers: Any) -> None:
    for size in (3, 2, 1):
        await attachments.put(GREETING, "hello.mp3", "audio/mpeg", b"x" * CHUNK_BYTES * size)
    assert leftovers() == (1, 1)


async def test_the_only_file_takes_the_place_of_all_others(attachments: Attachments, leftovers: Any) -> None:
    await attachments.put(GREETING, "one.mp3", "audio/mpeg", b"1")
    await attachments.put(GREETING, "two.mp3", "audio/mpeg", b"2")
    await attachments.put(MESSAGE, "one.mp3", "audio/mpeg", b"another document's")
    only = await attachments.put(GREETING, "three.mp3", "audio/mpeg", b"3", alone=True)
    assert await attachments.all(GREETING) == [only]
    assert leftovers() == (2, 2)


@pytest.mark.parametrize("reason", [RuntimeError("the sender broke off"), asyncio.CancelledError()])
async def test_what_breaks_off_leaves_nothing(attachments: Attachments, leftovers: Any, reason: BaseException) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield MEGABYTE
        raise reason

    with pytest.raises(type(reason)):
        await attachments.put(GREETING, "hello.mp3", "audio/mpeg", broken())
    assert leftovers() == (0, 0)


@pytest.mark.parametrize("parts", [(MEGABYTE,), (MEGABYTE[:600_000], MEGABYTE[600_000:])], ids=len)
async def test_what_is_too_large_leaves_nothing(
    attachments: Attachments, leftovers: Any, parts: tuple[bytes, ...]
) -> None:
    contents = parts[0] if len(parts) == 1 else pieces(*parts)
    with pytest.raises(Invalid) as refused:
        await attachments.put(GREETING, "hello.mp3", "audio/mpeg", contents, largest=999_999)
    message = "Payload or Files must not be more than 999999 bytes"
    assert refused.value.fields == {"file": {"maxSize": {"message": message, "target": 999_999}}}
    assert leftovers() == (0, 0)


async def test_of_many_at_a_time_exactly_one_stays(attachments: Attachments, leftovers: Any) -> None:
    files = [bytes([number]) * 10 for number in range(12)]
    await asyncio.gather(*(attachments.put(GREETING, "hello.mp3", "audio/mpeg", file) for file in files))
    (survivor,) = await attachments.all(GREETING)
    assert await attachments.read(survivor) in files
    assert leftovers() == (1, 1)


async def test_attachments_end_with_their_document_and_with_their_account(
    attachments: Attachments, leftovers: Any
) -> None:
    for document in (GREETING, MESSAGE, FOREIGN):
        await attachments.put(document, "one.mp3", "audio/mpeg", b"1")
        await attachments.put(document, "two.mp3", "audio/mpeg", b"2")
    assert [found.name for found in await attachments.all(GREETING)] == ["one.mp3", "two.mp3"]

    await attachments.delete(GREETING, "one.mp3")
    assert [found.name for found in await attachments.all(GREETING)] == ["two.mp3"]
    await attachments.delete(GREETING)
    assert (await attachments.all(GREETING), leftovers()) == ([], (4, 4))

    await attachments.delete_partition(ACCOUNT)
    assert (await attachments.all(MESSAGE), leftovers()) == ([], (2, 2))
    assert len(await attachments.all(FOREIGN)) == 2


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (0, 0),
        (0, 99),
        (CHUNK_BYTES - 1, CHUNK_BYTES),
        (CHUNK_BYTES, 2 * CHUNK_BYTES - 1),
        (700_000, None),
        (5, 650_000),
    ],
)
async def test_a_part_of_a_file(attachments: Attachments, first: int, last: int | None) -> None:
    contents = bytes(index * 7 % 251 for index in range(800_000))
    stored = await attachments.put(GREETING, "long.wav", "audio/wav", contents)
    part = b"".join([chunk async for chunk in attachments.stream(stored, first, last)])
    assert part == contents[first : None if last is None else last + 1]


async def test_streaming_keeps_memory_flat(attachments: Attachments) -> None:
    async def long_recording() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield MEGABYTE

    tracemalloc.start()
    try:
        stored = await attachments.put(GREETING, "long.wav", "audio/wav", long_recording())
        size = 0
        async for chunk in attachments.stream(stored):
            size += len(chunk)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert size == stored.size == 40_000_000
    assert peak < 10_000_000


async def test_a_file_that_ends_while_it_is_read_is_no_shorter_file(attachments: Attachments) -> None:
    stored = await attachments.put(GREETING, "long.wav", "audio/wav", MEGABYTE * 4)
    reading = attachments.stream(stored)
    assert await anext(reading) == MEGABYTE[:CHUNK_BYTES]
    await attachments.delete(GREETING)
    with pytest.raises(SystemFault, match="datastore_fault"):
        async for _ in reading:
            pass


async def test_a_copy_belongs_to_its_own_document(attachments: Attachments) -> None:
    original = await attachments.put(MESSAGE, "voice.mp3", "audio/mpeg", MEGABYTE)
    copy = await attachments.copy(original, GREETING)
    await attachments.delete(MESSAGE)
    assert (copy.name, copy.content_type) == ("voice.mp3", "audio/mpeg")
    assert await attachments.read(copy) == MEGABYTE
