# SPDX-License-Identifier: MPL-2.0
"""Mailbox numbers: whole numbers, however they are written, of which an account has each once.

Source: KAZOO `cb_vmboxes.erl` (`validate_unique_vmbox`), `kz_term:to_integer`: an optional sign and ASCII digits, or a
decimal fraction, which is rounded.
"""

from __future__ import annotations

from typing import Final

from crossbar.documents.schemas.casts import integer
from crossbar.documents.shape import Unique

REFUSAL: Final = "Invalid mailbox number or already exists"


def mailbox_number(mailbox: str) -> int | None:
    """The number that a mailbox's text stands for; None for a text that is none."""
    number = integer(mailbox)
    return number if isinstance(number, int) else None


def mailbox_claim(mailbox: str) -> Unique:
    """A mailbox number, which only one box of an account may have: `0100` is `100`.

    What is no number was stored before such were refused; it is compared as text.
    """
    number = mailbox_number(mailbox)
    return Unique("vmbox.mailbox", mailbox if number is None else str(number), "mailbox", REFUSAL, cause=mailbox)
