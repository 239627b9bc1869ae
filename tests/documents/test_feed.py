# SPDX-License-Identifier: MPL-2.0
"""The change feed, when something in it goes wrong."""

from __future__ import annotations

import asyncio

from crossbar.documents.document import Document
from crossbar.documents.driver import DriverName
from crossbar.documents.feed import Change, Feed
from crossbar.documents.shape import Shape, Shapes
from crossbar.documents.store import Store, Transaction


async def test_a_listener_that_fails_does_not_end_the_feed(
    mongo_uri: str, database_name: str, driver: DriverName
) -> None:
    shapes = Shapes([Shape("thing")])
    writer, reader = (Store.connect(mongo_uri, database_name, shapes, driver=driver) for _ in range(2))
    await writer.prepare()
    feed = Feed(reader)
    heard: asyncio.Queue[str] = asyncio.Queue()
    forgotten = asyncio.Event()

    def listen(change: Change) -> None:
        if change.id == "bad":
            raise ValueError(change.id)
        heard.put_nowait(change.id)

    feed.subscribe("thing", listen)
    feed.on_loss(forgotten.set)
    await feed.start()
    await writer.insert(Document("a", "thing", "bad", {}))
    await asyncio.wait_for(forgotten.wait(), 10)
    while not feed.live:  # noqa: ASYNC110 - nothing announces it
        await asyncio.sleep(0)
    await writer.insert(Document("a", "thing", "good", {}))
    assert await asyncio.wait_for(heard.get(), 10) == "good"
    await feed.stop()
    await writer.close()
    await reader.close()


async def test_what_this_process_writes_is_heard_whole_and_once(
    mongo_uri: str, database_name: str, driver: DriverName
) -> None:
    shapes = Shapes([Shape("thing"), Shape("other")])
    mine, another = (Store.connect(mongo_uri, database_name, shapes, driver=driver) for _ in range(2))
    await mine.prepare()
    feed = Feed(mine)
    heard: list[tuple[str, object]] = []
    await feed.start()
    feed.hear_own("thing", lambda document: heard.append((document.id, document.fields.get("n"))))
    await another.insert(Document("a", "thing", "elsewhere", {"n": 0}))
    saved = await mine.insert(Document("a", "thing", "one", {"n": 1}))
    await mine.insert(Document("a", "other", "two", {}))

    async def work(transaction: Transaction) -> None:
        await transaction.replace(Document("a", "thing", "one", {"n": 2}), saved)

    await mine.transact(work)
    assert heard == [("one", 1), ("one", 2)]
    await feed.stop()
    await mine.close()
    await another.close()
