# SPDX-License-Identifier: MPL-2.0
"""What a check finds, and of which kinds it is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from crossbar.errors import JSON, CrossbarError

Repair = Callable[[], Awaitable[bool]]
"""Mends what was found if it is so still; says whether it was mended."""


@dataclass(slots=True)
class Finding:
    """Something that is not as it should be: `where` is the key of a document, or another place.

    Without a `repair` a person has to decide. With `destroys` the repair takes something away that somebody may miss.
    """

    kind: str
    where: str
    detail: str
    repair: Repair | None = field(default=None, repr=False)
    destroys: bool = False
    mended: bool = False

    @property
    def shown(self) -> dict[str, JSON]:
        """As JSON."""
        return {"kind": self.kind, "where": self.where, "detail": self.detail, "mended": self.mended}


UNREADABLE_ERRORS: Final = (CrossbarError, LookupError, TypeError, ValueError, AttributeError)
"""What is raised where a document lacks what all of its kind have."""

Findings = AsyncIterator[Finding]

MISSING_INDEX: Final = "missing index"
FOREIGN_INDEX: Final = "foreign index"
HELD_TWICE: Final = "value held twice"
STORED_FORM: Final = "stored form"
UNREADABLE: Final = "unreadable document"
UNKNOWN_TYPE: Final = "unknown type"
SCHEMA: Final = "schema"
MISSING_CLAIM: Final = "document without claim"
EMPTY_CLAIM: Final = "claim without document"
MISSING_PIECES: Final = "file without pieces"
MISSING_FILE: Final = "pieces without file"
OWNERLESS_FILE: Final = "file without document"
OLD_FILE: Final = "replaced file"
ACCOUNT_TREE: Final = "account tree"
COUNT: Final = "account count"
PORT_TREE: Final = "port request tree"
GONE_ACCOUNT: Final = "gone account"
LEDGER_SUM: Final = "ledger sum"
MISSING_DEBIT: Final = "missing debit"
FIRST_LEG: Final = "first leg"
QUEUE_TIMES: Final = "queue times"
