# SPDX-License-Identifier: MPL-2.0
"""Envelopes: every byte that goes back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossbar import clock
from crossbar.errors import CrossbarError, Empty, FaultyRequest, Forbidden, Invalid, NotFound, Plain
from crossbar.wire.envelope import AUTOMATIC, Envelopes, Exchange, PageInfo, jsonp, pretty

NOW = 1_714_558_830.9
ENVELOPES = Envelopes("crossbar@example.com", "5.0.0")
CALLER = Exchange("0" * 32, "ey.J.h", authenticated=True, tokens=(1, 99))
STRANGER = Exchange("0" * 32)
TEXTS = st.text(st.characters(codec="utf-8"))


@pytest.fixture(autouse=True)
def still_clock() -> Any:
    with clock.frozen(NOW):
        yield


def test_the_node_is_a_digest_of_22_characters() -> None:
    assert len(ENVELOPES.node) == 22
    assert ENVELOPES.node != Envelopes("other@example.com", "5.0.0").node
    assert Envelopes("", "").node == "1B2M2Y8AsgTpgAmY7PhCfg"


def test_a_document() -> None:
    body = ENVELOPES.success(b'{"id":"x"}', CALLER, revision="3-9af1")
    assert body.decode() == (
        '{"data":{"id":"x"},"status":"success","revision":"3-9af1","auth_token":"ey.J.h",'
        f'"request_id":"{"0" * 32}","node":"{ENVELOPES.node}","version":"5.0.0",'
        '"timestamp":"2024-05-01T10:20:30Z","tokens":{"consumed":1,"remaining":99}}'
    )


def test_a_page() -> None:
    page = PageInfo(2, start_key="s", next_start_key='n"')
    body = json.loads(ENVELOPES.success(b"[1,2]", CALLER, revision=AUTOMATIC, page=page))
    assert body["data"] == [1, 2]
    assert (body["page_size"], body["start_key"], body["next_start_key"]) == (2, "s", 'n"')
    assert body["revision"] == "automatic"


def test_the_last_page_of_all() -> None:
    body = json.loads(ENVELOPES.success(b"[]", CALLER, page=PageInfo(0)))
    assert body["page_size"] == 0
    assert body.keys().isdisjoint({"start_key", "next_start_key", "revision"})


def test_the_version_is_for_authenticated_callers() -> None:
    body = json.loads(ENVELOPES.success(b"{}", STRANGER))
    assert body == {
        "data": {},
        "status": "success",
        "request_id": "0" * 32,
        "node": ENVELOPES.node,
        "timestamp": "2024-05-01T10:20:30Z",
        "tokens": {"consumed": 0, "remaining": 100},
    }


def test_no_data_no_key() -> None:
    assert json.loads(ENVELOPES.success(None, CALLER)).keys() >= {"status", "request_id"}
    assert "data" not in json.loads(ENVELOPES.success(None, CALLER))


def test_metadata_and_keys_of_an_endpoint() -> None:
    body = json.loads(ENVELOPES.success(b"{}", CALLER, metadata={"a": 1}, extra={"total": 2, "more": None}))
    assert (body["metadata"], body["total"], body["more"]) == ({"a": 1}, 2, None)


def test_the_timestamp_moves_with_the_clock() -> None:
    for second in (1, 2, 1):
        with clock.frozen(second):
            body = json.loads(ENVELOPES.success(b"{}", STRANGER))
        assert body["timestamp"] == f"1970-01-01T00:00:0{second}Z"


@pytest.mark.parametrize(
    ("error", "status", "message", "data"),
    [
        (NotFound("x"), "404", "bad_identifier", {"message": "bad identifier", "cause": "x"}),
        (Forbidden(), "403", "forbidden", {"message": "forbidden"}),
        (FaultyRequest("invalid page size"), "404", "faulty_request", {"message": "invalid page size"}),
        (Plain(401, "invalid credentials"), "401", "invalid credentials", {}),
        (Plain(404, "bad identifier", ["x"]), "404", "bad identifier", ["x"]),
        (Plain(410, "gone", "text"), "410", "gone", "text"),
        (
            Invalid.field("name", "required", "Field is required but missing", value="name"),
            "400",
            "validation error",
            {"name": {"required": {"message": "Field is required but missing", "value": "name"}}},
        ),
    ],
)
def test_errors(error: CrossbarError, status: str, message: str, data: Any) -> None:
    assert json.loads(ENVELOPES.error(error, CALLER)) == {
        "data": data,
        "status": "error",
        "error": status,
        "message": message,
        "auth_token": "ey.J.h",
        "request_id": "0" * 32,
        "node": ENVELOPES.node,
        "version": "5.0.0",
        "timestamp": "2024-05-01T10:20:30Z",
        "tokens": {"consumed": 1, "remaining": 99},
    }


def test_some_refusals_have_no_body() -> None:
    assert ENVELOPES.error(Empty(406, "not acceptable"), CALLER) == b""


def test_pretty_print_changes_blanks_only() -> None:
    body = ENVELOPES.success(b'{"id":"x"}', CALLER)
    assert json.loads(pretty(body)) == json.loads(body)
    assert pretty(body).startswith(b'{\n  "data": {\n    "id": "x"\n')


def test_jsonp() -> None:
    assert jsonp(b'{"a":1}', "jQuery.cb_1") == b'jQuery.cb_1({"a":1});'
    for no_name in ("", "alert(1)//", "a b", "1a", "é", "a" * 129):
        assert jsonp(b"{}", no_name) == b"{}"


@given(TEXTS, TEXTS, TEXTS, st.integers(0), st.dictionaries(TEXTS, TEXTS))
def test_no_text_breaks_the_envelope(request_id: str, token: str, key: str, size: int, data: dict[str, str]) -> None:
    exchange = Exchange(request_id, token, authenticated=True)
    body = json.loads(
        ENVELOPES.success(
            json.dumps(data).encode(), exchange, revision=key, page=PageInfo(size, key, key), metadata=data
        )
    )
    assert (body["request_id"], body["auth_token"]) == (request_id, token)
    assert (body["revision"], body["page_size"], body["start_key"], body["next_start_key"]) == (key, size, key, key)
    assert body["data"] == body["metadata"] == data
