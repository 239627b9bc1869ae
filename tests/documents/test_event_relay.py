# SPDX-License-Identifier: MPL-2.0
"""The relay: each change of an account that somebody listens to has its event, once and in order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from inspect import isawaitable

import pytest

from crossbar.background import in_background
from crossbar.documents.document import ACCOUNTS, Document
from crossbar.documents.driver import DriverName
from crossbar.documents.event import Event, is_token
from crossbar.documents.event_listening import LISTENER_SHAPE, Events, TooOld
from crossbar.documents.event_relay import EventRelay
from crossbar.documents.feed import Feed
from crossbar.documents.shape import EVERY_ACCOUNT, Listening, Shape, Shapes
from crossbar.documents.store import Store
from crossbar.documents.store.event_log import STATE_KEY
from crossbar.ids import new_id

HOOK = Shape("hook", listens=lambda hook: Listening(hook.partition, below=bool(hook.at("below"))))
THING = Shape("thing", announced=True)
SECRET = Shape("secret", announced=True, sealed=("word",))


@dataclass
class Gauges:
    events: int = 0
    gaps: int = 0

    def written(self, events: int, seconds: float) -> None:
        assert seconds >= 0
        self.events += events

    def gap(self) -> None:
        self.gaps += 1


@dataclass
class Worker:
    """A worker: its store, and how it follows events."""

    store: Store
    feed: Feed
    events: Events
    gauges: Gauges = field(default_factory=Gauges)

    @asynccontextmanager
    async def relaying(self) -> AsyncIterator[EventRelay]:
        relay = EventRelay(self.store, lambda: 24, self.gauges)
        self.events.on_listener(lambda _: relay.wake.set())
        async with in_background(relay.run(), name="relay"):
            yield relay

    async def follow(self, account_id: str, since: str, *, many: int, below: bool = False) -> list[Event]:
        async with asyncio.timeout(20), self.events.subscribe(account_id, since, below=below) as subscription:
            found: list[Event] = []
            while len(found) < many:
                found += await subscription.batch()
            return found


@asynccontextmanager
async def worker(uri: str, name: str, driver: DriverName = "pymongo") -> AsyncIterator[Worker]:
    shapes = Shapes([Shape("account", announced=True), Shape("quiet"), HOOK, THING, SECRET, LISTENER_SHAPE])
    store = Store.connect(uri, name, shapes, driver=driver)
    await store.prepare()
    feed = Feed(store)
    events = Events(store, feed, lambda: 24)
    await feed.start()
    await store.event_log.begin()
    yield Worker(store, feed, events)
    await events.stop()
    await feed.stop()
    await store.close()


async def account(store: Store, *above: str) -> str:
    account_id = new_id()
    await store.insert(Document(ACCOUNTS, "account", account_id, {"pvt_tree": list(above)}))
    return account_id


def thing(account_id: str, **fields: object) -> Document:
    return Document(account_id, "thing", new_id(), {"pvt_type": "thing", **fields})


def names(events: list[Event]) -> list[tuple[str, str]]:
    return [(event.name, event.id) for event in events]


async def test_every_change_is_an_event(mongo_uri: str, database_name: str, driver: DriverName) -> None:
    async with worker(mongo_uri, database_name, driver) as one, one.relaying():
        mine, other = await account(one.store), await account(one.store)
        since = await one.events.listen(mine)
        assert is_token(since)
        await one.store.insert(thing(other))
        await one.store.insert(Document(mine, "quiet", "q", {}))
        made = await one.store.insert(thing(mine, color="red", pvt_word="hidden"))
        edited = await one.store.replace(replace(made, fields={**made.fields, "color": "blue"}), made)
        await one.store.replace(replace(edited, fields={**edited.fields, "pvt_deleted": True}), edited)
        gone = await one.store.insert(thing(mine))
        await one.store.remove(gone)
        await one.store.insert(Document(mine, "secret", "s", {"word": "swordfish"}))
        found = await one.follow(mine, since, many=6)
        expected = [("doc_created", made.id), ("doc_edited", made.id), ("doc_deleted", made.id)]
        expected += [("doc_created", gone.id), ("doc_deleted", gone.id), ("doc_created", "s")]
        assert names(found) == expected
        assert [event.token for event in found] == sorted(event.token for event in found)
        assert found[1].told() == {
            "id": made.id,
            "database": f"account%2F{mine[:2]}%2F{mine[2:4]}%2F{mine[4:]}",
            "account_id": mine,
            "type": "thing",
            "rev": edited.revision,
            "is_soft_deleted": False,
            "event_category": "configuration",
            "event_name": "doc_edited",
            "doc": {"id": made.id, "color": "blue"},
        }
        assert "doc" not in found[-1].told()


async def test_events_of_accounts_below_come_by_the_tree_of_their_time(mongo_uri: str, database_name: str) -> None:
    async with worker(mongo_uri, database_name) as one, one.relaying():
        above, elsewhere = await account(one.store), await account(one.store)
        child = await account(one.store, above)
        for listening in (above, elsewhere):
            await one.store.insert(Document(listening, "hook", "h", {"below": True}))
        since = await one.store.event_log.now()
        before = await one.store.insert(thing(child))

        def move(moved: Document) -> None:
            moved.fields["pvt_tree"] = [elsewhere]

        await one.store.update(ACCOUNTS, "account", child, move)
        after = await one.store.insert(thing(child))
        assert names(await one.follow(above, since, many=1, below=True)) == [("doc_created", before.id)]
        found = await one.follow(elsewhere, since, many=2, below=True)
        assert names(found) == [("doc_edited", child), ("doc_created", after.id)]
        assert names(await one.store.event_log.after(since, 10, above)) == []


async def test_what_is_raised_has_its_place_among_the_changes(mongo_uri: str, database_name: str) -> None:
    async with worker(mongo_uri, database_name) as one, one.relaying():
        mine = await account(one.store)
        since = await one.events.listen(EVERY_ACCOUNT)
        first = await one.store.insert(thing(mine))
        await one.store.event_log.raise_event(mine, "notification", "low_balance", {"current_balance": 5})

        async def work(transaction: object, *, fail: bool = False) -> None:
            assert hasattr(transaction, "raise_event")
            await transaction.raise_event(mine, "notification", "topup", {}, about_id="x")
            await transaction.insert(thing(mine))
            if fail:
                raise LookupError

        with pytest.raises(LookupError):
            await one.store.transact(lambda transaction: work(transaction, fail=True))
        await one.store.transact(work)
        last = await one.store.insert(thing(mine))
        found = await one.follow(mine, since, many=5)
        assert names(found)[:3] == [("doc_created", first.id), ("low_balance", ""), ("topup", "x")]
        assert [event.name for event in found[3:]] == ["doc_created", "doc_created"]
        assert (found[1].told(), found[-1].id) == ({"current_balance": 5}, last.id)


async def test_nothing_is_read_while_nobody_listens(mongo_uri: str, database_name: str) -> None:
    async with worker(mongo_uri, database_name) as one, one.relaying():
        mine = await account(one.store)
        hook = await one.store.insert(Document(mine, "hook", "h", {}))
        since = await one.store.event_log.now()
        first = await one.store.insert(thing(mine))
        await one.follow(mine, since, many=1)
        await one.store.remove(hook)
        quiet = await one.store.insert(thing(mine))
        behind = await one.store.event_log.now()
        async with asyncio.timeout(20):
            while await one.events.head() < behind[:16]:
                pass
        since = await one.events.listen(mine)
        last = await one.store.insert(thing(mine))
        assert names(await one.follow(mine, since, many=1)) == [("doc_created", last.id)]
        found = names(await one.store.event_log.after("", 10))
        assert [event for event in found if event[1] in (first.id, quiet.id)] == [("doc_created", first.id)]


async def test_a_token_from_before_the_listening_is_too_old(mongo_uri: str, database_name: str) -> None:
    async with worker(mongo_uri, database_name) as one:
        mine = await account(one.store)
        early = await one.store.event_log.now()
        await one.store.insert(thing(mine))
        since = await one.events.listen(mine)
        await one.events.require(mine, since)
        with pytest.raises(TooOld):
            await one.events.require(mine, early)


async def test_what_the_database_forgot_is_told_to_be_missing(mongo_uri: str, database_name: str) -> None:
    async with worker(mongo_uri, database_name) as one:
        mine = await account(one.store)
        early = await one.events.listen(mine)
        async with one.relaying():
            await one.store.insert(thing(mine))
            await one.follow(mine, early, many=1)
        connection = one.store.connection
        async with await connection.driver.watch(connection.database, []) as stream:
            await one.store.insert(thing(mine))
            change = await stream.next()
        # The place of a change long ago, which the database has to find.
        resume = {"_data": f"8200000001{change['_id']['_data'][10:]}"}
        leases = one.store.database["leases"]
        await leases.update_one({"_id": STATE_KEY}, {"$set": {"position.resume": resume}})
        async with one.relaying():
            async with asyncio.timeout(20):
                while not one.gauges.gaps:  # noqa: ASYNC110 - nothing announces it
                    await asyncio.sleep(0)
            with pytest.raises(TooOld):
                await one.events.require(mine, early)
            since = await one.events.listen(mine)
            await one.events.require(mine, since)
            last = await one.store.insert(thing(mine))
            assert names(await one.follow(mine, since, many=1)) == [("doc_created", last.id)]


async def test_a_relay_goes_on_where_nobody_listens_any_more(mongo_uri: str, database_name: str) -> None:
    """The last change that was read is one of an account whose changes the next relay does not ask for."""
    async with worker(mongo_uri, database_name) as one, worker(mongo_uri, database_name) as two:
        mine, other = await account(one.store), await account(one.store)
        hook = await one.store.insert(Document(mine, "hook", "h", {}))
        since = await one.events.listen(other)
        async with one.relaying():
            await one.store.insert(thing(mine))
            await one.follow(mine, since, many=1)
        await one.store.remove(hook)
        made = await one.store.insert(thing(other))
        async with two.relaying():
            assert names(await two.follow(other, since, many=1)) == [("doc_created", made.id)]
            await two.events.require(other, since)
        assert (one.gauges.gaps, two.gauges.gaps) == (0, 0)


async def test_a_slow_reader_misses_nothing(mongo_uri: str, database_name: str) -> None:
    async with worker(mongo_uri, database_name) as one, one.relaying():
        mine = await account(one.store)
        since = await one.events.listen(mine)
        async with asyncio.timeout(20), one.events.subscribe(mine, since) as slow:
            first = await one.store.insert(thing(mine))
            assert names(await slow.batch()) == [("doc_created", first.id)]
            made = [first]
            for _ in range(5):
                made += await asyncio.gather(*(one.store.insert(thing(mine)) for _ in range(100)))
            every = await one.follow(mine, since, many=len(made))
            found = [event async for event in _some(slow, len(made) - 1)]
            assert names(found) == names(every)[1:]
            assert {event.id for event in every} == {one.id for one in made}


async def _some(subscription: object, many: int) -> AsyncIterator[Event]:
    assert hasattr(subscription, "batch")
    while many:
        for event in await subscription.batch():
            many -= 1
            yield event


async def test_relays_that_are_ended_at_any_moment_lose_and_double_nothing(mongo_uri: str, database_name: str) -> None:
    async with worker(mongo_uri, database_name) as one, worker(mongo_uri, database_name) as two:
        mine = await account(one.store)
        since = await one.events.listen(mine)
        written: dict[str, list[str]] = {}

        async def write() -> None:
            for _ in range(15):
                document = await one.store.insert(thing(mine))
                written[document.id] = [str(document.revision)]
                for number in range(5):
                    document = await one.store.replace(replace(document, fields={"number": number}), document)
                    written[document.id].append(str(document.revision))

        async def interrupt() -> None:
            for number in range(12):
                async with (one, two)[number % 2].relaying():
                    await asyncio.sleep(0.03 * (number % 5))

        async with asyncio.timeout(60):
            await asyncio.gather(*(write() for _ in range(4)), interrupt())
            async with one.relaying():
                found = await two.follow(mine, since, many=4 * 15 * 6)
        told: dict[str, list[str]] = {}
        for event in found:
            told.setdefault(event.id, []).append(event.told()["rev"])
        assert told == written
        assert len(await one.store.event_log.after(since, 1000, mine)) == len(found)


async def test_a_relay_that_died_in_a_transaction_holds_nobody_up(
    mongo_uri: str, database_name: str, driver: DriverName
) -> None:
    async with worker(mongo_uri, database_name, driver) as one, worker(mongo_uri, database_name, driver) as other:
        log, leases = one.store.event_log, one.store.database["leases"]
        left = await log.session()
        assert await log.take("dead", 0, left) is not None
        if isawaitable(started := left.start_transaction()):  # Motor's is none
            await started
        await leases.update_one({"_id": STATE_KEY}, {"$set": {"touched": True}}, session=left)

        async with asyncio.timeout(10), await other.store.event_log.session() as session:
            assert await other.store.event_log.take("alive", 60, session) is not None

        stored = await leases.find_one({"_id": STATE_KEY})
        assert stored is not None
        assert (stored["holder"], "touched" in stored) == ("alive", False)
        async with await log.session() as session:
            assert await log.take("third", 60, session) is None
