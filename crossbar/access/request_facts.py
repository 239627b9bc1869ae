# SPDX-License-Identifier: MPL-2.0
"""What access decisions have to know of a request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

Noun = tuple[str, Sequence[str]]
"""An endpoint's name and the arguments that follow it in the path."""


class RequestFacts(Protocol):
    """A request as access decisions see it; `crossbar.endpoint.Context` is one.

    `verb` is the effective one (tunnelled verbs resolved), in capitals. `nouns` are the endpoints of the path in
    order, `named_account_id` the argument of its `accounts`, if any.
    """

    @property
    def client_ip(self) -> str: ...  # noqa: D102
    @property
    def verb(self) -> str: ...  # noqa: D102
    @property
    def nouns(self) -> Sequence[Noun]: ...  # noqa: D102
    @property
    def named_account_id(self) -> str | None: ...  # noqa: D102
