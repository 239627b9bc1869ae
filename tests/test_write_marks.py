# SPDX-License-Identifier: MPL-2.0
"""The marks of what workers write."""

from __future__ import annotations

import subprocess
import sys

from crossbar.shared import WriteMarks, memory_file
from crossbar.shared.write_marks import SLOTS


def test_a_row_tells_that_something_was_written() -> None:
    marks = WriteMarks()
    slot = marks.slot("acme/thing/1")
    before = marks.row(slot)
    assert marks.is_quiet(slot)
    marks.begin([slot])
    during = marks.row(slot)
    assert not marks.is_quiet(slot)
    marks.end([slot])
    assert marks.is_quiet(slot)
    assert len({before, during, marks.row(slot)}) == 3


def test_slots_of_others_are_untouched() -> None:
    marks = WriteMarks(2, 1)
    rows = [marks.row(slot) for slot in range(SLOTS)]
    marks.begin([7])
    assert [slot for slot in range(SLOTS) if marks.row(slot) != rows[slot]] == [7]


def test_all_processes_see_them() -> None:
    key = "acme/thing/\ud800"
    with memory_file(WriteMarks.size(2)) as file:
        marks = WriteMarks(2, 0, file.fileno())
        slot = marks.slot(key)
        before = marks.row(slot)
        program = (
            "from crossbar.shared import WriteMarks;"
            f"marks = WriteMarks(2, 1, {file.fileno()});"
            f"marks.begin([marks.slot({key!r})])"
        )
        subprocess.run([sys.executable, "-c", program], pass_fds=[file.fileno()], check=True)
        assert marks.row(slot) != before
        assert not marks.is_quiet(slot)
