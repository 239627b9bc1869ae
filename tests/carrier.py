# SPDX-License-Identifier: MPL-2.0
"""A carrier for tests: a web server that sells numbers, as the carrier `other` asks for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web
from pymongo import MongoClient

from tests.harness import RunningServer, own_server
from tests.web_server import web_server

_next = count(5_000_000)


@dataclass
class SellingCarrier:
    """What it offers, whom it has sold to, and how it misbehaves.

    `failing` is the status of its answers, if it has one; `refusing` numbers are not sold; `silent` verbs are answered
    after what they ask for is done, but never.
    """

    url: str = ""
    offers: dict[str, dict[str, Any]] = field(default_factory=dict)
    blocks: list[dict[str, Any]] = field(default_factory=list)
    sold: set[str] = field(default_factory=set)
    seen: list[tuple[str, str, Any]] = field(default_factory=list)
    log_ins: set[str] = field(default_factory=set)
    failing: int = 0
    refusing: set[str] = field(default_factory=set)
    silent: set[str] = field(default_factory=set)
    body: bytes | None = None

    def fresh(self, many: int = 1) -> list[str]:
        """Numbers that nobody knows yet, which it offers from now on."""
        numbers = [f"+1628{next(_next)}" for _ in range(many)]
        self.offers |= {number: {"rate": "0.01"} for number in numbers}
        return numbers

    def asked(self, verb: str) -> list[Any]:
        """The bodies of what it was asked with a verb."""
        return [body for method, _, body in self.seen if method == verb]

    async def answer(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        body = orjson.loads(raw) if raw else None
        self.seen.append((request.method, request.path_qs, body))
        self.log_ins.add(request.headers.get("Authorization", ""))
        if self.failing:
            return web.Response(status=self.failing, text="out of order")
        done = self._do(request, body)
        if request.method in self.silent:
            await asyncio.get_running_loop().create_future()
        if self.body is not None:
            return web.Response(body=self.body)
        return web.json_response(done)

    def _do(self, request: web.Request, body: Any) -> Any:
        what, _, asked = request.path.removeprefix("/phonebook/").split("/")
        match request.method, asked:
            case "GET", "search":
                found = self.blocks if what == "blocks" else self._page(request)
                return {"status": "success", "data": found}
            case "POST", "status":
                had = {number.removeprefix("+1") for number in self.offers}
                return {"status": "success", "data": [{"number": n, "status": _word(n in had)} for n in body["data"]]}
            case "PUT", "order":
                return {"status": "success", "data": {n: self._sell(n) for n in body["data"]["numbers"]}}
            case _:
                self.sold -= set(body["data"]["numbers"])
                return {"status": "success"}

    def _page(self, request: web.Request) -> dict[str, Any]:
        first = int(request.query["offset"])
        fitting = sorted(number for number in self.offers if number.startswith(request.query["prefix"]))
        return {number: self.offers[number] for number in fitting[first : first + int(request.query["limit"])]}

    def _sell(self, number: str) -> dict[str, Any]:
        if number in self.refusing or number not in self.offers or number in self.sold:
            return {"status": "error"}
        self.sold.add(number)
        return {"status": "success", "opaque": {"order": f"o-{number}"}, "locality": {"city": "OAKLAND"}}


def _word(has: bool) -> str:
    return "success" if has else "error"


@asynccontextmanager
async def selling_carrier() -> AsyncIterator[SellingCarrier]:
    carrier = SellingCarrier()
    async with web_server(carrier.answer) as url:
        carrier.url = str(url / "phonebook")
        yield carrier


@asynccontextmanager
async def server_with_carrier(
    mongo_uri: str, mongo_client: MongoClient[dict[str, Any]], data: str, **overrides: str
) -> AsyncIterator[RunningServer]:
    """A server of its own that may reach carriers on this machine."""
    options = {
        "log.level": "error",
        "storage.allowed_networks": "127.0.0.0/8",
        "carrier.user": "ann",
        "carrier.password": "hush",
        "carrier.timeout_s": "1",
        "carrier.search_timeout_ms": "1000",
        "carrier.retry_s": "3600",
        **overrides,
    }
    async with own_server(mongo_uri, mongo_client, Path(data), options) as server:
        yield server


LOG_IN = "Basic YW5uOmh1c2g="
