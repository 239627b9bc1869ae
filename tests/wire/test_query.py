# SPDX-License-Identifier: MPL-2.0
"""Query strings, and the options of a request."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from crossbar.wire.query import NO_QUERY, Query
from crossbar.wire.request_values import (
    PresentedCredential,
    Values,
    credential,
    is_false,
    is_true,
    presented_request_id,
    pretty_print,
)


def test_parameters_keep_their_order_and_the_first_one_counts() -> None:
    query = Query.parse("a=1&b&a=2&c=x%20y+z%2B&d=&&e=1=2")
    assert query.pairs == (("a", "1"), ("b", True), ("a", "2"), ("c", "x y z+"), ("d", ""), ("e", "1=2"))
    assert query.first == {"a": "1", "b": True, "c": "x y z+", "d": "", "e": "1=2"}


def test_no_query_string_is_no_parameter() -> None:
    assert Query.parse("") is NO_QUERY
    assert NO_QUERY.get("a") is None


def test_bytes_that_are_no_text_become_replacement_characters() -> None:
    assert Query.parse("a=%ff&b=\udcff&%zz=1").first == {"a": "\ufffd", "b": "\ufffd", "%zz": "1"}


@given(st.lists(st.tuples(st.text(st.characters(codec="utf-8"), min_size=1), st.text(st.characters(codec="utf-8")))))
def test_what_was_encoded_comes_back(pairs: list[tuple[str, str]]) -> None:
    assert Query.parse(urlencode(pairs)).pairs == tuple(pairs)


def test_lookup_goes_from_data_over_query_to_envelope() -> None:
    values = Values(
        {"a": "data", "n": None}, Query.parse("a=query&b=query&n=query"), {"b": "envelope", "c": "envelope"}
    )
    assert [values.get(name) for name in "abcdn"] == ["data", "query", "envelope", None, "query"]
    assert values.envelope_first("b") == "envelope"
    assert values.envelope_first("a") == "data"


def test_data_that_is_a_list_has_no_options() -> None:
    assert Values([{"a": 1}], Query.parse("a=query")).get("a") == "query"


def test_options_that_are_flags() -> None:
    values = Values({"accept_charges": "true"}, Query.parse("should_soft_delete=false"))
    assert values.is_true("accept_charges")
    assert values.is_false("should_soft_delete")
    assert not values.is_false("absent")


@pytest.mark.parametrize("value", [True, "true"])
def test_true(value: Any) -> None:
    assert is_true(value)
    assert not is_false(value)


@pytest.mark.parametrize("value", [False, "false"])
def test_false(value: Any) -> None:
    assert is_false(value)
    assert not is_true(value)


@pytest.mark.parametrize("value", [None, 1, 0, "1", "yes", "TRUE", "", [], {}])
def test_neither_true_nor_false(value: Any) -> None:
    assert not is_true(value)
    assert not is_false(value)


@pytest.mark.parametrize(
    ("values", "verb"),
    [
        (Values(), "POST"),
        (Values({"verb": "delete"}), "DELETE"),
        (Values({}, Query.parse("verb=Patch")), "PATCH"),
        (Values({}, NO_QUERY, {"verb": "put"}), "PUT"),
        (Values({"verb": 7}), "POST"),
    ],
)
def test_verbs_can_be_tunnelled(values: Values, verb: str) -> None:
    assert values.verb("POST") == verb


def presented(headers: dict[str, str], values: Values | None = None) -> PresentedCredential | None:
    return credential(CIMultiDict(headers), values or Values())


def test_credentials_in_their_order() -> None:
    everything = {"X-Auth-Token": "1", "Authorization": "Basic 3"}
    values = Values({"auth_token": "2", "authorization": "Bearer 4"})
    assert presented(everything, values) == PresentedCredential("token", "1")
    assert presented({"Authorization": "Basic 3"}, values) == PresentedCredential("token", "2")
    without_token = Values({"authorization": "Bearer 4"})
    assert presented({"Authorization": "Basic 3"}, without_token) == PresentedCredential("basic", "3")
    assert presented({}, without_token) == PresentedCredential("bearer", "4")
    assert presented({}, Values({}, Query.parse("auth_token=q"), {"auth_token": "e"})) == PresentedCredential(
        "token", "q"
    )
    assert presented({"X-Auth-Token": ""}) is None


@pytest.mark.parametrize("header", ["Digest x", "Basic", "Bearer ", "basicx", "x"])
def test_other_authorizations_are_of_no_use(header: str) -> None:
    assert presented({"Authorization": header}) == PresentedCredential("unusable", "")


def test_a_password_is_never_echoed() -> None:
    assert PresentedCredential("basic", "c2VjcmV0").echo is None
    assert PresentedCredential("unusable", "").echo is None
    assert PresentedCredential("token", "ey.J.h").echo == "ey.J.h"
    assert PresentedCredential("bearer", "id").echo == "id"


def test_pretty_print_by_header_or_value() -> None:
    assert pretty_print(CIMultiDict({"X-Pretty-Print": "true"}), Values())
    assert pretty_print(CIMultiDict(), Values({}, Query.parse("pretty_print")))
    assert not pretty_print(CIMultiDict({"X-Pretty-Print": "1"}), Values())


def test_a_request_id_is_taken_over_if_it_is_plain_text() -> None:
    assert presented_request_id(CIMultiDict({"x-request-id": "my-id 1"})) == "my-id 1"
    for odd in ("", "\udcff", "é", "x" * 129, "a\tb"):
        assert presented_request_id(CIMultiDict({"x-request-id": odd})) is None
