# SPDX-License-Identifier: MPL-2.0
"""Who works in the example office, and who calls there: names from several countries, numbers that nobody has."""

from __future__ import annotations

import unicodedata
from typing import Final, NamedTuple


class Colleague(NamedTuple):
    """Somebody of the office."""

    first_name: str
    last_name: str
    team: str


STAFF: Final = (
    Colleague("Amara", "Okafor", "management"),
    Colleague("Henrik", "Lindqvist", "management"),
    Colleague("Mei", "Tanaka", "sales"),
    Colleague("Lucía", "Fernández", "sales"),
    Colleague("Oleksandr", "Kovalenko", "sales"),
    Colleague("Priya", "Raghavan", "sales"),
    Colleague("Jürgen", "Weiß", "sales"),
    Colleague("Chloé", "Marchand", "support"),
    Colleague("Tomasz", "Wiśniewski", "support"),
    Colleague("Fatima", "El Amrani", "support"),
    Colleague("Seán", "Ó Briain", "support"),
    Colleague("Nguyễn", "Minh Anh", "support"),
    Colleague("Giulia", "Rossi", "support"),
    Colleague("Kwame", "Mensah", "support"),
    Colleague("Elif", "Öztürk", "accounting"),
    Colleague("Mateus", "Almeida", "accounting"),
    Colleague("Ingrid", "Sørensen", "accounting"),
    Colleague("Rajesh", "Patel", "technology"),
    Colleague("Zoë", "van Dijk", "technology"),
    Colleague("Daniel", "Whitehorse", "reception"),
)
"""Extensions go by the order, from 201 on."""
FIRST_EXTENSION: Final = 201
CUSTOMERS: Final = (
    "Alder Books", "Birch & Sons", "Cedar Clinic", "Dogwood Dental", "Elm Street Bakery", "Fir Logistics",
    "Garcia Carpentry", "Hawthorn Hotel", "Ivy League Tutors", "Juniper Law", "Kowalski Roofing", "Larch Labs",
    "Maple Motors", "Nakamura Design", "Oak Insurance", "Pine Plumbing", "Quince Catering", "Rowan School",
    "Spruce Travel", "Teak Furniture",
)  # fmt: skip
OFFICE_LINES: Final = range(100, 112)
"""The last three digits of the office's numbers in an area, 555-0100 and following: kept free for fiction."""
CUSTOMER_LINES: Final = range(120, 180)
PORTED_LINE: Final = 190
AREAS: Final = ("212", "312", "415", "617", "702", "808", "206", "503", "612", "713")
CUSTOMER_AREAS: Final = ("201", "305", "404", "505", "720", "919")


def fictional(area: str, line: int) -> str:
    """A number that is never given to anybody, E.164."""
    return f"+1{area}5550{line:03}"


def plain(text: str) -> str:
    """A name in the letters that user names are made of."""
    bare = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ø", "o").replace("ł", "l"))
    return "".join(letter for letter in bare.lower() if letter.isascii() and letter.isalpha())
