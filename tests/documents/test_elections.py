# SPDX-License-Identifier: MPL-2.0
"""The primary steps down or dies while work is under way: everything is done once, and late rather than refused."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
import pytest_asyncio
from pymongo import AsyncMongoClient

from crossbar.documents.attachments import CHUNK_BYTES, Attachments
from crossbar.documents.document import Document
from crossbar.documents.driver import DRIVERS, DriverName
from crossbar.documents.embedded import EmbeddedMongo
from crossbar.documents.listing import Listing
from crossbar.documents.shape import Shape, Shapes, Summary, Unique
from crossbar.documents.store import Store, Transaction
from crossbar.errors import SystemFault

ACCOUNT, OTHER = "a" * 32, "b" * 32


def claims(document: Document) -> list[Unique]:
    return [claim(document.fields["word"])]


def claim(word: str) -> Unique:
    return Unique("word", word, "word", "taken", system=True)


THING = Shape("thing", Summary("id"))
CLAIMANT = Shape("claimant", Summary("id"), unique=claims)


class Base:
    """A database of the test's own, which it can take away."""

    def __init__(self, mongo: EmbeddedMongo, uri: str, driver: DriverName) -> None:
        self.mongo = mongo
        self.uri = uri
        self.store = Store.connect(uri, "elections", Shapes((THING, CLAIMANT)), timeout=30, driver=driver)
        self.attachments = Attachments(self.store)

    async def step_down(self) -> None:
        """Be no primary for a second."""
        async with AsyncMongoClient[dict[str, Any]](self.uri) as client:
            await client.admin.command("replSetStepDown", 1, secondaryCatchUpPeriodSecs=0, force=True)

    def kill(self) -> None:
        os.kill(int((self.mongo.folder / "mongod.pid").read_text()), signal.SIGKILL)


@pytest_asyncio.fixture(loop_scope="session", scope="module", params=sorted(DRIVERS))
async def base(request: pytest.FixtureRequest, tmp_path_factory: Any) -> AsyncIterator[Base]:
    mongo = EmbeddedMongo(tmp_path_factory.mktemp("elections"), cache_gb=0.25)
    base = Base(mongo, await mongo.start(), request.param)
    keeper = asyncio.create_task(mongo.keep_running())
    await base.store.prepare()
    yield base
    keeper.cancel()
    await base.store.close()
    await mongo.stop()


async def test_writes_wait_for_the_election(base: Base) -> None:
    store = base.store
    counted = await store.insert(Document(ACCOUNT, "thing", "counter", {"count": 0}))

    def increment(document: Document) -> None:
        document.fields["count"] += 1

    def add(name: str) -> Any:
        async def work(transaction: Transaction) -> None:
            await transaction.insert(Document(ACCOUNT, "thing", f"{name}-1", {}))
            await transaction.insert(Document(ACCOUNT, "thing", f"{name}-2", {}))

        return store.transact(work)

    await base.step_down()
    await asyncio.gather(
        *(store.insert(Document(ACCOUNT, "thing", f"single-{n}", {})) for n in range(20)),
        *(store.insert(Document(ACCOUNT, "claimant", str(n), {"word": f"w{n}"})) for n in range(3)),
        *(add(f"pair-{n}") for n in range(3)),
        store.update(ACCOUNT, "thing", "counter", increment),
        store.upsert(Document(ACCOUNT, "thing", "upserted", {})),
        store.leases.take("work", "me", 60),
        store.revocations.revoke("digest", None),
    )
    ids = {row.id async for row in store.stream(Listing(ACCOUNT, "thing"))}
    singles, pairs = {f"single-{n}" for n in range(20)}, {f"pair-{n}-{half}" for n in range(3) for half in (1, 2)}
    assert ids == singles | pairs | {"counter", "upserted"}
    found = await store.get(ACCOUNT, "thing", "counter")
    assert found is not None
    assert found.fields["count"] == 1
    assert found.revision != counted.revision
    claimed = [claim(f"w{n}") for n in range(3)]
    assert set(await store.claims.holders(ACCOUNT, claimed)) == {one.key for one in claimed}
    assert await store.revocations.revoked("digest")


