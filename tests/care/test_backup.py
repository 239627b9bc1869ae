# SPDX-License-Identifier: MPL-2.0
"""A backup is the database as it was at one moment, whatever is written meanwhile; and it comes back whole."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import OperationFailure

from crossbar.archive import Damaged
from crossbar.care.backup import write_backup
from crossbar.care.backup_file import BackupReader, verify
from crossbar.care.restore import restore_backup
from crossbar.config import Config
from crossbar.documents import consistent_copy
from crossbar.documents.attachments import Attachments
from crossbar.documents.consistent_copy import CopiedBatch
from crossbar.documents.document import Document
from crossbar.documents.restoring import NotRestorable, Restoring
from crossbar.documents.shape import Shape, Shapes, Unique
from crossbar.documents.store import DatabaseUnusable, Duplicate, Stale, Store, Transaction
from crossbar.documents.store.event_log import SNAPSHOT_GONE
from crossbar.ids import new_id

ACCOUNT = "a" * 32
PURSES = 60
ALL_MONEY = PURSES * 100
PURSE = Shape("purse", unique=lambda purse: [Unique("key", str(purse.at("key")), "key", "taken", system=True)])
FILLER = Shape("filler", stored_in="records")


async def never() -> bool:
    return False


async def always() -> bool:
    return True


def config_of(name: str, data: Path, **options: str) -> Config:
    dotted = {key.replace("__", "."): value for key, value in options.items()}
    return Config.load(None, {}, {"server.data": str(data), "database.name": name, **dotted})


Databases = tuple[str, MongoClient[dict[str, Any]], tuple[str, str]]


@pytest.fixture
def databases(mongo_uri: str, mongo_client: MongoClient[dict[str, Any]], two_databases: tuple[str, str]) -> Databases:
    return mongo_uri, mongo_client, two_databases


@asynccontextmanager
async def store_of(uri: str, name: str) -> AsyncIterator[Store]:
    store = Store.connect(uri, name, Shapes([PURSE, FILLER]))
    await store.prepare()
    try:
        yield store
    finally:
        await store.close()


async def fill(store: Store, fillers: int) -> None:
    for number in range(PURSES):
        fields = {"amount": 100, "key": f"{number}-{new_id()}"}
        await store.insert(Document(ACCOUNT, "purse", f"{number:03}", fields))
    await asyncio.gather(
        *(store.insert(Document(ACCOUNT, "filler", new_id(), {"text": "x" * 800})) for _ in range(fillers))
    )


class Writers:
    """Write all the time: money that moves, keys that change hands, documents and files that come and go."""

    def __init__(self, store: Store, seed: int) -> None:
        self._store = store
        self._random = random.Random(seed)
        self.writes = 0
        self._ended = False

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            for _ in range(4):
                group.create_task(self._work())
            try:
                yield
            finally:
                self._ended = True

    async def _work(self) -> None:
        while not self._ended:
            for step in (self._move, self._swap, self._come_and_go):
                try:
                    await step()
                except (Stale, Duplicate):
                    continue
                self.writes += 1

    def _two(self) -> tuple[str, str]:
        first, second = self._random.sample(range(PURSES), 2)
        return f"{first:03}", f"{second:03}"

    async def _move(self) -> None:
        payer, payee = self._two()

        async def move(transaction: Transaction) -> None:
            for purse_id, amount in ((payer, -1), (payee, 1)):
                purse = await transaction.get(ACCOUNT, "purse", purse_id)
                assert purse
                moved = replace(purse, fields={**purse.fields, "amount": purse.fields["amount"] + amount})
                await transaction.replace(moved, purse)

        await self._store.transact(move)

    async def _swap(self) -> None:
        purse_id, _ = self._two()
        purse = await self._store.get(ACCOUNT, "purse", purse_id)
        assert purse
        await self._store.replace(replace(purse, fields={**purse.fields, "key": new_id()}), purse)

    async def _come_and_go(self) -> None:
        document = await self._store.insert(Document(ACCOUNT, "filler", new_id(), {"text": "short"}))
        await Attachments(self._store).put(document, "f.bin", "application/octet-stream", new_id().encode())
        if self._random.random() < 0.5:
            await Attachments(self._store).delete(document)
            await self._store.remove(document)


def invariants(database: Database[dict[str, Any]]) -> None:
    purses = list(database["documents"].find({"_id": {"$regex": "/purse/"}}))
    assert len(purses) == PURSES
    assert sum(purse["doc"]["amount"] for purse in purses) == ALL_MONEY
    claims = {claim["_id"]: claim["holder"] for claim in database["claims"].find()}
    assert claims == {f"key\x01{purse['doc']['key']}": purse["_id"] for purse in purses}
    files = {file["_id"] for file in database["attachments.files"].find()}
    chunks = {chunk["files_id"] for chunk in database["attachments.chunks"].find()}
    assert files <= chunks  # of a file that is being written, or going, the chunks alone are there


async def backed_up(config: Config, uri: str, path: Path, **options: Any) -> None:
    with path.open("wb") as file:
        await write_backup(config, database_uri=uri, file=file, with_keys=False, **options)


@pytest.mark.parametrize("few", [consistent_copy.FEW, 20])
async def test_what_is_written_meanwhile_is_all_in_it_or_not_at_all(
    few: int, databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With few documents allowed in the snapshot, some are read again and again before it."""
    monkeypatch.setattr(consistent_copy, "FEW", few)
    monkeypatch.setattr(consistent_copy, "BATCH", 100)
    mongo_uri, mongo_client, (source, target) = databases
    path = tmp_path / "backup"
    async with store_of(mongo_uri, source) as store:
        await fill(store, 3000)
        writers = Writers(store, few)
        async with writers.at_work():
            await backed_up(config_of(source, tmp_path), mongo_uri, path)
            during = writers.writes
    assert during > 20
    with path.open("rb") as file:
        batches = [batch for _, batch in BackupReader(file).batches()]
    assert any(batch.later and not batch.gone for batch in batches)
    await restore_backup(config_of(target, tmp_path), database_uri=mongo_uri, path=path, permit=never)
    invariants(mongo_client[target])
    indexes = {name: set(mongo_client[source][name].index_information()) for name in ("documents", "claims")}
    assert {name: set(mongo_client[target][name].index_information()) for name in indexes} == indexes


