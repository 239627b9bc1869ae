# SPDX-License-Identifier: MPL-2.0
"""Structured logs: one JSON object a line, or text for a person.

Modules log as usual, `logging.getLogger(__name__)`; what a line says beside its text goes along as
`extra=fields(port=8000)`. Lines are written by a thread of their own, so that neither a slow terminal nor a full pipe
holds up a request. The values of known secrets appear in no line, see `redacted` and `scrubbed`.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import re
import select
import stat
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import IO, Any, Literal, NamedTuple

import orjson

REDACTED = "[redacted]"
SECRET_KEYS = frozenset(
    {
        *("password", "confirm_password", "passwd", "pin", "credentials", "pepper", "password_pepper"),
        *("authorization", "proxy_authorization", "cookie", "set_cookie"),
        *("token", "auth_token", "x_auth_token", "access_token", "refresh_token", "id_token", "jwt"),
        *("api_key", "apikey", "secret", "secret_key", "client_secret", "private_key", "integration_key"),
        *("application_secret_key", "pvt_api_key", "pvt_md5_auth", "pvt_sha1_auth", "pvt_signature_secret"),
        *("reset_id", "mfa_resp", "multi_factor_response"),
    }
)
"""Names whose values are secret, in lower case and with `_` for `-`."""

_FLUSH_INTERVAL = 0.05
_FLUSH_TIMEOUT = 2.0
_WAITING_LINES = 50_000
_FILE_PIECE = 256 * 1024

_SECRET_NAMES = "|".join(sorted((key.replace("_", "[_-]") for key in SECRET_KEYS), reverse=True))
_SECRETS = re.compile(
    rf"""(?ix)
    (?P<name> (?<![a-z0-9]) (?:{_SECRET_NAMES}) ["']? \s* [:=] \s* (?:(?:basic|bearer)\s+)? )
        (?: "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | [^\s,;&"'{{}}()\[\]]+ )
    | (?P<scheme> \b(?:basic|bearer)\s+ ) [\w.~+/=-]{{8,}}
    | (?P<user> ://[^\s:/@]*: ) [^\s@/]+ (?=@)
    | \b eyJ[\w-]+\.[\w-]+\.[\w-]*
    """
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_COLORS = {"DEBUG": "2", "INFO": "36", "WARNING": "33", "ERROR": "31", "CRITICAL": "1;31"}


def fields(**values: Any) -> dict[str, dict[str, Any]]:
    """The `extra` of a log call: what the line says beside its text."""
    return {"fields": values}


def request_log(
    logger: logging.Logger,
    *,
    request_id: str,
    method: str,
    route: str | None,
    account_id: str | None,
    status: int,
    duration_ms: float,
) -> None:
    """The one line of a request. `route` is the pattern that matched, never the path: paths can hold secrets."""
    if not logger.isEnabledFor(logging.INFO):
        return
    values = {
        "request_id": request_id,
        "method": method,
        "route": route,
        "account_id": account_id,
        "status": status,
        "duration_ms": round(duration_ms, 2),
    }
    handler = _Configured.handler
    if handler is not None:
        handler.emit_request(logger.name, values)
    else:
        logger.info("request", extra={"request": values})


def redacted(value: Any) -> Any:
    """A copy of a JSON value in which what stands under a secret key is masked, at any depth."""
    if isinstance(value, Mapping):
        return {key: REDACTED if _is_secret(key) else redacted(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(inner) for inner in value]
    return scrubbed(value) if isinstance(value, str) else value


def _is_secret(key: Any) -> bool:
    return isinstance(key, str) and key.lower().replace("-", "_") in SECRET_KEYS


def scrubbed(text: str) -> str:
    """Text without `password=…`, `"auth_token": "…"`, `Bearer …`, `://user:…@`, or anything that looks like a JWT."""
    return _SECRETS.sub(lambda match: f"{match['name'] or match['scheme'] or match['user'] or ''}{REDACTED}", text)


class RequestLine(NamedTuple):
    """What the line of a request says, and when; it holds no secrets."""

    created: float
    logger: str
    values: Mapping[str, Any]


class _StructuredFormatter(logging.Formatter):
    """What both formats share: the parts of a record, without secrets."""

    def format_request(self, line: RequestLine) -> bytes:
        """The line of a request, with its end."""
        record = logging.LogRecord(line.logger, logging.INFO, "", 0, "request", None, None)
        record.created, record.request = line.created, line.values
        return self.format(record).encode() + b"\n"

    def parts(self, record: logging.LogRecord) -> tuple[str, Mapping[str, Any], str]:
        """The text, the fields and the traceback (empty if none) of a record."""
        request: Mapping[str, Any] | None = getattr(record, "request", None)
        if request is not None:
            return record.msg, request, ""
        trace = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        return scrubbed(record.getMessage()), redacted(getattr(record, "fields", {})), scrubbed(trace)


class JsonFormatter(_StructuredFormatter):
    """One JSON object: `time`, `level`, `logger`, `message`, the fields, `exception`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        message, values, trace = self.parts(record)
        entry = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message,
            **values,
        }
        if trace:
            entry["exception"] = trace
        try:
            return orjson.dumps(entry, default=str, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z).decode()
        except TypeError:  # text that is no valid Unicode, as headers may hold
            return json.dumps(entry, default=str)

    def format_request(self, line: RequestLine) -> bytes:
        """The line of a request, with its end: of a busy server the most there is to format."""
        created, logger, values = line
        entry = {
            "time": datetime.fromtimestamp(created, UTC),
            "level": "info",
            "logger": logger,
            "message": "request",
            **values,
        }
        try:
            return orjson.dumps(entry, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)
        except TypeError:  # text that is no valid Unicode
            return super().format_request(line)


class ConsoleFormatter(_StructuredFormatter):
    """A line for a person: local time, level, logger, text, `name=value` for each field."""

    def __init__(self, *, color: bool) -> None:
        super().__init__()
        self._color = color

    def format(self, record: logging.LogRecord) -> str:
        """The line, and the lines of the traceback."""
        message, values, trace = self.parts(record)
        moment = time.strftime("%H:%M:%S", time.localtime(record.created))
        level = f"{record.levelname:<7}"
        if self._color:
            level = f"\x1b[{_COLORS.get(record.levelname, '0')}m{level}\x1b[0m"
        told = "".join(f" {name}={value}" for name, value in values.items())
        line = f"{moment} {level} {record.name}: {_printable(message + told)}"
        return f"{line}\n{trace.rstrip()}" if trace else line


def _printable(text: str) -> str:
    """Text that stays on its line and cannot speak to the terminal."""
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


class ThreadedHandler(logging.Handler):
    """Hands lines to a thread that writes them in batches.

    When the reader of the log is so slow that lines pile up, further ones are dropped, counted, and the count logged.
    """

    def __init__(self, stream: IO[bytes], formatter: _StructuredFormatter) -> None:
        super().__init__()
        self._stream = stream
        self._piece = _largest_piece(stream)
        self._structured = formatter
        self.setFormatter(formatter)
        self._lines: queue.SimpleQueue[bytes | RequestLine | threading.Event | None] = queue.SimpleQueue()
        self._dropped = 0
        self._thread = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the record's line."""
        if self._lines.qsize() >= _WAITING_LINES:
            self._dropped += 1
            return
        try:
            self._lines.put(self._line(record))
        except Exception:
            self.handleError(record)

    def emit_request(self, logger: str, values: Mapping[str, Any]) -> None:
        """Queue the line of a request; the thread makes it."""
        if self._lines.qsize() >= _WAITING_LINES:
            self._dropped += 1
        else:
            self._lines.put(RequestLine(time.time(), logger, values))

    def flush(self) -> None:
        """Wait, for a moment at most, until what was logged so far is written."""
        written = threading.Event()
        self._lines.put(written)
        if self._thread.is_alive():
            written.wait(_FLUSH_TIMEOUT)

    def close(self) -> None:
        """Write the rest and end the thread."""
        self._lines.put(None)
        self._thread.join(_FLUSH_TIMEOUT)
        if _Configured.handler is self:
            _Configured.handler = None
        super().close()

    def _line(self, record: logging.LogRecord) -> bytes:
        return self.format(record).encode() + b"\n"

    def _write_all(self) -> None:
        batch: list[bytes | RequestLine | threading.Event | None] = []
        while None not in batch:
            batch = [self._lines.get()]
            if isinstance(batch[0], bytes | RequestLine):
                time.sleep(_FLUSH_INTERVAL)  # more lines for the same write
            batch.extend(self._lines.get_nowait() for _ in range(self._lines.qsize()))
            self._write([self._text(line) for line in batch if isinstance(line, bytes | RequestLine)])
            for marker in batch:
                if isinstance(marker, threading.Event):
                    marker.set()

    def _text(self, line: bytes | RequestLine) -> bytes:
        return line if isinstance(line, bytes) else self._structured.format_request(line)

    def _write(self, lines: list[bytes]) -> None:
        if self._dropped:
            lines.append(self._line(_dropped_record(self._dropped)))
            self._dropped = 0
        try:
            for chunk in _chunks(lines, self._piece):
                self._stream.write(chunk)
                self._stream.flush()
        except (OSError, ValueError):
            pass  # the reader has gone, and this was the place to say so


def _largest_piece(stream: IO[bytes]) -> int:
    """Bytes that are written at once, so that processes writing to the same stream tear no lines.

    A pipe takes no more than that in one piece; a file takes any.
    """
    try:
        is_file = stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):
        is_file = False
    return _FILE_PIECE if is_file else select.PIPE_BUF


def _chunks(lines: Iterable[bytes], largest: int) -> Iterator[bytes]:
    """Lines joined to pieces of at most `largest` bytes; a longer line is one by itself."""
    chunk: list[bytes] = []
    size = 0
    for line in lines:
        if chunk and size + len(line) > largest:
            yield b"".join(chunk)
            chunk.clear()
            size = 0
        chunk.append(line)
        size += len(line)
    if chunk:
        yield b"".join(chunk)


def _dropped_record(count: int) -> logging.LogRecord:
    record = logging.LogRecord(__name__, logging.WARNING, "", 0, "log lines dropped", None, None)
    record.fields = {"count": count}
    return record


class _Configured:
    """The handler that `configure` put in place, as long as it is."""

    handler: ThreadedHandler | None = None


def configure(
    log_format: Literal["auto", "json", "console"] = "auto", level: str = "info", stream: IO[bytes] | None = None
) -> ThreadedHandler:
    """Send everything of `level` and above to `stream` (standard error), in place of earlier handlers.

    `auto` is `console` on a terminal, else `json`.
    """
    stream = stream or sys.stderr.buffer
    on_terminal = stream.isatty()
    console = log_format == "console" or (log_format == "auto" and on_terminal)
    handler = ThreadedHandler(stream, ConsoleFormatter(color=on_terminal) if console else JsonFormatter())
    # Nothing shows these, so no record needs to find them out.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging.captureWarnings(True)
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    _Configured.handler = handler
    logging.getLogger("pymongo").setLevel(logging.WARNING)  # its debug lines hold whole commands
    return handler
