"""The embedded MongoDB, always a real one: what it offers, and how it behaves when things go wrong."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, Never

import pytest
from pymongo import AsyncMongoClient, MongoClient, WriteConcern

from crossbar.documents import embedded
from crossbar.documents.embedded import LOG_BYTES, EmbeddedMongo, restart_pause
from crossbar.documents.embedded_trouble import SIZE, Trouble
from crossbar.documents.mongod_binary import EmbeddedMongoError, find_mongod

CACHE_GB = 0.25

SERVER = f"""
import asyncio, signal, sys
from pathlib import Path
from pymongo import MongoClient
from crossbar.documents.embedded import EmbeddedMongo

async def serve():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    binary = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    mongo = EmbeddedMongo(Path(sys.argv[1]), cache_gb={CACHE_GB}, binary=binary)
    uri = await mongo.start()
    print("ready", flush=True)
    await stop.wait()
    with MongoClient(uri) as client:
        client.db.things.insert_one({{"_id": "last words"}})
    await mongo.stop()

asyncio.run(serve())
"""


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[MongoClient[dict[str, Any]]]:
    mongo = EmbeddedMongo(folder, cache_gb=CACHE_GB)
    uri = await mongo.start()
    try:
        with MongoClient[dict[str, Any]](uri) as client:
            yield client
    finally:
        await mongo.stop()


@contextmanager
def server(folder: Path, binary: Path | None = None) -> Iterator[subprocess.Popen[str]]:
    """A server process of its own with the database on `folder`, in a process group of its own; killed at the end."""
    arguments = [sys.executable, "-c", SERVER, str(folder), *([str(binary)] if binary else [])]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


@contextmanager
def mongod_by_hand(data: Path) -> Iterator[subprocess.Popen[str]]:
    """A `mongod` that somebody runs on the data without a server, as for a repair."""
    arguments = [str(find_mongod()), f"--dbpath={data}", "--nounixsocket", f"--bind_ip={data / 'by-hand.sock'}"]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert any("Waiting for connections" in line for line in process.stdout)
            yield process
        finally:
            process.kill()


def script(path: Path, text: str) -> Path:
    """A program that stands where a `mongod` should."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o700)
    return path


def mongod_of(folder: Path) -> int:
    """The process of the database; 0 while its file is being written."""
    return int((folder / "mongod.pid").read_text() or 0)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


async def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


async def refusal(folder: Path, **options: Any) -> str:
    """What a person is told who starts the database on `folder`, which cannot be."""
    with pytest.raises(EmbeddedMongoError) as refused:
        await EmbeddedMongo(folder, **options).start()
    return str(refused.value)


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


# Which mongod


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delenv("CROSSBAR_MONGOD", raising=False)
    return monkeypatch


def test_a_package_brings_mongod(nothing_installed: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "fiftyone" / "db" / "bin").mkdir(parents=True)
    packaged = script(tmp_path / "fiftyone" / "db" / "bin" / "mongod", "")
    nothing_installed.setattr(sys, "path", [str(tmp_path)])
    assert find_mongod() == packaged


def test_mongod_on_path_goes_before_the_package(nothing_installed: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "fiftyone" / "db" / "bin").mkdir(parents=True)
    script(tmp_path / "fiftyone" / "db" / "bin" / "mongod", "")
    nothing_installed.setattr(sys, "path", [str(tmp_path)])
    on_path = script(tmp_path / "mongod", "")
    nothing_installed.setenv("PATH", str(tmp_path))
    assert find_mongod() == on_path


def test_the_environment_goes_before_path(nothing_installed: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script(tmp_path / "mongod", "")
    nothing_installed.setenv("PATH", str(tmp_path))
    named = script(tmp_path / "named", "")
    nothing_installed.setenv("CROSSBAR_MONGOD", str(named))
    assert find_mongod() == named


def test_an_environment_that_names_no_program_is_told(nothing_installed: pytest.MonkeyPatch) -> None:
    nothing_installed.setenv("CROSSBAR_MONGOD", "/nowhere/mongod")
    with pytest.raises(EmbeddedMongoError, match=r"^CROSSBAR_MONGOD names /nowhere/mongod, which is no program"):
        find_mongod()


@pytest.mark.usefixtures("nothing_installed")
def test_without_a_mongod_the_ways_to_one_are_told() -> None:
    with pytest.raises(EmbeddedMongoError) as refused:
        find_mongod()
    assert str(refused.value) == (
        "There is no MongoDB. Set database.uri to one that runs, or install mongod for the server to run its own: "
        "pip install 'kazoo-crossbar[embedded]', or a mongod on PATH or named by CROSSBAR_MONGOD."
    )
