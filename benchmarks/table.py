# SPDX-License-Identifier: MPL-2.0
"""Tables in Markdown, as the pages under `docs/` have them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console


def show(console: Console, columns: Sequence[str], rows: Sequence[Sequence[str]], *, texts: int = 1) -> None:
    """Print rows under columns, of which the first few hold texts and all others numbers."""
    marks = ["---"] * texts + ["---:"] * (len(columns) - texts)
    lines = [columns, marks, *rows]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    for line in lines:
        cells = [
            cell.ljust(width) if index < texts else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        console.print("| " + " | ".join(cells) + " |", soft_wrap=True, markup=False, highlight=False)
