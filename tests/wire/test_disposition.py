# SPDX-License-Identifier: MPL-2.0
"""The names of downloads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossbar.wire.disposition import content_disposition, saved_name

NAMES = {
    "a.mp3": "attachment; filename=a.mp3",
    "../../etc/passwd": "attachment; filename=passwd",
    "C:\\Users\\x\\a b.txt": 'attachment; filename="a b.txt"',
    "..": "attachment; filename=file",
    "": "attachment; filename=file",
    ".bashrc": "attachment; filename=bashrc",
    "a/": "attachment; filename=file",
    'a"b.txt': "attachment; filename=ab.txt",
    "a\r\nX: b.txt": 'attachment; filename="aX: b.txt"',
    "\u00fcber \U0001f4a9.txt": "attachment; filename=\"_ber _.txt\"; filename*=UTF-8''%C3%BCber%20%F0%9F%92%A9.txt",
    "\u202egpj.exe": "attachment; filename=gpj.exe",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_has_no_path_and_stays_in_its_header(name: str) -> None:
    assert content_disposition(name) == NAMES[name]


def test_sheets_have_quoted_names_and_pictures_are_shown() -> None:
    assert content_disposition("a.csv", quoted=True) == 'attachment; filename="a.csv"'
    assert content_disposition("a.png", "inline") == "inline; filename=a.png"


@given(st.text(), st.booleans())
def test_any_name(name: str, quoted: bool) -> None:
    header = content_disposition(name, quoted=quoted)
    assert header.isascii()
    assert header.isprintable()
    assert not any(part in header for part in ("/", "\\", "filename=.", 'filename=".'))
    assert header.count('"') in (0, 2)
    assert saved_name(saved_name(name)) == saved_name(name)
