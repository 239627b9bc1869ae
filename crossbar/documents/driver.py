# SPDX-License-Identifier: MPL-2.0
"""The database driver: PyMongo's asynchronous API, or Motor, which is at the end of its life.

Both give collections and cursors of the same methods. They are typed as PyMongo's everywhere, and what the two do in
different ways is done here: nobody else knows which one is at work.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, Final, Literal, Protocol, cast

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient
from pymongo.asynchronous.change_stream import AsyncChangeStream
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.command_cursor import AsyncCommandCursor
from pymongo.asynchronous.cursor import AsyncCursor
from pymongo.asynchronous.database import AsyncDatabase

DriverName = Literal["pymongo", "motor"]

Client = AsyncMongoClient[Any]
Database = AsyncDatabase[Any]
Collection = AsyncCollection[Any]
Cursor = AsyncCursor[Any]
CommandCursor = AsyncCommandCursor[Any]
ChangeStream = AsyncChangeStream[Any]
Session = AsyncClientSession

Steps = Sequence[Mapping[str, Any]]
"""An aggregation pipeline."""


class Driver(Protocol):
    """What the drivers do in different ways. Options are those of PyMongo's methods of the same name."""

    def connect(self, uri: str, **options: Any) -> Client:
        """A client; it connects at its first use. Raises what PyMongo's client raises for a bad address."""

    async def close(self, client: Client) -> None:
        """Let go of the connections."""

    async def aggregate(self, collection: Collection, steps: Steps, **options: Any) -> CommandCursor:
        """The results of an aggregation."""

    async def watch(self, database: Database, steps: Steps, **options: Any) -> ChangeStream:
        """The changes of a database as they happen."""

    async def session(self, client: Client, **options: Any) -> Session:
        """A session, to be ended by `async with`."""

    async def begin(self, session: Session, **options: Any) -> None:
        """Begin a transaction in a session."""


class _PyMongo:
    def connect(self, uri: str, **options: Any) -> Client:
        return AsyncMongoClient(uri, **options)

    async def close(self, client: Client) -> None:
        await client.close()

    async def aggregate(self, collection: Collection, steps: Steps, **options: Any) -> CommandCursor:
        return await collection.aggregate(steps, **options)

    async def watch(self, database: Database, steps: Steps, **options: Any) -> ChangeStream:
        return await database.watch(steps, **options)

    async def session(self, client: Client, **options: Any) -> Session:
        return client.start_session(**options)

    async def begin(self, session: Session, **options: Any) -> None:
        await session.start_transaction(**options)


class _Motor:
    """Motor's own objects under PyMongo's types: the cast tells what they can do, not what they are."""

    def connect(self, uri: str, **options: Any) -> Client:
        return cast(Client, AsyncIOMotorClient(uri, **options))

    async def close(self, client: Client) -> None:
        cast(Any, client).close()

    async def aggregate(self, collection: Collection, steps: Steps, **options: Any) -> CommandCursor:
        found = cast(Any, collection).aggregate(steps, **options)
        return cast(CommandCursor, await found if isinstance(found, Coroutine) else found)

    async def watch(self, database: Database, steps: Steps, **options: Any) -> ChangeStream:
        return cast(ChangeStream, cast(Any, database).watch(steps, **options))

    async def session(self, client: Client, **options: Any) -> Session:
        return cast(Session, await cast(Any, client).start_session(**options))

    async def begin(self, session: Session, **options: Any) -> None:
        cast(Any, session).start_transaction(**options)


DRIVERS: Final[Mapping[DriverName, Driver]] = {"pymongo": _PyMongo(), "motor": _Motor()}
