# SPDX-License-Identifier: MPL-2.0
"""The mail spool: messages on disk until they are delivered.

A message is one file, `<time>-<random>.eml`. Its time of modification is when it is to be tried next, so that a folder
of files is all the state there is: a server that was killed goes on where it was. Whoever works on a message holds a
lock on its file; the lock of a process that died is gone with it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Final

from crossbar import clock
from crossbar.ids import new_secret

WAITING: Final = ".eml"
FAILED: Final = ".failed"
HELD: Final = "."
"""What the name of a message begins with that is not to be delivered yet."""


@dataclass(frozen=True, slots=True)
class SpoolEntry:
    """One message in the spool. `created` and `due` in Unix seconds; `failed` once it was given up."""

    id: str
    created: float
    due: float
    failed: bool


@dataclass(frozen=True, slots=True)
class Spool:
    """Messages in a folder that only the server's own user can read: they hold links that log people in."""

    folder: Path

    def put(self, message: EmailMessage) -> str:
        """Keep a message and return its id. Raises OSError when the disk does not take it."""
        entry_id = self.hold(message, new_secret(4))
        self.release(entry_id)
        return entry_id

    def hold(self, message: EmailMessage, about: str) -> str:
        """Keep a message, not to be delivered before it is released, and return its id, which ends in `about`.

        Raises OSError when the disk does not take it.
        """
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        entry_id = f"{int(clock.unix_now() * 1000):013d}-{about}"
        whole = message.as_bytes(policy=policy.SMTP)
        held = self.folder / f"{HELD}{entry_id}"
        held.touch(mode=0o600, exist_ok=True)
        with held.open("wb") as file:
            file.write(whole)
            file.flush()
            os.fsync(file.fileno())
        os.utime(held, (clock.unix_now(), clock.unix_now()))
        return entry_id

    def release(self, entry_id: str) -> bool:
        """Let a message be delivered that was held; whether there was one."""
        try:
            (self.folder / f"{HELD}{entry_id}").rename(self.folder / f"{entry_id}{WAITING}")
        except FileNotFoundError:
            return False
        return True

    def discard(self, entry_id: str) -> None:
        """Forget a message that was held."""
        (self.folder / f"{HELD}{entry_id}").unlink(missing_ok=True)

    def held(self) -> list[str]:
        """The ids of the messages that wait to be released, the oldest first."""
        if not self.folder.is_dir():
            return []
        return sorted(path.name.removeprefix(HELD) for path in self.folder.glob(f"{HELD}[0-9]*"))

    def entries(self) -> list[SpoolEntry]:
        """All messages, the oldest first."""
        if not self.folder.is_dir():
            return []
        found = []
        for path in self.folder.iterdir():
            if path.suffix in (WAITING, FAILED) and not path.name.startswith("."):
                try:
                    due = path.stat().st_mtime
                except FileNotFoundError:  # delivered while we look
                    continue
                found.append(SpoolEntry(path.stem, created(path.stem), due, path.suffix == FAILED))
        return sorted(found, key=lambda entry: entry.id)

    def read(self, entry_id: str) -> EmailMessage | None:
        """A message, waiting or failed; None if there is none of this id."""
        for suffix in (WAITING, FAILED):
            path = self._path(entry_id, suffix)
            if path is not None and path.is_file():
                return _parsed(path.read_bytes())
        return None

    @contextmanager
    def claimed(self, entry_id: str) -> Iterator[EmailMessage | None]:
        """A waiting message, for one process alone while the block runs; None if another one has it or it is gone."""
        path = self.folder / f"{entry_id}{WAITING}"
        try:
            file = path.open("rb")
        except FileNotFoundError:
            yield None
            return
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield None
                return
            # Between opening and locking somebody else may have delivered it.
            yield _parsed(file.read()) if path.exists() else None

    def postpone(self, entry_id: str, due: float) -> None:
        """Try a message again at `due` (Unix seconds)."""
        os.utime(self.folder / f"{entry_id}{WAITING}", (due, due))

    def give_up(self, entry_id: str) -> None:
        """Keep a message that cannot be delivered, but try no more."""
        (self.folder / f"{entry_id}{WAITING}").rename(self.folder / f"{entry_id}{FAILED}")

    def remove(self, entry_id: str) -> None:
        """Forget a message."""
        for suffix in (WAITING, FAILED):
            (self.folder / f"{entry_id}{suffix}").unlink(missing_ok=True)

    def _path(self, entry_id: str, suffix: str) -> Path | None:
        """Where a message lies whose id a person gave; None for what is no id."""
        return self.folder / f"{entry_id}{suffix}" if entry_id.replace("-", "").isalnum() else None


def created(entry_id: str) -> float:
    """When a message was written, in Unix seconds."""
    milliseconds = entry_id.partition("-")[0]
    return int(milliseconds) / 1000 if milliseconds.isdigit() else 0.0


def _parsed(whole: bytes) -> EmailMessage:
    message: EmailMessage = message_from_bytes(whole, policy=policy.SMTP)
    return message
