# SPDX-License-Identifier: MPL-2.0
"""The page on the architecture says what the import contracts say."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text()


def contract(name: str) -> list[set[str]]:
    """The layers of a contract, from the top."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    lines = setup[f"importlinter:contract:{name}"]["layers"].split("\n")
    return [{module.strip() for module in line.split("|")} for line in lines if line]


def table(header: str) -> list[set[str]]:
    """The names in the first column of a table, row by row."""
    rows = PAGE.split(header, 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [set(re.findall(r"`(\w+)`", row.split("|")[1])) for row in rows]


def test_the_table_of_layers_is_the_import_order() -> None:
    assert table("| modules | the question they answer |") == contract("layers")


def test_the_table_of_wings_is_their_order() -> None:
    assert table("| wing | what is in it |") == contract("wings")


def test_every_link_of_the_pages_leads_somewhere() -> None:
    for page in (*ROOT.glob("docs/**/*.md"), ROOT / "README.md"):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