async def test_large_documents_that_change_meanwhile_make_more_batches(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where they are handed on before all of them are read from the snapshot."""
    monkeypatch.setattr(consistent_copy, "BYTES_AT_A_TIME", 5000)
    monkeypatch.setattr(consistent_copy, "HELD", 20_000)
    mongo_uri, mongo_client, (source, target) = databases
    path = tmp_path / "backup"
    async with store_of(mongo_uri, source) as store:
        large = [await store.insert(Document(ACCOUNT, "filler", new_id(), {"text": "x" * 1000})) for _ in range(100)]
        everything = consistent_copy._everything

        async def changed_after(connection: Any, name: str) -> AsyncIterator[CopiedBatch]:
            async for batch in everything(connection, name):
                yield batch
            if name == "records":
                for document in large:
                    await store.replace(replace(document, fields={"text": "y" * 1000}), document)

        monkeypatch.setattr(consistent_copy, "_everything", changed_after)
        await backed_up(config_of(source, tmp_path), mongo_uri, path)
    with path.open("rb") as file:
        later = [batch for _, batch in BackupReader(file).batches() if batch.later and batch.collection == "records"]
    assert sum(batch.documents for batch in later) == len(large)
    assert max(len(batch.data) for batch in later) < 10_000
    await restore_backup(config_of(target, tmp_path), database_uri=mongo_uri, path=path, permit=never)
    assert mongo_client[target]["records"].count_documents({}) == len(large)


async def test_a_moment_that_the_database_forgets_is_read_again(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was handed on of it by then does not count."""
    monkeypatch.setattr(consistent_copy, "HELD", 1)
    mongo_uri, mongo_client, (source, target) = databases
    path = tmp_path / "backup"
    again, asked = consistent_copy._again, 0
    async with store_of(mongo_uri, source) as store:
        document = await store.insert(Document(ACCOUNT, "filler", new_id(), {"text": "first"}))
        everything = consistent_copy._everything

        async def changed_after(connection: Any, name: str) -> AsyncIterator[CopiedBatch]:
            nonlocal document
            async for batch in everything(connection, name):
                yield batch
            if name == "records":
                document = await store.replace(replace(document, fields={"text": "second"}), document)

        async def forgotten_once(*arguments: Any) -> AsyncIterator[CopiedBatch]:
            nonlocal asked
            asked += 1
            async for batch in again(*arguments):
                yield batch
            if asked == 1:
                await store.remove(document)
                raise OperationFailure("gone", next(iter(SNAPSHOT_GONE)))

        monkeypatch.setattr(consistent_copy, "_everything", changed_after)
        monkeypatch.setattr(consistent_copy, "_again", forgotten_once)
        await backed_up(config_of(source, tmp_path), mongo_uri, path)
    assert asked == 2
    await restore_backup(config_of(target, tmp_path), database_uri=mongo_uri, path=path, permit=never)
    assert mongo_client[target]["records"].count_documents({}) == 0


async def test_without_writers_it_comes_back_as_it_was(databases: Databases, tmp_path: Path) -> None:
    mongo_uri, mongo_client, two_databases = databases
    source, target = two_databases
    async with store_of(mongo_uri, source) as store:
        await fill(store, 100)
        await store.counters.take("things", 7)
        purse = await store.get(ACCOUNT, "purse", "001")
        assert purse
        await Attachments(store).put(purse, "big.bin", "application/octet-stream", random.Random(1).randbytes(700_000))
        await store.leases.take("work", "somebody", 60)
    await backed_up(config_of(source, tmp_path), mongo_uri, tmp_path / "backup")
    await restore_backup(config_of(target, tmp_path), database_uri=mongo_uri, path=tmp_path / "backup", permit=never)
    for name in consistent_copy.copied_collections():
        before, after = (sorted(mongo_client[one][name].find(), key=str) for one in two_databases)
        assert before == after, name
    assert mongo_client[target]["counters"].count_documents({}) == 1
    assert mongo_client[target]["leases"].count_documents({}) == 0  # whoever worked there does not work here


async def a_backup(uri: str, name: str, folder: Path) -> Path:
    async with store_of(uri, name) as store:
        await fill(store, 50)
    await backed_up(config_of(name, folder), uri, folder / "backup")
    return folder / "backup"


def flipped(whole: bytes, at: int) -> bytes:
    return whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :]


