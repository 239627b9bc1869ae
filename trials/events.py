# SPDX-License-Identifier: MPL-2.0
"""Kills while changes become events: each acknowledged change is told of, in order, by the feed and by a webhook."""

from __future__ import annotations

import asyncio
import itertools
import random
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp
from aiohttp import web

from trials.client import REQUEST_S, UNKNOWN, Client
from trials.installation import Installation, free_port, log_in
from trials.kills import Outcome, calm

WRITERS: Final = 4
SECRET: Final = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
DRAINED_S: Final = 60.0
"""How long the last events may take to arrive."""


class Hook:
    """A webhook's server: the changes of devices that it was sent, with their tokens, as they came."""

    def __init__(self) -> None:
        self.port = free_port()
        self.seen: list[tuple[str, str, str]] = []
        self._news = asyncio.Event()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Answer while the block runs."""
        app = web.Application()
        app.router.add_post("/", self._take)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", self.port).start()
            yield
        finally:
            await runner.cleanup()

    async def _take(self, request: web.Request) -> web.Response:
        told = await request.json()
        self.seen.append((request.headers["webhook-id"], told["action"], told["id"]))
        self._news.set()
        return web.Response()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for requests until it holds."""
        while not condition():
            self._news.clear()
            await self._news.wait()


class Renames:
    """Devices that are renamed over and over: which names were acknowledged."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.acknowledged: dict[str, list[str]] = {}
        self.stopping = False

    async def run(self, name: str) -> None:
        """Make a device, rename it some times, delete it, and begin anew."""
        for number in itertools.count():
            if self.stopping:
                return
            status, found = await self._client.ask("PUT", "/devices", {"name": f"{name}-{number}-0"})
            if status != 201:
                await self._rest(status)
                continue
            names = self.acknowledged[found["id"]] = [f"{name}-{number}-0"]
            for change in range(1, random.randrange(2, 8)):
                word = f"{name}-{number}-{change}"
                status, _ = await self._client.ask("PATCH", f"/devices/{found['id']}", {"name": word})
                if status == 200:
                    names.append(word)
                await self._rest(status)

    @staticmethod
    async def _rest(status: int) -> None:
        if status in (UNKNOWN, 503):
            await asyncio.sleep(0.05)


async def kill_relays(
    kills: int, told: Callable[[str], None], *, folder: Path | None = None, servers: bool = False
) -> Outcome:
    """Kill workers, with `servers` the database and the whole server in turn as well, while devices are renamed."""
    outcome = Outcome()
    hook = Hook()
    settings = {"SECURITY__BLOCKED_HOSTS": "blocked.test"}
    with tempfile.TemporaryDirectory(dir=folder) as place:
        installation = Installation(Path(place) / "data", settings=settings)
        targets: list[tuple[str, Callable[[], Awaitable[None] | None]]] = [("worker", installation.kill_worker)]
        if servers:
            targets += [("database", installation.kill_database), ("server", installation.kill_all)]
        await installation.start()
        connector, timeout = aiohttp.TCPConnector(force_close=True), aiohttp.ClientTimeout(total=REQUEST_S)
        try:
            async with hook.serving(), aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
                session._retry_connection = False
                token, account_id = await log_in(session, installation.url)
                client = Client(session, installation.url, account_id, token, outcome.tally)
                since = await _begin(client, hook)
                renames = Renames(client)
                writers = [asyncio.create_task(renames.run(f"w{number}")) for number in range(WRITERS)]
                for number in range(kills):
                    await calm(outcome.tally)
                    name, kill = targets[number % len(targets)]
                    if (killing := kill()) is not None:
                        await killing
                    outcome.kills[name] += 1
                    told(name)
                    await installation.ready()
                renames.stopping = True
                await asyncio.gather(*writers)
                await _check(client, since, renames, hook, outcome)
        finally:
            await installation.stop()
    return outcome


async def _begin(client: Client, hook: Hook) -> str:
    """Set the webhook; returns the feed's token."""
    about = {
        "name": "Trial",
        "uri": f"http://127.0.0.1:{hook.port}/",
        "hook": "object",
        "format": "json",
        "secret": SECRET,
        "custom_data": {"type": "device", "action": "all"},
    }
    status, found = await client.ask("PUT", "/webhooks", about)
    assert status == 201, found
    return await _token(client)


async def _token(client: Client) -> str:
    envelope = await client.envelope("/events")
    return str(envelope["token"])


async def _feed(client: Client, since: str) -> list[dict[str, Any]]:
    """The events of devices after a token."""
    found: list[dict[str, Any]] = []
    while True:
        envelope = await client.envelope(f"/events?since={since}&page_size=500")
        found += [event for event in envelope["data"] if event["data"]["type"] == "device"]
        since = envelope["token"]
        if not envelope["more"]:
            return found


async def _check(client: Client, since: str, renames: Renames, hook: Hook, outcome: Outcome) -> None:
    """Compare what was told with what was acknowledged."""
    wrong, checked = outcome.tally.wrong, outcome.tally.checked
    last: set[str] = set()
    for number in range(2):  # what these changes are told behind is told by then
        _, found = await client.must("PUT", "/devices", data={"name": f"last-{number}"})
        last.add(found["id"])
    feed: list[dict[str, Any]] = []
    try:
        async with asyncio.timeout(DRAINED_S):
            while not last <= {event["data"]["id"] for event in feed}:
                feed = await _feed(client, since)
            await hook.until(lambda: last <= {document_id for _, _, document_id in hook.seen})
    except TimeoutError:
        wrong.append("the last changes were not told of in time")
    names: dict[str, list[str]] = {}
    for event in feed:
        names.setdefault(event["data"]["id"], []).append(event["data"]["doc"]["name"])
    for device_id, acknowledged in renames.acknowledged.items():
        told = [name for name in names.get(device_id, []) if name in set(acknowledged)]
        checked["feed"] += 1
        if told != acknowledged:
            wrong.append(f"of device {device_id} {acknowledged} were acknowledged, and {told} told")
    first = list(dict.fromkeys(token for token, _, _ in hook.seen))
    checked["webhook"] += len(first)
    if first != [event["token"] for event in feed]:
        missing = [event["token"] for event in feed if event["token"] not in set(first)]
        wrong.append(f"the webhook was told of {len(first)} events, the feed of {len(feed)}; missing {missing[:5]}")
    if (again := len(hook.seen) - len(first)) > len(first) // 2:
        wrong.append(f"{again} deliveries were made again")
