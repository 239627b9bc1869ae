# SPDX-License-Identifier: MPL-2.0
"""The letter of authorization: what a customer signs so that the old provider lets numbers go.

Source: KAZOO `cb_port_requests:generate_loa_from_port`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

import segno

from crossbar import clock
from crossbar.conversion.fonts import FAMILY, add_fonts
from crossbar.documents.document import Document, as_object
from crossbar.resources.numbers.domain.port_request import OWNER, PORTED, numbers_of

QR_MM: Final = 28
LONGEST: Final = 500
"""Characters of what is shown of a field."""
STREET: Final = ("street_number", "street_pre_dir", "street_address", "street_type", "street_post_dir")
TITLE: Final = "Letter of Authorization"
DECLARATION: Final = (
    "By signing below I authorize {carrier} to act as my agent and to move the telephone numbers listed here from my"
    " present provider. I am the customer named here, or may sign on the customer's behalf, and I understand that the"
    " present provider may charge for what is still owed."
)


@dataclass(frozen=True, slots=True)
class Letter:
    """What stands in a letter: who is authorized, what is known of the customer, and the numbers."""

    carrier: str
    facts: tuple[tuple[str, str], ...]
    numbers: tuple[str, ...]
    signee: str
    signed: str
    reference: str
    """What the code on the letter says, by which the paper is found again."""


def letter_for(request: Document, *, carrier: str, account_name: str) -> Letter:
    """The letter of a request; `carrier` is the one that numbers move to where the request names none."""
    numbers = numbers_of(request) or request.fields.get(PORTED, {})
    signing = request.at("signing_date")
    is_dated = isinstance(signing, int) and not isinstance(signing, bool)
    return Letter(
        carrier=_line(request.text("winning_carrier") or carrier),
        facts=tuple((label, _line(value)) for label, value in _facts(request, account_name) if value.strip()),
        numbers=tuple(map(_line, numbers)),
        signee=_line(request.text("signee_name")),
        signed=clock.moment(signing).strftime("%Y-%m-%d") if is_dated else "",
        reference=f"{request.text(OWNER)}-{request.id}",
    )


def _facts(request: Document, account_name: str) -> Iterator[tuple[str, str]]:
    bill = Document("", "", "", as_object(request.at("bill")))
    yield "Account", account_name
    yield "Port request", request.text("name")
    yield "Customer", bill.text("name")
    yield "Address", " ".join(filter(None, map(bill.text, STREET)))
    yield "", ", ".join(filter(None, map(bill.text, ("locality", "region", "postal_code"))))
    yield "Present provider", bill.text("carrier") or request.text("carrier")
    yield "Account number", bill.text("account_number")
    yield "PIN", bill.text("pin")
    yield "Main number", bill.text("btn")
    yield "Reference", request.text("reference_number")


def _line(text: str) -> str:
    """Text without control characters, which no paper shows, and of a length that leaves room for the rest."""
    return "".join(character if character.isprintable() else " " for character in text[:LONGEST])


def render(letter: Letter) -> bytes:
    """The PDF of a letter. To be run beside the event loop: a long list of numbers takes its time."""
    # The library takes 20 MB, which a worker that prints nothing does without.
    from fpdf import FPDF  # noqa: PLC0415

    paper = FPDF(format="letter")
    add_fonts(paper)
    paper.set_title(TITLE)
    paper.add_page()
    paper.image(_code(letter.reference), x=paper.w - paper.r_margin - QR_MM, y=paper.t_margin, w=QR_MM)
    _write(paper, TITLE, size=18, bold=True)
    _write(paper, letter.carrier, size=12)
    paper.set_y(max(paper.get_y(), paper.t_margin + QR_MM) + 4)
    _table(paper, letter.facts, (1, 3))
    _write(paper, DECLARATION.format(carrier=letter.carrier), size=11)
    _write(paper, "Telephone numbers", size=12, bold=True)
    _table(paper, [tuple(letter.numbers[start : start + 3]) for start in range(0, len(letter.numbers), 3)], (1, 1, 1))
    paper.ln(12)
    for label, value in (("Signature", ""), ("Name", letter.signee), ("Date", letter.signed)):
        _write(paper, f"{label}: {value or '_' * 40}", size=11)
    return bytes(paper.output())


def _code(text: str) -> BytesIO:
    image = BytesIO()
    segno.make(text, micro=False).save(image, kind="png", scale=6)
    image.seek(0)
    return image


def _write(paper: Any, text: str, *, size: int, bold: bool = False) -> None:
    paper.set_font(FAMILY, style="B" if bold else "", size=size)
    paper.multi_cell(w=0, h=size * 0.6, text=text, new_x="LMARGIN", new_y="NEXT")
    paper.ln(2)


def _table(paper: Any, rows: Sequence[tuple[str, ...]], widths: tuple[int, ...]) -> None:
    if not rows:
        return
    paper.set_font(FAMILY, size=11)
    filled = [(*row, *("",) * (len(widths) - len(row))) for row in rows]
    with paper.table(filled, borders_layout="NONE", col_widths=widths, text_align="LEFT", first_row_as_headings=False):
        pass
    paper.ln(4)
