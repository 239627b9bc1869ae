# SPDX-License-Identifier: MPL-2.0
"""Who acts on numbers, or on the requests that bring them in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from crossbar.access.authorship import Author
from crossbar.access.identity import Identity
from crossbar.runtime import Runtime


def _nothing(_: str | None) -> None:
    return None


@dataclass(frozen=True, slots=True)
class NumberCaller:
    """Who calls, with which rights, and what is noted of it in what changes.

    `ready` is called between checking and writing with the revision of what is stored (None for what is new). Where
    `accepts_charges` is not true, a change that the account's plans charge for, or any longer, raises 402.
    """

    runtime: Runtime
    identity: Identity
    author: Author
    ready: Callable[[str | None], None] = _nothing
    accepts_charges: bool = True
