# SPDX-License-Identifier: MPL-2.0
"""Serving: listeners, TLS, slow clients."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from crossbar.config import Config, ConfigError
from crossbar.process.serving import Listener, open_listeners, serve
from crossbar.shared import BucketTable, Shared, WriteMarks
from tests.certificates import certificate
from tests.stand_in_server import build_app


@asynccontextmanager
async def served(**overrides: str) -> AsyncIterator[list[Listener]]:
    config = Config.load(
        overrides={"blackhole.port": "0", "blackhole.tls_port": "0"}
        | {name.replace("__", "."): text for name, text in overrides.items()}
    )
    app = await build_app(config, database_uri="", shared=Shared(BucketTable(1_024), WriteMarks(), "server"))
    listeners = open_listeners(config)
    ready = asyncio.Event()
    task = asyncio.create_task(serve(app, listeners, config, ready=ready.set))
    await ready.wait()
    try:
        yield listeners
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_second_listener_speaks_tls(tmp_path: Path) -> None:
    options = certificate(tmp_path, b"key password")
    async with served(server__port="0", tls__port="0", tls__password="key password", **options) as (plain, tls):
        assert plain.url.startswith("http://127.0.0.1:")
        assert tls.url.startswith("https://127.0.0.1:")
        trusting = ssl.create_default_context(cafile=str(tmp_path / "server.pem"))
        async with aiohttp.ClientSession() as client:
            async with client.get(f"{plain.url}/spend") as answer:
                assert await answer.text() == "99"
            async with client.get(f"{tls.url}/spend", ssl=trusting) as answer:
                assert await answer.text() == "98"


async def test_further_ports_speak_tls_or_are_for_this_machine_alone(tmp_path: Path) -> None:
    options = certificate(tmp_path)
    further = {"dialects__tls_ports": "0, 0", "dialects__loopback_ports": "0"}
    async with served(server__bind="0.0.0.0", server__port="0", tls__port="0", **further, **options) as listeners:
        assert [listener.tls for listener in listeners] == [False, True, True, True, False]
        assert [listener.socket.getsockname()[0] for listener in listeners] == ["0.0.0.0"] * 4 + ["127.0.0.1"]
        trusting = ssl.create_default_context(cafile=str(tmp_path / "server.pem"))
        async with aiohttp.ClientSession() as client:
            for listener in listeners:
                async with client.get(f"{listener.url}/pid", ssl=trusting) as answer:
                    assert answer.status == 200


def test_further_ports_for_tls_need_a_certificate() -> None:
    with pytest.raises(ConfigError, match=r"tls\.certificate and tls\.key are needed together"):
        open_listeners(Config.load(overrides={"server.port": "0", "dialects.tls_ports": "0"}))


def test_a_certificate_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    options = {name.replace("__", "."): text for name, text in certificate(tmp_path, b"key password").items()}
    with pytest.raises(ConfigError, match=r"tls\.certificate, tls\.key"):
        open_listeners(Config.load(overrides={"blackhole.port": "0", "server.port": "0"} | options))


def test_a_port_in_use_stops_the_start() -> None:
    (taken,) = open_listeners(Config.load(overrides={"blackhole.port": "0", "server.port": "0"}))
    port = taken.socket.getsockname()[1]
    with taken.socket, pytest.raises(ConfigError) as caught:
        open_listeners(Config.load(overrides={"blackhole.port": "0", "server.port": str(port)}))
    assert caught.value.problems == [
        f"cannot listen on 127.0.0.1, port {port} (server.bind, server.port): Address already in use"
    ]


@pytest.mark.parametrize("bind", ["no such host.", "192.0.2.1"])
def test_an_address_that_is_not_ours_stops_the_start(bind: str) -> None:
    with pytest.raises(ConfigError, match="cannot listen on"):
        open_listeners(Config.load(overrides={"server.bind": bind, "blackhole.port": "0", "server.port": "0"}))


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
async def test_the_ipv6_wildcard_takes_ipv4_too() -> None:
    async with served(server__bind="::", server__port="0") as (listener,):
        assert listener.url.startswith("http://[::1]:")
        for url in (listener.url, listener.url.replace("[::1]", "127.0.0.1")):
            async with aiohttp.request("GET", f"{url}/pid") as answer:
                assert answer.status == 200


@pytest.mark.parametrize("sent", [b"", b"GET /pid HTTP/1.1\r\nHost: x\r\nX-Slow: "])
async def test_who_sends_no_complete_request_in_time_is_hung_up_on(sent: bytes) -> None:
    async with served(server__port="0", server__request_timeout_ms="50") as (listener,):
        reader, writer = await asyncio.open_connection(*listener.socket.getsockname())
        writer.write(sent)
        assert await reader.read() == b""
        writer.close()


@pytest.mark.parametrize(
    ("limit", "request_head"),
    [
        ("max_url_size", b"GET /pid?x=%s HTTP/1.1\r\nHost: x\r\n\r\n" % (b"x" * 500)),
        ("max_header_size", b"GET /pid HTTP/1.1\r\nHost: x\r\nX-Long: %s\r\n\r\n" % (b"x" * 500)),
        ("max_headers", b"GET /pid HTTP/1.1\r\nHost: x\r\n%s\r\n" % (b"X-Many: x\r\n" * 500)),
    ],
)
async def test_a_request_head_over_a_limit_is_refused_without_a_traceback(
    limit: str, request_head: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    async with served(server__port="0", **{f"limits__{limit}": "300"}) as (listener,):
        reader, writer = await asyncio.open_connection(*listener.socket.getsockname())
        writer.write(request_head)
        assert (await reader.readline()).split(b" ")[1] == b"400"
        writer.close()
    assert [(record.levelname, record.getMessage()) for record in caplog.records if "asyncio" not in record.name] == [
        ("INFO", "malformed request")
    ]
