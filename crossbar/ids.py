"""The one maker of identifiers."""

from __future__ import annotations

import os

from crossbar import clock


def new_id() -> str:
    """32 lower-case hex characters: the form of every KAZOO document id."""
    return os.urandom(16).hex()


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
