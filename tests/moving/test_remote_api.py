# SPDX-License-Identifier: MPL-2.0
"""Requests to an API that is slow, busy, or forgets who is asking."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from typing import cast

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from crossbar.moving import remote_api
from crossbar.moving.remote_api import ApiLogin, RemoteApi, RequestRefused
from crossbar.moving.trouble import CannotMove
from tests.web_server import web_server

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


@pytest.mark.parametrize("url", ["host:80", "ftp://host", "/v2", "http://", "http://[", "https://:8443"])
async def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(CannotMove, match="no address"):
        async with remote_api.remote_api(url, KEY, None):
            pass


async def test_nobody_is_there(unused_tcp_port_factory: Callable[[], int]) -> None:
    async with remote_api.remote_api(f"http://127.0.0.1:{unused_tcp_port_factory()}", KEY, None) as api:
        with pytest.raises(CannotMove, match="does not answer"):
            await api.get("/accounts/a")


# Answers that are none


Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def api_of(*answers: Answer) -> AsyncIterator[tuple[RemoteApi, list[str]]]:
    """An API that answers GETs by these in turn, by the last one for good; and the paths it was asked for."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.method == "PUT":
            return web.json_response({"auth_token": "t"}, status=201)
        asked.append(request.path_qs)
        return await answers[min(len(asked), len(answers)) - 1](request)

    async with web_server(answer) as url, remote_api.remote_api(str(url), KEY, None) as api:
        yield api, asked


async def whole(_: web.Request) -> web.StreamResponse:
    return web.json_response({"data": {"id": "x"}})


async def cut_short(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b'{"data": {"id"')
    cast(asyncio.Transport, request.transport).close()
    return response


async def reset(request: web.Request) -> web.StreamResponse:
    cast(asyncio.Transport, request.transport).abort()
    return web.Response()


async def half_of_it(_: web.Request) -> web.StreamResponse:
    return web.Response(text='{"data": {"id"', content_type="application/json")


async def a_page(_: web.Request) -> web.StreamResponse:
    return web.Response(text="<html>Back soon</html>", content_type="text/html")


async def a_list(_: web.Request) -> web.StreamResponse:
    return web.json_response(["data"])


@pytest.mark.parametrize("broken", [cut_short, reset, half_of_it, a_page, a_list])
async def test_a_broken_answer_is_asked_for_again(broken: Answer) -> None:
    async with api_of(broken, broken, whole) as (api, asked):
        assert (await api.get("/accounts/a"))["data"] == {"id": "x"}
        assert len(asked) == 3


@pytest.mark.parametrize("broken", [cut_short, reset, half_of_it, a_page])
async def test_what_stays_broken_ends_the_run_with_what_to_do(broken: Answer) -> None:
    async with api_of(whole, broken) as (api, asked):
        await api.get("/accounts/a")
        with pytest.raises(CannotMove, match=r"/accounts/b.*; run the command again to go on"):
            await api.get("/accounts/b")
        assert len(asked) >= 1 + remote_api.TRIES  # aiohttp asks once more on a connection that was open before


async def test_what_never_was_an_api_is_found_out_sooner() -> None:
    async def page(_: web.Request) -> web.StreamResponse:
        return web.Response(text="<html>", content_type="text/html")

    async with web_server(page) as url, remote_api.remote_api(str(url), KEY, None) as api:
        with pytest.raises(CannotMove, match="is it a Crossbar API"):
            await api.get("/accounts/a")


async def test_a_log_in_without_a_token() -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.json_response({"data": {}}, status=201)

    async with web_server(answer) as url, remote_api.remote_api(str(url), KEY, None) as api:
        with pytest.raises(CannotMove, match="without a token"):
            await api.get("/accounts/a")


async def test_a_file_that_is_cut_short_is_fetched_again() -> None:
    async def file(_: web.Request) -> web.StreamResponse:
        return web.Response(body=b"sound", content_type="audio/mpeg")

    async with api_of(cut_short, file) as (api, asked):
        download = await api.download("/accounts/a/media/m/raw", "*/*")
        assert download is not None
        with closing(download):
            assert (download.size, download.content_type) == (5, "audio/mpeg")
            assert [piece async for piece in download.pieces()] == [b"sound"]
        assert len(asked) == 2


@pytest.mark.parametrize("bound", ["LONGEST_ANSWER", "LARGEST_FILE"])
async def test_an_answer_without_end_is_refused(bound: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        with suppress(ConnectionError):
            while True:
                await response.write(b"x" * 1000)
        return response

    monkeypatch.setattr(remote_api, bound, 100_000)
    async with api_of(endless) as (api, asked):
        with pytest.raises(RequestRefused, match="more than 100000 bytes"):
            await (api.get("/accounts/a") if bound == "LONGEST_ANSWER" else api.download("/accounts/a", "*/*"))
        assert len(asked) == 1


async def test_pages_that_go_in_a_circle_end() -> None:
    async def page(request: web.Request) -> web.StreamResponse:
        key = int(request.query.get("start_key", "0"))
        return web.json_response({"data": [key], "next_start_key": (key + 1) % 3})

    seen: list[object] = []
    async with api_of(page) as (api, asked):
        with pytest.raises(RequestRefused, match="circle"):
            async for data, _ in api.pages("/accounts/a/menus", {}, 1):
                seen.append(data)
        assert len(asked) <= 4
    assert seen[:3] == [[0], [1], [2]]


async def test_a_token_goes_to_no_other_server() -> None:
    told: list[str] = []

    async def other(request: web.Request) -> web.StreamResponse:
        told.append(request.path)
        return await whole(request)

    async with web_server(other) as elsewhere:

        async def sends_on(_: web.Request) -> web.StreamResponse:
            raise web.HTTPTemporaryRedirect(elsewhere / "v2/accounts/a")

        async with api_of(sends_on) as (api, _):
            with pytest.raises(RequestRefused, match=f"sends on to {elsewhere}"):
                await api.get("/accounts/a")
    assert told == []


async def test_a_password_in_an_address_is_not_told(unused_tcp_port_factory: Callable[[], int]) -> None:
    url = f"http://ann:hush@127.0.0.1:{unused_tcp_port_factory()}"
    async with remote_api.remote_api(url, KEY, None) as api:
        with pytest.raises(CannotMove) as told:
            await api.get("/accounts/a")
    assert "hush" not in str(told.value)
