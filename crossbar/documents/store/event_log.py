# SPDX-License-Identifier: MPL-2.0
"""The event log in the database: the events, who listens, and how far the relay has come.

| MongoDB collection | holds |
| --- | --- |
| `events` | the events, by token, until they expire |
| `raised_events` | what is no change of a document on its way to the log, for an hour |
| `leases` | in one document of its own who relays, and to where everything has been written |

Only the relay writes to `events`, always at its end. So whoever has read up to a token has missed nothing before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
import pymongo
from bson import Timestamp
from pymongo import ASCENDING, DESCENDING, ReturnDocument, WriteConcern
from pymongo.errors import DuplicateKeyError, OperationFailure
from pymongo.read_concern import ReadConcern

from crossbar import clock
from crossbar.documents.document import ACCOUNTS, SYSTEM_DATA, document_key
from crossbar.documents.document_types import ACCOUNT
from crossbar.documents.driver import Session
from crossbar.documents.event import LAST_NUMBER, Event, token_at, token_behind
from crossbar.documents.indexes import LISTENING
from crossbar.documents.store.connection import Connection, driver_errors
from crossbar.errors import JSON
from crossbar.ids import new_id

RELAY: Final = "event_relay"
"""The type under which the change feed tells that events were written."""
STATE_KEY: Final = document_key(SYSTEM_DATA, RELAY, "state")
RAISED: Final = "raised_event"
SNAPSHOT_GONE: Final = frozenset({239, 246})
"""MongoDB's codes for a time of which it has no snapshot any more, or not yet."""


class TakenOver(Exception):
    """Another worker relays by now."""


@dataclass(frozen=True, slots=True)
class RelayPosition:
    """How far the changes have been read: a resume token, or without one a cluster time that lies behind.

    `number` counts the events written of the changes of that time.
    """

    time: Timestamp
    resume: Mapping[str, Any] | None = None
    number: int = LAST_NUMBER

    @property
    def begin(self) -> dict[str, Any]:
        """Where the driver's change stream has to begin."""
        if self.resume is not None:
            return {"resume_after": self.resume}
        return {"start_at_operation_time": Timestamp(self.time.time, self.time.inc + 1)}

    @property
    def token(self) -> str:
        """The place in the log to which everything has been written."""
        return token_at(self.time, self.number)


@dataclass(frozen=True, slots=True)
class RelayState:
    """Where the relay is, and from which token on the log has no gap."""

    position: RelayPosition
    complete_since: str

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> RelayState:
        """The state that was stored."""
        found = stored["position"]
        return cls(RelayPosition(found["time"], found["resume"], found["number"]), stored["complete_since"])


@dataclass(frozen=True, slots=True)
class ListeningDocument:
    """A document because of which events are written; `key` is its own."""

    key: str
    account_id: str
    below: bool
    until: float | None

    @classmethod
    def of(cls, key: str, stored: Mapping[str, Any]) -> ListeningDocument:
        """What `Listening.stored` says, for the document of this key."""
        until: datetime | None = stored.get("until")
        return cls(key, stored["account"], stored["below"], None if until is None else until.timestamp())


