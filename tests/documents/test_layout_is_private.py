# SPDX-License-Identifier: MPL-2.0
"""What MongoDB is told, and how documents lie in it, is written in `documents` alone."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import crossbar

PACKAGE = Path(crossbar.__file__).parent
ABOVE = sorted(path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] != "documents")
OPERATOR = re.compile(r"\$\$?[a-z][a-zA-Z]*")
JSON_SCHEMA = {"$ref", "$schema"}
"""Words of JSON schemas, which look like operators."""
STORED_FIELDS = {"_id", "uniq"}
"""Keys of stored documents that are no keys of anything else."""


def leaks(source: str) -> Iterator[str]:
    """The string literals that are MongoDB operators or keys of stored documents."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and OPERATOR.fullmatch(node.value):
            yield from {node.value} - JSON_SCHEMA
        if isinstance(node, ast.Dict):
            keys = [key.value for key in node.keys if isinstance(key, ast.Constant)]
            yield from (key for key in keys if key in STORED_FIELDS)


@pytest.mark.parametrize("path", ABOVE, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_module_above_speaks_to_the_database(path: Path) -> None:
    assert list(leaks(path.read_text())) == []


@pytest.mark.parametrize("source", ['{"tags": {"$in": words}}', '"$$v"', '{"_id": key}', 'f({"uniq": claim})'])
def test_a_leak_is_seen(source: str) -> None:
    assert list(leaks(source)) != []


def test_money_and_patterns_are_no_leak() -> None:
    assert list(leaks('("^[a-z]+$", "$ 5", "costs $in", row["_id"])')) == []
