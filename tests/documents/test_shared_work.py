# SPDX-License-Identifier: MPL-2.0
"""Work that several workers share: who does what, and that no two do the same."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from crossbar.documents import membership
from crossbar.documents.driver import DriverName
from crossbar.documents.membership import Membership
from crossbar.documents.shape import Shapes
from crossbar.documents.store import Store

SUBJECTS = [f"account {number}" for number in range(200)]


async def opened(stack: AsyncExitStack, uri: str, name: str, driver: DriverName = "pymongo") -> Store:
    store = Store.connect(uri, name, Shapes(), driver=driver)
    stack.push_async_callback(store.close)
    await store.prepare()
    return store


async def test_members_agree_on_who_does_what(mongo_uri: str, database_name: str) -> None:
    async with AsyncExitStack() as stack:
        store = await opened(stack, mongo_uri, database_name)
        members = [Membership(store, "work") for _ in range(3)]
        for member in (*members, *members):
            await member.look()
        assert all(member.trusted for member in members)
        shares = [{subject for subject in SUBJECTS if member.is_mine(subject)} for member in members]
        assert sum(map(len, shares)) == len(SUBJECTS) == len(set.union(*shares))
        assert all(len(share) > 20 for share in shares)
        await members[0].leave()
        assert not members[0].trusted
        for member in members[1:]:
            await member.look()
        for member, share in zip(members[1:], shares[1:], strict=True):
            assert share <= {subject for subject in SUBJECTS if member.is_mine(subject)}
        assert all(any(member.is_mine(subject) for member in members[1:]) for subject in SUBJECTS)


async def test_a_member_that_was_not_heard_of_trusts_itself_no_more(
    mongo_uri: str, database_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(membership, "TRUST_SECONDS", 0.0)
    async with AsyncExitStack() as stack:
        member = Membership(await opened(stack, mongo_uri, database_name), "work")
        assert not member.is_mine("anything")
        await member.look()
        assert not member.trusted


async def test_a_cursor_is_one_workers(mongo_uri: str, database_name: str, driver: DriverName) -> None:
    async with AsyncExitStack() as stack:
        cursors = (await opened(stack, mongo_uri, database_name, driver)).cursors
        key = "a/webhook/h"
        assert await cursors.position(key) == ""
        assert await cursors.take(key, "one", ["one", "two"]) == ""
        assert await cursors.take(key, "two", ["one", "two"]) is None
        assert await cursors.advance(key, "one", "5")
        assert await cursors.take(key, "two", ["two"]) == "5"  # the other is not there any more
        assert not await cursors.advance(key, "one", "6")
        moved = await asyncio.gather(
            cursors.advance(key, "two", "7"),
            cursors.advance("b/webhook/h", "two", "7"),
            cursors.advance(key, "one", "8"),
        )
        assert moved[:2] == [True, False]
        assert await cursors.position(key) == "7"
        await cursors.release(key, "one")
        assert await cursors.take(key, "one", ["one", "two"]) is None
        await cursors.release(key, "two")
        assert await cursors.take(key, "one", ["one", "two"]) == "7"
        await cursors.drop(key)
        assert await cursors.position(key) == ""
