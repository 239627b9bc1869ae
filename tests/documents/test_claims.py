# SPDX-License-Identifier: MPL-2.0
"""Values that only one document of the whole system may hold."""

from __future__ import annotations

import dataclasses

from crossbar.documents.document import Document
from crossbar.documents.driver import DriverName
from crossbar.documents.shape import Shape, Shapes, Unique
from crossbar.documents.store import Store

THING = Shape("thing", unique=lambda thing: [Unique("name", thing.text("name"), "name", "taken", system=True)])


async def test_a_document_removed_as_it_was_seen_leaves_no_claim_of_what_it_became(
    mongo_uri: str, database_name: str, driver: DriverName
) -> None:
    store = Store.connect(mongo_uri, database_name, Shapes([THING]), driver=driver)
    await store.prepare()
    seen = await store.insert(Document("a", "thing", "1", {"name": "one"}))
    await store.replace(dataclasses.replace(seen, fields={"name": "two"}), seen)
    await store.remove(seen)
    for name in ("one", "two"):
        await store.insert(Document("b", "thing", name, {"name": name}))
    await store.close()
