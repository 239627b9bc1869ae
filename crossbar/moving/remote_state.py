# SPDX-License-Identifier: MPL-2.0
"""How far an import from an API has come, kept beside the database, so that one that broke off goes on from there."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import orjson

from crossbar.errors import JSON
from crossbar.moving.report import MovingReport, NotTakenOver

FOLDER = "imports"
MOST_TROUBLES = 1000
"""That are kept by name: they are written with each page."""


@dataclass(slots=True)
class RemoteState:
    """The lists that were read to their end, and where others go on; without a path nothing is kept."""

    path: Path | None
    done: set[str] = field(default_factory=set)
    next: dict[str, JSON] = field(default_factory=dict)
    """List → the key of its next page."""
    troubles: list[NotTakenOver] = field(default_factory=list)
    """What earlier runs could not take over."""

    @classmethod
    def of(cls, data: Path, url: str, account_id: str) -> RemoteState:
        """What an earlier run left in the data folder, or a beginning."""
        name = hashlib.sha256(f"{url} {account_id}".encode()).hexdigest()[:32]
        path = data / FOLDER / f"{name}.json"
        try:
            stored = orjson.loads(path.read_bytes())
            troubles = [NotTakenOver(str(what), str(reason)) for what, reason in stored.get("troubles", [])]
            return cls(path, set(stored["done"]), dict(stored["next"]), troubles)
        except (OSError, ValueError, KeyError, TypeError):  # none, or half of one: all is read again
            return cls(path)

    @property
    def is_begun(self) -> bool:
        """Whether an earlier run left something."""
        return bool(self.done or self.next)

    def read(self, source: str, following: JSON, report: MovingReport) -> None:
        """A page of a list is in the database: note where the next begins (None: there is none), and all troubles."""
        self.next.pop(source, None)
        if following is None:
            self.done.add(source)
        else:
            self.next[source] = following
        if self.path is not None:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = self.path.with_suffix(".part")
            troubles = [(one.what, one.reason) for one in islice(report.troubles, MOST_TROUBLES)]
            if (more := len(report.troubles) - MOST_TROUBLES) > 0:
                troubles.append((f"{more} more", "an earlier run told of it, or was ended before it could"))
            draft.write_bytes(orjson.dumps({"done": sorted(self.done), "next": self.next, "troubles": troubles}))
            draft.replace(self.path)

    def forget(self) -> None:
        """Everything is done; the next run begins at the beginning."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)
