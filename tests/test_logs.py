# SPDX-License-Identifier: MPL-2.0
"""Logs: what a line holds, and what it never holds."""

from __future__ import annotations

import io
import json
import logging
import os
import select
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossbar import logs
from crossbar.logs import REDACTED, SECRET_KEYS, fields, redacted, request_log, scrubbed

Lines = Callable[[], list[str]]

logger = logging.getLogger("crossbar.test")


@pytest.fixture
def log(logging_put_back: None) -> Callable[..., Lines]:
    """Configure logging; returns a function that gives the lines written so far."""

    def configure(log_format: str = "json", level: str = "info") -> Lines:
        stream = io.BytesIO()
        handler = logs.configure(log_format, level, stream)

        def lines() -> list[str]:
            handler.flush()
            return stream.getvalue().decode().splitlines()

        return lines

    return configure


def test_a_line_is_an_object(log: Callable[..., Lines]) -> None:
    lines = log()
    logger.info("listening on %s", "port 8000", extra=fields(port=8000, tls=False))
    logger.debug("not important enough")
    (line,) = lines()
    entry = json.loads(line)
    assert entry.pop("time").endswith("Z")
    assert entry == {
        "level": "info",
        "logger": "crossbar.test",
        "message": "listening on port 8000",
        "port": 8000,
        "tls": False,
    }


def test_the_line_of_a_request(log: Callable[..., Lines]) -> None:
    lines = log()
    request_log(
        logger,
        request_id="f" * 32,
        method="GET",
        route="/v2/accounts/{account_id}/users",
        account_id="a" * 32,
        status=200,
        duration_ms=1.23456,
    )
    (line,) = lines()
    entry = json.loads(line)
    del entry["time"]
    assert entry == {
        "level": "info",
        "logger": "crossbar.test",
        "message": "request",
        "request_id": "f" * 32,
        "method": "GET",
        "route": "/v2/accounts/{account_id}/users",
        "account_id": "a" * 32,
        "status": 200,
        "duration_ms": 1.23,
    }


def test_requests_are_not_logged_above_their_level(log: Callable[..., Lines]) -> None:
    lines = log(level="warning")
    request_log(logger, request_id="f", method="GET", route=None, account_id=None, status=404, duration_ms=0)
    assert lines() == []


def test_an_exception_is_part_of_its_line(log: Callable[..., Lines]) -> None:
    lines = log()
    try:
        raise ValueError('E11000 duplicate key { pvt_md5_auth: "5f4dcc3b5aa765d61d8327deb882cf99" }')
    except ValueError:
        logger.exception("cannot store")
    (line,) = lines()
    entry = json.loads(line)
    assert entry["message"] == "cannot store"
    assert entry["exception"].startswith("Traceback")
    assert "5f4dcc3b" not in line


def test_a_line_for_people(log: Callable[..., Lines]) -> None:
    lines = log("console")
    logger.warning("slow", extra=fields(route="/v2/about"))
    (line,) = lines()
    assert line.split(" ", 1)[1] == "WARNING crossbar.test: slow route=/v2/about"


def test_text_of_clients_stays_on_its_line_and_does_not_reach_the_terminal(log: Callable[..., Lines]) -> None:
    for log_format in ("json", "console"):
        lines = log(log_format)
        logger.info("two\nlines \x1b[31m", extra=fields(header="bad \udc80"))
        (line,) = lines()
        assert "\x1b" not in line
        assert "bad \\udc80" in line


def test_auto_is_json_unless_on_a_terminal(logging_put_back: None) -> None:
    assert isinstance(logs.configure("auto", stream=io.BytesIO()).formatter, logs.JsonFormatter)
    controller, terminal = os.openpty()
    with os.fdopen(terminal, "wb", buffering=0) as stream:
        assert isinstance(logs.configure("auto", stream=stream).formatter, logs.ConsoleFormatter)
        logging.root.handlers[0].flush()
        logger.info("hello")
        logging.root.handlers[0].flush()
        assert b"\x1b[36mINFO" in os.read(controller, 1_000)
    os.close(controller)


