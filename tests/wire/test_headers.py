# SPDX-License-Identifier: MPL-2.0
"""Headers of answers, negotiation, conditions and ranges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from crossbar.errors import Empty
from crossbar.wire.conditions import check_preconditions, is_conditional
from crossbar.wire.headers import LONG_AGO, answer_headers, cors_headers, is_cors
from crossbar.wire.negotiation import (
    DEFAULT_PROVIDED,
    PDF_TYPES,
    check_content_type,
    language,
    media_type,
    overriding_media_type,
)
from crossbar.wire.ranges import ByteRange, byte_range


def test_headers_of_a_read_document() -> None:
    assert dict(answer_headers("r", language="de", etag="1-ab", expires=LONG_AGO)) == {
        "Server": "Cowboy",
        "Vary": "accept-language, accept",
        "X-Request-ID": "r",
        "Content-Type": "application/json",
        "Content-Language": "de",
        "Etag": '"1-ab"',
        "Expires": "Fri, 01 Jan 1999 00:00:00 GMT",
    }


def test_headers_of_a_created_document_for_another_origin() -> None:
    headers = answer_headers("r", cors=cors_headers(("GET", "PUT")), location="/v2/accounts/a/users/b")
    assert headers["location"] == "/v2/accounts/a/users/b"
    assert headers["access-control-allow-origin"] == "*"
    assert headers["access-control-allow-methods"] == "OPTIONS, GET, PUT"
    assert headers["access-control-max-age"] == "86400"
    assert "x-auth-token" in headers["access-control-allow-headers"]
    assert headers["access-control-expose-headers"] == (
        "content-type, x-auth-token, x-request-id, x-kazoo-cluster-id, location, etag, etag"
    )
    assert headers["server"] == "Cowboy"


def test_answers_do_not_share_their_headers() -> None:
    answer_headers("r", cors=cors_headers(("GET",)))["x-more"] = "1"
    assert "x-more" not in answer_headers("r", cors=cors_headers(("GET",)))


def test_an_answer_without_body_has_no_type() -> None:
    assert "content-type" not in answer_headers("r", content_type=None)


@pytest.mark.parametrize(
    ("requested", "methods"),
    [
        ("GET", "OPTIONS, GET"),
        ("DELETE", "DELETE, OPTIONS, GET"),
        (None, "OPTIONS, GET"),
        ("", "OPTIONS, GET"),
        ("A\r\nB: c", "OPTIONS, GET"),
        ("X" * 50, "OPTIONS, GET"),
    ],
)
def test_the_method_asked_for_is_allowed(requested: str | None, methods: str) -> None:
    assert cors_headers(("GET",), requested)["Access-Control-Allow-Methods"] == methods


@pytest.mark.parametrize("name", ["origin", "Access-Control-Request-Method", "access-control-request-headers"])
def test_cross_origin_requests(name: str) -> None:
    assert is_cors(CIMultiDict({name: "x"}))
    assert not is_cors(CIMultiDict({"Host": "x"}))


# Accept


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("*", "application/json"),
        ("application/json, text/javascript, */*; q=0.01", "application/json"),
        ("text/html, */*;q=0.1", "application/json"),
        ("TEXT/CSV", "text/csv"),
        ("text/*", "text/csv"),
        ("application/*", "application/json"),
        ("application/octet-stream", "application/octet-stream"),
        ("application/json;q=.2, text/csv;q=0.5", "text/csv"),
        ("*/*, application/x-json", "application/x-json"),
        ("application/json;q=0, */*;q=0, text/csv;level=1;q=0.1", "text/csv"),
    ],
)
def test_the_media_type_of_an_answer(accept: str | None, chosen: str) -> None:
    assert media_type(accept) == chosen


@pytest.mark.parametrize("accept", ["text/html", "image/*", "application/json;q=0", ",", "application/pdf, image/png"])
def test_nothing_acceptable(accept: str) -> None:
    with pytest.raises(Empty) as raised:
        media_type(accept)
    assert raised.value.status == 406


@pytest.mark.parametrize("accept", ["json", "text/", "/csv", "text/html;q=high", "text/html;q="])
def test_unreadable_accept(accept: str) -> None:
    with pytest.raises(Empty) as raised:
        media_type(accept)
    assert raised.value.status == 400


@pytest.mark.parametrize(
    ("value", "chosen"),
    [
        ("csv", "text/csv"),
        ("json", "application/json"),
        ("text/csv", "text/csv"),
        ("pdf", None),
        ("html", None),
        ("", None),
        (None, None),
    ],
)
def test_the_value_accept_overrides_the_header(value: str | None, chosen: str | None) -> None:
    assert overriding_media_type(value) == chosen
    assert overriding_media_type("pdf", (*DEFAULT_PROVIDED, *PDF_TYPES)) == "application/pdf"


@pytest.mark.parametrize(
    ("accept_language", "chosen"),
    [
        (None, "en"),
        ("en-US,en;q=0.9,de;q=0.8", "en-us"),
        ("de-DE,de;q=0.9,en;q=0.8", "de-de"),
        ("de;q=0.5, fr;q=0.4, en;q=0.9", "en"),
        ("fr;q=0.2, de", "fr"),
        ("*", "en"),
        ("de\r\nX: y", "en"),
        ("de;q=x", "en"),
        ("x" * 100, "en"),
        ("\udcff", "en"),
    ],
)
def test_the_language_of_an_answer(accept_language: str | None, chosen: str) -> None:
    assert language(accept_language) == chosen


@pytest.mark.parametrize(
    "content_type", [None, "", "application/json", "Application/JSON; charset=utf-8", "multipart/form-data; boundary=x"]
)
def test_accepted_content_types(content_type: str | None) -> None:
    check_content_type(content_type)


def test_a_family_of_types_can_be_accepted() -> None:
    check_content_type("audio/mp3", ("audio/*",))


@pytest.mark.parametrize("content_type", ["audio/mp3", "text/plain", "x"])
def test_unsupported_content_types(content_type: str) -> None:
    with pytest.raises(Empty) as raised:
        check_content_type(content_type)
    assert raised.value.status == 415


# Conditions


@pytest.mark.parametrize(
    ("method", "headers", "etag", "outcome"),
    [
        ("GET", {}, "1-a", False),
        ("GET", {"If-None-Match": '"1-a"'}, "1-a", True),
        ("GET", {"If-None-Match": '"0-x", W/"1-a"'}, "1-a", True),
        ("GET", {"If-None-Match": "1-a"}, "1-a", True),
        ("GET", {"If-None-Match": "*"}, "1-a", True),
        ("GET", {"If-None-Match": '"2-b"'}, "1-a", False),
        ("GET", {"If-None-Match": '"1-a"'}, None, 412),
        ("GET", {"If-Match": '"1-a"'}, "1-a", False),
        ("GET", {"If-Match": '"2-b"'}, "1-a", 412),
        ("POST", {"If-Match": '"1-a"'}, "1-a", False),
        ("POST", {"If-Match": "*"}, "1-a", False),
        ("POST", {"If-Match": '"0-x"'}, "1-a", 412),
        ("DELETE", {"If-Match": '"0-x"'}, "1-a", 412),
        ("PATCH", {"If-None-Match": '"1-a"'}, "1-a", 412),
        ("PATCH", {"If-None-Match": '"0-x"'}, "1-a", False),
        ("PUT", {"If-Match": '"1-a"'}, None, 412),
        ("PUT", {"If-Match": "*"}, "1-a", 412),
        ("PUT", {"If-None-Match": "*"}, None, False),
        ("PUT", {"If-Modified-Since": LONG_AGO, "If-Unmodified-Since": LONG_AGO}, None, False),
    ],
)
def test_preconditions(method: str, headers: dict[str, str], etag: str | None, outcome: bool | int) -> None:
    if isinstance(outcome, bool):
        assert check_preconditions(CIMultiDict(headers), method, etag) is outcome
        return
    with pytest.raises(Empty) as raised:
        check_preconditions(CIMultiDict(headers), method, etag)
    assert raised.value.status == outcome


def test_most_requests_have_no_condition() -> None:
    assert not is_conditional(CIMultiDict({"Host": "x"}))
    assert is_conditional(CIMultiDict({"if-match": "x"}))


# Ranges


@pytest.mark.parametrize(
    ("header", "status", "content_range"),
    [
        ("bytes=0-6", 200, "bytes 0-6/7"),
        ("bytes=3-", 206, "bytes 3-6/7"),
        ("bytes=2-4", 206, "bytes 2-4/7"),
        ("Bytes = 6 - 6", 206, "bytes 6-6/7"),
        ("bytes=0-7", 200, "bytes 0-6/7"),
        ("bytes=7-", 200, "bytes 0-6/7"),
        ("bytes=4-2", 200, "bytes 0-6/7"),
        ("bytes=-3", 200, "bytes 0-6/7"),
        ("bytes=0-1,3-4", 200, "bytes 0-6/7"),
        ("lines=0-1", 200, "bytes 0-6/7"),
        ("bytes", 200, "bytes 0-6/7"),
        ("bytes=" + "9" * 5000 + "-", 200, "bytes 0-6/7"),
    ],
)
def test_ranges(header: str, status: int, content_range: str) -> None:
    part = byte_range(header, 7)
    assert part is not None
    assert part.status == status
    assert part.headers == {"Content-Range": content_range, "Accept-Ranges": "bytes"}


def test_without_range_the_file_is_sent_as_it_is() -> None:
    assert byte_range(None, 7) is None
    assert byte_range("bytes=0-", 0) is None


@given(st.integers(1, 100), st.integers(0, 100), st.integers(0, 100))
def test_a_range_lies_in_the_file(size: int, first: int, last: int) -> None:
    part = byte_range(f"bytes={first}-{last}", size)
    assert part is not None
    assert 0 <= part.first <= part.last < size
    if first <= last < size:
        assert part == ByteRange(first, last, size)
