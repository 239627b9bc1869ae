# SPDX-License-Identifier: MPL-2.0
"""The connection to MongoDB, and what its failures are to a client."""

from __future__ import annotations

import asyncio
import errno
import re
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import Final, Literal, TypedDict, TypeVar, Unpack

import pymongo
from bson.codec_options import CodecOptions
from pymongo import WriteConcern
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConnectionFailure,
    DocumentTooLarge,
    DuplicateKeyError,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)
from pymongo.monitoring import (
    CommandListener,
    TopologyClosedEvent,
    TopologyDescriptionChangedEvent,
    TopologyListener,
    TopologyOpenedEvent,
)
from pymongo.read_preferences import Primary, PrimaryPreferred

from crossbar.documents.codec import Codec
from crossbar.documents.document import Document
from crossbar.documents.driver import DRIVERS, Client, DriverName
from crossbar.documents.dry_run import aware, dry_run, is_dry
from crossbar.documents.indexes import INDEXES, MAINTENANCE, RESTORE
from crossbar.documents.sealing import Sealer
from crossbar.documents.shape import Shapes
from crossbar.documents.store.marking import Marking
from crossbar.documents.store.memory import Memory
from crossbar.documents.store.sole_use import SoleUse
from crossbar.errors import CrossbarError, Invalid, SystemFault
from crossbar.ids import new_id
from crossbar.shared import Shared, WriteMarks

COLLECTION_EXISTS = 48
"""MongoDB's code for a collection that somebody else has just created."""
INDEXING_SECONDS = 3600.0
"""What a new index of a large collection may take when the server starts."""
SLOWEST_HANDSHAKE_SECONDS: Final = 10.0
"""A server that does not answer a connection for so long is away, however patient the requests are."""
PAUSE_SECONDS: Final = 0.1
"""Between two tries of a call while no server takes it."""
NOBODY_LISTENS: Final = re.compile(rf"\[Errno {errno.ECONNREFUSED}\] Connect call failed \([^)]*\)")
TRANSIENT_CODES: Final = frozenset({91, 189, 10107, 11600, 11602, 13435, 13436, 46841})
"""MongoDB's codes of a server that is about to end, or is not, not yet or no longer the primary."""

Result = TypeVar("Result")
Reads = Literal["primary", "primary_preferred"]
"""From which members of a replica set is read: the primary alone, or a secondary while there is no primary."""
READ_PREFERENCES: Final[dict[Reads, Primary | PrimaryPreferred]] = {
    "primary": Primary(),
    "primary_preferred": PrimaryPreferred(),
}


class ConnectOptions(TypedDict, total=False):
    """How the database is spoken to.

    `timeout` (s, 10) bounds the search for a server, and three times it each call. `pool_size` (50) is how many
    connections there may be. `reads` (primary) says which members of a replica set answer reads. `sealer` (none)
    seals what shapes declare to be credentials. `driver` (pymongo) is the driver that is used. `shared` is what the
    workers of the server share (this process's own), `memory` (0) how many bytes of what was read are remembered.
    `listeners` (none) hear of each command that is sent.
    """

    timeout: float
    pool_size: int
    reads: Reads
    shared: Shared | None
    memory: int
    sealer: Sealer | None
    driver: DriverName
    listeners: Sequence[CommandListener]


class DatabaseUnusable(Exception):
    """The database cannot be used at all; the message tells a person, in a line, why and what to do."""


@contextmanager
def driver_errors() -> Iterator[None]:
    """Turn what the driver raises into the protocol's words."""
    try:
        yield
    except (BulkWriteError, DuplicateKeyError):
        raise
    except PyMongoError as error:
        raise _as_answer(error) from error


def _as_answer(error: PyMongoError) -> CrossbarError:
    """What a failure of the driver is to a client."""
    if isinstance(error, DocumentTooLarge):
        return too_large()
    passing = isinstance(error, ConnectionFailure | ExecutionTimeout) or _passes(error)
    return SystemFault("datastore_unreachable" if passing else "datastore_fault")


def _passes(error: PyMongoError) -> bool:
    """Whether the same call may do better in a moment: the set elects a primary, or a server comes back."""
    if isinstance(error, ServerSelectionTimeoutError):  # the driver has waited for as long as it may
        return False
    if isinstance(error, AutoReconnect):
        return True
    labels = ("RetryableWriteError", "TransientTransactionError")
    if any(map(error.has_error_label, labels)):
        return True
    return isinstance(error, OperationFailure) and error.code in TRANSIENT_CODES


