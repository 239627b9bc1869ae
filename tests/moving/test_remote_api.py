# SPDX-License-Identifier: MPL-2.0
"""Requests to an API that is slow, busy, or forgets who is asking."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from crossbar.moving import remote_api
from crossbar.moving.remote_api import ApiLogin, RemoteApi, RequestRefused
from crossbar.moving.trouble import CannotMove

KEY = ApiLogin(api_key="k")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote_api, "LONGEST_PAUSE_S", 0.01)


@asynccontextmanager
async def answering(*statuses: int, rate: float | None = None) -> AsyncIterator[tuple[RemoteApi, list[str]]]:
    """An API that answers GETs with these statuses in turn, the last one for good; and what it was asked."""
    asked: list[str] = []
    left = list(statuses)

    async def get(request: web.Request) -> web.Response:
        asked.append(request.headers["X-Auth-Token"])
        status = left.pop(0) if len(left) > 1 else left[0]
        return web.json_response({"data": {"id": "x"}, "message": "no"}, status=status)

    async def log_in(_: web.Request) -> web.Response:
        asked.append("log in")
        return web.json_response({"auth_token": f"token {asked.count('log in')}"}, status=201)

    app = web.Application()
    app.router.add_put("/v2/api_auth", log_in)
    app.router.add_get("/v2/{path:.*}", get)
    async with TestServer(app) as server, remote_api.remote_api(str(server.make_url("/")), KEY, rate) as api:
        yield api, asked


@pytest.mark.parametrize("passing", [429, 500, 502, 503])
async def test_trouble_that_passes_is_waited_for(passing: int) -> None:
    async with answering(passing, passing, 200) as (api, asked):
        assert (await api.get("/accounts/a"))["data"] == {"id": "x"}
        assert asked == ["log in", *["token 1"] * 3]


async def test_trouble_that_stays_ends_the_run() -> None:
    async with answering(503) as (api, asked):
        with pytest.raises(CannotMove, match="run the command again"):
            await api.get("/accounts/a")
        assert len(asked) == 1 + remote_api.TRIES


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_a_refusal_is_not_asked_for_for_ever(status: int) -> None:
    async with answering(status) as (api, asked):
        with pytest.raises(RequestRefused, match=str(status)):
            await api.get("/accounts/a")
        assert len(asked) <= 4


async def test_a_token_that_ended_is_renewed() -> None:
    async with answering(200, 401, 200) as (api, asked):
        await api.get("/accounts/a")
        await api.get("/accounts/b")
        assert asked == ["log in", "token 1", "token 1", "log in", "token 2"]


async def test_no_more_requests_a_second_than_are_wanted() -> None:
    async with answering(200, rate=50) as (api, asked):
        began = time.monotonic()
        for _ in range(10):
            await api.get("/accounts/a")
        assert time.monotonic() - began >= 10 / 50
        assert len(asked) == 11


@pytest.mark.parametrize("url", ["host:80", "ftp://host", "/v2"])
async def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(CannotMove, match="no address"):
        async with remote_api.remote_api(url, KEY, None):
            pass


async def test_nobody_is_there(unused_tcp_port_factory: Callable[[], int]) -> None:
    async with remote_api.remote_api(f"http://127.0.0.1:{unused_tcp_port_factory()}", KEY, None) as api:
        with pytest.raises(CannotMove, match="does not answer"):
            await api.get("/accounts/a")
