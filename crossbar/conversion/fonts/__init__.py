# SPDX-License-Identifier: MPL-2.0
"""The font of papers that are printed here: Noto Sans, which has Latin, Greek, Cyrillic and Devanagari letters.

The files are in this folder, beside their license; `README.md` says where they come from.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from fpdf import FPDF

FAMILY: Final = "Noto Sans"
REGULAR: Final = Path(__file__).parent / "NotoSans-Regular.ttf"
BOLD: Final = Path(__file__).parent / "NotoSans-Bold.ttf"


def add_fonts(paper: FPDF) -> None:
    """Make the family known to a PDF, upright and bold."""
    paper.add_font(FAMILY, fname=REGULAR)
    paper.add_font(FAMILY, style="B", fname=BOLD)
