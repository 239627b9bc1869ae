# SPDX-License-Identifier: MPL-2.0
"""Functions that other modules add to a place where they are called."""

from __future__ import annotations

from typing import TypeVar

Added = TypeVar("Added")


class Registry(list[Added]):
    """What was added, in the order of that. It is itself the decorator that adds a function."""

    def __call__(self, added: Added) -> Added:
        """Add a function, and return it as it is."""
        self.append(added)
        return added
