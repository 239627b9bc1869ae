# SPDX-License-Identifier: MPL-2.0
"""The embedded MongoDB, always a real one: what it offers, and how it behaves when things go wrong."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pymongo import AsyncMongoClient, MongoClient

from crossbar.documents import embedded
from crossbar.documents.embedded import LOG_BYTES, EmbeddedMongo
from crossbar.documents.mongod_binary import find_mongod
from tests.embedded import (
    CACHE_GB,
    mode,
    mongod_by_hand,
    mongod_of,
    refusal,
    running,
    script,
    server,
    until,
)

# What it offers


async def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    mongo = EmbeddedMongo(tmp_path, cache_gb=CACHE_GB)
    with MongoClient[dict[str, Any]](await mongo.start()) as client:
        client.db.things.insert_one({"_id": 1})
    await mongo.stop()
    with MongoClient[dict[str, Any]](await mongo.start()) as client:
        assert client.db.things.find_one() == {"_id": 1}
    await mongo.stop()


async def test_transactions_and_change_streams_work(tmp_path: Path) -> None:
    async with running(tmp_path) as client:
        things = client.db.create_collection("things")
        with things.watch() as changes:
            with client.start_session() as session:
                with session.start_transaction():
                    things.insert_one({"_id": "undone"}, session=session)
                    session.abort_transaction()
                with session.start_transaction():
                    things.insert_one({"_id": "done"}, session=session)
            assert changes.next()["documentKey"] == {"_id": "done"}
        assert [thing["_id"] for thing in things.find()] == ["done"]


async def test_a_mongod_that_has_not_read_yet_what_it_is_may_be_asked_to_become_it(tmp_path: Path) -> None:
    mongo = EmbeddedMongo(tmp_path, cache_gb=CACHE_GB)
    async with AsyncMongoClient[dict[str, Any]](await mongo.start()) as client:
        await embedded._initiate(client)
        assert (await client.admin.command("hello"))["isWritablePrimary"]
    await mongo.stop()


async def test_data_moved_to_another_folder_still_serves(tmp_path: Path) -> None:
    async with running(tmp_path / "before") as client:
        client.db.things.insert_one({"_id": 1})
    (tmp_path / "before").rename(tmp_path / "after")
    async with running(tmp_path / "after") as client:
        assert client.db.things.find_one() == {"_id": 1}


async def test_a_folder_with_a_long_path_gets_its_socket_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 30)
    async with running(folder) as client:
        elsewhere = (folder / "run").readlink()
        assert client.db.command("ping")["ok"] == 1
        assert mode(elsewhere) == 0o700
        assert mode(elsewhere / "mongod.sock") == 0o600
    assert not elsewhere.exists()
    assert not (folder / "run").is_symlink()


async def test_a_large_log_is_set_aside(tmp_path: Path) -> None:
    (tmp_path / "mongod.log").write_bytes(b"x" * (LOG_BYTES + 1))
    async with running(tmp_path):
        assert (tmp_path / "mongod.log.1").stat().st_size == LOG_BYTES + 1
        assert (tmp_path / "mongod.log").stat().st_size < LOG_BYTES


# Who may reach it


async def test_only_its_owner_can_reach_it(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    async with running(folder):
        assert mode(folder) == 0o700
        assert mode(folder / "mongod.sock") == 0o600


async def test_a_folder_shared_with_others_is_refused(shared: Path) -> None:
    assert await refusal(shared) == f"{shared} is shared with others. Choose a folder inside it for the data."
    assert mode(shared) == 0o1777


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    tmp_path.chmod(0o1777)
    return tmp_path


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
async def test_it_listens_on_no_network(tmp_path: Path) -> None:
    async with running(tmp_path):
        mine = sockets_of(mongod_of(tmp_path))
        assert mine & listening("unix")
        assert not mine & (listening("tcp") | listening("tcp6"))


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_network_listener_would_be_seen() -> None:
    with socket.create_server(("127.0.0.1", 0)):
        assert sockets_of(os.getpid()) & listening("tcp")


def sockets_of(process: int) -> set[str]:
    """The inodes of the sockets a process has open."""
    inodes = set()
    for entry in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):
            inodes.update(re.findall(r"^socket:\[(\d+)\]$", str(entry.readlink())))
    return inodes


def listening(family: str) -> set[str]:
    """The inodes of the sockets of a family that wait for connections; see proc(5) for the columns."""
    rows = [line.split() for line in Path(f"/proc/net/{family}").read_text().splitlines()[1:]]
    if family == "unix":
        return {row[6] for row in rows if row[3] == "00010000"}
    return {row[9] for row in rows if row[3] == "0A"}


# One server on a folder, whatever became of the last


async def test_a_second_server_on_the_folder_is_refused(tmp_path: Path) -> None:
    with server(tmp_path) as first:
        assert await refusal(tmp_path) == (
            f"Another server (process {first.pid}) uses the data folder {tmp_path}. "
            "Stop it, or give this one a folder of its own."
        )
        assert first.poll() is None


async def test_ctrl_c_leaves_the_server_its_database_until_it_stops(tmp_path: Path) -> None:
    with server(tmp_path) as process:
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait() == 0
    async with running(tmp_path) as client:
        assert client.db.things.find_one() == {"_id": "last words"}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start ends it")
async def test_a_killed_server_takes_its_mongod_with_it(tmp_path: Path) -> None:
    """`mongod` empties its lock file when it ends in good order."""
    with server(tmp_path) as process:
        process.kill()
    await until(lambda: (tmp_path / "db" / "mongod.lock").read_text() == "")


async def test_after_a_killed_server_the_next_starts_at_once(tmp_path: Path) -> None:
    with server(tmp_path) as process:
        before = mongod_of(tmp_path)
        process.kill()
    async with running(tmp_path) as client:
        assert client.db.command("ping")["ok"] == 1
        assert mongod_of(tmp_path) != before


async def test_a_mongod_that_outlived_its_server_is_replaced(tmp_path: Path) -> None:
    """A shell between the two keeps the server's end from its `mongod`."""
    wrapper = script(tmp_path / "wrapper", f'{find_mongod()} "$@"; exit')
    with server(tmp_path / "data", wrapper) as process:
        orphan = mongod_of(tmp_path / "data")
        process.kill()
    os.kill(orphan, 0)
    async with running(tmp_path / "data") as client:
        assert client.db.command("ping")["ok"] == 1
        assert mongod_of(tmp_path / "data") != orphan


async def test_a_mongod_that_somebody_else_started_on_the_data_is_left_alone(tmp_path: Path) -> None:
    async with running(tmp_path):
        pass
    with mongod_by_hand(tmp_path / "db") as other:
        assert await refusal(tmp_path) == (
            f"Process {other.pid} has the database in {tmp_path / 'db'} open, and no server started it. Stop it first."
        )
        assert other.poll() is None
