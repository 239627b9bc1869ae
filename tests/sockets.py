# SPDX-License-Identifier: MPL-2.0
"""A client of sockets, as MonsterUI is one: frames that it sends, frames that it gets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType

from tests.harness import Tenant

ALLOWED_S = 20
ACCOUNT_DATABASE = "account%2F{0[0]}{0[1]}%2F{0[2]}{0[3]}%2F{1}"


def database_of(account_id: str) -> str:
    """What frames call the database of an account."""
    return ACCOUNT_DATABASE.format(account_id, account_id[4:])


@dataclass
class Socket:
    """An open socket; events that come while an answer is waited for are kept."""

    socket: ClientWebSocketResponse
    token: str
    account_id: str
    kept: list[dict[str, Any]] = field(default_factory=list)
    asked: int = 0

    async def frame(self) -> dict[str, Any]:
        """The next frame that comes."""
        async with asyncio.timeout(ALLOWED_S):
            message = await self.socket.receive()
        assert message.type is WSMsgType.TEXT, (message, self.socket.close_code)
        return dict(orjson.loads(message.data))

    async def ask(self, action: str, data: Any = None, **frame: Any) -> dict[str, Any]:
        """Send a frame with the token; its answer."""
        self.asked += 1
        sent = {"action": action, "auth_token": self.token, "request_id": f"r{self.asked}", "data": data, **frame}
        await self.socket.send_json({key: value for key, value in sent.items() if value is not None})
        while (answer := await self.frame())["action"] != "reply":
            self.kept.append(answer)
        assert answer["request_id"] == sent["request_id"]
        return answer

    async def subscribe(self, binding: str, account_id: str | None = None, **data: Any) -> dict[str, Any]:
        """Subscribe, which has to succeed; the answer's data."""
        wanted = {"account_id": account_id or self.account_id, "binding": binding, **data}
        answer = await self.ask("subscribe", wanted)
        assert answer["status"] == "success", answer
        return dict(answer["data"])

    async def errors(self, action: str, data: Any = None, **frame: Any) -> list[str]:
        """Ask for what is refused; why it is."""
        answer = await self.ask(action, data, **frame)
        assert answer["status"] == "error", answer
        return list(answer["data"]["errors"])

    async def event(self) -> dict[str, Any]:
        """The next event."""
        frame = self.kept.pop(0) if self.kept else await self.frame()
        assert frame["action"] == "event", frame
        return frame

    async def events(self, many: int) -> list[dict[str, Any]]:
        """So many events."""
        return [await self.event() for _ in range(many)]

    def stop_reading(self) -> None:
        """Leave lying what comes."""
        self._connection.pause_reading()

    def go_on_reading(self) -> None:
        """Read again."""
        self._connection.resume_reading()

    @property
    def _connection(self) -> asyncio.ReadTransport:
        connection = self.socket._response.connection  # what a test of flow control cannot do without
        assert connection is not None
        assert isinstance(connection.transport, asyncio.Transport)
        return connection.transport

    async def closed(self, within: float = ALLOWED_S) -> tuple[int | None, str, list[dict[str, Any]]]:
        """Code and reason with which it is closed, and the events that come before."""
        events: list[dict[str, Any]] = []
        async with asyncio.timeout(within):
            while (message := await self.socket.receive()).type is WSMsgType.TEXT:
                events.append(orjson.loads(message.data))
        code = message.data if message.type is WSMsgType.CLOSE else self.socket.close_code
        return code, str(message.extra or ""), events


@asynccontextmanager
async def opened(
    url: str, tenant: Tenant, *, token: str | None = None, path: str = "/v2/websocket", **options: Any
) -> AsyncIterator[Socket]:
    """A socket at a server's URL that speaks for a tenant."""
    async with (
        ClientSession() as session,
        session.ws_connect(f"{url.replace('http', 'ws', 1)}{path}", **options) as socket,
    ):
        yield Socket(socket, tenant.token if token is None else token, tenant.id)


def about(events: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    """What events are about: their names and the documents' ids."""
    return [(event["name"], event["data"]["id"]) for event in events]
