# SPDX-License-Identifier: MPL-2.0
"""Cutting a list into pages, and what the envelope says of a page.

Source: `crossbar_view.erl` (`next_start_key`, `page_size`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from crossbar.wire.envelope import PageInfo
from crossbar.wire.list_options import ListOptions, encode_start_key

Entry = TypeVar("Entry")


def cut(
    entries: Sequence[Entry], options: ListOptions, position: Callable[[Entry], str], *, timed: bool = False
) -> tuple[Sequence[Entry], PageInfo | None]:
    """The page at the beginning of `entries`, which go on for at least one more where there is a next page.

    `position` gives the key at which an entry stands in the list. In a `timed` list the envelope always names the start
    key of the page. Without pages the list stays as it is.
    """
    size = options.page_size
    if size is None:
        return entries, None
    page = entries[:size]
    following = position(entries[size]) if len(entries) > size else None
    first = position(page[0]) if timed and page else None
    return page, page_info(options, len(page), following, first=first)


def page_info(options: ListOptions, size: int, following: str | None, *, first: str | None = None) -> PageInfo:
    """The paging keys of a page of `size` entries; `following` and `first` are positions in the list.

    `first` is the page's own, told where the request names no start key.
    """
    start_key = options.start_key_text
    if options.start_key is None and first is not None:
        start_key = encode_start_key([first])
    return PageInfo(size, start_key, None if following is None else encode_start_key([following]))
