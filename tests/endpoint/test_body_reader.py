# SPDX-License-Identifier: MPL-2.0
"""Bodies on their way in: slow ones, many, and such that cannot be decoded."""

from __future__ import annotations

import asyncio
import dataclasses
import gzip
import zlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from unittest.mock import Mock

import pytest
from aiohttp import StreamReader, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.test_utils import make_mocked_request

from crossbar.endpoint import body_reader
from crossbar.endpoint.body_reader import LARGEST_AT_A_TIME, BodyReader
from crossbar.errors import Plain
from tests.harness import RunningServer, Tenant

LIMIT = 10


def upload(begun: bytes = b"") -> tuple[web.Request, StreamReader]:
    """A request whose body is still coming, and the pipe it comes through."""
    pipe = StreamReader(Mock(BaseProtocol, _reading_paused=False), 2**16, loop=asyncio.get_running_loop())
    pipe.feed_data(begun)
    return make_mocked_request("PUT", "/v2", payload=pipe), pipe


async def test_a_body_comes_in_pieces() -> None:
    request, pipe = upload(b"one ")
    reading = asyncio.create_task(BodyReader().read(request, LIMIT, 10))
    pipe.feed_data(b"two")
    pipe.feed_eof()
    assert await reading == b"one two"


async def test_a_body_that_stops_coming_is_given_up() -> None:
    request, _ = upload(b"one")
    with pytest.raises(Plain) as given_up:
        await BodyReader().read(request, LIMIT, 0.01)
    assert given_up.value.status == 408


async def test_a_body_that_trickles_is_given_up_though_it_never_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body_reader, "SLOWEST", 2**40)  # so that no machine is too fast for it
    request, pipe = upload()

    async def trickle() -> None:
        while True:
            pipe.feed_data(b".")
            await asyncio.sleep(0)

    trickling = asyncio.create_task(trickle())
    with pytest.raises(Plain) as given_up:
        await BodyReader().read(request, 2**40, 0.001)
    trickling.cancel()
    assert given_up.value.status == 408


async def test_bodies_have_so_much_room_together() -> None:
    intake = BodyReader()
    whole = b"x" * LIMIT
    async with asyncio.TaskGroup() as group:
        unfinished = [group.create_task(intake.read(upload(whole)[0], LIMIT, 60)) for _ in range(LARGEST_AT_A_TIME)]
        await asyncio.sleep(0)
        with pytest.raises(Plain) as refused:
            await intake.read(upload(b"x")[0], LIMIT, 60)
        assert refused.value.status == 503
        for task in unfinished:
            task.cancel()
        await asyncio.wait(unfinished)
        request, pipe = upload(whole)
        pipe.feed_eof()
        assert await intake.read(request, LIMIT, 60) == whole


DEVICE = b'{"data": {"name": "compressed"}}'
RAW = zlib.compressobj(wbits=-15)
DEFLATED = RAW.compress(DEVICE) + RAW.flush()


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", b"no such thing"),
        ("gzip", gzip.compress(DEVICE, mtime=0)[:-9]),
        ("GZIP", gzip.compress(DEVICE, mtime=0) + b"trailing"),
        ("deflate", b"no such thing"),
        ("deflate", zlib.compress(DEVICE)[:-5]),
    ],
)
async def test_a_body_that_is_not_what_its_coding_says_is_refused(
    tenant: Tenant, coding: str, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    refused = await tenant.api.put("/devices", body=body, headers={"Content-Encoding": coding})
    assert refused.invalid() == {
        "body": {"invalid": {"message": "the request body cannot be decoded", "target": "body"}}
    }
    assert refused.headers["Connection"] == "close"
    assert [record.getMessage() for record in caplog.records] == ["request"]


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip", "none such"])
async def test_a_coding_that_nobody_reads_is_refused(tenant: Tenant, coding: str) -> None:
    refused = await tenant.api.put("/devices", body=DEVICE, headers={"Content-Encoding": coding})
    assert refused.error() == (415, "415", "unsupported media type", {})
    assert refused.headers["Connection"] == "close"


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(DEVICE, mtime=0)),
        ("x-gzip", gzip.compress(DEVICE[:9], mtime=0) + gzip.compress(DEVICE[9:], mtime=0)),
        ("gzip", gzip.compress(DEVICE[:-1] + b" " * 1_000_000 + b"}", mtime=0)),
        ("deflate", zlib.compress(DEVICE)),
        ("deflate", DEFLATED),
        ("identity", DEVICE),
        ("gzip", b""),
    ],
)
async def test_a_compressed_body_is_read(tenant: Tenant, coding: str, body: bytes) -> None:
    answer = await tenant.api.put("/devices", body=body, headers={"Content-Encoding": coding})
    assert answer.status == (201 if body else 400)
    assert not body or answer.data["name"] == "compressed"


async def test_a_body_that_grows_without_end_is_refused(tenant: Tenant) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    refused = await tenant.api.put("/devices", body=bomb, headers={"Content-Encoding": "gzip"})
    assert refused.data["file"]["maxSize"]["message"] == "Payload or Files must not be more than 8000000 bytes"


@pytest.mark.parametrize(
    "body",
    [
        b'{"data": {"x": [' + b"{}," * 900_000 + b"1]}}",
        b'{"data": {"x": [' + b'{"a":1},' * 900_000 + b"1]}}",
        b'{"data": {' + b",".join(b'"%d":0' % number for number in range(100_001)) + b"}}",
        b'{"data": [' + b"[],[]," * 60_000 + b"1]}",
    ],
    ids=["objects", "members", "keys", "arrays"],
)
async def test_more_values_than_anybody_needs_are_refused(tenant: Tenant, body: bytes) -> None:
    refused = await tenant.api.put("/skels", body=body)
    message = "more than 50000 values; send fewer at a time"
    assert refused.error()[3] == {"json": {"invalid": {"message": message, "target": "body"}}}


async def test_signs_within_strings_are_no_values(tenant: Tenant) -> None:
    text = '{,[\\" ' * 100_000
    kept = await tenant.api.put("/skels", {"name": "long", "text": text})
    assert (kept.status, kept.data["text"]) == (201, text)


@pytest.fixture
def hurried(server: RunningServer, monkeypatch: pytest.MonkeyPatch) -> RunningServer:
    """The server, which handles two requests at a time."""
    config = server.runtime.config
    limits = dataclasses.replace(config.limits, max_concurrent_requests=2)
    monkeypatch.setattr(server.runtime.settings, "config", dataclasses.replace(config, limits=limits))
    return server


@asynccontextmanager
async def slow_sender(server: RunningServer) -> AsyncIterator[Any]:
    host, _, port = server.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"PUT /v2/user_auth HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n{")
    await writer.drain()
    assert await reader.readline() == b"HTTP/1.1 100 Continue\r\n"
    try:
        yield None
    finally:
        writer.close()
        await writer.wait_closed()


async def test_who_is_slow_to_send_keeps_nobody_out(hurried: RunningServer, tenant: Tenant) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(5):
            await stack.enter_async_context(slow_sender(hurried))
        assert (await tenant.api.get("/devices")).status == 200


async def test_an_answer_before_the_end_of_the_body_closes_the_connection(server: RunningServer) -> None:
    """Else the client would use the connection again, and lose its next request."""
    host, _, port = server.url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"PUT /v2/user_auth HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n{")
    answer = await reader.readuntil(b"\r\n\r\n")
    writer.close()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"\r\nConnection: close\r\n" in answer
