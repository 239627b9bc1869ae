# SPDX-License-Identifier: MPL-2.0
"""Periodic work, which one worker does at a time."""

from __future__ import annotations

import asyncio

import pytest

from crossbar import clock
from crossbar.background import in_background
from crossbar.documents.periodic import LEASE_SECONDS, PeriodicLease, keep_doing
from crossbar.documents.store import Store
from crossbar.errors import SystemFault


@pytest.mark.parametrize("error", [SystemFault("datastore_fault"), RuntimeError("nobody expected it")])
async def test_work_goes_on_after_it_failed(store: Store, error: Exception) -> None:
    done = asyncio.Event()
    tries: list[int] = []

    async def work(_: PeriodicLease) -> None:
        tries.append(len(tries))
        if len(tries) == 1:
            raise error
        done.set()

    async with asyncio.timeout(20), in_background(keep_doing(PeriodicLease(store, "work"), work, lambda: 0), name="w"):
        await done.wait()


async def test_how_long_work_stays_with_a_worker_that_is_gone(store: Store) -> None:
    now = clock.unix_now()
    with clock.frozen(now):
        assert await PeriodicLease(store, "usual").held()
        assert await PeriodicLease(store, "short", 30).held()
    with clock.frozen(now + 31):
        assert await PeriodicLease(store, "short", 30).held()
        assert not await PeriodicLease(store, "usual").held()
    with clock.frozen(now + LEASE_SECONDS + 1):
        assert await PeriodicLease(store, "usual").held()
