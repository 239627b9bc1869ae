# SPDX-License-Identifier: MPL-2.0
"""What a replica set without a primary still gives."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossbar.documents.document import Document
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Shapes, Summary
from crossbar.documents.store import Store
from crossbar.errors import SystemFault
from trials.replica_set import ReplicaSet

ACCOUNT = "a" * 32
THING = Shape("thing", Summary("id"))


async def test_secondaries_answer_reads_where_that_is_wanted(tmp_path: Path) -> None:
    members = ReplicaSet(tmp_path, election_ms=1_000)
    await members.start()
    usual = Store.connect(members.uri, "reads", Shapes((THING,)), timeout=2)
    willing = Store.connect(members.uri, "reads", Shapes((THING,)), timeout=20, reads="primary_preferred")
    try:
        await usual.prepare()
        written = await usual.insert(Document(ACCOUNT, "thing", "one", {"name": "one"}))
        await members.lose_majority()
        assert await willing.get(ACCOUNT, "thing", "one") == written
        assert [row.id async for row in willing.stream(Listing(ACCOUNT, "thing"))] == ["one"]
        with pytest.raises(SystemFault, match="datastore_unreachable"):
            await usual.get(ACCOUNT, "thing", "one")
    finally:
        await usual.close()
        await willing.close()
        members.stop()
