# SPDX-License-Identifier: MPL-2.0
"""A web server that webhooks are sent to, and what it was sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from multidict import CIMultiDict

from tests.web_server import web_server

PATIENCE_S = 20


@dataclass(frozen=True)
class Sent:
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: str


@dataclass
class Receiver:
    """Answers 200, or the status in `answers` for a path; a path of `held` waits for its event."""

    url: str = ""
    seen: list[Sent] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)
    held: dict[str, asyncio.Event] = field(default_factory=dict)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: web.Request) -> web.Response:
        body = await request.text()
        self.seen.append(Sent(request.method, request.path_qs, CIMultiDict(request.headers), body))
        self._news.set()
        if request.path in self.held:
            await self.held[request.path].wait()
        headers = {"Location": f"{self.url}/moved"} if self.answers.get(request.path) in (302, 307) else {}
        return web.Response(status=self.answers.get(request.path, 200), text="thanks", headers=headers)

    def at(self, path: str) -> list[Sent]:
        """What was sent to a path."""
        return [sent for sent in self.seen if sent.path.partition("?")[0] == path]

    async def wait(self, path: str, many: int = 1) -> list[Sent]:
        """What was sent to a path, once there is so much of it."""
        await self.until(lambda: len(self.at(path)) >= many)
        return self.at(path)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for requests until it holds."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._news.clear()
                await self._news.wait()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver at work."""
    receiver = Receiver()
    async with web_server(receiver.answer) as url:
        receiver.url = str(url).rstrip("/")
        yield receiver
        for held in receiver.held.values():
            held.set()
