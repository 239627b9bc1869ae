# SPDX-License-Identifier: MPL-2.0
"""The embedded MongoDB: a `mongod` of the server's own, for installations that name no database.

`EmbeddedMongo` runs one `mongod` as a child of the supervising process. It listens on a Unix socket in a private
folder and on no network port, and it is a replica set of one, because transactions and change streams need a set.

The folder holds `db/` (the data), `mongod.log` and `mongod.log.1`, `mongod.pid`, `mongod.sock`, `trouble` (why it
does not run) and `server.lock`, which the supervising process keeps locked. Where the folder's path is too long for a
Unix socket, the socket lies in a folder under the system's temporary one, and the link `run` leads there.
"""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import logging
import math
import os
import resource
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Never
from urllib.parse import quote

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError

from crossbar.documents.embedded_trouble import Trouble
from crossbar.documents.mongod_binary import EmbeddedMongoError, find_mongod
from crossbar.documents.mongod_exit import explain
from crossbar.logs import fields

logger = logging.getLogger(__name__)

CACHE_GB = 0.5
"""WiredTiger's cache unless told otherwise; `mongod` as a whole takes about 0.3 GB more. The least is 0.25."""

REPLICA_SET = "crossbar"

MEMBER = "./mongod.sock"
"""The set's only member, seen from the folder `mongod` runs in: data moved to another path is still the same set."""

OPTIONS = (
    f"--bind_ip={MEMBER}",
    "--nounixsocket",  # that is: no second socket in /tmp
    "--filePermissions=0600",
    f"--replSet={REPLICA_SET}",
    "--oplogSize=1024",  # MB; the default is a twentieth of the disk
    "--wiredTigerEngineConfigString=log=(file_max=16MB)",  # journal files are read whole at start: 100 MB take 0.3 s
    "--noscripting",
    "--quiet",
    "--logappend",
    "--setParameter=diagnosticDataCollectionEnabled=false",
    # Nobody reads what was minutes ago: keeping five of them costs a third of what an update takes the database.
    "--setParameter=minSnapshotHistoryWindowInSeconds=10",
    # What a killed process leaves of a transaction keeps others waiting for so long; none of ours lasts longer.
    "--setParameter=transactionLifetimeLimitSeconds=20",
)

OLDEST_WIRE_VERSION = 17
"""MongoDB 6.0: the first long-term release with clustered collections."""

ALREADY_INITIALIZED = 23
"""MongoDB's number for the refusal to make a replica set a second time."""

SOCKET_PATH_BYTES = 103
"""The longest path of a Unix socket everywhere (Linux takes 107, macOS 103)."""

LOG_BYTES = 16 * 2**20
"""A log larger than this is set aside at the next start, in place of the one before."""

OPEN_FILES = 64_000
"""What MongoDB asks for, as far as the hard limit goes."""

START_SECONDS = 120.0
"""Replaying the journal of a large database after a crash takes its time."""

STOP_SECONDS = 30.0
KILL_SECONDS = 5.0
TICK_SECONDS = 0.01
WATCH_SECONDS = 0.2
STEADY_SECONDS = 60.0
"""A `mongod` that ran for this long had come up well."""
LONGEST_PAUSE_SECONDS = 30.0
"""Between two starts of a `mongod` that does not come up, or not to stay."""
PR_SET_PDEATHSIG = 1


class FolderInUse(EmbeddedMongoError):
    """A server runs on the folder."""


