# SPDX-License-Identifier: MPL-2.0
"""Fax paper: a TIFF or PDF on standard input becomes a PDF on standard output, after a line with its pages.

A program of its own (`python paper.py`), run within limits by the converter: a file made to exhaust a parser harms
nobody but this process. It imports nothing of the package.
"""

from __future__ import annotations

import sys
from io import BytesIO
from typing import Final

from PIL import Image
from pypdf import PdfReader

MOST_PAGES: Final = 1_000
MOST_PIXELS: Final = 100_000_000
"""Of one page; a fax of the finest resolution on A3 has a fifth of it."""
MOST_MEMORY: Final = 2**30
FAX_DPI: Final = (204.0, 196.0)


def to_pdf(contents: bytes) -> tuple[bytes, int]:
    """The PDF and its number of pages. Raises an exception of the parser's, or ValueError, for what is neither."""
    return _checked(contents) if contents[:1024].lstrip()[:5] == b"%PDF-" else _printed(contents)


def _checked(contents: bytes) -> tuple[bytes, int]:
    reader = PdfReader(BytesIO(contents))
    if reader.is_encrypted:
        raise ValueError("the document is encrypted")
    return contents, _countable(len(reader.pages))


def _printed(contents: bytes) -> tuple[bytes, int]:
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2  # Pillow refuses from twice the number on
    pdf = BytesIO()
    with Image.open(BytesIO(contents), formats=["TIFF"]) as image:
        pages = _countable(getattr(image, "n_frames", 1))
        # Faxes often have half as many lines an inch as dots: with both told, the page keeps its shape.
        image.save(pdf, "PDF", save_all=True, dpi=image.info.get("dpi", FAX_DPI))
    return pdf.getvalue(), pages


def _countable(pages: int) -> int:
    if not 0 < pages <= MOST_PAGES:
        raise ValueError(f"{pages} pages")
    return pages


def main() -> None:
    """Convert standard input; a failure is a traceback and status 1."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - not everywhere

        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    pdf, pages = to_pdf(sys.stdin.buffer.read())
    sys.stdout.buffer.write(b"%d\n" % pages + pdf)


if __name__ == "__main__":
    main()
