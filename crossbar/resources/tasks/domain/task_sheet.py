# SPDX-License-Identifier: MPL-2.0
"""The input of a task: CSV as clients send it, or made of the records they send.

Source: `core/kazoo_csv/src/kz_csv.erl` (`count_rows`, `take_mapped_row`, `json_to_iolist`).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from itertools import islice
from typing import Any

from crossbar.errors import Invalid
from crossbar.wire.spreadsheet import Sheet, restored


class Input:
    """The rows of a CSV whose first row is the header, from the one after the first `skipped` on.

    Empty lines are no rows. A cell that an export has defused is what it was before. Raises csv.Error, or
    UnicodeDecodeError, for what is no CSV.
    """

    def __init__(self, contents: bytes, skipped: int = 0) -> None:
        lines = csv.reader(StringIO(contents.decode("utf-8-sig"), newline=""), strict=True)
        rows = filter(None, lines)
        self.header = _restored(next(rows, []))
        self._rows = map(_restored, islice(rows, skipped, None))

    def __iter__(self) -> Iterator[list[str]]:
        return self._rows


def count_rows(contents: bytes) -> int:
    """The rows below the header. Raises 400 `csv.format` for what no task can take as input."""
    count = 0
    try:
        rows = Input(contents)
        width = len(rows.header) if all(rows.header) else 0
        for row in rows:
            if len(row) != width:
                raise _bad_format("Empty CSV or some row(s) longer than others or header missing")
            count += 1
    except (csv.Error, UnicodeDecodeError) as error:
        raise _bad_format("Malformed CSV - unable to process the file due to errors in the CSV") from error
    if not count:
        raise _bad_format("Empty CSV or some row(s) longer than others or header missing")
    return count


def rows_lacking(contents: bytes, columns: Iterable[str]) -> list[str]:
    """The rows, as CSV, that have nothing in one of these columns."""
    rows = Input(contents)
    places = [rows.header.index(column) for column in columns if column in rows.header]
    return [_line(row) for row in rows if not all(row[place] for place in places)]


def of_records(records: Sequence[dict[str, Any]]) -> bytes:
    """Records as CSV; the first says what the columns are."""
    sheet = Sheet(list(records[0]))
    return sheet.head + sheet.rows(records)


def _restored(row: list[str]) -> list[str]:
    return [restored(cell) for cell in row]


def _line(row: list[str]) -> str:
    text = StringIO()
    csv.writer(text, lineterminator="").writerow(row)
    return text.getvalue()


def _bad_format(message: str) -> Invalid:
    return Invalid.field("csv", "format", message)
