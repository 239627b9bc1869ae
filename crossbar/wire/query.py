# SPDX-License-Identifier: MPL-2.0
"""The query string: `?page_size=5&filter_type=sip_device&ascending`.

Source: `api_util:get_query_string_data`.
"""

from __future__ import annotations

from typing import Final, Literal

from crossbar.wire.text import decode_form

QueryValue = str | Literal[True]
"""A parameter's text; a parameter without `=` is true."""


class Query:
    """The parameters in the order sent.

    `pairs` has every one of them (filters apply them all), `first` maps each name to its first value (options take
    that).
    """

    __slots__ = ("first", "pairs")

    def __init__(self, pairs: tuple[tuple[str, QueryValue], ...] = ()) -> None:
        self.pairs = pairs
        self.first: dict[str, QueryValue] = dict(reversed(pairs)) if pairs else {}

    @classmethod
    def parse(cls, text: str) -> Query:
        """Parse what stands after `?`. Never fails: an invalid percent sequence stays as it is."""
        return cls(tuple(_pair(part) for part in text.split("&") if part)) if text else NO_QUERY

    def get(self, name: str) -> QueryValue | None:
        """The first value of a parameter, None without one."""
        return self.first.get(name)


NO_QUERY: Final = Query()


def _pair(part: str) -> tuple[str, QueryValue]:
    name, equals, value = part.partition("=")
    return decode_form(name), decode_form(value) if equals else True