def too_large() -> CrossbarError:
    """The validation error (400) for a document that MongoDB would not take for its size."""
    return Invalid.field("", "maxSize", "The document is too large to be stored; shorten it")


class Outage(TopologyListener):
    """Knows for how long no server has been there to write to; the driver's monitors tell, on threads of their own."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._since: float | None = None
        self.changes = 0
        """How often a server came or went, or took on another role."""
        self.on_change: Callable[[], None] = lambda: None
        """Told whenever a server came or went, or took on another role."""

    @property
    def lasts(self) -> bool:
        """Whether it has lasted longer than a request may wait for its end."""
        since = self._since
        return since is not None and time.monotonic() - since > self._patience

    def description_changed(self, event: TopologyDescriptionChangedEvent) -> None:
        """A server came or went."""
        self.changes += 1
        self.on_change()
        if event.new_description.has_writable_server():
            self._since = None
        elif self._since is None:
            self._since = time.monotonic()

    def opened(self, event: TopologyOpenedEvent) -> None:
        """The client was made."""

    def closed(self, event: TopologyClosedEvent) -> None:
        """The client was closed."""


class Connection:
    """A client of MongoDB with the database and the shapes of one installation, which all parts of the store share.

    Writes are acknowledged by a majority and journaled. A call that nobody takes because the set has no primary, or
    a server is just coming back, is made again within `patience` (s).
    """

    def __init__(
        self,
        client: Client,
        name: str,
        shapes: Shapes,
        outage: Outage,
        **options: Unpack[ConnectOptions],
    ) -> None:
        self.driver = DRIVERS[options.get("driver", "pymongo")]
        self.client = client
        self.codec = Codec(shapes, options.get("sealer"))
        self.patience = options.get("timeout", 10.0)
        self.sharded = False
        """Whether the database is a sharded cluster, whose documents are found by partition and key; see `prepare`."""
        self._outage = outage
        reads = options.get("reads", "primary")
        self.database = aware(
            client.get_database(
                name,
                CodecOptions(tz_aware=True),
                read_preference=READ_PREFERENCES[reads],
                write_concern=WriteConcern("majority", j=True),
            )
        )
        shared = options.get("shared")
        marks = WriteMarks() if shared is None else shared.marks
        # What a secondary has may be older than what was acknowledged.
        self.memory = Memory(marks, options.get("memory", 0) if reads == "primary" else 0)
        self.marking = Marking(marks)
        self._server_id = new_id() if shared is None else shared.server_id
        self._sole_use: SoleUse | None = None
        outage.on_change = self.memory.forget
        self.shapes = shapes
        self.listener: Callable[[Document], None] = lambda _: None
        """Told of every document this process writes or removes, once that is certain."""
        self.measured: Callable[[float], None] = lambda _: None
        """Told how long (s) each call took that was answered, with what waiting there was."""
        self.under_way = 0
        """Calls that are not answered yet."""

    @classmethod
    def connect(cls, uri: str, name: str, shapes: Shapes, **options: Unpack[ConnectOptions]) -> Connection:
        """Connect to the database `name` of the MongoDB at `uri`. Raises DatabaseUnusable for a bad address."""
        timeout = options.get("timeout", 10.0)
        driver = DRIVERS[options.get("driver", "pymongo")]
        try:
            client = driver.connect(
                uri,
                serverSelectionTimeoutMS=int(timeout * 1000),
                connectTimeoutMS=int(min(timeout, SLOWEST_HANDSHAKE_SECONDS) * 1000),
                waitQueueTimeoutMS=int(timeout * 1000),
                socketTimeoutMS=int(timeout * 3000),
                maxPoolSize=options.get("pool_size", 50),
                appname="kazoo-crossbar",
                tz_aware=True,
                event_listeners=[outage := Outage(timeout), *options.get("listeners", ())],
            )
        except (PyMongoError, ValueError, TypeError) as error:
            raise DatabaseUnusable(f"{error}. It is an address such as mongodb://host:27017/?replicaSet=rs0") from error
        return cls(client, name, shapes, outage, **options)

    async def register(self) -> None:
        """Make this server known to others of the database; what is read may be remembered from now on.

        A command has to do so before it writes while servers may run.
        """
        self._sole_use = SoleUse(self.run, self.driver, self.database["servers"], self._server_id)
        await self._sole_use.start()
        self.marking.trust(self._sole_use)
        self.memory.trust(self._sole_use)

    @property
    def changes(self) -> int:
        """A number that grows when servers come, go or take on other roles."""
        return self._outage.changes

    def written(self, document: Document) -> None:
        """Tell the listener of a write, unless that is given up again."""
        if not is_dry():
            self.listener(document)

    def dry_run(self) -> AbstractAsyncContextManager[None]:
        """Make of what the block does a dry run."""
        return dry_run(self.driver, self.client, self.database["documents"])

    async def close(self) -> None:
        """Let go of the connections."""
        if self._sole_use is not None:
            await self._sole_use.stop()
        await self.driver.close(self.client)

    async def prepare(self, *, unfinished: bool = False, indexes: bool = True) -> None:
        """Create the collections and, with `indexes`, the indexes that are missing. Harmless when all are there.

        Raises DatabaseUnusable where nothing can be done with the database, or, unless `unfinished`, where it is but
        half of a backup.
        """
        await self.check()
        with driver_errors():
            if not unfinished and await self.database[MAINTENANCE].find_one({"_id": RESTORE}) is not None:
                raise DatabaseUnusable(
                    "a backup is being restored into it, or was not restored whole. Run `crossbar restore` (again)"
                )
            present = set(await self.database.list_collection_names())
            for name, models in INDEXES.items():
                if name not in present:
                    await self._create_collection(name)
                if models and indexes:
                    with pymongo.timeout(INDEXING_SECONDS):
                        await self.database[name].create_indexes(models)

    async def check(self) -> None:
        """See whether the database can be reached, lets us in and has what transactions need.

        Raises DatabaseUnusable.
        """
        try:
            hello = await self.client.admin.command("hello")
            await self.database.list_collection_names()
        except ServerSelectionTimeoutError as error:
            reason = str(error).split(" (configured timeouts", 1)[0].split(", Timeout:", 1)[0]
            reason = NOBODY_LISTENS.sub("connection refused", reason)
            raise DatabaseUnusable(f"no answer from it ({reason}). Start it, or correct the address") from error
        except OperationFailure as error:
            reason = (error.details or {}).get("errmsg") or str(error)
            raise DatabaseUnusable(f"it refuses ({reason}). Correct the user name, password or rights") from error
        except PyMongoError as error:
            raise DatabaseUnusable(f"{error}") from error
        self.sharded = hello.get("msg") == "isdbgrid"
        if "setName" not in hello and not self.sharded:
            advice = "Start it with --replSet and call rs.initiate() once"
            raise DatabaseUnusable(f"the mongod there is no replica set, which transactions need. {advice}")

    async def _create_collection(self, name: str) -> None:
        try:
            await self.database.create_collection(name, check_exists=False)
        except OperationFailure as error:
            if error.code != COLLECTION_EXISTS:  # another worker was faster
                raise

    async def run(self, call: Callable[[], Awaitable[Result]]) -> Result:
        """Make a driver call, again as long as it may yet succeed; failures in the protocol's words.

        It may have been done although it failed, so it has to be one that can be done twice.
        """
        began = time.monotonic()
        self.under_way += 1
        try:
            while True:
                try:
                    answer = await call()
                    self.measured(time.monotonic() - began)
                    return answer
                except (BulkWriteError, DuplicateKeyError):
                    raise
                except PyMongoError as error:
                    if not _passes(error) or time.monotonic() > began + self.patience:
                        raise _as_answer(error) from error
                await asyncio.sleep(PAUSE_SECONDS)
        finally:
            self.under_way -= 1

    def require(self) -> None:
        """Raise 503 while the database is known to be away, so that nobody waits to find it out once more."""
        if self._outage.lasts:
            raise SystemFault("datastore_unreachable")

    async def ping(self) -> None:
        """Answer, or raise 503, by whether the database does."""
        self.require()
        with driver_errors():
            await self.database.command("ping")


class OverConnection:
    """A part of the store that reads or writes documents over a connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._run = connection.run
        self._driver = connection.driver
        self._memory = connection.memory
        self._codec = connection.codec
        self._database = connection.database
        self._shapes = connection.shapes
