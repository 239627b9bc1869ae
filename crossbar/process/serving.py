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
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import uvloop
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError, PayloadEncodingError

from crossbar.config import Config, ConfigError, TlsOptions
from crossbar.logs import fields
from crossbar.process.acceptor import Acceptor

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

    @property
    def url(self) -> str:
        """Where a client on this machine reaches it."""
        host, port = self.socket.getsockname()[:2]
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
        host = f"[{host}]" if ":" in host else host
        return f"{'https' if self.tls else 'http'}://{host}:{port}"


def open_listeners(config: Config) -> list[Listener]:
    """Listen on the configured ports; ConfigError when one cannot be had or the certificate cannot be used."""
    listeners: list[Listener] = []
    for wanted in _wanted(config):
        try:
            listeners.append(Listener(_listen(wanted.host, wanted.port, config.server.backlog), wanted.tls))
        except OSError as error:
            for listener in listeners:
                listener.socket.close()
            reason = error.strerror if isinstance(error, socket.gaierror) else os.strerror(error.errno or 0)
            where = f"{wanted.host}, port {wanted.port}"
            raise ConfigError([f"cannot listen on {where} ({wanted.options}): {reason}"]) from error
    return listeners


class _Wanted(NamedTuple):
    """Where to listen; `options` say where that stands in the configuration."""

    host: str
    port: int
    tls: bool
    options: str


def _wanted(config: Config) -> list[_Wanted]:
    """Where the configuration wants the server to listen; ConfigError for TLS without a certificate of use."""
    bind, dialects = config.server.bind, config.dialects
    wanted = [_Wanted(bind, config.server.port, False, "server.bind, server.port")]
    if config.tls.certificate or dialects.tls_ports:
        tls_context(config.tls)
    if config.tls.certificate:
        wanted.append(_Wanted(bind, config.tls.port, True, "server.bind, tls.port"))
    wanted += [_Wanted(bind, port, True, "server.bind, dialects.tls_ports") for port in dialects.tls_ports]
    wanted += [_Wanted(LOOPBACK, port, False, "dialects.loopback_ports") for port in dialects.loopback_ports]
    return wanted


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
    runner = http_runner(app, config)
    acceptors: list[Acceptor] = []
    try:
        await runner.setup()
        assert runner.server is not None  # noqa: S101 - that is what `setup` makes
        _settle_memory()
        for listener in listeners:
            context = tls_context(config.tls) if listener.tls else None
            acceptors.append(Acceptor(listener.socket, runner.server, context))
            acceptors[-1].start(config.server.backlog)
        ready()
        await asyncio.get_running_loop().create_future()
    finally:
        for acceptor in acceptors:
            acceptor.close()
        await runner.cleanup()


def http_runner(app: web.Application, config: Config) -> web.AppRunner:
    """Runs an application on HTTP, within the configured limits."""
    http_logger = logging.getLogger("aiohttp.server")
    http_logger.addFilter(_not_malformed)
    return web.AppRunner(
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