async def test_an_upload_outlives_the_death_of_the_database(base: Base) -> None:
    document = Document(ACCOUNT, "thing", "photo", {})

    async def contents() -> AsyncIterator[bytes]:
        for number in range(8):
            if number == 6:
                base.kill()
            yield bytes([number]) * CHUNK_BYTES

    stored = await base.attachments.put(document, "photo.png", "image/png", contents())
    assert await base.attachments.read(stored) == b"".join(bytes([number]) * CHUNK_BYTES for number in range(8))


class Forgetful:
    """A proxy of the database that loses answers: requests arrive, and the connection ends before it says so."""

    def __init__(self, socket: str) -> None:
        self._socket = socket
        self.loses: dict[bytes, int] = {}
        """How often the answer to requests that hold these bytes is still to be lost."""

    @asynccontextmanager
    async def uri(self) -> AsyncIterator[str]:
        async with await asyncio.start_server(self._serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            yield f"mongodb://127.0.0.1:{port}/?directConnection=true&serverMonitoringMode=poll"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, requests = await asyncio.open_unix_connection(self._socket)
        try:
            while message := await self._message(reader):
                requests.write(message)
                answer = await self._message(answers)
                if self._loses(message):
                    break
                writer.write(answer)
        finally:
            requests.close()
            writer.close()

    def _loses(self, message: bytes) -> bool:
        for words, left in self.loses.items():
            if left and words in message:
                self.loses[words] = left - 1
                return True
        return False

    @staticmethod
    async def _message(reader: asyncio.StreamReader) -> bytes:
        try:
            head = await reader.readexactly(4)
            return head + await reader.readexactly(int.from_bytes(head, "little") - 4)
        except asyncio.IncompleteReadError:
            return b""


async def test_what_came_through_without_its_answer_is_done_once(base: Base) -> None:
    proxy = Forgetful(unquote(urlsplit(base.uri).netloc))
    async with proxy.uri() as uri:
        store = Store.connect(uri, "elections", Shapes((THING,)), timeout=30)
        proxy.loses = {b"\x02insert\x00": 2, b"\x02update\x00": 2}  # the driver itself asks twice
        made = await store.insert(Document(OTHER, "thing", "once", {"count": 0}))
        assert await store.get(OTHER, "thing", "once") == made
        changed = await store.replace(Document(OTHER, "thing", "once", {"count": 1}), made)
        assert await store.get(OTHER, "thing", "once") == changed
        assert proxy.loses == {b"\x02insert\x00": 0, b"\x02update\x00": 0}
        await store.close()


async def test_chunks_of_a_file_that_never_became_whole_are_removed(base: Base) -> None:
    attachments = base.attachments
    document = Document(ACCOUNT, "thing", "kept", {})
    kept = await attachments.put(document, "kept.png", "image/png", b"k" * CHUNK_BYTES * 2)
    lost = await attachments.put(document, "lost.png", "image/png", b"l" * CHUNK_BYTES * 2)
    await base.store.database["attachments.files"].delete_one({"_id": lost.file_id})
    chunks = base.store.database["attachments.chunks"]
    now = datetime.now(UTC)
    assert await attachments.remove_orphans(now - timedelta(days=1)) == 0
    assert await chunks.count_documents({"files_id": lost.file_id}) == 2
    assert await attachments.remove_orphans(now + timedelta(days=1)) == 1
    assert await chunks.count_documents({"files_id": lost.file_id}) == 0
    assert await attachments.read(kept) == b"k" * CHUNK_BYTES * 2


async def test_patience_ends(tmp_path: Path) -> None:
    mongo = EmbeddedMongo(tmp_path / "mongo", cache_gb=0.25)
    uri = await mongo.start()
    store = Store.connect(uri, "elections", Shapes((THING,)), timeout=0.5)
    await store.prepare()
    await mongo.stop()
    for work in (
        store.insert(Document(ACCOUNT, "thing", "one", {})),
        store.get(ACCOUNT, "thing", "one"),
        store.transact(lambda transaction: transaction.insert(Document(ACCOUNT, "thing", "two", {}))),
        Attachments(store).put(Document(ACCOUNT, "thing", "one", {}), "a", "text/plain", b"a"),
    ):
        with pytest.raises(SystemFault) as fault:
            await work
        assert (fault.value.status, fault.value.word) == (503, "datastore_unreachable")
    await store.close()
