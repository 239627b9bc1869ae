# SPDX-License-Identifier: MPL-2.0
"""Dry runs: a request does all that it would do, in one transaction that is given up in the end.

While a dry run lasts (`dry_run`), whatever its task and the tasks begun by it ask of the database goes into its
transaction: what it wrote it reads, nobody else does. What remembers (`Coalescer`, `Memory`, `FeedCache`) stands aside
meanwhile, since what it would remember is true for nobody else. What cannot be given up again, a request to another
server or a letter, is refused (`refuse_dry`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar, cast

from pymongo import ReadPreference, WriteConcern
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from crossbar.documents.driver import Client, Collection, Cursor, Database, Driver, Session
from crossbar.errors import Invalid, SystemFault

Result = TypeVar("Result")

ATTEMPTS: Final = 5
"""How often a step is tried while others write what it writes."""
TRANSIENT: Final = "TransientTransactionError"
READS: Final = frozenset({"find"})
"""Methods of collections that send nothing before their result is read."""


@dataclass(slots=True, eq=False)
class DryRun:
    """One dry run: its session, which is in a transaction all the time, a new one where the database ended the last."""

    _session: Session
    _driver: Driver
    _probe: Collection
    _ended: bool = field(default=False, init=False)
    _beginning: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def begin(self) -> None:
        """Begin a transaction, with an operation, so that those that follow may be sent side by side."""
        await self._driver.begin(
            self._session,
            read_concern=ReadConcern("snapshot"),
            write_concern=WriteConcern("majority"),
            read_preference=ReadPreference.PRIMARY,
        )
        await self._probe.find_one({"_id": ""}, session=self._session)

    async def begin_anew(self) -> None:
        """Give up what was written so far; the database has ended the transaction, or what wrote it has failed."""
        async with self._beginning:
            if self._session.in_transaction:
                await self._session.abort_transaction()
            await self.begin()

    async def end(self) -> None:
        """Give up everything; whoever asks afterwards is refused."""
        self._ended = True
        if self._session.in_transaction:
            await self._session.abort_transaction()

    @property
    def session(self) -> Session:
        """The session, for whoever sends with one. Raises 500 for work that was left behind by the request."""
        if self._ended:
            raise SystemFault("unspecified_fault", "the dry run is over")
        return self._session

    async def transacted(self, work: Callable[[Session], Awaitable[Result]]) -> Result:
        """What would be a transaction of its own; nothing of it stays when it fails."""
        for attempt in range(ATTEMPTS):
            try:
                return await work(self.session)
            except PyMongoError as error:
                if attempt + 1 == ATTEMPTS or not error.has_error_label(TRANSIENT):
                    raise
            except Exception:
                await self.begin_anew()
                raise
        raise SystemFault("datastore_conflict")

    def within(self, method: Callable[..., Any], name: str) -> Callable[..., Any]:
        """A method of a collection, in the transaction."""

        async def call(*args: Any, **options: Any) -> Any:
            try:
                return await method(*args, **{"session": self.session, **options})
            except PyMongoError:
                await self.begin_anew()
                raise

        def read(*args: Any, **options: Any) -> Cursor:
            found: Cursor = method(*args, **{"session": self.session, **options})
            return found

        return read if name in READS else call


_DRY_RUN: Final[ContextVar[DryRun | None]] = ContextVar("dry run", default=None)


def current() -> DryRun | None:
    """The dry run that this is a part of."""
    return _DRY_RUN.get()


def is_dry() -> bool:
    """Whether this is a part of a dry run."""
    return _DRY_RUN.get() is not None


def refuse_dry(what: str) -> None:
    """Raise 400 in a dry run, before something that cannot be given up again: `what` it is, for people."""
    if _DRY_RUN.get() is not None:
        text = f"This request cannot be tried without being done: it {what}"
        raise Invalid.field("dry_run", "unsupported", text)


@asynccontextmanager
async def dry_run(driver: Driver, client: Client, probe: Collection) -> AsyncIterator[None]:
    """Make of what the block does a dry run. `probe` is a collection to begin with."""
    async with await driver.session(client) as session:
        run = DryRun(session, driver, probe)
        await run.begin()
        token = _DRY_RUN.set(run)
        try:
            yield
        finally:
            _DRY_RUN.reset(token)
            await run.end()


class _Collection:
    """A collection whose methods know of dry runs."""

    __slots__ = ("_collection",)

    def __init__(self, collection: Collection) -> None:
        self._collection = collection

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._collection, name)
        run = _DRY_RUN.get()
        return method if run is None or not callable(method) else run.within(method, name)


class _Database:
    """A database whose collections know of dry runs."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._collections: dict[str, Collection] = {}

    def __getitem__(self, name: str) -> Collection:
        known = self._collections.get(name)
        if known is None:
            known = self._collections[name] = cast(Collection, _Collection(self._database[name]))
        return known

    def get_collection(self, name: str, **options: Any) -> Collection:
        return cast(Collection, _Collection(self._database.get_collection(name, **options)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)


def aware(database: Database) -> Database:
    """The same database; what is asked of its collections in a dry run goes into the dry run's transaction."""
    return cast(Database, _Database(database))
