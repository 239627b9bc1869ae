# SPDX-License-Identifier: MPL-2.0
"""Listing parameters: pages, order, time ranges, chunks, projections."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossbar import clock
from crossbar.errors import JSON, CrossbarError, Invalid
from crossbar.wire.list_options import (
    LARGEST_PAGE,
    MAXIMUM_RANGE,
    ListOptions,
    chunk_size,
    encode_start_key,
    fields,
    list_options,
    project,
    time_range,
)
from crossbar.wire.query import Query
from crossbar.wire.request_values import Values

NOW = clock.gregorian(1_714_558_830)


def asked(query: str = "", data: JSON = None) -> Values:
    return Values(data or {}, Query.parse(query), {})


def options(query: str = "", data: JSON = None) -> ListOptions:
    return list_options(asked(query, data))


def fault(call: Any, *arguments: Any, **options: Any) -> str:
    with pytest.raises(CrossbarError) as raised:
        call(*arguments, **options)
    assert (raised.value.status, raised.value.message) == (404, "faulty_request")
    return str(raised.value.data["message"])


def test_defaults() -> None:
    assert options() == ListOptions(page_size=50, start_key=None, end_key=None, ascending=False)
    assert list_options(asked(), page_size=20, ascending=True) == ListOptions(page_size=20, ascending=True)


@pytest.mark.parametrize(
    ("query", "size"),
    [
        ("page_size=1", 1),
        ("page_size=2000", 2000),
        ("page_size=999999999999", LARGEST_PAGE),
        ("paginate=true&page_size=3", 3),
        ("paginate", 50),
        ("paginate=false", None),
        ("paginate=yes", None),
        ("paginate=false&page_size=0", None),
    ],
)
def test_page_size(query: str, size: int | None) -> None:
    assert options(query).page_size == size


def test_paging_may_be_asked_for_in_the_data() -> None:
    assert options("page_size=5", {"page_size": 7, "start_key": "x"}) == ListOptions(page_size=7, start_key="x")


def test_a_fraction_in_the_data_is_rounded() -> None:
    assert options("", {"page_size": 2.6}).page_size == 3


@pytest.mark.parametrize("size", ["0", "-1"])
def test_pages_have_a_row_at_least(size: str) -> None:
    assert fault(options, f"page_size={size}") == "page size must be at least 1"


@pytest.mark.parametrize("query", ["page_size=x", "page_size=", "page_size", "page_size=1.5", "page_size=%D9%A1"])
def test_page_sizes_are_numbers(query: str) -> None:
    assert fault(options, query) == "invalid page size"


@pytest.mark.parametrize(
    ("query", "ascending"),
    [
        ("ascending=true", True),
        ("ascending", True),
        ("ascending=x", True),
        ("ascending=false", False),
        ("descending=true", False),
        ("descending=false", True),
        ("ascending=true&descending=true", False),
        ("ascending=true&descending=false", True),
        ("ascending=false&descending=false", True),
        ("descending=x", False),
    ],
)
def test_direction(query: str, ascending: bool) -> None:
    assert options(query).ascending is ascending


def test_direction_is_for_the_query_string_only() -> None:
    assert options("", {"ascending": True}).ascending is False


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"))
)


@given(st.lists(SCALARS))
def test_a_start_key_of_ours_comes_back(cursor: list[JSON]) -> None:
    key = encode_start_key(cursor)
    found = options(urlencode({"start_key": key}))
    assert found.start_key == cursor
    assert found.start_key_text == key
    assert "=" not in key


@given(st.text(st.characters(codec="utf-8"), min_size=1))
def test_another_start_key_is_the_raw_key(key: str) -> None:
    found = options(urlencode({"start_key": key})).start_key
    assert found == key or encode_start_key(found).rstrip("=") == key.rstrip("=")


@pytest.mark.parametrize("cursor", [[{"$gt": ""}], [["a"]], [2**63]])
def test_a_start_key_is_no_way_into_a_query(cursor: list[JSON]) -> None:
    key = encode_start_key(cursor)
    assert options(f"start_key={key}").start_key == key


@pytest.mark.parametrize("value", [{"$gt": ""}, ["a"], True, False])
def test_a_start_key_is_a_scalar(value: JSON) -> None:
    assert options("", {"start_key": value, "end_key": value}) == ListOptions()


def test_raw_keys() -> None:
    found = options("start_key=63800000000&end_key=zz")
    assert (found.start_key, found.start_key_text, found.end_key) == ("63800000000", "63800000000", "zz")
    assert options("", {"start_key": 638}).start_key == 638
    assert options("", {"start_key": 638}).start_key_text == encode_start_key([638])


# Time ranges


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", (NOW - MAXIMUM_RANGE, NOW)),
        (f"created_from={NOW - 10}", (NOW - 10, NOW)),
        ("created_to=63000000000", (63_000_000_000 - MAXIMUM_RANGE, 63_000_000_000)),
        ("created_from=63000000000&created_to=63000000001", (63_000_000_000, 63_000_000_001)),
        ("created_from=x&created_to=0", (NOW - MAXIMUM_RANGE, NOW)),
        ("created_from=-5&created_to", (NOW - MAXIMUM_RANGE, NOW)),
        ("created_from=1.5&created_to=" + "9" * 19, (NOW - MAXIMUM_RANGE, NOW)),
    ],
)
def test_time_ranges(query: str, expected: tuple[int, int]) -> None:
    assert time_range(asked(query), now=NOW) == expected


def test_a_time_range_ends_with_the_clock() -> None:
    with clock.frozen(0):
        assert time_range(asked(), maximum=5) == (clock.GREGORIAN_OFFSET - 5, clock.GREGORIAN_OFFSET)


def test_a_time_range_runs_forward() -> None:
    with pytest.raises(Invalid) as raised:
        time_range(asked("created_from=63000000002&created_to=63000000001"))
    assert raised.value.fields == {
        "created_from": {
            "date_range": {
                "message": "created_to 63000000001 is prior to created_from 63000000002",
                "cause": 63_000_000_002,
            }
        }
    }


def test_a_time_range_is_limited() -> None:
    with pytest.raises(Invalid) as raised:
        time_range(asked("modified_from=63000000000&modified_to=63002682001"), field="modified")
    assert raised.value.fields == {
        "modified_from": {
            "date_range": {
                "message": "modified_to 63002682001 is more than 2682000 seconds from modified_from 63000000000",
                "cause": 63_002_682_001,
            }
        }
    }
    assert time_range(asked("created_from=1&created_to=2682001")) == (1, 2_682_001)


# Chunks


@pytest.mark.parametrize(
    ("query", "default", "size"),
    [
        ("", False, None),
        ("", True, 50),
        ("is_chunked=true", False, 50),
        ("is_chunked=true&chunk_size=1", False, 1),
        ("is_chunked=false&chunk_size=0", True, None),
        ("chunk_size=0", False, None),
    ],
)
def test_chunks(query: str, default: bool, size: int | None) -> None:
    assert chunk_size(Query.parse(query), chunked=default) == size


@pytest.mark.parametrize(
    ("size", "text"),
    [
        ("0", "chunk size must be at least 1"),
        ("51", "chunk size must be lower than 50"),
        ("x", "invalid chunk size"),
    ],
)
def test_chunk_sizes_are_limited(size: str, text: str) -> None:
    assert fault(chunk_size, Query.parse(f"is_chunked=true&chunk_size={size}")) == text


# Projections


@pytest.mark.parametrize(
    "text", ['["name","caller_id.internal"]', "name,caller_id.internal", "name, caller_id.internal,id"]
)
def test_fields(text: str) -> None:
    assert set(fields(Query.parse(urlencode({"fields": text}))) or ()) == {
        ("id",),
        ("name",),
        ("caller_id", "internal"),
    }


def test_no_fields_are_all_fields() -> None:
    assert fields(Query.parse("")) is None


@pytest.mark.parametrize(
    "query", ["fields", "fields=", "fields=[1]", "fields=[", "fields=[]", "fields=,", 'fields=[""]']
)
def test_bad_fields(query: str) -> None:
    assert fault(fields, Query.parse(query)) == "invalid fields query string"


def test_a_projection_keeps_what_it_names() -> None:
    document = {"id": "x", "name": "n", "caller_id": {"internal": {"name": "i"}, "external": {}}, "list": [1]}
    projection = fields(Query.parse("fields=caller_id.internal.name,caller_id.external,name.first,list,absent"))
    assert project(document, projection or ()) == {
        "id": "x",
        "caller_id": {"internal": {"name": "i"}, "external": {}},
        "list": [1],
    }


def test_a_projection_leaves_the_document_as_it_is() -> None:
    document = {"id": "x", "a": {"b": 1, "c": 2}}
    assert project(document, (("a",), ("a", "b"))) == {"a": {"b": 1, "c": 2}}
    assert document == {"id": "x", "a": {"b": 1, "c": 2}}
