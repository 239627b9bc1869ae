# SPDX-License-Identifier: MPL-2.0
"""Listing parameters: pages, order, time ranges, chunks and projections.

Source: `crossbar_view:get_page_size_from_request`, `direction`, `time_range`, `get_chunk_size`;
`api_resource:maybe_decode_start_key`.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from crossbar import clock
from crossbar.errors import JSON, FaultyRequest, Invalid
from crossbar.wire.query import Query
from crossbar.wire.request_values import Values, is_false, is_true

DEFAULT_PAGE_SIZE: Final = 50
LARGEST_PAGE: Final = 2**31 - 2
"""There is no maximum in the protocol; the store counts in 32 bits and one row more is read than asked for."""

MAXIMUM_RANGE: Final = 2_682_000
"""Seconds of the longest time range of monthly stores: 31 days and an hour."""

LARGEST_CHUNK: Final = 50

PAGING: Final = {
    "page_size": f"How many rows; {DEFAULT_PAGE_SIZE} unless configured otherwise",
    "start_key": "Where the page begins: `next_start_key` of the page before, or a key of the list's order",
    "end_key": "A key at which the list ends",
    "paginate": "`false`: all rows at once",
    "ascending": "`true`: the lowest key first",
    "descending": "`true`: the highest key first, which is the rule for most lists; `false`: the lowest",
}
"""What cuts and orders a list."""

FIELDS: Final = {
    "fields": "The fields of a row, named with commas or as a JSON list of paths; `id` is always among them",
    "full_docs": "`true`: whole documents in place of rows",
}
"""What a row shows."""

RANGE: Final = {
    "created_from": "Gregorian seconds at which the time begins",
    "created_to": "Gregorian seconds at which it ends; now without",
}
"""What part of a list sorted by time there is."""

CHUNKS: Final = {
    "is_chunked": "Taken and without effect: a long list is always streamed",
    "chunk_size": f"Taken and without effect, from 1 to {LARGEST_CHUNK}",
}
"""What older clients say of streaming."""

Cursor = list[JSON]
"""What a start key made by this server says: the values of the sort key of the page's first row."""

_INT64: Final = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class ListOptions:
    """How a listing is to be cut and ordered.

    `page_size` is None where everything is wanted (then the answer has no paging keys). `start_key` is a `Cursor`
    if it is one of ours, else the raw key (text or number) as `end_key` always is.
    """

    page_size: int | None = DEFAULT_PAGE_SIZE
    start_key: JSON = None
    end_key: JSON = None
    ascending: bool = False

    @property
    def start_key_text(self) -> str | None:
        """The start key as the answer repeats it."""
        if self.start_key is None or isinstance(self.start_key, str):
            return self.start_key
        return encode_start_key(self.start_key if isinstance(self.start_key, list) else [self.start_key])


def list_options(values: Values, *, page_size: int = DEFAULT_PAGE_SIZE, ascending: bool = False) -> ListOptions:
    """Read the options of a request; `page_size` and `ascending` are the endpoint's defaults.

    Raises 404 `faulty_request` for a page size that is none.
    """
    first = values.query.first
    paginate = values.get("paginate")
    return ListOptions(
        page_size=_page_size(values, page_size) if paginate is None or is_true(paginate) else None,
        start_key=_start_key(values.get("start_key")),
        end_key=_raw_key(values.get("end_key")),
        ascending=is_ascending(values.query, default=ascending) if first else ascending,
    )


def encode_start_key(cursor: Sequence[JSON]) -> str:
    """An opaque start key for a page that begins at the row with these sort values."""
    return base64.urlsafe_b64encode(orjson.dumps(cursor)).rstrip(b"=").decode()


def time_range(
    values: Values, *, maximum: int = MAXIMUM_RANGE, field: str = "created", now: int | None = None
) -> tuple[int, int]:
    """The range (from, to), both inclusive, in Gregorian seconds, of `created_from` and `created_to`.

    What is missing, no integer or not positive ends now and is `maximum` long. Raises `Invalid` on `created_from`,
    code `date_range`.
    """
    start, end = _seconds(values.get(f"{field}_from")), _seconds(values.get(f"{field}_to"))
    if end is None:
        end = clock.now() if now is None else now
        start = end - maximum if start is None else start
    elif start is None:
        start = end - maximum
    if end < start:
        text = f"{field}_to {end} is prior to {field}_from {start}"
        raise Invalid.field(f"{field}_from", "date_range", text, cause=start)
    if end - start > maximum:
        text = f"{field}_to {end} is more than {maximum} seconds from {field}_from {start}"
        raise Invalid.field(f"{field}_from", "date_range", text, cause=end)
    return start, end


