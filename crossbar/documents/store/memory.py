# SPDX-License-Identifier: MPL-2.0
"""What was read or written a moment ago, as bytes, as long as nobody has written since.

A value may be used only while its slot's marks (`WriteMarks`) are those from before it was read, and nothing was being
written then: whoever writes marks the slot before the write is sent, so whatever was acknowledged before a read
began has changed the marks before the read looks at them. What this worker has written itself may be used, too, if
nobody else wrote anything of the slot from before that write was sent until it was acknowledged.

That covers the workers of this server; of others `SoleUse` tells that there are none. What is written past every server
(by a person, in the database's own shell) is seen when a value is too old (`LONGEST_SECONDS`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from typing import Any, Final, NamedTuple

from crossbar.documents.dry_run import is_dry
from crossbar.documents.store.sole_use import SoleUse
from crossbar.shared import WriteMarks

LONGEST_SECONDS: Final = 120.0
OVERHEAD: Final = 600
"""Bytes that a value takes beside its own."""


class Ticket(NamedTuple):
    """How things stood before something was read, or will stand when something was written."""

    slot: int
    marks: bytes
    era: int
    changes: int


class _Kept(NamedTuple):
    value: Any
    size: int
    until: float
    ticket: Ticket


class Memory:
    """At most `largest` bytes of values by key (0: none); what was not used for longest makes room."""

    def __init__(self, marks: WriteMarks, largest: int = 0) -> None:
        self._marks = marks
        self._largest = largest
        self._sole_use: SoleUse | None = None
        self._kept: dict[Hashable, _Kept] = {}
        self._size = 0
        self._changes = 0

    def trust(self, sole_use: SoleUse) -> None:
        """Remember, from now on, while that is safe."""
        self._sole_use = sole_use

    def forget(self) -> None:
        """Nothing that was read until now, or is being read, may be used: the set has another primary, perhaps."""
        self._changes += 1

    def get(self, key: Hashable) -> Any:
        """The value of a key if it is known and as good as the database's, else None."""
        kept = self._kept.get(key)
        if kept is None or is_dry():
            return None
        slot, marks, era, changes = kept.ticket
        sole_use = self._sole_use
        if (
            sole_use is not None
            and sole_use.trusted
            and era == sole_use.era
            and changes == self._changes
            and marks == self._marks.row(slot)
            and kept.until > asyncio.get_running_loop().time()
        ):
            self._kept[key] = self._kept.pop(key)
            return kept.value
        self._drop(key)
        return None

    def ticket(self, subject: str) -> Ticket | None:
        """To be taken before something that depends on `subject` is read; None if it could not be remembered."""
        sole_use = self._sole_use
        if not self._largest or sole_use is None or not sole_use.trusted or is_dry():
            return None
        slot = self._marks.slot(subject)
        # The marks first: what is begun after them is not mistaken for what was ended before.
        marks = self._marks.row(slot)
        return Ticket(slot, marks, sole_use.era, self._changes) if self._marks.is_quiet(slot) else None

    def ticket_of_writer(self, subject: str) -> Ticket | None:
        """To be taken by who has marked `subject` and is about to write it, for what is written.

        None if it could not be remembered, because something else that has the slot is being written.
        """
        sole_use = self._sole_use
        if not self._largest or sole_use is None or not sole_use.trusted or is_dry():
            return None
        slot = self._marks.slot(subject)
        marks = self._marks.after_own(slot)
        return None if marks is None else Ticket(slot, marks, sole_use.era, self._changes)

    def keep(self, key: Hashable, value: Any, size: int, ticket: Ticket) -> None:
        """Remember what was read after the ticket was taken, or written and is marked as such."""
        size += OVERHEAD
        if ticket.marks != self._marks.row(ticket.slot) or size > self._largest:
            return
        self._drop(key)
        self._kept[key] = _Kept(value, size, asyncio.get_running_loop().time() + LONGEST_SECONDS, ticket)
        self._size += size
        while self._size > self._largest:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: Hashable) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._size -= kept.size
