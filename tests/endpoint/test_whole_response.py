# SPDX-License-Identifier: MPL-2.0
"""Responses that are written in one piece, and those that are not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from crossbar.endpoint.whole_response import LARGEST, WholeResponse

WAITING: list[int] = []
"""Bytes that waited for the client when each of its requests came to be answered."""
HEADERS = {"Content-Type": "application/json", "X-Request-ID": "abc"}


async def answer(request: web.Request) -> web.StreamResponse:
    kind = request.query.get("kind")
    if kind == "injected":
        return WholeResponse(body=b"{}", headers={"X-Bad": f"one{request.query['by']}Set-Cookie: two"})
    if kind == "half":
        WAITING.append(request.transport.get_write_buffer_size() if request.transport else 0)
        return WholeResponse(body=b"x" * (LARGEST // 2), headers=HEADERS)
    if kind == "large":
        return WholeResponse(body=b"x" * (LARGEST + 1), headers=HEADERS)
    response = WholeResponse(status=int(request.query.get("status", 200)), body=b"{}", headers=HEADERS)
    if kind == "close":
        response.force_close()
    return response


@pytest.fixture
async def port() -> AsyncIterator[int]:
    app = web.Application()
    app.router.add_route("*", "/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


async def ask(port: int, head: str) -> tuple[str, dict[str, str], bytes]:
    """Status line, headers and body of the answer to a request; what follows it is the answer to a second one."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head.encode())
    status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines if line)
    length = 0 if head.startswith("HEAD") else int(headers.get("Content-Length", 0))
    body = await reader.readexactly(length)
    if headers.get("Connection") == "close" or "HTTP/1.0" in head:
        assert await reader.read() == b""
    else:
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    writer.close()
    return status, headers, body


async def test_an_answer_is_whole(port: int) -> None:
    status, headers, body = await ask(port, "GET /?status=404 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert headers.pop("Date").endswith("GMT")
    assert (status, headers, body) == ("HTTP/1.1 404 Not Found", {**HEADERS, "Content-Length": "2"}, b"{}")


OTHERS = {
    "GET / HTTP/1.0": ("HTTP/1.0 200 OK", "2"),
    "HEAD / HTTP/1.1\r\nHost: x": ("HTTP/1.1 200 OK", "2"),
    "GET / HTTP/1.1\r\nHost: x\r\nConnection: close": ("HTTP/1.1 200 OK", "2"),
    "GET /?kind=close HTTP/1.1\r\nHost: x": ("HTTP/1.1 200 OK", "2"),
    "GET /?kind=large HTTP/1.1\r\nHost: x": ("HTTP/1.1 200 OK", str(LARGEST + 1)),
    "GET /?status=204 HTTP/1.1\r\nHost: x": ("HTTP/1.1 204 No Content", None),
}
"""Requests → the first line of the answer, and the length that it says."""


@pytest.mark.parametrize("request_head", OTHERS)
async def test_other_answers_are_as_aiohttp_writes_them(port: int, request_head: str) -> None:
    first, length = OTHERS[request_head]
    status, headers, _ = await ask(port, f"{request_head}\r\n\r\n")
    assert (status, headers.get("Content-Length")) == (first, length)
    assert headers["X-Request-ID"] == "abc"


async def test_who_reads_no_answers_gets_no_more_of_them(port: int) -> None:
    count, length = 400, LARGEST // 2
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /?kind=half HTTP/1.1\r\nHost: x\r\n\r\n" * count)
    for _ in range(20 * count):  # turns of the loop in which all could be answered
        await asyncio.sleep(0)
    for _ in range(count):
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(length)
    writer.close()
    assert len(WAITING) == count
    assert max(WAITING) < 10 * length


@pytest.mark.parametrize("by", ["%0d%0a", "%0a", "%0d", "%00"])
async def test_no_header_holds_a_control_character(port: int, by: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /?kind=injected&by={by} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    assert await reader.read() == b""
    writer.close()
