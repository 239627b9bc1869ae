# SPDX-License-Identifier: MPL-2.0
"""What becomes of a `mongod` that dies or cannot run, and what a person is told."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Never

import pytest
from pymongo import MongoClient, WriteConcern

from crossbar.documents.embedded import EmbeddedMongo, restart_pause
from crossbar.documents.embedded_trouble import SIZE, Trouble
from crossbar.documents.mongod_binary import find_mongod
from tests.embedded import (
    CACHE_GB,
    mongod_of,
    refusal,
    running,
    script,
    until,
)

# What becomes of a `mongod` that dies


@asynccontextmanager
async def kept_running(folder: Path, binary: Path | None = None) -> AsyncIterator[tuple[str, asyncio.Task[Never]]]:
    mongo = EmbeddedMongo(folder, cache_gb=CACHE_GB, binary=binary)
    uri = await mongo.start()
    keeper = asyncio.create_task(mongo.keep_running())
    try:
        yield uri, keeper
    finally:
        keeper.cancel()
        await mongo.stop()


async def test_a_mongod_that_dies_is_started_again_with_all_that_was_written(tmp_path: Path) -> None:
    async with kept_running(tmp_path) as (uri, _):
        with MongoClient[dict[str, Any]](uri) as client:
            client.db.things.with_options(write_concern=WriteConcern("majority", j=True)).insert_one({"_id": 1})
            killed = mongod_of(tmp_path)
            os.kill(killed, signal.SIGKILL)
            await until(lambda: mongod_of(tmp_path) not in (killed, 0))
            assert client.db.things.find_one() == {"_id": 1}


async def test_a_mongod_that_does_not_come_up_is_tried_again_and_the_reason_told(tmp_path: Path) -> None:
    """Three starts fail; the file tells why, and is blank once it is back."""
    tries = tmp_path / "tries"
    binary = script(
        tmp_path / "mongod",
        f'echo x >>{tries}; case $(wc -l <{tries}) in 2|3|4) echo no idea; exit 7;; esac; exec {find_mongod()} "$@"',
    )
    data = tmp_path / "data"
    async with kept_running(data, binary) as (uri, keeper):
        assert Trouble(data).told() == ""
        os.kill(mongod_of(data), signal.SIGKILL)
        await until(lambda: "mongod ended with exit code 7 and said: no idea" in Trouble(data).told())
        await until(lambda: Trouble(data).told() == "")
        with MongoClient[dict[str, Any]](uri) as client:
            assert client.db.command("ping")["ok"] == 1
        assert not keeper.done()
        assert tries.read_text().count("x") == 5


async def test_what_is_wrong_can_be_told_on_a_full_disk(tmp_path: Path) -> None:
    """The room for it is taken at the start."""
    trouble = Trouble(tmp_path)
    trouble.tell("")
    size = (tmp_path / "trouble").stat().st_size
    trouble.tell("x" * 10_000)
    assert trouble.told() == "x" * SIZE
    assert (tmp_path / "trouble").stat().st_size == size == SIZE
    trouble.tell("")
    assert trouble.told() == ""


@pytest.mark.parametrize(("failures", "pause"), [(0, 0.0), (1, 0.0), (2, 1.0), (4, 4.0), (30, 30.0)])
def test_restarts_come_later_and_later(failures: int, pause: float) -> None:
    assert restart_pause(failures) == pause


# What a person is told


async def test_damaged_data_is_named_with_the_way_out(tmp_path: Path) -> None:
    async with running(tmp_path):
        pass
    (tmp_path / "db" / "WiredTiger.wt").write_bytes(os.urandom(4096))
    assert (await refusal(tmp_path)).startswith(
        f"The data in {tmp_path / 'db'} is damaged. Put back a backup, "
        f"or copy the folder and try `{find_mongod()} --dbpath {tmp_path / 'db'} --repair`."
    )


async def test_data_of_a_newer_release_is_named_with_the_way_out(tmp_path: Path) -> None:
    """The mark that a newer release leaves cannot be written, but a collection that bears it can be renamed."""
    mark = {"_id": "featureCompatibilityVersion", "version": "99.0"}
    rename = {"renameCollection": "admin.newer", "to": "admin.system.version", "dropTarget": True}
    async with running(tmp_path) as client:
        client.admin.newer.insert_one(mark)
        client.admin.command("applyOps", [{"op": "c", "ns": "admin.$cmd", "o": rename}])
    message = await refusal(tmp_path)
    assert message.startswith(
        f"The data in {tmp_path / 'db'} was written by another MongoDB release than {find_mongod()} can read. "
        "Set CROSSBAR_MONGOD to a mongod of that release, or put back a backup made with this one."
    )
    assert '"99.0"' in message


@pytest.mark.parametrize(
    ("ending", "told"),
    [
        ("kill -ILL $$", "This processor lacks instructions that {binary} needs (AVX)."),
        ("kill -KILL $$", "mongod was killed, perhaps for want of memory."),
        ("echo error while loading shared libraries: libssl.so.3; exit 127", "{binary} lacks a library."),
        ("echo /x: No space left on device; exit 14", "The disk of {data} is full."),
        ("echo /x: Permission denied; exit 100", "mongod may not use {data}."),
        (
            "echo no idea; exit 7",
            "The database in {data} does not run. (mongod ended with exit code 7 and said: no idea)",
        ),
    ],
)
async def test_how_mongod_ended_decides_what_is_told(tmp_path: Path, ending: str, told: str) -> None:
    binary = script(tmp_path / "mongod", ending)
    message = await refusal(tmp_path / "data", binary=binary)
    assert message.startswith(told.format(binary=binary, data=tmp_path / "data" / "db"))


async def test_an_option_mongod_refuses_is_told_in_its_words(tmp_path: Path) -> None:
    message = await refusal(tmp_path, cache_gb=0.01)
    assert "cacheSizeGB must be greater than or equal to 0.25" in message


async def test_a_failed_start_leaves_the_folder_free(tmp_path: Path) -> None:
    await refusal(tmp_path, cache_gb=0.01)
    async with running(tmp_path) as client:
        assert client.db.command("ping")["ok"] == 1


async def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert await refusal(tmp_path / "file" / "data") == (
        f"The database in {tmp_path}/file/data cannot be started: [Errno 20] Not a directory: '{tmp_path}/file/data'"
    )