async def test_a_file_that_is_not_whole_is_noticed_before_anything_is_written(
    databases: Databases, tmp_path: Path
) -> None:
    mongo_uri, mongo_client, two_databases = databases
    path = await a_backup(mongo_uri, two_databases[0], tmp_path)
    whole = path.read_bytes()
    assert verify(path, lambda *_: None)["database"] == two_databases[0]
    damage = {
        "cut in a frame": whole[:-10],
        "cut behind a frame": whole[: whole.rindex(b"T\0\0\0")],
        "a bit in the middle": flipped(whole, len(whole) // 2),
        "a bit in the header": flipped(whole, 25),
        "something behind it": whole + b"x",
        "nothing": b"",
        "something else": b"PK\x03\x04" + whole,
        "another kind": whole.replace(b" backup\n", b" export\n", 1),
        "a newer form": whole.replace(b"archive 1 ", b"archive 9 ", 1),
    }
    config = config_of(two_databases[1], tmp_path)
    for kind, contents in damage.items():
        path.write_bytes(contents)
        with pytest.raises(Damaged):
            await restore_backup(config, database_uri=mongo_uri, path=path, permit=always)
            pytest.fail(kind)
    assert two_databases[1] not in mongo_client.list_database_names()


async def test_a_newer_format_is_refused_with_the_release_that_made_it(
    mongo_uri: str, two_databases: tuple[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("crossbar.care.backup_file.FORMAT", 2)
    monkeypatch.setattr("crossbar.care.backup_file.__version__", "9.9")
    path = await a_backup(mongo_uri, two_databases[0], tmp_path)
    monkeypatch.undo()
    with pytest.raises(Damaged, match=r"made by a newer release \(9\.9\).*cannot read \(2\)"):
        verify(path, lambda *_: None)


async def test_what_is_there_goes_only_with_leave(databases: Databases, tmp_path: Path) -> None:
    mongo_uri, mongo_client, two_databases = databases
    path = await a_backup(mongo_uri, two_databases[0], tmp_path)
    async with store_of(mongo_uri, two_databases[1]) as store:
        await store.insert(Document(ACCOUNT, "filler", "kept", {}))
    config = config_of(two_databases[1], tmp_path)
    with pytest.raises(NotRestorable, match="not empty"):
        await restore_backup(config, database_uri=mongo_uri, path=path, permit=never)
    assert mongo_client[two_databases[1]]["records"].count_documents({}) == 1
    await restore_backup(config, database_uri=mongo_uri, path=path, permit=always)
    assert mongo_client[two_databases[1]]["records"].find_one({"_id": f"{ACCOUNT}/filler/kept"}) is None
    invariants(mongo_client[two_databases[1]])


async def test_a_database_that_is_used_is_left_alone(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mongo_uri, mongo_client, two_databases = databases
    monkeypatch.setattr("crossbar.documents.restoring.LEASE_SECONDS", -1)
    path = await a_backup(mongo_uri, two_databases[0], tmp_path)
    async with store_of(mongo_uri, two_databases[1]) as store:
        await store.register()
        await store.insert(Document(ACCOUNT, "filler", "kept", {}))
        with pytest.raises(NotRestorable, match="Stop it first"):
            await restore_backup(
                config_of(two_databases[1], tmp_path), database_uri=mongo_uri, path=path, permit=always
            )
        await store.prepare()  # it goes on serving
    assert mongo_client[two_databases[1]]["records"].count_documents({}) == 1


async def test_half_a_restoring_does_not_serve_and_is_begun_again(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mongo_uri, mongo_client, two_databases = databases
    path = await a_backup(mongo_uri, two_databases[0], tmp_path)
    config, whole = config_of(two_databases[1], tmp_path), Restoring._write

    async def breaks_off(self: Restoring, number: int, batch: Any) -> None:
        if batch.collection == "claims":
            raise ConnectionError("broken off")
        await whole(self, number, batch)

    monkeypatch.setattr(Restoring, "_write", breaks_off)
    with pytest.raises(ConnectionError):
        await restore_backup(config, database_uri=mongo_uri, path=path, permit=never)
    assert mongo_client[two_databases[1]]["documents"].count_documents({}) == PURSES
    with pytest.raises(DatabaseUnusable, match="not restored whole"):
        async with store_of(mongo_uri, two_databases[1]):
            pass
    monkeypatch.undo()
    await restore_backup(config, database_uri=mongo_uri, path=path, permit=never)
    invariants(mongo_client[two_databases[1]])
    async with store_of(mongo_uri, two_databases[1]):
        pass
