"""Lists as CSV."""

from __future__ import annotations

import csv
import re
from io import StringIO

from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from crossbar.wire.query import Query
from crossbar.wire.request_values import Values
from crossbar.wire.spreadsheet import Sheet, attachment, file_name, render


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
    assert list(reader) == rows


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


def test_a_name_cannot_leave_its_quotes() -> None:
    assert attachment('a"; x="\r\nB: c\\\udcff.csv') == 'attachment; filename="a; x=B: c.csv"'
