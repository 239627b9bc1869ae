# SPDX-License-Identifier: MPL-2.0
"""What an example of a request says that follows from no schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

BY_SCHEMA: Final = object()
"""Stands for data that the schema of the operation gives an example of."""


@dataclass(frozen=True, slots=True)
class Example:
    """A request that works, with `{{names}}` for what other requests have made.

    `data` is what stands in the envelope, `file` the type and text of a body that is a file. `query` are parameters
    that have to be given, `arguments` parts of the path that are other than usual. `keeps` says what of the answer's
    data a variable is to hold: variable → field; `forgets` are variables that hold nothing after it. `refused` is why
    the request cannot succeed by itself; it may then have any status that is described.
    """

    data: Any = BY_SCHEMA
    file: tuple[str, str] | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, str] = field(default_factory=dict)
    keeps: Mapping[str, str] = field(default_factory=dict)
    forgets: tuple[str, ...] = ()
    refused: str = ""
