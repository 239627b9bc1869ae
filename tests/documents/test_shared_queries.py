# SPDX-License-Identifier: MPL-2.0
"""Calls that travel together: what one asks for does not spoil the others' answers."""

from __future__ import annotations

import asyncio

from crossbar.documents.document import Document
from crossbar.documents.driver import DriverName
from crossbar.documents.listing import Listing, Position
from crossbar.documents.shape import Shape, Shapes
from crossbar.documents.store import Store

HUGE = "x" * 9_000_000


async def test_ids_and_keys_of_megabytes_spoil_nobody_elses_query(
    mongo_uri: str, database_name: str, driver: DriverName
) -> None:
    store = Store.connect(mongo_uri, database_name, Shapes([Shape("thing")]), driver=driver)
    await store.prepare()
    await store.insert(Document("a", "thing", "1", {"name": "one"}))

    async def page_at(key: str | None) -> list[bytes]:
        start = None if key is None else Position.value(key)
        listing = Listing("a", "thing", start=start, descending=False, limit=10)
        return (await store.page(listing)).bodies

    found = await asyncio.gather(
        store.get("a", "thing", "1"),
        *(store.get("a", "thing", f"{number}{HUGE}") for number in range(2)),
    )
    assert [document and document.text("name") for document in found] == ["one", None, None]
    pages = await asyncio.gather(
        page_at(None), *(page_at(f"{number}{HUGE}") for number in range(2)), return_exceptions=True
    )
    assert pages[0] == [b'{"id":"1","name":"one"}']
    await store.close()
