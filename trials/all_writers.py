# SPDX-License-Identifier: MPL-2.0
"""All writers at work at a time."""

from __future__ import annotations

import asyncio

import aiohttp

from trials.acknowledged import Writer
from trials.client import UNKNOWN, Client, Tally
from trials.writers import KINDS


class AllWriters:
    """Writers of every kind, on one account, until they are stopped."""

    def __init__(self, session: aiohttp.ClientSession, url: str, account_id: str, token: str) -> None:
        self.tally = Tally()
        client = Client(session, url, account_id, token, self.tally)
        self.writers = [kind(client, self.tally, f"{kind.__name__.lower()}{n}") for n, kind in enumerate(KINDS)]
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    def start(self) -> None:
        """Let all write until they are stopped."""
        self._tasks = [asyncio.create_task(self._keep_writing(writer)) for writer in self.writers]

    async def stop(self) -> None:
        """Let each finish what it does."""
        self._stopping = True
        await asyncio.gather(*self._tasks)

    async def check(self) -> None:
        """Compare what is there with what was acknowledged."""
        for writer in self.writers:
            await writer.check()

    async def _keep_writing(self, writer: Writer) -> None:
        while not self._stopping:
            before = self.tally.answers[UNKNOWN]
            await writer.step()
            if self.tally.answers[UNKNOWN] > before:
                await asyncio.sleep(0.05)  # nobody is there; do not hammer
