# SPDX-License-Identifier: MPL-2.0
"""Kills at random moments: workers, the database, the whole server, the primary of a replica set."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from trials.all_writers import AllWriters
from trials.client import REQUEST_S, Tally
from trials.installation import Installation, log_in
from trials.replica_set import ReplicaSet

CALM_S = (0.3, 2.5)
"""Between a server that serves again and the next kill."""
MADE_BETWEEN = 30
"""So many documents have to be made before the next kill, however long that takes."""
CALM_PATIENCE_S = 60.0


@dataclass
class Outcome:
    """What a trial found."""

    kills: Counter[str] = field(default_factory=Counter)
    tally: Tally = field(default_factory=Tally)


async def calm(tally: Tally) -> None:
    """Let some time pass before the next kill, and something be written: on a slow machine that takes longer."""
    made = tally.answers[201]
    await asyncio.sleep(random.uniform(*CALM_S))
    async with asyncio.timeout(CALM_PATIENCE_S):
        while tally.answers[201] < made + MADE_BETWEEN:  # noqa: ASYNC110 - nothing announces it
            await asyncio.sleep(0.05)


@asynccontextmanager
async def writing(installation: Installation, outcome: Outcome) -> AsyncIterator[None]:
    """Writers at work during the block; afterwards everything is checked, also after one more start."""
    timeout = aiohttp.ClientTimeout(total=REQUEST_S)
    connector = aiohttp.TCPConnector(force_close=True)
    async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
        # The client would repeat a PUT or DELETE whose answer was lost, and tell of the second answer alone.
        session._retry_connection = False
        token, account_id = await log_in(session, installation.url)
        writers = AllWriters(session, installation.url, account_id, token)
        outcome.tally = writers.tally
        writers.start()
        try:
            yield
        finally:
            await installation.ready()
            await writers.stop()
        await writers.check()


async def kill_processes(kills: int, told: Callable[[str], None], *, folder: Path | None = None) -> Outcome:
    """Kill workers, the embedded database and the whole server in turn, `kills` times in all."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory(dir=folder) as place:
        installation = Installation(Path(place) / "data")
        targets: dict[str, Callable[[], Awaitable[None] | None]] = {
            "worker": installation.kill_worker,
            "database": installation.kill_database,
            "server": installation.kill_all,
        }
        await installation.start()
        try:
            async with writing(installation, outcome):
                for number in range(kills):
                    await calm(outcome.tally)
                    name = list(targets)[number % len(targets)]
                    if (killing := targets[name]()) is not None:
                        await killing
                    outcome.kills[name] += 1
                    told(name)
                    await installation.ready()
        finally:
            await installation.stop()
    return outcome


async def kill_primaries(
    kills: int, told: Callable[[str], None], *, election_ms: int = 10_000, folder: Path | None = None
) -> Outcome:
    """Kill the primary of a three-member replica set, or let it step down, `kills` times in all."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory(dir=folder) as place:
        members = ReplicaSet(Path(place), election_ms)
        await members.start()
        installation = Installation(Path(place) / "data", settings={"DATABASE__URI": members.uri})
        try:
            await installation.start()
            async with writing(installation, outcome):
                for number in range(kills):
                    await calm(outcome.tally)
                    name = "primary" if number % 3 else "step-down"
                    await (members.kill_primary() if name == "primary" else members.step_down())
                    outcome.kills[name] += 1
                    told(name)
                    await installation.ready()
        finally:
            await installation.stop()
            members.stop()
    return outcome