@pytest.mark.parametrize("key", [*sorted(SECRET_KEYS), "X-Auth-Token", "Password", "API-Key"])
def test_values_of_secret_keys_are_masked_everywhere(key: str, log: Callable[..., Lines]) -> None:
    lines = log()
    secret = "hush+secret/value="
    logger.info("body", extra=fields(data=[{"deep": {key: secret}}], **{key: secret}))
    logger.info("%s=%s", key, secret)
    logger.info('{"%s": "%s"}', key, secret)
    logger.info("%r", {key: secret})
    logger.info("%s: %s", key, secret)
    assert len(lines()) == 5
    assert "hush" not in "".join(lines())


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("Authorization: Basic YWRtaW46cGFzc3dvcmQ=", f"Authorization: Basic {REDACTED}"),
        ("sent Bearer abcdef0123456789 to it", f"sent Bearer {REDACTED} to it"),
        ("GET /v2/about?auth_token=abc.def&paginate=false", f"GET /v2/about?auth_token={REDACTED}&paginate=false"),
        ("token eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrYXpvbyJ9.c2ln is bad", f"token {REDACTED} is bad"),
        ("mongodb://crossbar:hush@db.example.com/x", f"mongodb://crossbar:{REDACTED}@db.example.com/x"),
        ('{"password": "a \\" b", "x": 1}', f'{{"password": {REDACTED}, "x": 1}}'),
    ],
)
def test_secrets_in_text_are_masked(text: str, safe: str) -> None:
    assert scrubbed(text) == safe


@pytest.mark.parametrize(
    "text", ["token expired", "3 tokens: enough", "http://127.0.0.1:8000/v2/about", "passwords are hashed", "bearer"]
)
def test_text_without_secrets_stays_as_it_is(text: str) -> None:
    assert scrubbed(text) == text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["hush", "public"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*SECRET_KEYS, "id", "name"]), inner),
)


@given(json_values)
def test_masking_changes_nothing_but_secrets(value: Any) -> None:
    def expected(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: REDACTED if key in SECRET_KEYS else expected(inner) for key, inner in value.items()}
        return [expected(inner) for inner in value] if isinstance(value, list) else value

    assert redacted(value) == expected(value)


class Stuck(io.BytesIO):
    """A stream whose reader does not read until told to."""

    def __init__(self) -> None:
        super().__init__()
        self.reading = threading.Event()
        self.sizes: list[int] = []

    def write(self, data: Any) -> int:
        self.reading.wait()
        self.sizes.append(len(data))
        return super().write(data)


def test_a_stuck_reader_neither_holds_up_the_server_nor_fills_its_memory(
    logging_put_back: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "_WAITING_LINES", 100)
    stream = Stuck()
    handler = logs.configure("json", stream=stream)
    for number in range(1_000):
        logger.info("line", extra=fields(number=number))
    stream.reading.set()
    handler.flush()
    logger.info("reading again")
    handler.flush()
    entries = [json.loads(line) for line in stream.getvalue().splitlines()]
    dropped = sum(entry["count"] for entry in entries if entry["message"] == "log lines dropped")
    kept = sum(entry["message"] == "line" for entry in entries)
    assert dropped >= 700
    assert kept + dropped == 1_000
    assert entries[-1]["message"] in ("reading again", "log lines dropped")


def test_lines_are_written_in_pieces_a_pipe_takes_whole(logging_put_back: None) -> None:
    stream = Stuck()
    stream.reading.set()
    handler = logs.configure("json", stream=stream)
    for _ in range(200):
        logger.info("x" * 100)
    handler.flush()
    assert len(stream.getvalue().splitlines()) == 200
    assert 1 < len(stream.sizes) < 200
    assert max(stream.sizes) <= select.PIPE_BUF


def test_a_reader_that_is_gone_is_no_error(logging_put_back: None) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb", buffering=0) as stream:
        handler = logs.configure("json", stream=stream)
        logger.info("nobody reads this")
        handler.flush()
        logger.info("nor this")
        handler.flush()
        assert handler._thread.is_alive()


def test_closing_writes_the_rest(logging_put_back: None) -> None:
    stream = io.BytesIO()
    handler = logs.configure("json", stream=stream)
    logger.info("last words")
    handler.close()
    assert b"last words" in stream.getvalue()
