# SPDX-License-Identifier: MPL-2.0
"""Live state: what switches tell of what goes on just now, in a MongoDB collection of its own.

A thing (a channel, a registration, who takes part in a conference) is one small entry. Each telling of it has a time,
by the switch's clock, and what was told earlier changes nothing that was told later, in whatever order the tellings
arrive: a telling sets one group of fields, and each group remembers its time. One update, made by the database itself,
does all of that, so any number of tellers may tell of one thing together.

An entry lasts as long as its switch is heard and was not started anew since (`core`), or, where it has a time of its
own (`until`), until then. An end is kept for a while, so that what comes late does not make the thing live again.
No switch tells of an end at its own time: who wants to say that it has come finds it (`lapsed`) and notes it
(`Transaction.note_lapse`), once each.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NamedTuple, TypedDict

import orjson
from pymongo import ReturnDocument, UpdateOne, WriteConcern
from pymongo.errors import BulkWriteError, DuplicateKeyError

from crossbar import clock
from crossbar.documents.coalesce import Coalescer
from crossbar.documents.document import DocumentKey, document_key
from crossbar.documents.dry_run import is_dry
from crossbar.documents.store.connection import Connection
from crossbar.documents.store.queries import one_or_in
from crossbar.errors import JSON, SystemFault

MICROSECONDS: Final = 1_000_000
"""Of a second; the unit of all times of tellings, since the Unix epoch."""
FOREVER: Final = 2**62
"""An end after which nothing that is told makes the thing live again."""
KEPT_SECONDS: Final = 2 * clock.DAY
"""How long an entry stays in the database after the last telling; it is shown for as long at most."""
END_KEPT_SECONDS: Final = 3600
"""How long an end stays in the database: what was told before it is not told later than this."""
NOTED_SECONDS: Final = 5.0
"""A switch that was heard is not noted again before so many seconds have passed."""
MOST_SWITCHES: Final = 10_000
"""Switches that a worker remembers to have noted."""

MOST_ENDS: Final = 20
"""Ends of one thing that are remembered, the latest ones."""

DUPLICATE: Final = 11000
"""MongoDB's code for a key that is there already."""

SWITCH: Final = "switch"