class EventLog:
    """Reads the log for everybody, and writes it for the relay."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._run = connection.run
        database = connection.database
        self._events = database["events"]
        self._raised = database["raised_events"]
        self._leases = database["leases"]
        self._documents = database["documents"]

    # For everybody

    async def now(self) -> str:
        """A token before every change that is acknowledged after what the caller writes next is acknowledged.

        What was acknowledged before is behind it.
        """
        return token_behind(await self.cluster_time())

    async def after(self, token: str, limit: int, account_id: str | None = None, *, below: bool = False) -> list[Event]:
        """The next events after a token in their order: all, or those of an account, with `below` of its subtree."""
        query: dict[str, Any] = {"_id": {"$gt": token}}
        if account_id is not None:
            query["accounts"] = account_id
            if not below:
                query["accounts.0"] = account_id
        found = await self._run(lambda: self._events.find(query).sort("_id", ASCENDING).limit(limit).to_list(None))
        return [_event(stored) for stored in found]

    async def last(self) -> str:
        """The token of the last event; empty text where there is none."""
        found = await self._run(lambda: self._events.find_one({}, {"_id": 1}, sort=[("_id", DESCENDING)]))
        return str(found["_id"]) if found else ""

    async def state(self) -> RelayState:
        """How far the relay has come."""
        stored = await self._run(lambda: self._leases.find_one({"_id": STATE_KEY}))
        return RelayState.of(stored or {})

    async def raise_event(
        self, account_id: str, category: str, name: str, body: Mapping[str, JSON], **about: Any
    ) -> None:
        """Raise what is no change of a document, for whoever listens; see `raised`."""
        stored = raised(account_id, category, name, body, **about)
        await self._run(lambda: self._raised.replace_one({"_id": stored["_id"]}, stored, upsert=True))

    # For the relay

    async def begin(self) -> bool:
        """Begin the log at this moment, before anybody can listen; False where it has begun long ago."""
        now = await self.cluster_time()
        position = {"time": now, "resume": None, "number": LAST_NUMBER}
        fresh = {"until": datetime.fromtimestamp(0, UTC), "position": position, "complete_since": token_behind(now)}
        try:
            change = {"$setOnInsert": fresh}
            made = await self._run(lambda: self._leases.update_one({"_id": STATE_KEY}, change, upsert=True))
        except DuplicateKeyError:  # another worker has begun it just now
            return False
        return made.upserted_id is not None

    async def cluster_time(self) -> Timestamp:
        """The time of the database's last operation."""
        answer = await self._run(lambda: self._connection.client.admin.command("ping"))
        time: Timestamp = answer["operationTime"]
        return time

    async def session(self) -> Session:
        """The session for `take` and what is written then; to be ended by `async with`."""
        return await self._connection.driver.session(self._connection.client)

    async def take(self, holder: str, seconds: float, session: Session) -> RelayState | None:
        """Take the work of the relay; None while another holder has it. By the database's clock."""
        await self._end_what_is_left()
        free = {"_id": STATE_KEY, "$or": [{"holder": holder}, {"$expr": {"$lte": ["$until", "$$NOW"]}}]}
        change = [{"$set": {"holder": holder, "until": _in(seconds), "session": {"$literal": session.session_id}}}]
        found = await self._run(
            lambda: self._leases.find_one_and_update(free, change, return_document=ReturnDocument.AFTER)
        )
        return None if found is None else RelayState.of(found)

    async def release(self, holder: str) -> None:
        """Let another worker relay."""
        free = {"$set": {"until": datetime.fromtimestamp(0, UTC)}, "$unset": {"session": 1}}
        await self._run(lambda: self._leases.update_one({"_id": STATE_KEY, "holder": holder}, free))

    async def _end_what_is_left(self) -> None:
        """End the transaction of a holder that died in it: the database would keep its locks for a minute or more."""
        query = {"_id": STATE_KEY, "session": {"$exists": True}, "$expr": {"$lte": ["$until", "$$NOW"]}}
        left = await self._run(lambda: self._leases.find_one(query, {"session": 1}))
        if left is not None:
            await self._run(lambda: self._connection.client.admin.command("killSessions", [left["session"]]))

    async def keep(
        self, holder: str, position: RelayPosition, seconds: float, *, complete_since: str | None = None
    ) -> None:
        """Note how far it has come, and keep the work. Raises TakenOver."""
        change = _kept(position, seconds, complete_since)
        query = {"_id": STATE_KEY, "holder": holder}
        if not (await self._run(lambda: self._leases.update_one(query, change))).matched_count:
            raise TakenOver

    async def write(
        self,
        holder: str,
        position: RelayPosition,
        seconds: float,
        events: Sequence[Event],
        hours: float,
        *,
        session: Session,
    ) -> None:
        """Write events and how far it has come in one transaction, so that each is written once. Raises TakenOver."""
        change = _kept(position, seconds, None)
        stored = [_stored(event, hours) for event in events]

        async def attempt(session: Session) -> None:
            kept = await self._leases.update_one({"_id": STATE_KEY, "holder": holder}, change, session=session)
            if not kept.matched_count:
                raise TakenOver
            await self._events.insert_many(stored, session=session)

        connection = self._connection
        with driver_errors(), pymongo.timeout(connection.patience):
            await session.with_transaction(
                attempt, read_concern=ReadConcern("snapshot"), write_concern=WriteConcern("majority", j=True)
            )

    async def listeners(self, document_type: str | None = None) -> list[ListeningDocument]:
        """Who listens: all, or the documents of a type that do."""
        query: dict[str, Any] = {"listens": {"$exists": True}}
        if document_type is not None:
            query["_id"] = {"$regex": f"^[^/]+/{document_type}/"}
        index = LISTENING.document["name"]
        stored = await self._run(lambda: self._documents.find(query, {"listens": 1}, hint=index).to_list(None))
        return [ListeningDocument.of(one["_id"], one["listens"]) for one in stored]

    async def tree_at(self, account_id: str, time: Timestamp) -> tuple[str, ...] | None:
        """The accounts above an account at a cluster time; None where there was no such account.

        Where the database has no snapshot of that time any more it is those of now.
        """
        key = document_key(ACCOUNTS, ACCOUNT, account_id)
        query: dict[str, Any] = {
            "find": "documents",
            "filter": {"_id": key},
            "projection": {"deleted": 1, "doc.pvt_tree": 1},
            "limit": 1,
            "singleBatch": True,
            "readConcern": {"level": "snapshot", "atClusterTime": time},
        }
        try:
            answer = await self._connection.database.command(query)
            stored = next(iter(answer["cursor"]["firstBatch"]), None)
        except OperationFailure as error:
            if error.code not in SNAPSHOT_GONE:
                raise
            stored = await self._documents.find_one({"_id": key}, query["projection"])
        if stored is None or stored.get("deleted"):
            return None
        return tuple(stored["doc"].get("pvt_tree") or ())

    async def forget_listeners(self, before: float) -> None:
        """Take away what listened until a time (Unix seconds)."""
        query = {"listens.until": {"$lt": datetime.fromtimestamp(before, UTC)}}
        await self._run(lambda: self._documents.delete_many(query, hint=LISTENING.document["name"]))


