# SPDX-License-Identifier: MPL-2.0
"""Why the embedded database is away, where every process of the server can read it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from crossbar.config import Config

SIZE: Final = 2048
"""Bytes of the file, all written at the start: a full disk, which may be the trouble, still takes what is written."""


def embedded_folder(config: Config) -> Path:
    """Where the embedded database of an installation lies."""
    return config.server.data / "mongo"


class Trouble:
    """A file of the database's folder that tells what keeps it from running; blank while it runs."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "trouble"

    def tell(self, reason: str) -> None:
        """Let others know; an empty reason says that all is well."""
        text = reason.encode()[:SIZE].ljust(SIZE)
        with suppress(OSError), self._path.open("r+b" if self._path.exists() else "wb", buffering=0) as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(text)

    def told(self) -> str:
        """What was told last; empty where nothing was."""
        try:
            return self._path.read_bytes().decode(errors="ignore").strip()
        except OSError:
            return ""