class EmbeddedMongo:
    """One `mongod` on one data folder, from `start` to `stop`.

    It ends with the process that started it, however that ends: on Linux by the kernel's doing, else at the next
    start. The kernel ties this to the *thread*, so start it on one that lives as long as the server does. Ctrl-C does
    not reach it: a server being stopped can still finish its writes.
    """

    def __init__(self, folder: Path, *, cache_gb: float = CACHE_GB, binary: Path | None = None) -> None:
        """`folder` is made if it is not there. `binary` is the `mongod` to run (default: `find_mongod`)."""
        self.folder = folder.resolve()
        self._data = self.folder / "db"
        self._log = self.folder / "mongod.log"
        self._pid = self.folder / "mongod.pid"
        self._run = self.folder / "run"
        self._socket = self.folder / "mongod.sock"
        self._cache_gb = cache_gb
        self._binary = binary
        self._lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self.trouble = Trouble(self.folder)

    async def start(self) -> str:
        """Run `mongod` until it takes writes; its `mongodb://` URI. EmbeddedMongoError if that cannot be."""
        self._binary = self._binary or find_mongod()
        try:
            _make_private(self.folder)
            self._lock = _lock(self.folder)
            await self._end_orphan()
            self._place_socket()
            self.trouble.tell("")
            await self._run_until_ready(self._binary)
        except OSError as error:
            await self.stop()
            raise EmbeddedMongoError(f"The database in {self.folder} cannot be started: {error}") from error
        except BaseException:
            await self.stop()
            raise
        return self._uri

    async def keep_running(self) -> Never:
        """Start `mongod` again whenever it ends by itself, at the same URI, until cancelled.

        Where it does not come up, or not to stay, the pauses grow, and `trouble` tells the reason.
        """
        assert self._binary is not None  # noqa: S101 - it was started
        failures = 0
        while True:
            began = time.monotonic()
            await _until(self._ended, math.inf, tick=WATCH_SECONDS)
            failures = 0 if time.monotonic() - began >= STEADY_SECONDS else failures + 1
            reason: str | None = self._reason(self._binary)
            while reason is not None:
                pause = restart_pause(failures)
                logger.error("the database ended, starting it again", extra=fields(reason=reason, restart_in_s=pause))
                self.trouble.tell(reason)
                await asyncio.sleep(pause)
                reason = await self._try_again(self._binary)
                failures += 1
            self.trouble.tell("")
            logger.info("the database is back")

    async def _try_again(self, binary: Path) -> str | None:
        """Start `mongod` once more; why it did not come up, None if it did."""
        try:
            await self._end_process()
            await self._run_until_ready(binary)
        except (EmbeddedMongoError, OSError) as error:
            return str(error)
        return None

    async def stop(self) -> None:
        """Let `mongod` finish, and give the folder free. Nothing happens if it is not running."""
        await self._end_process()
        if self._lock is not None:
            self._remove_run()
            os.close(self._lock)
            self._lock = None

    async def _end_process(self) -> None:
        if self._process is not None:
            self._process.terminate()
            if not await _until(self._ended, STOP_SECONDS):
                self._process.kill()
                await _until(self._ended, KILL_SECONDS)
            self._process = None

    @property
    def _uri(self) -> str:
        return _uri_of(self._socket)

    async def _end_orphan(self) -> None:
        """End a `mongod` that outlived the server which started it on this folder."""
        holder = self._holder()
        if holder is None:
            return
        if holder and holder != _read(self._pid):
            raise EmbeddedMongoError(
                f"Process {holder} has the database in {self._data} open, and no server started it. Stop it first."
            )
        for number, seconds in ((signal.SIGTERM, STOP_SECONDS), (signal.SIGKILL, KILL_SECONDS)):
            if holder:
                with suppress(ProcessLookupError):
                    os.kill(int(holder), number)
            if await _until(lambda: self._holder() is None, seconds):
                return
        raise EmbeddedMongoError(f"Process {holder}, a mongod left over in {self.folder}, does not end. End it first.")

    def _holder(self) -> str | None:
        """The process id of the `mongod` that has the data open ("" while it comes or goes), None if there is none."""
        try:
            with (self._data / "mongod.lock").open("r+") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    return lock.read().strip()
        except FileNotFoundError:
            pass
        return None

    def _place_socket(self) -> None:
        """Choose where the socket lies: in the folder, or in a private one with a shorter path."""
        self._remove_run()
        home = self.folder
        if len(os.fsencode(home / "mongod.sock")) > SOCKET_PATH_BYTES:
            home = Path(tempfile.mkdtemp(prefix="crossbar-"))
            self._run.symlink_to(home)
        self._socket = home / "mongod.sock"

    def _remove_run(self) -> None:
        if self._run.is_symlink():
            shutil.rmtree(self._run.readlink(), ignore_errors=True)
            self._run.unlink()

    async def _run_until_ready(self, binary: Path) -> None:
        self._log_start = _set_aside(self._log)
        self._process = self._launch(binary)
        try:
            async with asyncio.timeout(START_SECONDS):
                await _until(lambda: self._ended() or self._accepts(), START_SECONDS)
                if not self._ended():
                    await _until_primary(self._uri)
                    return
        except TimeoutError:
            raise EmbeddedMongoError(
                f"The database in {self.folder} is not ready after {START_SECONDS:.0f} s. {self._log} says why."
            ) from None
        except PyMongoError as error:
            if not await _until(self._ended, KILL_SECONDS):
                raise EmbeddedMongoError(f"The database in {self.folder} does not answer: {error}") from error
        raise EmbeddedMongoError(self._reason(binary))

    def _reason(self, binary: Path) -> str:
        """Why `mongod` ended, for a person."""
        status = self._process.returncode if self._process is not None else 0
        return explain(status, _read(self._log, self._log_start), binary=binary, data=self._data)

    def _launch(self, binary: Path) -> subprocess.Popen[bytes]:
        self._data.mkdir(mode=0o700, exist_ok=True)
        command = [
            str(binary),
            *OPTIONS,
            f"--dbpath={self._data}",
            f"--logpath={self._log}",
            f"--pidfilepath={self._pid}",
            f"--wiredTigerCacheSizeGB={self._cache_gb}",
        ]
        with self._log.open("ab") as log:  # what mongod says before it opens its log belongs there too
            return subprocess.Popen(  # noqa: S603 - the command is ours
                command,
                cwd=self._socket.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_child_of(os.getpid()),  # noqa: PLW1509 - it takes no lock that another thread may hold
            )

    def _ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _accepts(self) -> bool:
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self._socket)) == 0


