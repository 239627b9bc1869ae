# SPDX-License-Identifier: MPL-2.0
"""Requests one at a time over one connection, with a client that costs next to nothing beside the server."""

from __future__ import annotations

import asyncio
import random
import socket
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType

import orjson

from benchmarks import samples
from benchmarks.crowd import Crowd
from benchmarks.seed import Account, credentials
from benchmarks.servers import Server

WARM_UP = 20
"""Rounds that do not count."""


class Client:
    """One connection that is kept open."""

    def __init__(self, server: Server) -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def send(self, method: str, path: str, token: str = "", data: object = None) -> bytes:
        """The answer's body. RuntimeError unless it is a good one."""
        body = b"" if data is None else orjson.dumps({"data": data})
        head = f"{method} /v2{path} HTTP/1.1\r\nHost: localhost\r\n"
        head += f"X-Auth-Token: {token}\r\n" if token else ""
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        self._socket.sendall(head.encode() + b"\r\n" + body)
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._received()
        answer, _, rest = received.partition(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        while len(rest) < length:
            rest += self._received()
        if not answer.startswith(b"HTTP/1.1 20"):
            raise RuntimeError(f"{method} {path}: {answer[:20]!r} {rest[:500]!r}")
        return rest

    def _received(self) -> bytes:
        received = self._socket.recv(262_144)
        if not received:
            raise RuntimeError("the server has closed the connection")
        return received


class Caller:
    """Asks for anything of a crowd, each time at another place."""

    def __init__(self, client: Client, crowd: Crowd) -> None:
        self._client = client
        self._crowd = crowd
        self._chance = random.Random(4)
        for account in [*crowd.accounts, crowd.large]:
            if not account.tokens:
                answer = client.send("PUT", "/user_auth", data=credentials(account.realm, account.users[0]))
                account.tokens.append(orjson.loads(answer)["auth_token"])

    def calls(self) -> Mapping[str, Callable[[], bytes]]:
        """What can be asked, by the name of its row."""
        return {
            "GET one": lambda: self._device("GET"),
            "list of 50": lambda: self._in(self._anyone(), "/devices"),
            "list of 50 in a large account": lambda: self._in(self._crowd.large, "/devices"),
            "filtered list": lambda: self._in(self._anyone(), "/devices?filter_provision.endpoint_model=t54w"),
            "search": lambda: self._in(self._anyone(), "/search?t=device&q=name&v=desk%20phone%201"),
            "log-in": self._log_in,
            "create": self._create,
            "update": lambda: self._device("POST", self._body()),
        }

    def _anyone(self) -> Account:
        return self._chance.choice(self._crowd.accounts)

    def _in(self, account: Account, path: str) -> bytes:
        return self._client.send("GET", f"/accounts/{account.id}{path}", account.tokens[0])

    def _device(self, method: str, data: object = None) -> bytes:
        account = self._anyone()
        path = f"/accounts/{account.id}/devices/{self._chance.choice(account.devices)['id']}"
        return self._client.send(method, path, account.tokens[0], data)

    def _create(self) -> bytes:
        account = self._anyone()
        return self._client.send("PUT", f"/accounts/{account.id}/devices", account.tokens[0], self._body())

    def _log_in(self) -> bytes:
        account = self._anyone()
        return self._client.send("PUT", "/user_auth", data=credentials(account.realm, account.users[0]))

    def _body(self) -> object:
        return samples.unnamed_device(self._chance.randrange(1000), self._chance)


async def measure(places: Sequence[tuple[Server, Crowd]], rounds: int) -> dict[str, list[float]]:
    """Median milliseconds of each kind of request, one number for each place, which are asked in turn."""
    with ExitStack() as stack:
        callers = [Caller(stack.enter_context(Client(server)), crowd) for server, crowd in places]
        calls = [caller.calls() for caller in callers]
        times: dict[str, list[list[float]]] = {name: [[] for _ in places] for name in calls[0]}
        for number in range(rounds + WARM_UP):
            for name, lists in times.items():
                for of_place, taken in zip(calls, lists, strict=True):
                    began = time.perf_counter()
                    of_place[name]()
                    if number >= WARM_UP:
                        taken.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(0)  # lets Ctrl-C come through
    return {name: [statistics.median(taken) for taken in lists] for name, lists in times.items()}
