# SPDX-License-Identifier: MPL-2.0
"""The parameters that lists have in common, in no format's words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from crossbar.endpoint.routing import Lists
from crossbar.wire.list_options import FIELDS, PAGING, RANGE

Kind = Literal["text", "number", "switch", "filters"]

NUMBERS: Final = frozenset({"page_size", *RANGE})
SWITCHES: Final = frozenset({"paginate", "ascending", "descending", "full_docs"})
FILTER: Final = "filter"
FILTER_TEXT: Final = "Which rows there are. Any number of them may be given, of which a row must pass all"


@dataclass(frozen=True, slots=True)
class ListParameter:
    """A parameter of the query string.

    `kind` is what its value has to be; one of the kind `filters` stands for all parameters whose names begin as in
    `crossbar.documents.filters.FILTERS`.
    """

    name: str
    text: str
    kind: Kind


def list_parameters(lists: Lists) -> Iterator[ListParameter]:
    """What a list takes."""
    if lists in (Lists.ROWS, Lists.PAGES, Lists.TIMES, Lists.NAMED):
        yield from map(_parameter, PAGING, PAGING.values())
    if lists in (Lists.PAGES, Lists.TIMES):
        yield from map(_parameter, FIELDS, FIELDS.values())
    if lists is Lists.TIMES:
        yield from map(_parameter, RANGE, RANGE.values())
    if lists not in (Lists.NOTHING, Lists.ROWS):
        yield ListParameter(FILTER, FILTER_TEXT, "filters")


def _parameter(name: str, text: str) -> ListParameter:
    kind: Kind = "number" if name in NUMBERS else "switch" if name in SWITCHES else "text"
    return ListParameter(name, text, kind)
