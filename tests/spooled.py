# SPDX-License-Identifier: MPL-2.0
"""The letters in a server's mail spool, each read once, however often tests look."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

from crossbar.config import Config
from crossbar.events.mail import spool_folder
from crossbar.events.spool import Spool

_READ: dict[tuple[Path, str], EmailMessage] = {}


def spooled(config: Config) -> list[tuple[str, EmailMessage]]:
    """What lies in the spool just now, by id, the oldest first."""
    folder = spool_folder(config)
    spool = Spool(folder)
    return [(entry.id, one) for entry in spool.entries() if (one := _letter(spool, folder, entry.id)) is not None]


def _letter(spool: Spool, folder: Path, entry_id: str) -> EmailMessage | None:
    """A letter of a spool, which stays as it is."""
    known = _READ.get((folder, entry_id))
    if known is None:
        known = spool.read(entry_id)
        if known is not None:
            _READ[folder, entry_id] = known
    return known
