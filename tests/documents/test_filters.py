# SPDX-License-Identifier: MPL-2.0
"""Filters: what each parameter keeps, and that the store and Python keep the same documents."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo import MongoClient
from pymongo.collection import Collection

from crossbar.documents.filters import TIME_RANGE, Filters, Parameter
from crossbar.errors import JSON
from crossbar.wire.query import Query

Documents = Collection[dict[str, Any]]

CALLFLOW: dict[str, JSON] = {
    "id": "c1",
    "numbers": ["no_match"],
    "patterns": ["^1", "^2"],
    "type": "main",
    "owner_id": "u1",
    "priority": 12,
    "rate": 1.5,
    "whole": 12.0,
    "enabled": True,
    "nothing": None,
    "empty": "",
    "zero": 0,
    "no_list": [],
    "no_object": {},
    "mixed": ["a", 1],
    "ui_metadata": {"origin": "voip", "version": "4.3"},
    "gateways": [{"server": "one"}, {"server": "two"}],
    "1": "digit",
    "$where": "dollar",
    "a$b": {"$ne": "inner"},
    "": {"": "nameless"},
    "pvt_type": "callflow",
    "pvt_created": 63_000_000_000,
    "pvt_modified": 63_000_000_100,
}


@pytest.fixture
def documents(mongo_client: MongoClient[dict[str, Any]], database_name: str) -> Documents:
    return mongo_client[database_name]["documents"]


def store(documents: Documents, partition: str, *found: dict[str, JSON]) -> None:
    """Store documents as the store lays them out, as far as filters see it."""
    documents.insert_many(
        {
            "_id": f"{partition}/thing/{document.get('id', index)}",
            "a": partition,
            "doc": {key: value for key, value in document.items() if key != "id"},
        }
        for index, document in enumerate(found)
    )


KEPT = [
    "filter_type=main",
    'filter_type=["other","main"]',
    'filter_type="main"',
    "filter_id=c1",
    "filter__id=c1",
    "filter_numbers=no_match",
    "filter_patterns=^1^2",
    "filter_priority=12",
    "filter_rate=1.5",
    "filter_whole=12.0",
    "filter_enabled=true",
    "filter_enabled",
    "filter_nothing=null",
    "filter_absent=",
    "filter_empty=",
    "filter_no_list=",
    "filter_no_object=",
    "filter_mixed=",
    "filter_ui_metadata=",
    "filter_ui_metadata.origin=voip",
    "filter_gateways.2.server=two",
    "filter_1=digit",
    "filter_$where=dollar",
    "filter_a$b.$ne=inner",
    "filter_.=nameless",
    "filter_pvt_type=",
    "filter_not_pvt_type=callflow",
    'filter_none_pvt_type=["callflow"]',
    "key_missing=pvt_type&value_missing=pvt_created&missing_value=_rev",
    "filter_not_type=other",
    "filter_not_absent=anything",
    "filter_not_numbers=other",
    "filter_not_whole=12",
    "filter_not_priority=12.0",
    "filter_not_priority=012",
    "filter_not_priority=[12]",
    "filter_not_gateways.server=one",
    "filter_not_gateways.0.server=one",
    'filter_any_type=["main","other"]',
    "filter_any_type=main",
    'filter_none_type=["some","other"]',
    'filter_array_intersect_any_patterns=["^2","^3"]',
    'filter_array_intersect_all_patterns=["^2","^1"]',
    'filter_array_intersect_none_patterns=["^3"]',
    'filter_array_intersect_none_type=["main"]',
    "has_key=owner_id",
    "has_key=ui_metadata.origin",
    "has_key=nothing",
    "has_key=gateways.1",
    "key_missing=group_id&key_missing=featurecode",
    "key_missing=gateways.3",
    "has_value=type",
    "has_value=enabled",
    "value_missing=zero&value_missing=no_list&missing_value=no_object",
    "value_missing=nothing&value_missing=absent&value_missing=empty",
    "created_from=63000000000&created_to=63000000000",
    "modified_from=62999999999.6&modified_to=99999999999999999999",
    "_=1700000000&has_type=type&page_size=1&filtered=no",
]
"""Queries that the callflow passes, as they stand in a URL before they are encoded."""

DROPPED = [
    "filter_pvt_type=callflow",
    'filter_any_pvt_type=["callflow"]',
    'filter_array_intersect_any_pvt_tree=["a"]',
    'filter_array_intersect_none_pvt_tree=["b"]&has_key=pvt_tree',
    "filter_pvt_created=63000000000",
    "filter_pvt_hash.0=a",
    "has_key=pvt_type",
    "has_key=_rev",
    "has_value=pvt_type",
    "key_missing=id&key_missing=pvt_type",
    "filter_type=other",
    "filter_type=",
    "filter_type=main&filter_type=other",
    'filter_type=["other"]',
    "filter_priority=12.0",
    "filter_priority=[12]",
    "filter_whole=12",
    "filter_patterns=^1",
    "filter_mixed=a1",
    "filter_gateways.server=one",
    'filter_type={"$ne":""}',
    "filter_not_ui_metadata.origin=voip",
    "filter_not_absent=",
    'filter_any_type=["some","other"]',
    'filter_none_type=["main"]',
    'filter_array_intersect_any_type=["main"]',
    'filter_array_intersect_any_patterns=["^3"]',
    'filter_array_intersect_all_patterns=["^2","^3"]',
    'filter_array_intersect_none_patterns=["^1"]',
    "has_key=group_id",
    "has_key",
    "has_key=type.length",
    "key_missing=owner_id",
    "has_value=zero",
    "value_missing=type",
    "created_from=63000000001",
    "created_to=62999999999",
    "created_from=yesterday",
    "created_from",
    "created_to=inf",
    "has_key=nu%00l",
    f"has_key={'.'.join(['ui_metadata'] * 500)}",
]


@pytest.mark.parametrize("query", KEPT)
def test_kept(documents: Documents, query: str) -> None:
    store(documents, "a", CALLFLOW)
    filters = Filters.parse(Query.parse(query).pairs)
    assert documents.count_documents(filters.match) == 1
    assert filters.matches(CALLFLOW)


@pytest.mark.parametrize("query", DROPPED)
def test_dropped(documents: Documents, query: str) -> None:
    store(documents, "a", CALLFLOW)
    filters = Filters.parse(Query.parse(query).pairs)
    assert documents.count_documents(filters.match) == 0
    assert not filters.matches(CALLFLOW)


def test_a_document_without_times_passes_a_lower_bound_only(documents: Documents) -> None:
    store(documents, "a", {"id": "x"})
    assert documents.count_documents(Filters.parse([("created_from", "1")]).match) == 1
    assert documents.count_documents(Filters.parse([("created_to", "99999999999")]).match) == 0
    assert Filters.parse([("modified_from", "1")]).matches({})
    assert not Filters.parse([("modified_to", "99999999999")]).matches({})


def test_no_filter_asks_the_store_for_nothing() -> None:
    filters = Filters.parse([("_", "1"), ("paginate", "false")])
    assert not filters
    assert filters.match == {}
    assert filters.matches({})


def test_the_range_of_a_monthly_listing_is_no_filter() -> None:
    assert not Filters.parse([("created_from", "1"), ("created_to", "2")], ignored=TIME_RANGE)


def test_keys_can_be_retargeted() -> None:
    filters = Filters.parse(
        [("filter_folder", "new"), ("has_key", "length"), ("created_from", "1")], rename=lambda key: f"metadata.{key}"
    )
    assert filters.matches({"metadata": {"folder": "new", "length": 3}, "pvt_created": 2})
    assert not filters.matches({"folder": "new", "length": 3, "pvt_created": 2})


KEYS = st.sampled_from(["a", "b", "1", "2", "$a", "a$", "", "id"])
TEXTS = st.sampled_from(["", "a", "b", "ab", "1", "1.0", "-1", "0.0", "1.5", "1.0e22", "true", "false", "null", "0"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.sampled_from([0, 1, -1, 2**53, 0.0, -0.0, 1.0, 1.5, 1e22, 1e-7])
    | TEXTS
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
DOCUMENTS = st.dictionaries(
    KEYS.filter(lambda key: key != "id") | st.sampled_from(["pvt_created", "pvt_modified"]), VALUES, max_size=4
)
PATHS = st.lists(KEYS, min_size=1, max_size=3).map(".".join)
ARGUMENTS = (
    TEXTS | st.sampled_from(['["a","1"]', '"a"', "[]", '[1,"b"]', '["', '{"$gt":""}', "$a", "$$ROOT"]) | st.just(True)
)
PARAMETERS = (
    st.tuples(
        st.sampled_from(
            [
                "filter_",
                "filter_not_",
                "filter_any_",
                "filter_none_",
                "filter_array_intersect_any_",
                "filter_array_intersect_all_",
                "filter_array_intersect_none_",
            ]
        ),
        PATHS,
        ARGUMENTS,
    ).map(lambda parts: (parts[0] + parts[1], parts[2]))
    | st.tuples(st.sampled_from(["has_key", "key_missing", "has_value", "value_missing"]), PATHS)
    | st.tuples(st.sampled_from(["created_from", "created_to", "modified_from", "modified_to"]), TEXTS)
)
BATCHES = count()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(found=st.lists(DOCUMENTS, min_size=1, max_size=8), parameters=st.lists(PARAMETERS, min_size=1, max_size=2))
def test_the_store_and_python_agree(
    documents: Documents, found: list[dict[str, JSON]], parameters: list[Parameter]
) -> None:
    partition = f"a{next(BATCHES)}"
    found = [{"id": str(index), **document} for index, document in enumerate(found)]
    store(documents, partition, *found)
    filters = Filters.parse(parameters)
    kept = documents.find({"$and": [{"a": partition}, filters.match]}, {"_id": 1}).sort("_id")
    assert [row["_id"].rpartition("/")[2] for row in kept] == [row["id"] for row in found if filters.matches(row)]