def chunk_size(query: Query, *, chunked: bool = False) -> int | None:
    """Rows of a chunk, or None if the answer is not to come in chunks; `chunked` is the endpoint's default.

    Raises 404 `faulty_request` for a chunk size outside of 1..50.
    """
    wanted = query.get("is_chunked")
    if not (chunked if wanted is None else is_true(wanted)):
        return None
    size = query.get("chunk_size")
    if size is None:
        return LARGEST_CHUNK
    number = _at_least_one(size, "chunk size")
    if number > LARGEST_CHUNK:
        raise FaultyRequest("chunk size must be lower than 50")
    return number


Projection = tuple[tuple[str, ...], ...]
"""The paths of the fields wanted, each as its keys."""


def fields(query: Query) -> Projection | None:
    """The fields asked for by `fields=["name","caller_id.internal"]` or `fields=name,caller_id.internal`.

    `id` is always among them; None means all. Raises 404 `faulty_request`.
    """
    text = query.get("fields")
    if text is None:
        return None
    names = _field_names(text)
    if not names or not all(isinstance(name, str) and name for name in names):
        raise FaultyRequest("invalid fields query string")
    return tuple(dict.fromkeys((("id",), *(tuple(name.split(".")) for name in names))))


def project(document: Mapping[str, JSON], projection: Projection) -> dict[str, JSON]:
    """The part of a document that a projection names; what the document lacks is left out."""
    result: dict[str, JSON] = {}
    for path in projection:
        value: JSON = document
        for key in path:
            value = value.get(key, _MISSING) if isinstance(value, Mapping) else _MISSING
        if value is not _MISSING:
            place = result
            for key in path[:-1]:
                place = place.setdefault(key, {})
            place[path[-1]] = value
    return result


_MISSING: Final = object()


def _field_names(text: JSON) -> list[JSON]:
    if not isinstance(text, str):
        return []
    if not text.startswith("["):
        return [name.strip() for name in text.split(",")]
    try:
        names = orjson.loads(text)
    except orjson.JSONDecodeError:
        return []
    return names if isinstance(names, list) else []


def _page_size(values: Values, default: int) -> int:
    size = values.get("page_size")
    if size is None:
        return default
    return min(_at_least_one(size, "page size"), LARGEST_PAGE)


def _at_least_one(value: JSON, name: str) -> int:
    """The whole number that an option has for its value. Raises 404 `faulty_request`."""
    number = _integer(value)
    if number is None:
        raise FaultyRequest(f"invalid {name}")
    if number < 1:
        raise FaultyRequest(f"{name} must be at least 1")
    return number


def is_ascending(query: Query, *, default: bool = False) -> bool:
    """Ascending on `ascending` or `descending=false`; `descending=true` beats both."""
    ascending, descending = query.get("ascending"), query.get("descending")
    if is_true(descending):
        return False
    if is_false(descending):
        return True
    return default if ascending is None else not is_false(ascending)


def _start_key(value: JSON) -> JSON:
    """The cursor in a key that this server made; any other key is the raw key itself."""
    key = _raw_key(value)
    if not isinstance(key, str):
        return key
    try:
        text = base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))
        cursor = orjson.loads(text) if text[:1] == b"[" else None
    except (binascii.Error, ValueError):
        return key
    return cursor if isinstance(cursor, list) and all(map(_is_scalar, cursor)) else key


def _raw_key(value: JSON) -> JSON:
    """A key as it came, if it is one: an object would be an operator in a query."""
    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def _is_scalar(value: JSON) -> bool:
    """Whether a value of a cursor may stand in a query and fits into the store."""
    return value is None or isinstance(value, str | float) or (isinstance(value, int) and value in _INT64)


def _seconds(value: JSON) -> int | None:
    number = _integer(value)
    return number if number is not None and 0 < number < 2**53 else None


def _integer(value: JSON) -> int | None:
    """A whole number given as a number or as text; None for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float):
        return round(value)
    if isinstance(value, str) and value.isascii() and len(value) <= 19 and value.removeprefix("-").isdigit():
        return int(value)
    return None
