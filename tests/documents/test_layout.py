# SPDX-License-Identifier: MPL-2.0
"""How documents lie in MongoDB, and that they come back as they were."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from crossbar.documents.document import Document
from crossbar.documents.layout import MIRROR_DEPTH, decode, encode, search_key
from crossbar.documents.shape import SEPARATOR, Shape, Summary, Unique

SHAPE = Shape(
    "thing",
    summary=Summary("id", "name"),
    sort="name",
    tags=lambda thing: [f"owner/{thing.text('owner_id')}"],
    unique=lambda thing: [
        Unique("thing.name", thing.text("name"), "name", "Taken"),
        Unique("realm", thing.text("name"), "name", "Taken", system=True),
    ],
    numbers=lambda thing: [thing.text("number")],
    filters=("color",),
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(), below, max_size=3),
    max_leaves=12,
)


def document(**fields: Any) -> Document:
    return Document("acme", "thing", "1", fields, "1-a")


def test_what_is_stored_beside_the_fields() -> None:
    stored = encode(document(name="One", owner_id="u", number="+1 (555) 1", color="red", pvt_secret="x"), SHAPE)
    assert stored["_id"] == "acme/thing/1"
    assert stored["a"] == "acme"
    assert stored["rev"] == "1-a"
    assert stored["k"] == SEPARATOR.join(("thing", "4one", "1"))
    assert stored["tags"] == ["thing/owner/u", "thing/color=red"]
    assert stored["uniq"] == [f"thing.name{SEPARATOR}One"]
    assert stored["numbers"] == [search_key("thing", "15551", "1")]
    assert orjson.loads(stored["row"]) == {"id": "1", "name": "One"}
    assert b"pvt_secret" not in stored["json"]


def test_what_was_deleted_is_found_by_nothing() -> None:
    stored = encode(document(name="One", pvt_deleted=True), SHAPE)
    assert stored["deleted"] is True
    assert {"k", "tags", "uniq", "name", "numbers", "row"}.isdisjoint(stored)


@given(st.dictionaries(st.text(min_size=1).filter(lambda key: key != "id"), JSON_VALUES, max_size=5))
def test_documents_come_back_as_they_were(fields: dict[str, Any]) -> None:
    assert decode(encode(document(**{f"f{key}": value for key, value in fields.items()}), SHAPE)).fields == {
        f"f{key}": value for key, value in fields.items()
    }


def test_what_is_nested_too_deeply_for_the_mirror_comes_back_all_the_same() -> None:
    deep: Any = "bottom"
    for _ in range(MIRROR_DEPTH + 5):
        deep = {"below": deep}
    stored = encode(document(deep=deep, pvt_kept="x"), SHAPE)
    assert stored["cut"] is True
    assert decode(stored).fields == {"deep": deep, "pvt_kept": "x"}


def test_search_keys_know_letters_and_digits() -> None:
    assert search_key("thing", "Ann-Marie's #1") == SEPARATOR.join(("thing", "annmaries1", ""))
