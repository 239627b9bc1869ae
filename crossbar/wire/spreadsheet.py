# SPDX-License-Identifier: MPL-2.0
"""Lists as CSV.

Source: `api_util:create_csv_resp_content`, `csv_file_name`, `csv_body`; `kz_csv`; `crossbar_view` for streamed ones.
"""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from typing import Final

import orjson
from multidict import istr

from crossbar.errors import JSON
from crossbar.wire.request_values import Headers, Values

CSV_TYPE: Final = "text/csv"

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""With what a cell begins that a spreadsheet takes for a formula; the last ones are the full-width forms."""
_NUMBER: Final = re.compile(r"[+-][0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,4})?")
_ADDRESS: Final = re.compile(r"\+[0-9]{1,40}@[A-Za-z0-9.-]{1,255}(:[0-9]{1,5})?")
_X_FILE_NAME: Final = istr("X-File-Name")

_COLUMN_NAMES: Final = {
    "account_id": "Account ID",
    "account_name": "Account Name",
    "amount": "Amount",
    "description": "Description",
    "id": "ID",
    "metadata_callee_id_number": "Callee ID Number",
    "metadata_callee_id_name": "Callee ID Name",
    "metadata_caller_id_number": "Caller ID Number",
    "metadata_caller_id_name": "Caller ID Name",
    "metadata_direction": "Direction",
    "metadata_from": "From",
    "metadata_to": "To",
    "metadata_rate_description": "Rate Description",
    "metadata_rate_increment": "Rate Increment",
    "metadata_rate_minimum": "Rate Minimum",
    "metadata_rate_name": "Rate Name",
    "metadata_rate_nocharge_time": "Grace Period",
    "metadata_rate_value": "Rate",
    "period_start": "Start Time",
    "period_end": "End Time",
    "source_id": "Source ID",
    "source_service": "Source Service",
    "usage_quantity": "Usage Quantity",
    "usage_type": "Usage Type",
    "usage_unit": "Usage Unit",
}


def render(rows: Iterable[JSON]) -> bytes:
    """A whole list: objects are flattened (`a.b` → `a_b`), columns stand in the order first seen.

    Every cell is quoted, rows end in a line feed. What is no object has no columns and is left out. An empty list
    gives no bytes; it is answered with 204.
    """
    flat = [dict(_flatten(row)) for row in rows if isinstance(row, Mapping)]
    columns = list(dict.fromkeys(key for row in flat for key in row))
    if not columns:
        return b""
    text = StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow([defused(_COLUMN_NAMES.get(column, column)) for column in columns])
    writer.writerows([_cell(row.get(column)) for column in columns] for row in flat)
    return _encode(text)


class Sheet:
    """A list that is streamed, with columns known beforehand; cells are quoted where they need it, rows end CRLF."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns

    @property
    def head(self) -> bytes:
        """The header row."""
        text = StringIO()
        csv.writer(text).writerow(map(_cell, self._columns))
        return _encode(text)

    def rows(self, rows: Iterable[Mapping[str, JSON]]) -> bytes:
        """Some rows; a missing cell is empty."""
        text = StringIO()
        csv.writer(text).writerows([_cell(row.get(column)) for column in self._columns] for row in rows)
        return _encode(text)


def file_name(headers: Headers, values: Values, default: str | None = None) -> str:
    """The name of a download: `X-File-Name`, else the value `file_name`, else `json_<22 hex>.csv`."""
    return headers.get(_X_FILE_NAME) or values.text("file_name") or default or f"json_{os.urandom(11).hex()}.csv"


def _flatten(value: Mapping[str, JSON], prefix: str = "") -> Iterator[tuple[str, JSON]]:
    for key, item in value.items():
        name = f"{prefix}{key}"
        if isinstance(item, Mapping):
            yield from _flatten(item, name + "_")
        else:
            yield name, item


def defused(text: str) -> str:
    """A cell that no spreadsheet runs as a formula: one that begins like one gets an apostrophe before it.

    Plain numbers, phone numbers and SIP addresses (`-12.5`, `+14155550100`, `+14155550100@a.example:5060`) stay as
    they are: they have nothing in them that a formula could do anything with.
    """
    return f"'{text}" if _runs(text.lstrip("'")) else text


def restored(text: str) -> str:
    """What `defused` was given."""
    return text[1:] if text[:1] == "'" and _runs(text.lstrip("'")) else text


def _runs(text: str) -> bool:
    return text.startswith(_FORMULA) and not (_NUMBER.fullmatch(text) or _ADDRESS.fullmatch(text))


def _cell(value: JSON) -> str:
    return defused(_text(value))


def _text(value: JSON) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, list):
        return ",".join(map(_text, value))
    return orjson.dumps(value).decode()


def _encode(text: StringIO) -> bytes:
    return text.getvalue().encode()
