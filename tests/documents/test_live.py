# SPDX-License-Identifier: MPL-2.0
"""Live state as the store keeps it, with each of the drivers."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from pymongo import MongoClient

from crossbar import clock
from crossbar.documents.shape import Shapes
from crossbar.documents.store import FOREVER, MICROSECONDS, Live, Store, Switch, Telling, Transaction

ACCOUNT = "a" * 32
SILENCE = 60
NOW = 1_800_000_000.0
AT = int(NOW) * MICROSECONDS
HERE = Switch(ACCOUNT, "fs", "run-1")


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
        await store.live.tell(telling("d", 0, "create", {}, switch=None, until=AT + 90 * MICROSECONDS, lapses=True))
        kept = {entry["_id"].rpartition("/")[2]: entry["kept"].timestamp() - NOW for entry in live.find()}
        assert kept == {"fs": 2 * clock.DAY, "a": 2 * clock.DAY, "b": 90 + 3600, "c": 3600, "d": 90 + 2 * clock.DAY}
    with clock.frozen(NOW + 100):
        (lapsed, *_) = [one for one in await store.live.lapsed("thing", AT + 90 * MICROSECONDS, 9) if one.id == "d"]
        assert await noted(store, lapsed)
    found = live.find_one({"_id": f"{ACCOUNT}/thing/d"}) or {}
    assert found["kept"].timestamp() - NOW == 100 + 3600


# Ends at their own time


async def noted(store: Store, live: Live) -> bool:
    async def note(transaction: Transaction) -> bool:
        return await transaction.note_lapse(live)

    return await store.transact(note)


async def lapsed(store: Store, before: int, most: int = 10) -> list[Live]:
    return await store.live.lapsed("thing", AT + before, most)


async def test_what_came_to_its_own_end_is_found_until_that_is_noted(store: Store) -> None:
    with clock.frozen(NOW):
        for live_id, until in (("a", 20), ("b", 10), ("c", 30), ("d", 10)):
            await store.live.tell(telling(live_id, 0, "create", {}, switch=None, until=AT + until))
        await store.live.tell(telling("d", 5, "end", {}, shown=False, ended=AT + 5))
        await store.live.tell(telling("e", 0, "create", {}))
        assert [one.id for one in await lapsed(store, 9)] == []
        assert [one.id for one in await lapsed(store, 20)] == ["b", "a"]
        assert [one.id for one in await lapsed(store, 20, most=1)] == ["b"]
        b, a = await lapsed(store, 20)
        await store.live.tell(telling("a", 15, "create", {}, switch=None, until=AT + 50))
        assert (await noted(store, b), await noted(store, a)) == (True, False)
        assert await noted(store, b) is False
        assert await lapsed(store, 30) == await lapsed(store, 40)
        assert [one.id for one in await lapsed(store, 50)] == ["c", "a"]


async def test_what_is_told_after_an_end_was_noted(store: Store) -> None:
    """What is put off begins anew; what was told before changes nothing; an end has been told of."""
    with clock.frozen(NOW):
        for live_id in ("late", "again", "old", "over"):
            await store.live.tell(telling(live_id, 0, "create", {}, switch=None, until=AT + 50, token=live_id))
            await store.live.tell(telling(live_id, 10, "create", {}, switch=None, until=AT + 100, token=live_id))
        for one in await lapsed(store, 100):
            assert (one.began, await noted(store, one)) == (AT, True)
        late = await store.live.tell(telling("late", 99, "create", {}, switch=None, until=AT + 199))
        assert (late.began, late.is_live) == (AT + 99, True)
        again = await store.live.tell(telling("again", 10, "create", {}, switch=None, until=AT + 100, token="again"))
        old = await store.live.tell(telling("old", 5, "create", {}, switch=None, until=AT + 105, token="old"))
        assert (again.began, old.began) == (AT, AT)
        ended = telling("over", 120, "end", {}, shown=False, ended=AT + 120, token="over")
        over = await store.live.tell(ended)
        assert (over.is_live, over.over) == (False, 0)
        assert [one.id for one in await lapsed(store, 1000)] == ["late"]
