# SPDX-License-Identifier: MPL-2.0
"""Which `mongod` is run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from crossbar.documents.mongod_binary import EmbeddedMongoError, find_mongod
from tests.embedded import (
    script,
)


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delenv("CROSSBAR_MONGOD", raising=False)
    return monkeypatch


def test_a_package_brings_mongod(nothing_installed: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "fiftyone" / "db" / "bin").mkdir(parents=True)
    packaged = script(tmp_path / "fiftyone" / "db" / "bin" / "mongod", "")
    nothing_installed.setattr(sys, "path", [str(tmp_path)])
    assert find_mongod() == packaged


def test_mongod_on_path_goes_before_the_package(nothing_installed: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "fiftyone" / "db" / "bin").mkdir(parents=True)
    script(tmp_path / "fiftyone" / "db" / "bin" / "mongod", "")
    nothing_installed.setattr(sys, "path", [str(tmp_path)])
    on_path = script(tmp_path / "mongod", "")
    nothing_installed.setenv("PATH", str(tmp_path))
    assert find_mongod() == on_path


def test_the_environment_goes_before_path(nothing_installed: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script(tmp_path / "mongod", "")
    nothing_installed.setenv("PATH", str(tmp_path))
    named = script(tmp_path / "named", "")
    nothing_installed.setenv("CROSSBAR_MONGOD", str(named))
    assert find_mongod() == named


def test_an_environment_that_names_no_program_is_told(nothing_installed: pytest.MonkeyPatch) -> None:
    nothing_installed.setenv("CROSSBAR_MONGOD", "/nowhere/mongod")
    with pytest.raises(EmbeddedMongoError, match=r"^CROSSBAR_MONGOD names /nowhere/mongod, which is no program"):
        find_mongod()


@pytest.mark.usefixtures("nothing_installed")
def test_without_a_mongod_the_ways_to_one_are_told() -> None:
    with pytest.raises(EmbeddedMongoError) as refused:
        find_mongod()
    assert str(refused.value) == (
        "There is no MongoDB. Set database.uri to one that runs, or install mongod for the server to run its own: "
        "pip install 'kazoo-crossbar[embedded]', or a mongod on PATH or named by CROSSBAR_MONGOD."
    )
