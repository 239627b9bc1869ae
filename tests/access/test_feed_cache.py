# SPDX-License-Identifier: MPL-2.0
"""What is remembered is never older than the last change that was heard of."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from crossbar import clock
from crossbar.access.feed_cache import FeedCache
from crossbar.documents.feed import Feed
from crossbar.documents.shape import Shapes
from crossbar.documents.store import Store


class Shelf:
    """What there is to read; `reading` lets a read take its time."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.reads = 0
        self.asked = asyncio.Event()
        self.reading = asyncio.Event()
        self.reading.set()

    async def load(self, key: str) -> str | None:
        self.reads += 1
        self.asked.set()
        value = self.values.get(key)
        await self.reading.wait()
        return value


@pytest.fixture
async def feed() -> Feed:
    feed = Feed(Store.connect("mongodb://nobody.invalid", "none", Shapes()))
    feed.live = True
    return feed


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
async def stale(feed: Feed, shelf: Shelf) -> FeedCache[str, str]:
    """A memory that has 1 for `a`, which has become 2."""
    memory = FeedCache(feed, shelf.load, limit=10)
    shelf.values["a"] = "1"
    await memory.get("a")
    shelf.values["a"] = "2"
    return memory


async def test_a_value_is_read_once(feed: Feed, shelf: Shelf) -> None:
    memory = FeedCache(feed, shelf.load, limit=10)
    shelf.values["a"] = "1"
    assert [await memory.get("a"), await memory.get("a")] == ["1", "1"]
    assert shelf.reads == 1


async def test_a_forgotten_value_is_read_again(stale: FeedCache[str, str]) -> None:
    stale.forget("a")
    assert await stale.get("a") == "2"


async def test_what_was_not_there_is_found_as_soon_as_it_is(feed: Feed, shelf: Shelf) -> None:
    memory = FeedCache(feed, shelf.load, limit=10)
    assert await memory.get("a") is None
    shelf.values["a"] = "1"
    assert await memory.get("a") == "1"


async def test_absence_can_be_remembered(feed: Feed, shelf: Shelf) -> None:
    memory = FeedCache(feed, shelf.load, limit=10, keep_absent=True)
    assert [await memory.get("a"), await memory.get("a")] == [None, None]
    assert shelf.reads == 1


@pytest.mark.parametrize("change", [lambda memory: memory.forget("a"), lambda memory: memory.clear()])
async def test_a_change_during_a_read_is_not_missed(feed: Feed, shelf: Shelf, change: Any) -> None:
    memory = FeedCache(feed, shelf.load, limit=10)
    shelf.values["a"] = "old"
    shelf.reading.clear()
    read = asyncio.create_task(memory.get("a"))
    await shelf.asked.wait()

    shelf.values["a"] = "new"
    change(memory)
    shelf.reading.set()

    assert await read == "old"  # it was asked before
    assert await memory.get("a") == "new"


async def test_a_failed_read_leaves_nothing_behind(feed: Feed) -> None:
    async def fail(_: str) -> str:
        raise ConnectionError

    memory = FeedCache(feed, fail, limit=10, keep_absent=True)
    with pytest.raises(ConnectionError):
        await memory.get("a")
    with pytest.raises(ConnectionError):
        await memory.get("a")


async def test_the_oldest_makes_room(feed: Feed, shelf: Shelf) -> None:
    memory = FeedCache(feed, shelf.load, limit=2)
    shelf.values = {"a": "1", "b": "2", "c": "3"}
    for key in "abc":
        await memory.get(key)
    assert shelf.reads == 3
    await memory.get("c")
    await memory.get("b")
    assert shelf.reads == 3
    await memory.get("a")
    assert shelf.reads == 4


async def test_reading_again_takes_no_room_from_others(feed: Feed, shelf: Shelf) -> None:
    memory = FeedCache(feed, shelf.load, limit=2)
    shelf.values = {"a": "1", "b": "2"}
    await memory.get("a")
    await memory.get("b")
    await memory.read("b")
    await memory.get("a")
    assert shelf.reads == 3


async def test_when_the_feed_is_lost_nothing_remembered_counts(feed: Feed, stale: FeedCache[str, str]) -> None:
    feed._lose(AutoReconnect("connection closed"))
    assert await stale.get("a") == "2"


async def test_while_the_feed_is_down_a_value_is_believed_for_a_second(feed: Feed, shelf: Shelf) -> None:
    memory = FeedCache(feed, shelf.load, limit=10)
    feed.live = False
    shelf.values["a"] = "1"
    with clock.frozen(1000):
        await memory.get("a")
    shelf.values["a"] = "2"
    feed.live = True  # what was read before counts no longer than it would have
    with clock.frozen(1000.9):
        assert await memory.get("a") == "1"
    with clock.frozen(1001):
        assert await memory.get("a") == "2"
    shelf.values["a"] = "3"
    with clock.frozen(9999):
        assert await memory.get("a") == "2"
