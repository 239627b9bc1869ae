# SPDX-License-Identifier: MPL-2.0
"""Taking connections from a socket that several workers share.

The event loops' own servers take all connections that wait, so that the worker that wakes first gets most of them.
Here a worker takes a few and leaves the next ones to the others for a moment.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable
from typing import Final

log = logging.getLogger(__name__)

HANDSHAKE_SECONDS: Final = 60.0
"""How long a client may take for the TLS handshake."""
AT_ONCE: Final = 2
"""So many connections are taken before the other workers have their turn."""
TURN_SECONDS: Final = 0.001
SHORT_SECONDS: Final = 1.0
"""For how long no connection is taken where the system gives no more descriptors."""


class Acceptor:
    """Gives the connections of a listening socket to protocols that `factory` makes, until it is closed."""

    def __init__(
        self, listening: socket.socket, factory: Callable[[], asyncio.BaseProtocol], context: ssl.SSLContext | None
    ) -> None:
        self._listening = listening
        self._factory = factory
        self._context = context
        self._loop = asyncio.get_running_loop()
        self._handshakes: set[asyncio.Task[None]] = set()
        self._pause: asyncio.TimerHandle | None = None

    def start(self, backlog: int) -> None:
        """Begin to take connections; `backlog` may wait."""
        self._listening.setblocking(False)
        self._listening.listen(backlog)
        self._resume()

    def close(self) -> None:
        """Take no more connections; those taken are not touched."""
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._listening)
        self._listening.close()

    def _resume(self) -> None:
        self._pause = None
        self._loop.add_reader(self._listening, self._accept)

    def _accept(self) -> None:
        pause = TURN_SECONDS
        try:
            for _ in range(AT_ONCE):
                connection, _ = self._listening.accept()
                connection.setblocking(False)
                task = self._loop.create_task(self._connect(connection))
                self._handshakes.add(task)
                task.add_done_callback(self._handshakes.discard)
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another worker was faster, or the client has gone
        except OSError as error:
            log.error("cannot take connections: %s", error)
            pause = SHORT_SECONDS
        self._loop.remove_reader(self._listening)
        self._pause = self._loop.call_later(pause, self._resume)

    async def _connect(self, connection: socket.socket) -> None:
        patience = HANDSHAKE_SECONDS if self._context is not None else None
        try:
            await self._loop.connect_accepted_socket(
                self._factory, connection, ssl=self._context, ssl_handshake_timeout=patience
            )
        except OSError as error:  # a client that goes away, or does not speak TLS
            log.debug("no connection: %s", error)
            connection.close()
