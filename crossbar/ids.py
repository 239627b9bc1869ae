# SPDX-License-Identifier: MPL-2.0
"""The one maker of identifiers."""

from __future__ import annotations

import os
from typing import Final

from crossbar import clock

_AT_A_TIME: Final = 256
_ids: list[str] = []
"""Random ids that nobody has had yet; a call of the system for each would cost more than the id."""
os.register_at_fork(after_in_child=_ids.clear)


def new_id() -> str:
    """32 lower-case hex characters: the form of every KAZOO document id."""
    while True:
        try:
            return _ids.pop()
        except IndexError:
            text = os.urandom(16 * _AT_A_TIME).hex()
            _ids.extend(text[at : at + 32] for at in range(0, len(text), 32))


def new_secret(size: int = 32) -> str:
    """`2 * size` lower-case hex characters from the system's random source."""
    return os.urandom(size).hex()


def monthly_id(gregorian_seconds: int | None = None) -> str:
    """`YYYYMM-<32 hex>`: the id of a document kept by month (CDRs, faxes, messages, login attempts)."""
    return f"{clock.year_month(gregorian_seconds)}-{new_id()}"


def next_revision(revision: str | None) -> str:
    """`N-<32 hex>` with N one more than in `revision`; `1-…` for a new document."""
    generation = int(revision.split("-", 1)[0]) if revision else 0
    return f"{generation + 1}-{new_id()}"