def raised(
    account_id: str, category: str, name: str, body: Mapping[str, JSON], *, about: str = "", about_id: str = ""
) -> dict[str, Any]:
    """What stands in `raised_events` for an event: of an account, with what it is about and of which id.

    The relay finds it among the changes of documents and gives it its place between them.
    """
    return {
        "_id": document_key(account_id, RAISED, new_id()),
        "a": account_id,
        "category": category,
        "name": name,
        "about": about or category,
        "about_id": about_id,
        "body": orjson.dumps(body),
        "at": datetime.fromtimestamp(clock.unix_now(), UTC),
    }


def _in(seconds: float) -> dict[str, Any]:
    return {"$add": ["$$NOW", int(seconds * 1000)]}


def _kept(position: RelayPosition, seconds: float, complete_since: str | None) -> list[dict[str, Any]]:
    """The change that notes a position."""
    stored = {"time": position.time, "resume": position.resume, "number": position.number}
    change: dict[str, Any] = {"position": {"$literal": stored}, "until": _in(seconds)}
    if complete_since is not None:
        change["complete_since"] = {"$literal": complete_since}
    return [{"$set": change}]


def _stored(event: Event, hours: float) -> dict[str, Any]:
    """An event as MongoDB has it; its own account comes first in `accounts`, then those above, the topmost first."""
    at = datetime.fromtimestamp(event.unix_time, UTC)
    return {
        "_id": event.token,
        "accounts": [event.account_id, *event.tree],
        "category": event.category,
        "name": event.name,
        "type": event.type,
        "id": event.id,
        "body": event.body,
        "at": at,
        "expires": at + timedelta(hours=hours),
    }


def _event(stored: Mapping[str, Any]) -> Event:
    account_id, *tree = stored["accounts"]
    return Event(
        stored["_id"],
        account_id,
        tuple(tree),
        stored["category"],
        stored["name"],
        stored["type"],
        stored["id"],
        stored["body"],
        stored["at"].timestamp(),
    )
