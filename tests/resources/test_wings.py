# SPDX-License-Identifier: MPL-2.0
"""Where things stand in the wings: a file is an endpoint, a part of one, or domain logic that knows nothing of HTTP."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from crossbar import app
from crossbar.endpoint.document_history import DocumentHistory

PACKAGE = Path(app.__file__).parent
RESOURCES = PACKAGE / "resources"
NAMES = {endpoint.name for endpoint in app.ENDPOINTS}
MODULES = [file for file in RESOURCES.rglob("*.py") if "domain" not in file.parts]
LISTS = {RESOURCES / "__init__.py", *RESOURCES.glob("*/__init__.py"), *RESOURCES.glob("calls/*/__init__.py")}
LONGEST = 400
OPTION_TABLE = PACKAGE / "config.py"


def named(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize("file", sorted(set(MODULES) - LISTS), ids=named)
def test_a_file_outside_of_domain_is_an_endpoint_or_a_part_of_one(file: Path) -> None:
    names = {file.stem, file.parent.name}
    assert names & NAMES, f"{named(file)} is no endpoint; what is not HTTP belongs into a folder `domain`"
    if file.stem in NAMES:
        assigned = {
            target.id
            for node in ast.parse(file.read_text()).body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        assert file.stem in assigned


@pytest.mark.parametrize("name", sorted(NAMES))
def test_an_endpoint_is_found_by_its_name(name: str) -> None:
    assert [file for file in MODULES if file.stem == name or (file.stem == "__init__" and file.parent.name == name)]


def test_no_file_name_and_no_class_name_stands_for_two_things() -> None:
    files = [file for file in PACKAGE.rglob("*.py") if file.stem not in ("__init__", "__main__")]
    classes = [
        node.name
        for file in PACKAGE.rglob("*.py")
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.ClassDef)
    ]
    assert [name for name, count in Counter(file.stem for file in files).items() if count > 1] == []
    assert [name for name, count in Counter(classes).items() if count > 1] == []


@pytest.mark.parametrize("file", sorted(PACKAGE.rglob("*.py")), ids=named)
def test_files_are_of_a_size_to_be_read(file: Path) -> None:
    assert file == OPTION_TABLE or len(file.read_text().splitlines()) <= LONGEST


def test_no_wing_is_above_a_quarter_of_the_whole() -> None:
    lines = {
        wing: sum(len(file.read_text().splitlines()) for file in (RESOURCES / wing).rglob("*.py"))
        for wing in {file.name for file in RESOURCES.iterdir() if file.is_dir() and file.name != "__pycache__"}
    }
    whole = sum(len(file.read_text().splitlines()) for file in PACKAGE.rglob("*.py"))
    assert {wing for wing, count in lines.items() if count * 4 > whole} == set()


TEMPLATES = {
    route.template.split("/", 2)[2]
    for endpoint in app.ENDPOINTS
    for route in endpoint.routes
    if not isinstance(getattr(route.handler, "__self__", None), DocumentHistory)  # it stands below every document
}
SOURCES = "".join(file.read_text() for file in MODULES)


@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_searching_for_a_url_finds_the_declaration_that_serves_it(template: str) -> None:
    above = template.rpartition("/")[0]
    found = (f'"/{template}"', f'"/{template}/', f'"/{above}"')  # lists stand above a document, files below one
    assert any(text in SOURCES for text in found)