def running_uri(folder: Path) -> str:
    """The URI of the database that a server runs on the folder."""
    run = folder / "run"
    return _uri_of((run.readlink() if run.is_symlink() else folder.resolve()) / "mongod.sock")


def _uri_of(socket_path: Path) -> str:
    return f"mongodb://{quote(str(socket_path), safe='')}/?directConnection=true"


def restart_pause(failures: int) -> float:
    """Seconds before the next start of a `mongod` that did not come up, or stay, so many times in a row."""
    return min(2.0 ** (failures - 2), LONGEST_PAUSE_SECONDS) if failures > 1 else 0.0


async def _until_primary(uri: str) -> None:
    """Wait until the server at `uri` takes writes, making it a replica set of one if it is none yet.

    PyMongo's own client, not Motor: it leaves no threads in a process that is about to start workers.
    """
    async with AsyncMongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=5000) as client:
        hello = await client.admin.command("hello")
        if hello["maxWireVersion"] < OLDEST_WIRE_VERSION:
            raise EmbeddedMongoError("The mongod found is too old. MongoDB 6.0 or newer is needed.")
        if "setName" not in hello:
            await _initiate(client)
        while not hello["isWritablePrimary"]:
            await asyncio.sleep(TICK_SECONDS)
            hello = await client.admin.command("hello")


async def _initiate(client: AsyncMongoClient[dict[str, Any]]) -> None:
    """Make the server a replica set of one. It may be one already, and not have come to reading that."""
    members = [{"_id": 0, "host": MEMBER}]
    try:
        await client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": members})
    except OperationFailure as error:
        if error.code != ALREADY_INITIALIZED:
            raise


async def _until(condition: Callable[[], bool], seconds: float, *, tick: float = TICK_SECONDS) -> bool:
    """Wait until `condition` holds, looking each `tick`; False if it does not within `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        await asyncio.sleep(tick)
    return True


def _make_private(folder: Path) -> None:
    """Make the folder, for its owner alone; never take a shared one (`/tmp`) away from the others."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = folder.stat().st_mode
    if mode & stat.S_ISVTX:
        raise EmbeddedMongoError(f"{folder} is shared with others. Choose a folder inside it for the data.")
    if mode & 0o077:
        folder.chmod(0o700)


def _lock(folder: Path) -> int:
    """Lock the folder for this process; the open file that holds the lock."""
    lock = os.open(folder / "server.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.read(lock, 32).decode().strip() or "just starting"
        os.close(lock)
        raise FolderInUse(
            f"Another server (process {holder}) uses the data folder {folder}. "
            "Stop it, or give this one a folder of its own."
        ) from None
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())
    return lock


def _set_aside(log: Path) -> int:
    """Put a log that has grown large aside; where in the log the next run's lines begin."""
    if not log.exists():
        return 0
    size = log.stat().st_size
    if size <= LOG_BYTES:
        return size
    log.replace(log.with_name("mongod.log.1"))
    return 0


def _read(file: Path, start: int = 0) -> str:
    try:
        return file.read_bytes()[start:].decode(errors="replace").strip()
    except FileNotFoundError:
        return ""


def _child_of(parent: int) -> Callable[[], None]:
    """What the child does before it becomes `mongod`: raise its limit of open files, and bind its life to `parent`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = max(soft, min(hard, OPEN_FILES)) if hard != resource.RLIM_INFINITY else OPEN_FILES
    prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None

    def prepare() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
        if prctl is not None:
            prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:  # it died before we asked
                os._exit(1)

    return prepare
