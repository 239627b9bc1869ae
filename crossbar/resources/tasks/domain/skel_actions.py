# SPDX-License-Identifier: MPL-2.0
"""The example category: actions that say what they were given, to try tasks out.

Source: `applications/tasks/src/modules/kt_skel.erl`.
"""

from __future__ import annotations

from typing import Final

from crossbar.resources.tasks.domain.action import ERROR, Cells, RowAction, Work


async def _one(_: Work, row: dict[str, str]) -> Cells:
    col1 = row["col1"]
    return {ERROR: f"col1 was set to {col1}!" if col1 else "col1 was not defined"}


async def _two(_: Work, row: dict[str, str]) -> Cells:
    return {"Col1": row["col1"], "Col2": row["col2"]}


ACTIONS: Final = (
    RowAction(
        category="skel",
        name="id1",
        description="The identity of one column",
        doc="Takes one column, and says of each row what it had there.",
        optional=("col1",),
        row=_one,
    ),
    RowAction(
        category="skel",
        name="id2",
        description="The identity of two columns",
        doc="Takes two columns, and gives both back as they are.",
        mandatory=("col1", "col2"),
        columns=("Col1", "Col2", ERROR),
        row=_two,
    ),
)
