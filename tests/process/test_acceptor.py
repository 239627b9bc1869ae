# SPDX-License-Identifier: MPL-2.0
"""Connections of a socket that several share."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

from crossbar.process.acceptor import Acceptor


class Counting(asyncio.Protocol):
    """Counts its connections, and answers each with its name."""

    def __init__(self, name: str, counts: dict[str, int]) -> None:
        self._name = name
        self._counts = counts

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._counts[self._name] = self._counts.get(self._name, 0) + 1
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._name.encode())


async def connect(address: tuple[str, int]) -> asyncio.StreamWriter:
    reader, writer = await asyncio.open_connection(*address)
    await reader.readexactly(1)
    return writer


async def test_nobody_takes_all_that_come_at_once() -> None:
    counts: dict[str, int] = {}
    with socket.create_server(("127.0.0.1", 0)) as listening:
        acceptors = [Acceptor(listening.dup(), lambda name=name: Counting(name, counts), None) for name in "ab"]
        for acceptor in acceptors:
            acceptor.start(100)
        writers = await asyncio.gather(*(connect(listening.getsockname()) for _ in range(64)))
        assert sum(counts.values()) == 64
        assert min(counts.get(name, 0) for name in "ab") >= 16
        for acceptor in acceptors:
            acceptor.close()
        for writer in writers:
            writer.close()


async def test_who_is_closed_takes_no_more_and_keeps_what_there_is() -> None:
    counts: dict[str, int] = {}
    with socket.create_server(("127.0.0.1", 0)) as listening:
        one, other = (Acceptor(listening.dup(), lambda name=name: Counting(name, counts), None) for name in "ab")
        one.start(100)
        first = await connect(listening.getsockname())
        one.close()
        other.start(100)
        second = await connect(listening.getsockname())
        assert counts == {"a": 1, "b": 1}
        assert not first.is_closing()
        other.close()
        for writer in (first, second):
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
