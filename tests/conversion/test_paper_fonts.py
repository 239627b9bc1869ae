# SPDX-License-Identifier: MPL-2.0
"""The font of printed papers is the one that its source published, with its license."""

from __future__ import annotations

import hashlib
from io import BytesIO

import pypdf
from fontTools.ttLib import TTFont
from fpdf import FPDF

from crossbar.conversion.fonts import BOLD, FAMILY, REGULAR, add_fonts

DIGESTS = {
    REGULAR: "fe8c022f48d8dd29f17b744d16f9346f4357e16f7d4f7be58b000ae7c291b614",
    BOLD: "13a813c49624ae3ba3c5c6e72c5ebffc4b9e1e6ea32f421c04069b037c6ad431",
}


def test_the_files_are_as_they_were_published() -> None:
    assert {file: hashlib.sha256(file.read_bytes()).hexdigest() for file in DIGESTS} == DIGESTS
    for file in DIGESTS:
        with TTFont(file) as font:
            assert font["name"].getDebugName(1) == FAMILY
            assert "SIL Open Font License" in font["name"].getDebugName(13)
    assert "SIL OPEN FONT LICENSE Version 1.1" in (REGULAR.parent / "OFL.txt").read_text()


def test_names_of_many_languages_are_printed() -> None:
    names = "Żółć Ærø Ștefan Ελένη Ђорђе Ёлкин Nguyễn देव"
    paper = FPDF()
    add_fonts(paper)
    paper.add_page()
    for style in ("", "B"):
        paper.set_font(FAMILY, style=style, size=12)
        paper.cell(text=names, new_x="LMARGIN", new_y="NEXT")
    assert not [text for font in paper.fonts.values() for text in getattr(font, "missing_glyphs", ())]
    printed = pypdf.PdfReader(BytesIO(bytes(paper.output()))).pages[0].extract_text()
    assert printed.splitlines() == [names, names]
