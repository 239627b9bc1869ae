# SPDX-License-Identifier: MPL-2.0
"""A directory on paper: names and the numbers that reach them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from crossbar.conversion.fonts import FAMILY, add_fonts


class DirectoryEntry(NamedTuple):
    """One line: who, and the numbers to call."""

    name: str
    numbers: str


def render(title: str, entries: Sequence[DirectoryEntry]) -> bytes:
    """The PDF of a directory. To be run beside the event loop: a long list takes its time."""
    # The library takes 20 MB, which a worker that prints nothing does without.
    from fpdf import FPDF  # noqa: PLC0415
    from fpdf.enums import TableBordersLayout, XPos, YPos  # noqa: PLC0415

    paper = FPDF(format="A4")
    add_fonts(paper)
    paper.set_title(title)
    paper.add_page()
    paper.set_font(FAMILY, style="B", size=18)
    paper.cell(text=title, new_x=XPos.LMARGIN, new_y=YPos.NEXT, h=14)
    paper.set_font(FAMILY, size=11)
    if entries:
        with paper.table(
            (("Name", "Extension"), *entries),
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            col_widths=(2, 1),
            text_align=("LEFT", "RIGHT"),
        ):
            pass
    return bytes(paper.output())
