# SPDX-License-Identifier: MPL-2.0
"""An embedded database for tests."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from crossbar.documents.embedded import EmbeddedMongo
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
