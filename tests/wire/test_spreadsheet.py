# SPDX-License-Identifier: MPL-2.0
"""Lists as CSV."""

from __future__ import annotations

import csv
import re
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from crossbar.wire.query import Query
from crossbar.wire.request_values import Values
from crossbar.wire.spreadsheet import Sheet, defused, file_name, render, restored


def test_objects_are_flattened_and_columns_renamed() -> None:
    rows = [
        {"id": "1", "metadata": {"from": "a", "rate": {"value": 1.5}}, "x": True},
        {"amount": -3, "id": "2", "tags": ["a", 1, None], "x": None, "quote": 'say "hi", you'},
    ]
    assert render(rows).decode() == (
        '"ID","From","Rate","x","Amount","tags","quote"\n'
        '"1","a","1.5","true","","",""\n'
        '"2","","","","-3","a,1,","say ""hi"", you"\n'
    )


def test_objects_in_lists_stay_json() -> None:
    assert render([{"a": [{"b": 1}, [2, 3]]}]) == b'"a"\n"{""b"":1},2,3"\n'


def test_nothing_to_show() -> None:
    assert render([]) == b""
    assert render([{}, "text", {"a": {}}]) == b""


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"))


@given(st.lists(st.fixed_dictionaries({"a": TEXTS, "b": TEXTS}), min_size=1))
def test_any_text_survives(rows: list[dict[str, str]]) -> None:
    reader = csv.DictReader(StringIO(render(rows).decode(), newline=""))
    assert [{key: restored(cell) for key, cell in row.items()} for row in reader] == rows


@given(TEXTS | st.from_regex(r"'{0,3}[=+\-@\t\uff1d][0-9a-z+.'()!|]{0,8}", fullmatch=True))
def test_no_cell_begins_like_a_formula_and_each_comes_back(text: str) -> None:
    cell = defused(text)
    assert restored(cell) == text
    assert cell[:1] not in tuple("=@\t\r\n")
    if cell[:1] in ("+", "-"):
        assert cell == text
        assert not set(cell) & set("()!|'\"=&*/\t ")
        float(cell.partition("@")[0])


@pytest.mark.parametrize(
    "text",
    ["-12.5", "+14155550100", "-3", "12", "1e5", "-1.5e+300", "a=b", "", "'quoted'", "2026-01-01", "+1@a.example:5060"],
)
def test_numbers_and_plain_texts_stay_as_they_are(text: str) -> None:
    assert defused(text) == restored(text) == text


@pytest.mark.parametrize(
    "text",
    [
        *("=1+1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0", "-", "+1 (415) 555-0100"),
        *("+1415x", "-1\n=2", "\uff1d1+1"),
    ],
)
def test_what_a_spreadsheet_would_run_is_defused(text: str) -> None:
    for sheet in (render([{text: text}, {text: [text, "b"]}]), Sheet([text]).head + Sheet([text]).rows([{text: text}])):
        cells = [cell for row in csv.reader(StringIO(sheet.decode(), newline="")) for cell in row]
        assert all(cell.startswith(f"'{text}") for cell in cells)


def test_a_streamed_list_has_its_columns_given() -> None:
    sheet = Sheet(["id", "duration", "list"])
    assert sheet.head == b"id,duration,list\r\n"
    assert sheet.rows([{"id": "x", "duration": 5, "other": 1}, {"list": ["a", "b"]}]) == b'x,5,\r\n,,"a,b"\r\n'


def test_the_name_of_a_download() -> None:
    values = Values({}, Query.parse("file_name=b.csv"), {})
    assert file_name(CIMultiDict({"X-File-Name": "a.csv"}), values) == "a.csv"
    assert file_name(CIMultiDict(), values) == "b.csv"
    assert file_name(CIMultiDict(), Values(), "result.csv") == "result.csv"
    assert re.fullmatch(r"json_[0-9a-f]{22}\.csv", file_name(CIMultiDict(), Values()))
