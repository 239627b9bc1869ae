# SPDX-License-Identifier: MPL-2.0
"""Sockets of two installed workers on their own port, one of which is killed: nobody misses a change."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.e2e.installed import Installation, Running
from tests.e2e.test_start import ADMIN, ask, log_in
from tests.resources.notices.test_socket_workers import free_port

PHONES = 40
KILLED_AT = 15
LISTENERS = 6


async def heard(
    url: str, account_id: str, token: str, ready: asyncio.Event, *, binding: str = "object.*.device"
) -> AsyncIterator[dict[str, Any]]:
    """The frames of a client that comes back where it was whenever it loses its socket."""
    since = "now"
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.ws_connect(url) as socket:
                    data = {"account_id": account_id, "binding": binding, "since": since}
                    await socket.send_json({"action": "subscribe", "auth_token": token, "data": data})
                    async for message in socket:
                        frame = message.json()
                        if frame["action"] == "reply":
                            assert frame["status"] == "success", frame
                            since = frame["data"]["token"]
                            ready.set()
                        else:
                            since = frame["token"]
                            yield frame
            except aiohttp.ClientError:
                continue


@contextmanager
def two_workers(data: Path, mongo_uri: str, database_name: str, **more: str) -> Iterator[tuple[Running, int]]:
    """A server of two workers, and the port of its sockets."""
    port = free_port()
    variables = {
        "CROSSBAR_DATABASE__URI": mongo_uri,
        "CROSSBAR_DATABASE__NAME": database_name,
        "CROSSBAR_BLACKHOLE__PORT": str(port),
    }
    with Installation(data).serving("--create-admin", "--workers", "2", **ADMIN, **variables, **more) as server:
        yield server, port


async def test_a_killed_worker_costs_no_listener_a_change(tmp_path: Path, mongo_uri: str, database_name: str) -> None:
    with two_workers(tmp_path, mongo_uri, database_name) as (server, port):
        account, token = await asyncio.to_thread(log_in, server)
        pids = [await asyncio.to_thread(lambda: server.logged("worker ready")["pid"]) for _ in range(2)]
        ready = [asyncio.Event() for _ in range(LISTENERS)]

        async def listen(begun: asyncio.Event) -> list[str]:
            found: list[str] = []
            async for frame in heard(f"ws://127.0.0.1:{port}/", account.rpartition("/")[2], token, begun):
                found.append(f"{frame['name']} {frame['data']['doc']['name']}")
                if len(found) == 2 * PHONES:
                    break
            return found

        listening = [asyncio.create_task(listen(begun)) for begun in ready]
        await asyncio.gather(*(begun.wait() for begun in ready))
        expected: list[str] = []
        for number in range(PHONES):
            if number == KILLED_AT:
                os.kill(pids[0], signal.SIGKILL)
            made = await asyncio.to_thread(
                lambda name=f"Phone {number}": ask(f"{account}/devices", token, method="PUT", data={"name": name})
            )
            device = f"{account}/devices/{made['data']['id']}"
            renamed = {"name": f"Telephone {number}"}
            await asyncio.to_thread(lambda url=device, data=renamed: ask(url, token, method="PATCH", data=data))
            expected += [f"doc_created Phone {number}", f"doc_edited Telephone {number}"]
        async with asyncio.timeout(60):
            assert await asyncio.gather(*listening) == [expected] * LISTENERS
        assert server.terminate() == 0
