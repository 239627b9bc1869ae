# SPDX-License-Identifier: MPL-2.0
"""Cutting lists into pages."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from crossbar.endpoint.paging import cut
from crossbar.wire.list_options import ListOptions, encode_start_key


def test_without_pages_a_list_stays_whole() -> None:
    assert cut("abc", ListOptions(page_size=None), str) == ("abc", None)


def test_the_entry_after_a_page_begins_the_next_one() -> None:
    page, info = cut("abc", ListOptions(page_size=2), str)
    assert info is not None
    assert (page, info) == ("ab", (2, None, encode_start_key(["c"])))


def test_the_last_page_leads_nowhere() -> None:
    assert cut("ab", ListOptions(page_size=2, start_key="a"), str) == ("ab", (2, "a", None))


def test_a_timed_list_names_its_own_start_key() -> None:
    assert cut("ab", ListOptions(page_size=2), str, timed=True) == ("ab", (2, encode_start_key(["a"]), None))
    assert cut("ab", ListOptions(page_size=2, start_key="a"), str, timed=True) == ("ab", (2, "a", None))
    assert cut("", ListOptions(page_size=2), str, timed=True) == ("", (0, None, None))


@given(st.lists(st.text(min_size=1), unique=True), st.integers(1, 7))
def test_pages_put_together_are_the_list(entries: list[str], size: int) -> None:
    entries.sort()
    walked: list[str] = []
    rest = entries
    while True:
        page, info = cut(rest, ListOptions(page_size=size), str)
        walked += page
        assert info is not None
        assert (info.page_size, info.next_start_key is None) == (len(page), len(rest) <= size)
        if info.next_start_key is None:
            break
        rest = rest[size:]
        assert info.next_start_key == encode_start_key([rest[0]])
    assert walked == entries
