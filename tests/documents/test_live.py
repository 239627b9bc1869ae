# SPDX-License-Identifier: MPL-2.0
"""Live state as the store keeps it, with each of the drivers."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from pymongo import MongoClient

from crossbar import clock
from crossbar.documents.driver import DriverName
from crossbar.documents.shape import Shapes
from crossbar.documents.store import FOREVER, MICROSECONDS, Store, Switch, Telling

ACCOUNT = "a" * 32
SILENCE = 60
NOW = 1_800_000_000.0
AT = int(NOW) * MICROSECONDS
HERE = Switch(ACCOUNT, "fs", "run-1")


@pytest_asyncio.fixture(loop_scope="session")
async def store(mongo_uri: str, database_name: str, driver: DriverName) -> AsyncIterator[Store]:
    store = Store.connect(mongo_uri, database_name, Shapes(()), driver=driver)
    await store.prepare()
    yield store
    await store.close()


def telling(live_id: str, at: int, group: str, fields: dict[str, Any], **details: Any) -> Telling:
    given = {"account_id": ACCOUNT, "switch": HERE, **details}
    return Telling(type="thing", id=live_id, at=AT + at, group=group, fields=fields, **given)


async def shown(store: Store, account_id: str | None = ACCOUNT) -> dict[str, dict[str, Any]]:
    return {live.id: live.fields for live in await store.live.all(account_id, "thing", silence_s=SILENCE)}


async def test_any_order_comes_to_the_same(store: Store) -> None:
    told = [
        (0, "create", {"a": 1, "b": 1, "$c.d": {"$e": 1}}, {}),
        (1, "answer", {"b": 2}, {}),
        (2, "hold", {"held": True}, {}),
        (3, "hold", {"held": False, "a": None}, {}),
        (4, "other", {"c": 1}, {"shown": False}),
    ]
    with clock.frozen(NOW):
        await store.live.hear(HERE, AT)
        orders = list(itertools.permutations(told))
        for number, order in enumerate(orders):
            for at, group, fields, details in (*order, order[0]):
                known = await store.live.tell(telling(f"thing-{number}", at, group, fields, **details))
            assert (known.is_live, known.over) == (True, 0)
            await asyncio.gather(
                *(store.live.note(telling(f"noted-{number}", at, *about, **details)) for at, *about, details in order)
            )
        expected = {"b": 2, "$c.d": {"$e": 1}, "held": False, "c": 1}
        names = (f"{name}-{number}" for name in ("thing", "noted") for number in range(len(orders)))
        assert await shown(store) == dict.fromkeys(names, expected)


async def test_many_who_tell_of_one_thing_first(store: Store, mongo_uri: str, database_name: str) -> None:
    """Each of several connections makes the entry; all but one find that it is there by then."""
    others = [Store.connect(mongo_uri, database_name, Shapes()) for _ in range(4)]
    with clock.frozen(NOW):
        await store.live.hear(HERE, AT)
        for number in range(40):
            told = [telling(f"thing-{number}", at, f"group{at}", {f"f{at}": at}) for at in range(8)]
            mixed = zip(told, itertools.cycle(others), itertools.cycle((True, False)), strict=False)
            await asyncio.gather(
                *(other.live.note(one) if noted else other.live.tell(one) for one, other, noted in mixed)
            )
        expected = {f"f{at}": at for at in range(8)}
        assert await shown(store) == {f"thing-{number}": expected for number in range(40)}
    for other in others:
        await other.close()


async def test_an_end_holds_for_what_was_before_it(store: Store) -> None:
    with clock.frozen(NOW):
        await store.live.hear(HERE, AT)
        for live_id, ends, later in (("x", 2, True), ("y", FOREVER, False)):
            end = {"shown": False, "ended": ends if ends == FOREVER else AT + ends}
            ended = await store.live.tell(telling(live_id, 2, "end", {}, **end))
            assert (ended.is_live, ended.over) == (False, 0), "it was not there yet"
            assert not (await store.live.tell(telling(live_id, 1, "create", {}))).is_live
            again = await store.live.tell(telling(live_id, 3, "create", {}))
            assert (again.is_live, again.began) == (later, AT + 3 if later else 0)
        over = await store.live.tell(telling("x", 4, "end", {}, shown=False, ended=AT + 4))
        assert (over.is_live, over.over) == (False, AT + 4)
        once_more = await store.live.tell(telling("x", 5, "end", {}, shown=False, ended=AT + 5))
        assert once_more.over == AT + 4, "what is over does not end once more"
        assert await shown(store) == {}


async def test_how_long_things_last(store: Store) -> None:
    elsewhere = Switch(ACCOUNT, "elsewhere")
    with clock.frozen(NOW):
        await store.live.hear(HERE, AT)
        await store.live.hear(elsewhere, AT)
        await store.live.tell(telling("a", 0, "create", {}))
        await store.live.tell(telling("b", 0, "create", {}, switch=elsewhere))
        await store.live.tell(telling("c", 0, "create", {}, switch=None, until=AT + 90 * MICROSECONDS))
        assert set(await shown(store)) == {"a", "b", "c"}
    with clock.frozen(NOW + 50):
        await store.live.hear(elsewhere, AT)
    with clock.frozen(NOW + 70):
        assert set(await shown(store)) == {"b", "c"}
        assert await store.live.is_heard(elsewhere.key, SILENCE)
        assert not await store.live.is_heard(HERE.key, SILENCE)
        await store.live.hear(HERE._replace(core="run-2"), AT + 1)
        assert set(await shown(store)) == {"b", "c"}, "that run is over"
        await store.live.hear(HERE, AT)
        assert set(await shown(store)) == {"b", "c"}, "word of it comes late"
        await store.live.tell(telling("d", 2, "create", {}, switch=HERE._replace(core="run-2")))
        assert set(await shown(store)) == {"b", "c", "d"}
        await store.live.hear(HERE._replace(core=""), AT + 3)
        assert set(await shown(store)) == {"b", "c", "d"}, "who does not say which run it is tells of none"
    with clock.frozen(NOW + 91):
        assert set(await shown(store)) == {"b", "d"}


async def test_accounts_and_what_belongs_together(store: Store) -> None:
    other = "b" * 32
    with clock.frozen(NOW):
        await store.live.hear(HERE, AT)
        for account, live_id, of in ((ACCOUNT, "a", "x"), (ACCOUNT, "b", "y"), (other, "a", "x")):
            await store.live.tell(telling(live_id, 0, "create", {"of": of}, account_id=account, of=of))
        assert len(await store.live.all(None, "thing", silence_s=SILENCE)) == 3
        assert [live.id for live in await store.live.all(ACCOUNT, "thing", silence_s=SILENCE, of="x")] == ["a"]
        await store.live.end_all_of(ACCOUNT, "thing", "x", AT + 1)
        assert (set(await shown(store)), set(await shown(store, other))) == ({"b"}, {"a"})
        assert await store.live.one(ACCOUNT, "thing", "a", silence_s=SILENCE) is None
        assert (await store.live.one(other, "thing", "a", silence_s=SILENCE)) is not None
        await store.remove_partition(other)
        assert await shown(store, other) == {}


async def test_the_database_forgets_what_is_over(
    store: Store, database_name: str, mongo_client: MongoClient[dict[str, Any]]
) -> None:
    live = mongo_client[database_name]["live"]
    assert live.index_information()["kept"]["expireAfterSeconds"] == 0
    with clock.frozen(NOW):
        await store.live.hear(HERE, AT)
        await store.live.tell(telling("a", 0, "create", {}))
        await store.live.tell(telling("b", 0, "create", {}, switch=None, until=AT + 90 * MICROSECONDS))
        await store.live.tell(telling("c", 1, "end", {}, shown=False, ended=FOREVER))
        await store.live.tell(telling("c", 0, "create", {}))
    kept = {entry["_id"].rpartition("/")[2]: entry["kept"].timestamp() - NOW for entry in live.find()}
    assert kept == {"fs": 2 * clock.DAY, "a": 2 * clock.DAY, "b": 90 + 3600, "c": 3600}
