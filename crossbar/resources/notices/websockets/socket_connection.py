# SPDX-License-Identifier: MPL-2.0
"""The connection of a socket, on a port of its own and on the API's.

Source: KAZOO `applications/blackhole/src/blackhole_socket_handler.erl`; RFC 6455.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from aiohttp import WSMsgType, hdrs, web

from crossbar.config import BlackholeOptions
from crossbar.endpoint.client_address import ClientAddress
from crossbar.metrics import METRICS
from crossbar.resources.notices.domain.open_sockets import OpenSockets, TooMany
from crossbar.runtime import Runtime

READ_SECONDS: Final = 30.0
"""How long a client may take to read what it asked for."""
CLOSE_SECONDS: Final = 5.0
"""How long a client may take to read on to the end and say that it heard of it."""


class SocketConnection:
    """One WebSocket, as a session writes to it."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport, most_waiting: int) -> None:
        self._socket = socket
        self._transport = transport
        self._most_waiting = most_waiting
        self._closing: asyncio.Task[None] | None = None

    def push(self, frame: bytes) -> bool:
        """Send a frame; False where too much waits to be sent already."""
        # What aiohttp writes it writes whole, so that a frame made once for many sockets can go in between.
        waiting = self._transport.get_write_buffer_size()
        if waiting and waiting + len(frame) > self._most_waiting:
            return False
        self._transport.write(frame)
        return True

    async def send(self, text: bytes) -> None:
        """Send a text once the client has read what came before. Raises ConnectionError where it does not in time."""
        if self._closing is not None:
            return
        try:
            async with asyncio.timeout(READ_SECONDS):
                await self._socket.send_str(text.decode())
        except TimeoutError:
            raise ConnectionError from None

    def close(self, code: int, reason: str) -> None:
        """Begin to close it."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(code, reason), name="socket close")

    async def closed(self) -> None:
        """Return when it is closed, if it was begun."""
        if self._closing is not None:
            await self._closing

    async def _close(self, code: int, reason: str) -> None:
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._socket.close(code=code, message=reason.encode())
        if self._transport.get_write_buffer_size():
            self._transport.abort()


class SocketService:
    """Takes the connections of one worker's sockets."""

    def __init__(self, open_sockets: OpenSockets, addresses: ClientAddress) -> None:
        self._open = open_sockets
        self._addresses = addresses
        self._connections: set[SocketConnection] = set()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve a socket for as long as it is open."""
        if hdrs.SEC_WEBSOCKET_PROTOCOL in request.headers:
            return web.Response(status=400)
        await self._open.fresh()
        options: BlackholeOptions = self._open.options
        socket = web.WebSocketResponse(max_msg_size=options.max_frame_bytes, compress=False, timeout=CLOSE_SECONDS)
        if not socket.can_prepare(request):
            return web.Response(status=426, headers={hdrs.UPGRADE: "websocket", hdrs.CONNECTION: "Upgrade"})
        if self._open.ending:
            return web.Response(status=503)
        source = self._addresses.address(request)
        try:
            async with self._open.counted(source):
                await socket.prepare(request)
                transport = request.transport
                if transport is not None:
                    await self._serve(
                        socket, SocketConnection(socket, transport, options.buffer_bytes), transport, source
                    )
        except TooMany:
            return web.Response(status=429)
        return socket

    async def shut_down(self) -> None:
        """Close all sockets, and wait for their clients to know."""
        self._open.end()
        await asyncio.gather(*(connection.closed() for connection in list(self._connections)))

    async def _serve(
        self, socket: web.WebSocketResponse, connection: SocketConnection, transport: asyncio.Transport, source: str
    ) -> None:
        peer = transport.get_extra_info("peername") or ("", 0)
        self._connections.add(connection)
        try:
            async with self._open.session(connection, f"{peer[0]}:{peer[1]}", source) as session:
                while (text := await self._next(socket)) is not None:
                    await session.receive(text)
                    if session.ended:
                        break
            await connection.closed()
        except ConnectionError:  # the client has gone
            transport.abort()
        finally:
            self._connections.discard(connection)

    async def _next(self, socket: web.WebSocketResponse) -> str | None:
        """The next text that the client sends; None at the end. What is no text is not looked at."""
        while True:
            try:
                message = await socket.receive(timeout=self._open.options.idle_timeout_s)
            except TimeoutError:
                await socket.close(message=b"idle")
                return None
            if message.type is WSMsgType.TEXT:
                return str(message.data)
            if message.type is not WSMsgType.BINARY:
                return None


SOCKETS: Final = web.AppKey("sockets", SocketService)


@asynccontextmanager
async def serving_sockets(app: web.Application, runtime: Runtime) -> AsyncIterator[None]:
    """Serve sockets for as long as the server runs."""
    open_sockets = OpenSockets(runtime, app[METRICS])
    app[SOCKETS] = SocketService(open_sockets, ClientAddress(lambda: runtime.config.server))
    async with open_sockets.open():
        yield
