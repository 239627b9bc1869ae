# SPDX-License-Identifier: MPL-2.0
"""Serving one application until the process is told to stop.

A stop (SIGTERM, SIGINT) cancels the main coroutine, so everything ends by leaving the blocks it began in: the
listeners close, requests in flight finish, then what the application was built on ends, the database last.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import ssl
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import uvloop
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError, PayloadEncodingError

from crossbar.config import OPTIONS, Config, ConfigError, TlsOptions
from crossbar.logs import fields
from crossbar.process.acceptor import Acceptor
from crossbar.runtime import HTTP_RUNNER, SOCKET_PORT

logger = logging.getLogger(__name__)

LOOPBACK: Final = "127.0.0.1"
LAST_SECONDS = 5.0
AGAIN_SECONDS = 0.1
LINGERING_S = 2.0
"""How long the rest of a body nobody wants is read, so that the client sees the answer instead of a reset."""


@dataclass(frozen=True, slots=True)
class Listener:
    """A socket that accepts connections, plain or with TLS."""

    socket: socket.socket
    tls: bool
    events: bool = False
    """Whether it is for WebSockets that tell of events, not for the API."""

    @property
    def url(self) -> str:
        """Where a client on this machine reaches it."""
        host, port = self.socket.getsockname()[:2]
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
        host = f"[{host}]" if ":" in host else host
        scheme = "ws" if self.events else "http"
        return f"{scheme}{'s' if self.tls else ''}://{host}:{port}"


class _Port(NamedTuple):
    """Where to listen; `options` say where that stands in the configuration. One `optional` was asked for by nobody."""

    host: str
    number: int
    options: str
    tls: bool = False
    events: bool = False
    optional: bool = False


def open_listeners(config: Config) -> list[Listener]:
    """Listen on the configured ports, those of the API first.

    Raises ConfigError when one cannot be had or the certificate cannot be used. Without the port for sockets a server
    goes on where nobody set it: several servers on one machine need not be told.
    """
    if config.tls.certificate or config.dialects.tls_ports:
        tls_context(config.tls)
    listeners: list[Listener] = []
    for port in _ports(config):
        try:
            opened = _listen(port.host, port.number, config.server.backlog)
        except OSError as error:
            reason = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
            where = f"{port.host}, port {port.number}"
            if port.optional:
                logger.warning("no port for sockets", extra=fields(option=port.options, reason=f"{where}: {reason}"))
                continue
            for listener in listeners:
                listener.socket.close()
            raise ConfigError([f"cannot listen on {where} ({port.options}): {reason}"]) from error
        listeners.append(Listener(opened, port.tls, port.events))
    return listeners


def _ports(config: Config) -> Iterator[_Port]:
    bind, sockets, dialects = config.server.bind, config.blackhole, config.dialects
    yield _Port(bind, config.server.port, "server.bind, server.port")
    if config.tls.certificate:
        yield _Port(bind, config.tls.port, "server.bind, tls.port", tls=True)
    for port in dialects.tls_ports:
        yield _Port(bind, port, "server.bind, dialects.tls_ports", tls=True)
    for port in dialects.loopback_ports:
        yield _Port(LOOPBACK, port, "dialects.loopback_ports")
    if sockets.port:
        usual = _is_usual(config, "blackhole.port")
        yield _Port(bind, sockets.port, "server.bind, blackhole.port", events=True, optional=usual)
    if sockets.tls_port and config.tls.certificate:
        usual = _is_usual(config, "blackhole.tls_port")
        yield _Port(bind, sockets.tls_port, "server.bind, blackhole.tls_port", tls=True, events=True, optional=usual)


def _is_usual(config: Config, path: str) -> bool:
    return config.origin(OPTIONS[path]) == "default"


def _listen(host: str, port: int, backlog: int) -> socket.socket:
    family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    both = host == "::" and socket.has_dualstack_ipv6()
    return socket.create_server(address[:2], family=family, backlog=backlog, dualstack_ipv6=both)


def tls_context(tls: TlsOptions) -> ssl.SSLContext:
    """TLS 1.2 and later with the configured certificate; ConfigError when it cannot be used."""
    if tls.certificate is None or tls.key is None:
        raise ConfigError(["tls.certificate and tls.key are needed together"])
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    # Without a password OpenSSL would ask on the terminal.
    password = tls.password or ""
    try:
        context.load_cert_chain(tls.certificate, tls.key, password=lambda: password)
    except OSError as error:
        raise ConfigError(
            [f"cannot use {tls.certificate} and {tls.key} (tls.certificate, tls.key): {error}"]
        ) from error
    return context


async def serve(
    app: web.Application, listeners: Sequence[Listener], config: Config, *, ready: Callable[[], None]
) -> None:
    """Serve until cancelled, then finish the requests in flight; `ready` is called once connections are taken."""
    runners = {False: http_runner(app, config)}
    if any(listener.events for listener in listeners):
        runners[True] = http_runner(app.get(SOCKET_PORT, app), config)
    acceptors: list[Acceptor] = []
    try:
        for runner in runners.values():
            await runner.setup()
        _settle_memory()
        for listener in listeners:
            context = tls_context(config.tls) if listener.tls else None
            server = runners[listener.events].server
            assert server is not None  # noqa: S101 - that is what `setup` makes
            acceptors.append(Acceptor(listener.socket, server, context))
            acceptors[-1].start(config.server.backlog)
        ready()
        await asyncio.get_running_loop().create_future()
    finally:
        for acceptor in acceptors:
            acceptor.close()
        for runner in reversed(runners.values()):
            await runner.cleanup()


def http_runner(app: web.Application, config: Config) -> web.AppRunner:
    """Runs an application on HTTP, within the configured limits."""
    http_logger = logging.getLogger("aiohttp.server")
    http_logger.addFilter(_not_malformed)
    app[HTTP_RUNNER] = web.AppRunner(
        app,
        access_log=None,
        logger=http_logger,
        handler_cancellation=True,
        keepalive_timeout=config.server.request_timeout_ms / 1000,
        lingering_time=LINGERING_S,
        max_line_size=config.limits.max_url_size,
        max_field_size=config.limits.max_header_size,
        max_headers=config.limits.max_headers,
        shutdown_timeout=config.server.shutdown_timeout_s,
        auto_decompress=False,  # the body reader does, within limits and with answers of the protocol
    )
    return app[HTTP_RUNNER]


def _not_malformed(record: logging.LogRecord) -> bool:
    """Whether a line is no complaint about bytes that are not HTTP: a client's mistake, not worth a traceback."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, web.RequestPayloadError | PayloadEncodingError):
        return False  # the request was answered and logged
    if isinstance(error, HttpProcessingError):
        logger.info("malformed request", extra=fields(reason=type(error).__name__))
        return False
    return True


def _settle_memory() -> None:
    """Keep the garbage collector from visiting what lives as long as the process, which makes long lists cheaper."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine on a fresh loop; the first SIGTERM or SIGINT cancels it, a second ends the process at once."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_until_signalled(main))


async def _until_signalled(main: Coroutine[Any, Any, None]) -> None:
    loop = asyncio.get_running_loop()
    task = loop.create_task(main)

    def stop() -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
        task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        with suppress(asyncio.CancelledError):
            await task
    finally:
        await _end_what_is_left()


async def _end_what_is_left() -> None:
    """Cancel the tasks that nobody has ended, as often as it takes: the loop's own closing does so only once.

    A process whose tasks do not end even then ends without them.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + LAST_SECONDS
    while left := asyncio.all_tasks() - {asyncio.current_task()}:
        if loop.time() > deadline:
            logger.error("tasks do not end", extra=fields(tasks=sorted(task.get_name() for task in left)))
            logging.shutdown()
            os._exit(1)
        for one in left:
            one.cancel()
        await asyncio.wait(left, timeout=AGAIN_SECONDS)