class Switch(NamedTuple):
    """A switch as somebody's: the same name told by another account is another switch.

    `core` tells one run of the switch from the next; empty where it does not say.
    """

    teller: str
    """The account whose token, or whose administrator, hands in what it tells."""
    name: str
    core: str = ""

    @property
    def key(self) -> str:
        """By what it is known in the database."""
        return document_key(self.teller, SWITCH, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What is told of one thing, at one time (`at`, microseconds).

    `group` and `fields` are what is told; `shown` says whether that is enough to show the thing. `of` is what the
    thing belongs to (the conference of one who takes part), `until` its own end. With `ended` it is over at that time;
    with a `token`, only what was shown with the same one is. `switch` is None for what outlives its switch. `lapses`
    says that its own end is looked for, so that it has to be found however long after.
    """

    account_id: str
    type: str
    id: str
    at: int
    group: str
    fields: Mapping[str, JSON]
    shown: bool = True
    of: str = ""
    until: int | None = None
    ended: int | None = None
    token: str = ""
    lapses: bool = False
    switch: Switch | None = None


class Details(TypedDict, total=False):
    """What a telling may say beside its fields; see `Telling`."""

    shown: bool
    of: str
    until: int | None
    ended: int | None
    token: str
    lapses: bool


class Live(NamedTuple):
    """A thing as it is known: `fields` of all groups, later ones over earlier ones; what is None is left out."""

    account_id: str
    type: str
    id: str
    of: str
    began: int
    """The time of the telling that made it live."""
    over: int
    """The time of the telling that ended it, when it was live last; not one that came after a lapse was noted."""
    is_live: bool
    fields: dict[str, Any]
    until: int | None = None
    """Its own end, if it has one."""


class LiveState:
    """What is live. Reads that say `silence_s` leave out what a switch told that was not heard for so long."""

    def __init__(self, connection: Connection) -> None:
        self._run = connection.run
        # It is told again, or over soon: no reason to wait for a majority.
        self._live = connection.database.get_collection("live", write_concern=WriteConcern(1))
        self._noted: dict[str, tuple[str, float]] = {}
        self._notes: Coalescer[Telling, None] = Coalescer(self._write)

    async def tell(self, told: Telling) -> Live:
        """Note what is told, and return what is known now. The same may be told again without harm."""
        query, steps = _key(told), _steps(told)

        async def update() -> dict[str, Any]:
            after = ReturnDocument.AFTER
            found: dict[str, Any] | None = await self._live.find_one_and_update(
                query, steps, upsert=True, return_document=after
            )
            return found or {}

        while True:
            try:
                return _read(await self._run(update))
            except DuplicateKeyError:  # somebody else told of it first, at the same moment
                continue

    def note(self, told: Telling) -> Coroutine[Any, Any, None]:
        """Note what is told, together with what else is told at this moment: `tell`, for who wants no answer."""
        return self._notes(told)

    async def _write(self, told: list[Telling]) -> list[Exception | None]:
        writes = [UpdateOne(_key(each), _steps(each), upsert=True) for each in told]
        while writes:
            try:
                await self._run(partial(self._live.bulk_write, writes, ordered=False))
            except BulkWriteError as error:
                failures = (error.details or {}).get("writeErrors", [])
                if not failures or any(failure["code"] != DUPLICATE for failure in failures):
                    raise SystemFault("datastore_fault") from error
                writes = [writes[failure["index"]] for failure in failures]  # somebody else told of it first
            else:
                break
        return [None] * len(told)

    async def hear(self, switch: Switch, at: int) -> None:
        """Note that a switch was heard just now, of something that was at that time by its own clock."""
        now = clock.unix_now()
        core, noted = self._noted.get(switch.key, ("", 0.0))
        if core == switch.core and 0 <= now - noted < NOTED_SECONDS:
            return
        if len(self._noted) >= MOST_SWITCHES:
            self._noted.clear()
        heard = {"heard": {"$max": ["$heard", now]}, "kept": _date(now + KEPT_SECONDS), "t": SWITCH}
        newer = {"$gte": [at, {"$ifNull": ["$at", -1]}]}
        run = {"core": {"$cond": [newer, {"$literal": switch.core}, "$core"]}, "at": {"$max": ["$at", at]}}
        run = run if switch.core else {"core": {"$ifNull": ["$core", ""]}}
        query = {"_id": switch.key, "a": switch.teller}
        while True:
            try:
                await self._run(lambda: self._live.update_one(query, [{"$set": heard | run}], upsert=True))
            except DuplicateKeyError:
                continue
            if not is_dry():
                self._noted[switch.key] = (switch.core, now)
            return

    async def end_all_of(self, account_id: str, document_type: str, of: str, at: int) -> None:
        """Everything of a type that belongs to something is over at that time."""
        query = {"a": account_id, "t": document_type, "of": of}
        over: list[dict[str, Any]] = [{"$set": {"ends": _with_end(at)}}, {"$set": {"live": _LIVE}}]
        await self._run(lambda: self._live.update_many(query, over))

    async def one(self, account_id: str, document_type: str, live_id: str, *, silence_s: float) -> Live | None:
        """A thing that is live, or None."""
        found = await self._find({"_id": document_key(account_id, document_type, live_id), "a": account_id}, silence_s)
        return found[0] if found else None

    async def all(
        self, account_id: str | None, document_type: str, *, silence_s: float, of: str | None = None
    ) -> list[Live]:
        """What is live of a type, in an account or in all: what began first before the rest."""
        query: dict[str, Any] = {"t": document_type}
        if account_id is not None:
            query["a"] = account_id
        if of is not None:
            query["of"] = of
        return sorted(await self._find(query, silence_s), key=lambda live: (live.began, live.id))

    async def count(self, account_id: str | None, document_type: str) -> int:
        """How many things of a type that outlive their switch are live, in an account or in all."""
        query = {"t": document_type, **({} if account_id is None else {"a": account_id}), **_living()}
        return await self._run(lambda: self._live.count_documents(query))

    async def lapsed(self, document_type: str, before: int, most: int) -> list[Live]:
        """What came to its own end before that time and of which this is not noted yet; the earliest, of all accounts.

        Of what `lapses` alone.
        """
        query = {
            "t": document_type,
            "until": {"$lte": before},
            "live": True,
            "$expr": {"$ne": ["$lapsed", "$until"]},
        }
        found = await self._run(lambda: self._live.find(query).sort("until").limit(most).to_list(None))
        return [_read(entry) for entry in found]

    async def is_heard(self, switch_key: str, silence_s: float) -> bool:
        """Whether a switch was heard within so many seconds."""
        return switch_key in await self._heard([switch_key], silence_s)

    async def _find(self, query: dict[str, Any], silence_s: float) -> list[Live]:
        stored = await self._run(lambda: self._live.find({**query, **_living()}).to_list(None))
        heard = await self._heard(sorted({entry["switch"] for entry in stored if "switch" in entry}), silence_s)
        return [_read(entry) for entry in stored if _is_of_this_run(entry, heard)]

    async def _heard(self, keys: list[str], silence_s: float) -> dict[str, str]:
        """Those of the switches that were heard, by key, with what tells their run from the last."""
        if not keys:
            return {}
        query = {
            "_id": one_or_in(keys),
            "a": one_or_in(sorted({DocumentKey.parse(key).partition for key in keys})),
            "heard": {"$gt": clock.unix_now() - silence_s},
        }
        found = await self._run(lambda: self._live.find(query, {"core": 1}).to_list(None))
        return {entry["_id"]: entry["core"] for entry in found}


_ENDS: Final = {"$filter": {"input": {"$ifNull": ["$ends", []]}, "cond": {"$in": ["$$this.of", ["", "$token"]]}}}
"""The ends of an entry, and of what has its token."""
_ENDED: Final = {"$ifNull": [{"$max": {"$map": {"input": _ENDS, "in": "$$this.at"}}}, -1]}
_LIVE: Final = {"$gt": [{"$ifNull": ["$shown", -1]}, _ENDED]}
"""Whether an entry is live, from when it was last shown and when it ended."""


_LAPSED: Final = {"$eq": [{"$ifNull": ["$lapsed", -1]}, {"$ifNull": ["$until", -2]}]}
"""Whether it is noted that an entry came to its own end."""


def lapse_of(live: Live) -> tuple[dict[str, Any], dict[str, Any]]:
    """Query and update that note that a thing came to its own end, unless that was noted, or put off, by now."""
    query = {
        "_id": document_key(live.account_id, live.type, live.id),
        "a": live.account_id,
        "live": True,
        "until": live.until,
        "lapsed": {"$ne": live.until},
    }
    return query, {"$set": {"lapsed": live.until, "kept": _date(clock.unix_now() + END_KEPT_SECONDS)}}


def _with_end(at: int, token: str = "") -> dict[str, Any]:
    """The ends that are known, with another one."""
    known = {"$concatArrays": [{"$ifNull": ["$ends", []]}, [{"at": at, "of": {"$literal": token}}]]}
    return {"$slice": [known, -MOST_ENDS]}


def _living() -> dict[str, Any]:
    """The condition that an entry is live now, as far as it says so itself."""
    return {"live": True, "$or": [{"until": None}, {"until": {"$gt": int(clock.unix_now() * MICROSECONDS)}}]}


def _key(told: Telling) -> dict[str, Any]:
    return {"_id": document_key(told.account_id, told.type, told.id), "a": told.account_id}


def _steps(told: Telling) -> list[dict[str, Any]]:
    """The update that notes what is told, whatever was told before."""
    group, at = f"at.{told.group}", told.at
    newer = {"$gte": [at, {"$ifNull": [f"$at.{told.group}", -1]}]}
    first: dict[str, Any] = {
        "t": told.type,
        "was": {"live": "$live", "still": _still(at), "lapsed": _LAPSED},
        group: {"$max": [f"${group}", at]},
        f"told.{told.group}": {"$cond": [newer, {"$literal": orjson.dumps(told.fields)}, f"$told.{told.group}"]},
        "kept": _kept(told),
    }
    if told.shown:
        latest = {"$gte": [at, {"$ifNull": ["$shown", -1]}]}
        first["shown"] = {"$max": ["$shown", at]}
        for name, value in _belongings(told).items():
            first[name] = {"$cond": [latest, {"$literal": value}, f"${name}"]}
    if told.ended is not None:
        first["ends"] = _with_end(told.ended, told.token)
    begins = {"$and": ["$live", {"$ne": ["$was.still", True]}]}
    ends = {"$and": ["$was.live", {"$not": ["$live"]}, {"$not": ["$was.lapsed"]}]}
    turns = {
        "began": {"$cond": [begins, at, "$began"]},
        "over": {"$cond": [ends, at, "$over"]},
        "lapsed": {"$cond": [begins, None, "$lapsed"]},
    }
    return [{"$set": first}, {"$set": {"live": _LIVE}}, {"$set": turns}, {"$unset": "was"}]


def _still(at: int) -> dict[str, Any]:
    """Whether an entry goes on with a telling of that time: it is live, and its own end has not come by then.

    Once that end is noted, an entry that is put off by what was told before its end, and arrived late, begins anew.
    """
    put_off = {"$and": [_LAPSED, {"$gt": [at, {"$ifNull": ["$shown", -1]}]}]}
    return {"$and": ["$live", {"$gt": [{"$ifNull": ["$until", FOREVER]}, at]}, {"$not": [put_off]}]}


def _belongings(told: Telling) -> dict[str, Any]:
    """What the latest telling that shows a thing says of the entry itself."""
    switch = {"switch": told.switch.key, "core": told.switch.core} if told.switch else {}
    ends = {} if told.until is None else {"until": told.until}
    return {"of": told.of, **({"token": told.token} if told.token else {}), **switch, **ends}


def _kept(told: Telling) -> Any:
    """Until when the database keeps the entry."""
    now = clock.unix_now()
    if told.ended is not None:
        return _date(now + END_KEPT_SECONDS)
    last = now + KEPT_SECONDS
    if told.until is not None:
        last = max(now, told.until / MICROSECONDS) + (KEPT_SECONDS if told.lapses else END_KEPT_SECONDS)
    over = {"$gte": [_ENDED, FOREVER]}
    return {"$cond": [over, {"$ifNull": ["$kept", _date(last)]}, {"$max": ["$kept", _date(last)]}]}


def _date(unix_seconds: float) -> datetime:
    return datetime.fromtimestamp(unix_seconds, UTC)


def _is_of_this_run(entry: Mapping[str, Any], heard: Mapping[str, str]) -> bool:
    """Whether what an entry tells was told by a switch that is heard, and since it was started."""
    if "switch" not in entry:
        return True
    core = heard.get(entry["switch"])
    return core is not None and (not core or entry["core"] in ("", core))


def _read(entry: Mapping[str, Any]) -> Live:
    key = DocumentKey.parse(entry["_id"])
    times = entry["at"]
    fields: dict[str, Any] = {}
    for group in sorted(entry["told"], key=lambda group: times[group]):
        fields |= orjson.loads(entry["told"][group])
    known = {name: value for name, value in fields.items() if value is not None}
    began, over = entry.get("began") or 0, entry.get("over") or 0
    of, until = entry.get("of", ""), entry.get("until")
    return Live(key.partition, key.type, key.id, of, began, over, entry["live"], known, until)
