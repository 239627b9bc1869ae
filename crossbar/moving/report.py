# SPDX-License-Identifier: MPL-2.0
"""What came of an export or an import: how many of what, and what could not be taken over, and why."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from crossbar.errors import JSON

CREATED: Final = "created"
UPDATED: Final = "updated"
SKIPPED: Final = "skipped"
OUTCOMES: Final = (CREATED, UPDATED, SKIPPED)
FILES: Final = "attachments"
"""Attachments are counted among the types of documents under this name."""


@dataclass(frozen=True, slots=True, order=True)
class NotTakenOver:
    """Something that was not taken over: `what` names it (a document's key, a path), `reason` is for people."""

    what: str
    reason: str


@dataclass(slots=True)
class MovingReport:
    """Counts by outcome and type of document, and troubles; each trouble is told once."""

    counts: dict[str, Counter[str]] = field(default_factory=lambda: {outcome: Counter() for outcome in OUTCOMES})
    troubles: dict[NotTakenOver, None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def count(self, outcome: str, what: str, number: int = 1) -> None:
        """Note what became of a document of a type, or of an attachment."""
        self.counts[outcome][what] += number

    def trouble(self, what: str, reason: str) -> None:
        """Note what was not taken over."""
        self.troubles[NotTakenOver(what, reason)] = None

    def total(self, outcome: str) -> int:
        """How many documents and attachments had an outcome."""
        return self.counts[outcome].total()

    @property
    def rows(self) -> list[tuple[str, list[int]]]:
        """Type, and how many of it were created, updated and skipped."""
        types = sorted({name for counted in self.counts.values() for name in counted})
        return [(name, [self.counts[outcome][name] for outcome in OUTCOMES]) for name in types]

    @property
    def as_json(self) -> dict[str, JSON]:
        """All of it."""
        return {
            **{outcome: dict(sorted(self.counts[outcome].items())) for outcome in OUTCOMES},
            "not_taken_over": [{"what": one.what, "reason": one.reason} for one in self.troubles],
            "notes": self.notes,
        }
